"""vSwitches, VPCs, security groups, regions and zones."""

from collections.abc import Iterable
from ipaddress import ip_network

from spottui.sim.catalog import TYPES
from spottui.sim.clock import iso_seconds
from spottui.sim.ecs import filters
from spottui.sim.model import Region, VSwitch
from spottui.sim.paging import by_number
from spottui.sim.registry import Body, Call, action

_VPC_NAME, _GROUP_NAME = "spot", "spot"


@action()
def describe_vswitches(call: Call) -> Body:
    """The vSwitches of a region, by id, VPC or zone."""
    return by_number(
        call, vswitches_asked(call), lambda page: {"VSwitches": {"VSwitch": page}}, lambda row: vswitch(row, call.now)
    )


def vswitches_asked(call: Call) -> Iterable[VSwitch]:
    """The vSwitches of a region with the id, VPC and zone that a call names."""
    params, region = call.params, call.any_region
    gone = call.world.settings.gone
    rows = (row for row in call.world.vswitches.values() if region in ("", row.region) and row.id not in gone)
    return filters.keep(
        rows,
        filters.equals("id", params.text("VSwitchId")),
        filters.equals("vpc_id", params.text("VpcId")),
        filters.equals("zone", params.text("ZoneId")),
        filters.switched(params, "IsDefault", lambda row: False),
    )


@action()
def describe_vpcs(call: Call) -> Body:
    """The VPC of each region."""
    params, region = call.params, call.any_region
    regions = filters.keep(
        (row for row in call.world.regions.values() if region in ("", row.id)),
        filters.among("vpc_id", params["VpcId"].split(",") if params.text("VpcId") else None),
        filters.switched(params, "IsDefault", lambda row: False), filters.fixed(params.text("VpcName"), _VPC_NAME),
        filters.fixed(params.text("ResourceGroupId"), ""),
    )  # fmt: skip
    return by_number(call, regions, lambda page: {"Vpcs": {"Vpc": page}}, lambda row: _vpc(row, call.now), most=50)


@action()
def describe_security_groups(call: Call) -> Body:
    """The security group of a region, with how many instances are in it."""
    params, region = call.params, call.region
    params.accept("FuzzyQuery", "IsQueryEcsCount")
    regions = filters.keep(
        (row for row in (region,) if row.security_group_id not in call.world.settings.gone),
        filters.equals("security_group_id", params.text("SecurityGroupId")),
        filters.among("security_group_id", params.json_list("SecurityGroupIds")),
        filters.equals("vpc_id", params.text("VpcId")), filters.fixed(params.text("NetworkType"), "vpc"),
        filters.fixed(params.text("SecurityGroupName"), _GROUP_NAME),
        filters.fixed(params.text("SecurityGroupType"), "normal"), filters.fixed(params.text("ResourceGroupId"), ""),
        filters.switched(params, "ServiceManaged", lambda row: False),
        (lambda row: False) if params.tags() else None,
    )  # fmt: skip
    call.refuse_if_dry_run()
    body = by_number(
        call, regions, lambda page: {"SecurityGroups": {"SecurityGroup": page}}, lambda row: _group(call, row), most=100
    )
    return {"RegionId": region.id, "NextToken": "", **body}


@action()
def describe_regions(call: Call) -> Body:
    """The regions of this cloud."""
    call.params.accept("InstanceChargeType", "ResourceType")
    return {"Regions": {"Region": [_region(region_id) for region_id in call.world.regions]}}


@action()
def describe_zones(call: Call) -> Body:
    """The zones of a region."""
    call.params.accept("InstanceChargeType", "SpotStrategy", "Verbose")
    return {"Zones": {"Zone": [_zone(zone_id) for zone_id in call.region.zones]}}


def vswitch(row: VSwitch, now: float) -> dict[str, object]:
    """One row of the ECS API's DescribeVSwitches, which knows no tags."""
    free = ip_network(row.cidr).num_addresses - 4 - len(row.used)
    return {
        "VSwitchId": row.id, "VSwitchName": f"spot-{row.zone}", "VpcId": row.vpc_id, "ZoneId": row.zone,
        "CidrBlock": row.cidr, "AvailableIpAddressCount": free, "Status": "Available", "IsDefault": False,
        "Description": "", "ResourceGroupId": "", "CreationTime": iso_seconds(now - 90 * 86_400),
    }  # fmt: skip


def _vpc(row: Region, now: float) -> dict[str, object]:
    return {
        "VpcId": row.vpc_id, "VpcName": _VPC_NAME, "RegionId": row.id, "CidrBlock": "172.16.0.0/16",
        "Status": "Available", "IsDefault": False, "Description": "", "VRouterId": f"vrt-{row.vpc_id[4:]}",
        "CreationTime": iso_seconds(now - 90 * 86_400), "VSwitchIds": {"VSwitchId": list(row.vswitches.values())},
        "UserCidrs": {"UserCidr": []},
    }  # fmt: skip


def _group(call: Call, row: Region) -> dict[str, object]:
    group = row.security_group_id
    members = sum(1 for instance in call.world.instances.values() if group in instance.security_group_ids)
    return {
        "SecurityGroupId": group, "SecurityGroupName": _GROUP_NAME, "SecurityGroupType": "normal",
        "VpcId": row.vpc_id, "Description": "", "EcsCount": members, "AvailableInstanceAmount": 2000 - members,
        "RuleCount": 0, "GroupToGroupRuleCount": 0, "ResourceGroupId": "", "ServiceManaged": False,
        "CreationTime": iso_seconds(call.now - 90 * 86_400), "Tags": {"Tag": []},
    }  # fmt: skip


def _region(region_id: str) -> dict[str, str]:
    return {
        "RegionId": region_id, "LocalName": region_id, "Status": "available",
        "RegionEndpoint": f"ecs.{region_id}.aliyuncs.com",
    }  # fmt: skip


def _zone(zone_id: str) -> dict[str, object]:
    return {
        "ZoneId": zone_id, "LocalName": zone_id, "ZoneType": "AvailabilityZone",
        "AvailableInstanceTypes": {"InstanceTypes": list(TYPES)},
        "AvailableDiskCategories": {"DiskCategories": ["cloud_essd", "cloud_auto", "cloud_efficiency"]},
        "AvailableResourceCreation": {"ResourceTypes": ["VSwitch", "IoOptimized", "Instance", "Disk"]},
        "AvailableVolumeCategories": {"VolumeCategories": []},
        "AvailableDedicatedHostTypes": {"DedicatedHostType": []},
        "DedicatedHostGenerations": {"DedicatedHostGeneration": []},
        "AvailableResources": {"ResourcesInfo": []},
    }  # fmt: skip
