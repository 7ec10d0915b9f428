"""VPC (version 2016-04-28): vSwitches with their tags, which the ECS API does not show."""

from spottui.sim.ecs import filters
from spottui.sim.ecs.network import vswitch
from spottui.sim.model import VSwitch
from spottui.sim.paging import by_number
from spottui.sim.registry import VPC, Body, Call, action

_MOST_PER_PAGE = 50


@action(VPC)
def describe_vswitches(call: Call) -> Body:
    """The vSwitches of a region, by id, VPC, zone or tag."""
    params, region = call.params, call.any_region
    rows = (row for row in call.world.vswitches.values() if region in ("", row.region))
    found = filters.keep(
        rows,
        filters.equals("id", params.text("VSwitchId")),
        filters.equals("vpc_id", params.text("VpcId")),
        filters.equals("zone", params.text("ZoneId")),
        filters.tagged(params.tags()),
    )
    return by_number(
        call, found, lambda page: {"VSwitches": {"VSwitch": page}}, lambda row: _tagged(row, call.now), _MOST_PER_PAGE
    )


def _tagged(row: VSwitch, now: float) -> dict[str, object]:
    return {**vswitch(row, now), "Tags": {"Tag": [{"Key": k, "Value": v} for k, v in row.tags.items()]}}
