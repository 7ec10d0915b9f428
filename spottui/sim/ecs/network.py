"""vSwitches, regions and zones."""

from ipaddress import ip_network

from spottui.sim.catalog import TYPES
from spottui.sim.clock import iso_seconds
from spottui.sim.ecs import filters
from spottui.sim.model import VSwitch
from spottui.sim.paging import by_number
from spottui.sim.registry import Body, Call, action


@action()
def describe_vswitches(call: Call) -> Body:
    """The vSwitches of a region, by id, VPC or zone."""
    params = call.params
    region = call.any_region
    rows = (row for row in call.world.vswitches.values() if region in ("", row.region))
    found = filters.keep(
        rows,
        filters.equals("id", params.text("VSwitchId")),
        filters.equals("vpc_id", params.text("VpcId")),
        filters.equals("zone", params.text("ZoneId")),
    )
    return by_number(call, found, lambda page: {"VSwitches": {"VSwitch": page}}, lambda row: vswitch(row, call.now))


@action()
def describe_regions(call: Call) -> Body:
    """The regions of this cloud."""
    return {"Regions": {"Region": [_region(region_id) for region_id in call.world.regions]}}


@action()
def describe_zones(call: Call) -> Body:
    """The zones of a region."""
    return {"Zones": {"Zone": [_zone(zone_id) for zone_id in call.region.zones]}}


def vswitch(row: VSwitch, now: float) -> dict[str, object]:
    """One row of the ECS API's DescribeVSwitches, which knows no tags."""
    free = ip_network(row.cidr).num_addresses - 4 - len(row.used)
    return {
        "VSwitchId": row.id, "VSwitchName": f"spot-{row.zone}", "VpcId": row.vpc_id, "ZoneId": row.zone,
        "CidrBlock": row.cidr, "AvailableIpAddressCount": free, "Status": "Available", "IsDefault": False,
        "Description": "", "ResourceGroupId": "", "CreationTime": iso_seconds(now - 90 * 86_400),
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
