"""Elastic addresses: allocated, bound, unbound, released; the same actions are in the VPC API."""

from spottui.sim.clock import iso_seconds
from spottui.sim.ecs import filters
from spottui.sim.errors import ApiError
from spottui.sim.model import Eip
from spottui.sim.paging import by_number
from spottui.sim.registry import Body, Call, action
from spottui.sim.schedule import happening
from spottui.sim.world import World


@action()
def describe_eip_addresses(call: Call) -> Body:
    """The EIPs of a region, by id, address, instance or status."""
    region, params = call.region_id, call.params
    status = params.text("Status")
    rows = (row for row in call.world.eips.values() if row.region == region)
    eips = filters.keep(
        rows,
        filters.among("id", params["AllocationId"].split(",") if params.text("AllocationId") else None),
        filters.among("address", params["EipAddress"].split(",") if params.text("EipAddress") else None),
        filters.equals("instance_id", params.text("AssociatedInstanceId")),
        (lambda row: _status(row) == status) if status else None,
        filters.fixed(params.text("AssociatedInstanceType"), "EcsInstance"),
        filters.fixed(params.text("ChargeType"), "PostPaid"),
        filters.fixed(params.text("ISP"), "BGP"),
        filters.fixed(params.text("LockReason"), ""),
        *filters.created(params, "allocated_at"),
    )
    return by_number(call, eips, lambda page: {"EipAddresses": {"EipAddress": page}}, _eip)


@action()
def allocate_eip_address(call: Call) -> Body:
    """A new EIP, not bound to anything."""
    world, region = call.world, call.region_id
    call.params.accept("InternetChargeType", "InstanceChargeType", "ISP", "Name", "Description", "Netmode")
    bandwidth = call.params.whole("Bandwidth", 5, 1, 500)

    def allocate() -> tuple[Body, str]:
        address = _free_address({row.address for row in world.eips.values()})
        eip = Eip(world.ids.resource("eip"), region, address, call.now, bandwidth)
        world.eips[eip.id] = eip
        return {"AllocationId": eip.id, "EipAddress": eip.address}, eip.id

    return call.once("AllocateEipAddress", allocate)


def _free_address(taken: set[str]) -> str:
    every = (f"121.41.{high}.{low}" for high in range(256) for low in range(1, 255))
    return next(address for address in every if address not in taken)


@action()
def release_eip_address(call: Call) -> Body:
    """Give an EIP up that is bound to nothing."""
    eip = call.world.eip(call.params.required("AllocationId"), call.any_region)
    if eip.instance_id or eip.busy:
        raise _wrong_status()
    del call.world.eips[eip.id]
    call.changed(f"{eip.id} released")
    return {}


@action()
def associate_eip_address(call: Call) -> Body:
    """Bind an EIP to an instance; binding it again to the same one is fine."""
    call.params.accept("InstanceType", "InstanceRegionId", "Mode")
    eip = call.world.eip(call.params.required("AllocationId"), call.any_region)
    instance = call.world.instance(call.params.required("InstanceId"), eip.region)
    if eip.instance_id not in ("", instance.id) or eip.busy:
        raise _wrong_status()
    if instance.eip_id not in ("", eip.id) or instance.public_ip:
        raise ApiError("InvalidAssociation.Duplicated", 400, "The instance already has a public address.")
    if instance.status not in ("Running", "Stopped"):
        raise ApiError("IncorrectInstanceStatus", 403, "The current status of the instance is not supported.")
    eip.instance_id, instance.eip_id = instance.id, eip.id
    _take_time(call, eip, "Associating")
    call.changed(f"{eip.id} bound to {instance.id}")
    return {}


@action()
def unassociate_eip_address(call: Call) -> Body:
    """Unbind an EIP."""
    call.params.accept("InstanceType", "Force")
    eip = call.world.eip(call.params.required("AllocationId"), call.any_region)
    instance_id = call.params.text("InstanceId", eip.instance_id)
    if not eip.instance_id or eip.busy:
        raise _wrong_status()
    if instance_id != eip.instance_id:
        raise ApiError("InvalidInstanceId.NotFound", 404, "The EIP is not bound to the specified instance.")
    call.world.instance(instance_id).eip_id = ""
    eip.instance_id = ""
    _take_time(call, eip, "Unassociating")
    call.changed(f"{eip.id} unbound from {instance_id}")
    return {}


@action()
def convert_nat_public_ip_to_eip(call: Call) -> Body:
    """Make an EIP of the public address of a Running or Stopped instance; the address stays the same."""
    world, instance = call.world, call.world.instance(call.params.required("InstanceId"), call.region_id)
    if instance.locks and not world.settings.convert_while_locked:
        raise ApiError(f"InstanceLockedFor{instance.locks[0]}", 403, "The specified operation is denied: locked.")
    if instance.status not in ("Running", "Stopped"):
        raise ApiError("IncorrectInstanceStatus", 403, "The current status of the instance is not supported.")
    if not instance.public_ip or instance.eip_id:
        raise ApiError("OperationDenied", 403, "The instance has no public IP address that can be converted.")
    eip = Eip(
        world.ids.resource("eip"), instance.region, instance.public_ip, call.now, instance.bandwidth_out, instance.id
    )  # fmt: skip
    world.eips[eip.id], instance.eip_id, instance.public_ip = eip, eip.id, ""
    _take_time(call, eip, "Associating")
    call.changed(f"{eip.address} of {instance.id} is {eip.id}")
    return {}


@happening
def be_settled(world: World, at: float, allocation_id: str) -> None:
    """An EIP is bound, or free, at last."""
    if allocation_id in world.eips:
        world.eips[allocation_id].busy = ""


def _take_time(call: Call, eip: Eip, status: str) -> None:
    if call.world.settings.eip_s > 0:
        eip.busy = status
        call.world.schedule.plan(call.now + call.world.settings.eip_s, be_settled, eip.id)


def _wrong_status() -> ApiError:
    return ApiError("IncorrectEipStatus", 400, "The current status of the EIP does not support this operation.")


def _status(row: Eip) -> str:
    if row.busy:
        return row.busy
    return "InUse" if row.instance_id else "Available"


def _eip(row: Eip) -> dict[str, object]:
    return {
        "AllocationId": row.id, "IpAddress": row.address, "RegionId": row.region, "Status": _status(row),
        "InstanceId": row.instance_id, "InstanceType": "EcsInstance" if row.instance_id else "",
        "Bandwidth": str(row.bandwidth), "EipBandwidth": str(row.bandwidth), "ChargeType": "PostPaid",
        "InternetChargeType": "PayByTraffic", "AllocationTime": iso_seconds(row.allocated_at),
        "ExpiredTime": "", "OperationLocks": {"LockReason": []},
    }  # fmt: skip
