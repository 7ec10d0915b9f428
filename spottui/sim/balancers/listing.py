"""ListLoadBalancers of ALB and NLB, whose lists differ in a few names."""

from dataclasses import dataclass
from typing import Any

from spottui.sim.balancers import groups
from spottui.sim.balancers.model import LoadBalancer
from spottui.sim.clock import iso_seconds
from spottui.sim.ecs import filters
from spottui.sim.registry import ALB, NLB, Body, Call, action

_MOST_IDS, _MOST_VPCS = 20, 10


@dataclass(frozen=True, slots=True)
class _Api:
    """Where the two APIs differ; `business_status` is the name of a filter and of what it looks at."""

    business_status: str
    most_names: int
    ip_version: str


_APIS = {
    # The misspelt name is the one of the API.
    ALB: _Api("LoadBalancerBussinessStatus", most_names=10, ip_version="IPv4"),
    NLB: _Api("LoadBalancerBusinessStatus", most_names=20, ip_version="ipv4"),
}


@action(ALB)
@action(NLB)
def list_load_balancers(call: Call) -> Body:
    """Load balancers of the product by id, name, VPC, zone, status or tag."""
    params, api = call.params, _APIS[call.version]
    rows = filters.keep(
        (row for row in call.world.load_balancers.values() if row.product == call.product),
        filters.equals("region", call.any_region),
        filters.among("id", groups.up_to(call, "LoadBalancerIds", _MOST_IDS) or None),
        filters.among("name", groups.up_to(call, "LoadBalancerNames", api.most_names) or None),
        filters.among("vpc_id", groups.up_to(call, "VpcIds", _MOST_VPCS) or None),
        filters.equals("zone", params.text("ZoneId")), filters.tagged(params.tags()),
        filters.fixed(params.text("LoadBalancerStatus"), "Active"),
        filters.fixed(params.text(api.business_status), "Normal"), filters.fixed(params.text("PayType"), "PostPay"),
        filters.fixed(params.text("AddressType"), "Intranet"), filters.fixed(params.text("Ipv6AddressType"), ""),
        filters.fixed(params.text("AddressIpVersion"), "IPv4"), filters.fixed(params.text("ResourceGroupId"), ""),
        filters.fixed(params.text("LoadBalancerType"), "Network"), _by_dns_name(call),
    )  # fmt: skip
    return groups.page(call, "LoadBalancers", rows, lambda row: {**_shown(call, row), **_OWN[call.version](row)})


def _by_dns_name(call: Call) -> filters.Keep | None:
    wanted = call.params.text("DNSName")
    return (lambda row: _dns_name(call, row) == wanted) if wanted else None


def _dns_name(call: Call, row: LoadBalancer) -> str:
    return f"{row.id}.{row.region}.{call.product}.aliyuncs.com"


def _shown(call: Call, row: LoadBalancer) -> dict[str, Any]:
    api = _APIS[call.version]
    return {
        "LoadBalancerId": row.id, "LoadBalancerName": row.name, "LoadBalancerStatus": "Active",
        api.business_status: "Normal", "AddressType": "Intranet", "AddressIpVersion": api.ip_version,
        "Ipv6AddressType": "", "DNSName": _dns_name(call, row), "VpcId": row.vpc_id, "ResourceGroupId": "",
        "CreateTime": iso_seconds(row.created_at), "LoadBalancerBillingConfig": {"PayType": "PostPay"},
        "DeletionProtectionConfig": {"Enabled": False}, "ModificationProtectionConfig": {"Status": "NonProtection"},
        "Tags": [{"Key": key, "Value": value} for key, value in row.tags.items()],
    }  # fmt: skip


def _own_of_alb(_row: LoadBalancer) -> dict[str, Any]:
    return {"AddressAllocatedMode": "Fixed", "LoadBalancerEdition": "Standard", "LoadBalancerOperationLocks": []}


def _own_of_nlb(row: LoadBalancer) -> dict[str, Any]:
    address = {"PrivateIPv4Address": row.address, "PrivateIPv4HcStatus": "Healthy"}
    zone = {
        "ZoneId": row.zone, "VSwitchId": row.vswitch_id, "Status": "Active", "LoadBalancerAddresses": [address],
    }  # fmt: skip
    return {
        "LoadBalancerType": "Network", "RegionId": row.region, "CrossZoneEnabled": True, "OperationLocks": [],
        "ZoneMappings": [zone],
    }  # fmt: skip


_OWN = {ALB: _own_of_alb, NLB: _own_of_nlb}
