"""VPC (version 2016-04-28): vSwitches with their tags, which the ECS API lacks; VPCs and EIPs as ECS has them."""

from spottui.sim.ecs import eips, filters, network
from spottui.sim.ecs.network import vswitch
from spottui.sim.model import VSwitch
from spottui.sim.paging import by_number
from spottui.sim.registry import VPC, Body, Call, action

_MOST_PER_PAGE = 50

for shared in (
    eips.allocate_eip_address, eips.associate_eip_address, eips.unassociate_eip_address, eips.release_eip_address,
    network.describe_vpcs,
):  # fmt: skip
    action(VPC)(shared)

_UNKNOWN_OF_EIPS = (
    "EipName", "ResourceGroupId", "Tag", "Filter", "PublicIpAddressPoolId", "SecurityProtectionEnabled",
    "ServiceManaged", "IncludeReservationData",
)  # fmt: skip
action(VPC, refuses=_UNKNOWN_OF_EIPS)(eips.describe_eip_addresses)


@action(VPC, refuses=("RouteTableId", "ResourceGroupId", "VSwitchOwnerId", "EnableIpv6", "DryRun"))
def describe_vswitches(call: Call) -> Body:
    """The vSwitches of a region, by id, VPC, zone or tag."""
    params = call.params
    vswitches = filters.keep(
        network.vswitches_asked(call),
        (lambda row: params["VSwitchName"] == f"spot-{row.zone}") if params.text("VSwitchName") else None,
        filters.tagged(params.tags()),
    )
    return by_number(
        call,
        vswitches,
        lambda page: {"VSwitches": {"VSwitch": page}},
        lambda row: _tagged(row, call.now),
        _MOST_PER_PAGE,
    )


def _tagged(row: VSwitch, now: float) -> dict[str, object]:
    return {**vswitch(row, now), "Tags": {"Tag": [{"Key": k, "Value": v} for k, v in row.tags.items()]}}
