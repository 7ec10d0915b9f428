"""The spot instances of a command: those of the configured regions, or the one that a person names."""

from typing import TYPE_CHECKING

from spottui.cli.common import Failed, Wrong

if TYPE_CHECKING:
    from spottui.cloud.region_tools import RegionTools
    from spottui.domain.instance import Instance

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spottui.cloud.ecs import Ecs
    from spottui.domain.clock import CloudClock
    from spottui.domain.launch_spec import LaunchSpec
    from spottui.domain.settings import Settings


def find_instance(every: "tuple[RegionTools, ...]", text: str) -> "tuple[RegionTools, Instance]":
    """Return the instance of that id or name with the clients of its region; raises `Failed` or `Wrong`."""
    found = [(tools, instance) for tools in every for instance in _of(tools, text)]
    if not found:
        raise Failed(f"{text} is not listed in {', '.join(tools.settings.key for tools in every)}.")
    if len(found) > 1:
        ids = ", ".join(f"{instance.instance_id} in {instance.zone}" for _, instance in found)
        raise Wrong(f"{text} is the name of several instances; pass an id: {ids}.")
    return found[0]


def _of(tools: "RegionTools", text: str) -> "list[Instance]":
    if text.startswith("i-"):
        return [spec.instance for spec in tools.ecs.launch_specs([text]).values()]
    return [spec.instance for page in tools.ecs.fleet() for spec in page if spec.instance.name == text]


def fleets_of(
    settings: "Settings", ids: Sequence[str], clock: "CloudClock"
) -> "list[tuple[Ecs, tuple[LaunchSpec, ...]]]":
    """Return the spot instances of each region; raises `CloudError`, and `Wrong` for `ids` that are not among them."""
    from spottui.cloud.region_tools import credentials_of, region_tools
    from spottui.recovery.readiness import spot_fleet

    every = [
        (tools.ecs, spot_fleet(tools.ecs)) for tools in region_tools(settings, credentials_of(settings), clock=clock)
    ]
    known = {spec.instance.instance_id for _, specs in every for spec in specs}
    unknown = [instance_id for instance_id in ids if instance_id not in known]
    if unknown:
        raise Wrong(f"{', '.join(unknown)}: no spot instance of a configured region has this id.")
    return every
