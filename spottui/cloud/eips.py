"""Elastic public IPs: where one is bound, moving it to another instance, making one of a public IP."""

from spottui.cloud import ecs_shapes as shapes
from spottui.cloud.ecs import Answer, Ecs
from spottui.cloud.sdk import models


def eip(ecs: Ecs, eip_id: str) -> shapes.Eip | None:
    """Return where an EIP is bound, or None when there is no such EIP."""
    body = ecs.read("DescribeEipAddresses", {"AllocationId": eip_id})
    eips = ecs.parsed("DescribeEipAddresses", shapes.eips, body)
    return eips[0] if eips else None


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
