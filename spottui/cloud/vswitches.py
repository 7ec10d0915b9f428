"""One vSwitch for each zone in which a spot instance could run again."""

from collections import Counter

from spottui.cloud.errors import CloudError, ErrorKind
from spottui.cloud.region_tools import RegionTools

ACTION = "DescribeVSwitches"
PAGE = 50


def vswitches_by_zone(tools: RegionTools) -> dict[str, str]:
    """Return zone id to vSwitch id: the one that most spot instances use, else the roomiest of the same VPC.

    Zones with more spot instances come first. Raises `CloudError`.
    """
    specs = [spec for page in tools.ecs.fleet() for spec in page if spec.instance.is_spot]
    used = Counter(spec.vswitch_id for spec in specs)
    zones = Counter(spec.instance.zone for spec in specs)
    every = _all(tools)
    vpcs = {vpc for vswitch, _, vpc, _ in every if vswitch in used}
    fitting = [one for one in every if one[2] in vpcs]
    fitting.sort(key=lambda one: (-zones[one[1]], one[1], -used[one[0]], -one[3]))
    found: dict[str, str] = {}
    for vswitch, zone, _, _ in fitting:
        found.setdefault(zone, vswitch)
    return found


def _all(tools: RegionTools) -> list[tuple[str, str, str, int]]:
    """Return vSwitch, zone, VPC and free addresses of each vSwitch of the region."""
    rows = tools.any_ecs.pages(ACTION, {}, "VSwitches", "VSwitch", PAGE)
    try:
        return [(row["VSwitchId"], row["ZoneId"], row["VpcId"], int(row["AvailableIpAddressCount"])) for row in rows]
    except (KeyError, TypeError, ValueError) as error:
        raise CloudError(ACTION, ErrorKind.BROKEN, message=f"an unknown shape ({error})") from None
