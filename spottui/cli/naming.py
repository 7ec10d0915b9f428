"""The instance that a person means: by its id, or by its name where only one has it."""

from typing import TYPE_CHECKING

from spottui.cli.common import Failed, Wrong

if TYPE_CHECKING:
    from spottui.cloud.region_tools import RegionTools
    from spottui.domain.instance import Instance


def find_instance(every: "tuple[RegionTools, ...]", text: str) -> "tuple[RegionTools, Instance]":
    """Return the instance of that id or name and its region's clients; raises in words when there is not just one."""
    found = [(tools, instance) for tools in every for instance in _of(tools, text)]
    if not found:
        raise Failed(f"{text} is not listed in {', '.join(one.settings.key for one in every)}.")
    if len(found) > 1:
        ids = ", ".join(f"{instance.instance_id} in {instance.zone}" for _, instance in found)
        raise Wrong(f"{text} is the name of several instances; pass an id: {ids}.")
    return found[0]


def _of(tools: "RegionTools", text: str) -> "list[Instance]":
    if text.startswith("i-"):
        return [spec.instance for spec in tools.ecs.launch_specs([text]).values()]
    return [spec.instance for page in tools.ecs.fleet() for spec in page if spec.instance.name == text]
