"""Elastic public IPs: where one is bound, moving it to another instance, making one of a public IP."""

from spottui.cloud import ecs_shapes as shapes
from spottui.cloud.ecs import Answer, Ecs
from spottui.cloud.sdk import models


def eip(ecs: Ecs, eip_id: str) -> shapes.Eip | None:
    """Return where an EIP is bound, or None when there is no such EIP."""
    return _only(ecs, {"AllocationId": eip_id})


def eip_of_address(ecs: Ecs, address: str) -> shapes.Eip | None:
    """Return the EIP of the account that has this public IP, or None when it has none."""
    return _only(ecs, {"EipAddress": address})


def unbind(ecs: Ecs, eip_id: str, instance_id: str) -> Answer:
    """Take an EIP from an instance; it is free a moment later."""
    request = models.UnassociateEipAddressRequest(
        region_id=ecs.region_id, allocation_id=eip_id, instance_id=instance_id
    )
    return ecs.change(eip_id, "UnassociateEipAddress", request)


def bind(ecs: Ecs, eip_id: str, instance_id: str) -> Answer:
    """Give a free EIP to an instance."""
    request = models.AssociateEipAddressRequest(region_id=ecs.region_id, allocation_id=eip_id, instance_id=instance_id)
    return ecs.change(eip_id, "AssociateEipAddress", request)


def convert_public_ip(ecs: Ecs, instance_id: str) -> Answer:
    """Make an EIP of the public IP of a Running or Stopped instance; the address stays the same."""
    request = models.ConvertNatPublicIpToEipRequest(region_id=ecs.region_id, instance_id=instance_id)
    return ecs.change("", "ConvertNatPublicIpToEip", request)


def _only(ecs: Ecs, query: dict[str, str]) -> shapes.Eip | None:
    eips = ecs.ask("DescribeEipAddresses", query, shapes.eips)
    return eips[0] if eips else None
