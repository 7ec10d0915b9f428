"""VPC of one region: only its API (version 2016-04-28) knows the tags of vSwitches."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from spottui.cloud.credentials import CredentialSource
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.cloud.rpc import VPC, Rpc, service_endpoint

ACTION = "DescribeVSwitches"
PAGE = 50


class Vpc:
    """The calls of one account and region; thread-safe."""

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


def _roomiest(found: Iterable[dict[str, Any]]) -> dict[str, str]:
    try:
        by_room = sorted(found, key=lambda row: int(row["AvailableIpAddressCount"]))
        return {str(row["ZoneId"]): str(row["VSwitchId"]) for row in by_room if int(row["AvailableIpAddressCount"])}
    except (KeyError, TypeError, ValueError) as error:
        raise CloudError(ACTION, ErrorKind.BROKEN, message=f"a field of an unknown shape ({error})") from None
