"""The vSwitches of a region: those with a tag, and one for each zone in which a spot instance could run again."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spottui.cloud.credentials import CredentialSource
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.cloud.rpc import VPC, Rpc, service_endpoint

if TYPE_CHECKING:
    from spottui.cloud.region_tools import RegionTools

ACTION = "DescribeVSwitches"
PAGE = 50


class Vpc:
    """VPC of one account and region: only its API (version 2016-04-28) knows the tags of vSwitches. Thread-safe."""

    def __init__(
        self, region: str, ecs_endpoint: str, credentials: CredentialSource, ca_file: Path | None = None
    ) -> None:
        self._rpc = Rpc(VPC, region, service_endpoint("vpc", region, ecs_endpoint), credentials, ca_file)

    def vswitches(self, vpc_id: str, tag: str) -> dict[str, str]:
        """Return the vSwitches of a VPC with a tag, a key or `key=value`, by zone: of several the one with most room.

        Raises `CloudError`.
        """
        key, _, value = tag.partition("=")
        query = {"VpcId": vpc_id, "Tag.1.Key": key, **({"Tag.1.Value": value} if value else {})}
        return _roomiest(self._rpc.pages(ACTION, query, "VSwitches", "VSwitch", PAGE))


def vswitches_by_zone(tools: "RegionTools") -> dict[str, str]:
    """Return zone id to vSwitch id: the one that most spot instances use, else the roomiest of the same VPC.

    Zones with more spot instances come first. Raises `CloudError`.
    """
    specs = [spec for page in tools.ecs.fleet() for spec in page if spec.instance.is_spot]
    used = Counter(spec.vswitch_id for spec in specs)
    zones = Counter(spec.instance.zone for spec in specs)
    every = _all(tools)
    vpcs = {vpc for vswitch, _, vpc, _ in every if vswitch in used}
    fitting = [vswitch for vswitch in every if vswitch[2] in vpcs]
    fitting.sort(key=lambda vswitch: (-zones[vswitch[1]], vswitch[1], -used[vswitch[0]], -vswitch[3]))
    by_zone: dict[str, str] = {}
    for vswitch, zone, _, _ in fitting:
        by_zone.setdefault(zone, vswitch)
    return by_zone


def _roomiest(found: Iterable[dict[str, Any]]) -> dict[str, str]:
    try:
        by_room = sorted(found, key=lambda row: int(row["AvailableIpAddressCount"]))
        return {str(row["ZoneId"]): str(row["VSwitchId"]) for row in by_room if int(row["AvailableIpAddressCount"])}
    except (KeyError, TypeError, ValueError) as error:
        raise CloudError(ACTION, ErrorKind.BROKEN, message=f"a field of an unknown shape ({error})") from None


def _all(tools: "RegionTools") -> list[tuple[str, str, str, int]]:
    """Return vSwitch, zone, VPC and free addresses of each vSwitch of the region."""
    rows = tools.any_ecs.pages(ACTION, {}, "VSwitches", "VSwitch", PAGE)
    try:
        return [(row["VSwitchId"], row["ZoneId"], row["VpcId"], int(row["AvailableIpAddressCount"])) for row in rows]
    except (KeyError, TypeError, ValueError) as error:
        raise CloudError(ACTION, ErrorKind.BROKEN, message=f"an unknown shape ({error})") from None
