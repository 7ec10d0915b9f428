"""The spot instances of every configured region, as the cloud lists them now."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from spottui.cli.common import Wrong

if TYPE_CHECKING:
    from spottui.cloud.ecs import Ecs
    from spottui.domain.clock import CloudClock
    from spottui.domain.launch_spec import LaunchSpec
    from spottui.domain.settings import Settings


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
    unknown = [one for one in ids if one not in known]
    if unknown:
        raise Wrong(f"{', '.join(unknown)}: no spot instance of a configured region has this id.")
    return every
