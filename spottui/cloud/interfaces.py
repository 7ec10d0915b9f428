"""Network interfaces: where secondary ones are, moving them to another instance, assigning private IPs."""

from collections.abc import Sequence
from typing import Any

import msgspec

from spottui.cloud.ecs import Answer, Ecs
from spottui.cloud.fields import rows, text_of
from spottui.cloud.sdk import models

DESCRIBE = "DescribeNetworkInterfaces"
KEEP, DETACH, ATTACH = "ModifyNetworkInterfaceAttribute", "DetachNetworkInterface", "AttachNetworkInterface"
ASSIGN = "AssignPrivateIpAddresses"


class Interface(msgspec.Struct, frozen=True):
    """A network interface as DescribeNetworkInterfaces shows it; `instance_id` is empty where it is free."""

    eni_id: str
    instance_id: str
    status: str
    zone: str
    goes_with_instance: bool

    @property
    def settled(self) -> bool:
        """Whether it is neither being attached nor detached."""
        return self.status in ("InUse", "Available")


def interface(ecs: Ecs, eni_id: str) -> Interface | None:
    """Return an interface as it is now, None where it is not listed."""
    interfaces = ecs.ask(DESCRIBE, {"NetworkInterfaceId.1": eni_id}, _interfaces)
    return next((interface for interface in interfaces if interface.eni_id == eni_id), None)


def holder(ecs: Ecs, vpc_id: str, private_ip: str) -> str:
    """Return the instance, else the interface, that has a private IP of a VPC now; empty for nobody."""
    interfaces = ecs.ask(DESCRIBE, {"VpcId": vpc_id, "PrivateIpAddress.1": private_ip}, _interfaces)
    return next((one.instance_id or one.eni_id for one in interfaces), "")


def set_goes_with_instance(ecs: Ecs, eni_id: str, goes: bool) -> Answer:
    """Set whether an interface is deleted with its instance; safe to repeat."""
    request = models.ModifyNetworkInterfaceAttributeRequest(
        region_id=ecs.region_id, network_interface_id=eni_id, delete_on_release=goes
    )
    return ecs.change(eni_id, KEEP, request)


def detach(ecs: Ecs, eni_id: str, instance_id: str) -> Answer:
    """Detach a secondary interface from a Running or Stopped instance; without a token, so read its state first."""
    request = models.DetachNetworkInterfaceRequest(
        region_id=ecs.region_id, network_interface_id=eni_id, instance_id=instance_id
    )
    return ecs.change(eni_id, DETACH, request)


def attach(ecs: Ecs, eni_id: str, instance_id: str) -> Answer:
    """Attach a free interface to an instance of its zone; without a token, so read its state first."""
    request = models.AttachNetworkInterfaceRequest(
        region_id=ecs.region_id, network_interface_id=eni_id, instance_id=instance_id
    )
    return ecs.change(eni_id, ATTACH, request)


def assign_private_ips(ecs: Ecs, eni_id: str, count: int, addresses: Sequence[str], token: str) -> Answer:
    """Assign secondary private IPs to an interface: these, or `count` of them if none are named."""
    request = models.AssignPrivateIpAddressesRequest(
        region_id=ecs.region_id,
        network_interface_id=eni_id,
        private_ip_address=list(addresses) or None,
        secondary_private_ip_address_count=None if addresses else count,
        client_token=token,
    )
    return ecs.change(eni_id, ASSIGN, request)


def _interfaces(body: dict[str, Any]) -> tuple[Interface, ...]:
    return tuple(
        Interface(
            text_of(row, "NetworkInterfaceId"),
            text_of(row, "InstanceId"),
            text_of(row, "Status"),
            text_of(row, "ZoneId"),
            row.get("DeleteOnRelease") is not False,
        )
        for row in rows(DESCRIBE, body, "NetworkInterfaceSets", "NetworkInterfaceSet")
    )
