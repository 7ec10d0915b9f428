"""Attaching, detaching and deleting disks. One disk is never in two places."""

from spottui.sim import events
from spottui.sim.errors import ApiError, invalid, not_found
from spottui.sim.imaging import lose_snapshots_of
from spottui.sim.model import Disk, Instance
from spottui.sim.registry import Body, Call, action

_MOST_DATA_DISKS = 16
_LETTERS = "bcdefghijklmnopqrstuvwxyz"


@action()
def attach_disk(call: Call) -> Body:
    """Attach an Available disk to a Running or Stopped instance of its zone; Bootable makes it the system disk."""
    params = call.params
    instance = call.world.instance(params.required("InstanceId"), call.any_region)
    disk = call.world.disk(params.required("DiskId"), instance.region)
    bootable = params.flag("Bootable")
    params.accept("KeyPairName", "Password", "Force")
    check_room(call, instance)
    _check_disk(disk, instance)
    own = call.world.disks_of(instance)
    if bootable and (any(attached.type == "system" for attached in own) or instance.status != "Stopped"):
        raise ApiError("IncorrectInstanceStatus", 403, "The instance has a system disk or is not Stopped.")
    call.refuse_if_dry_run()
    disk.delete_with_instance = params.flag("DeleteWithInstance", default=disk.delete_with_instance)
    attach(call, disk, instance, params.text("Device"), bootable=bootable)
    call.changed(f"{disk.id} attached to {instance.id}")
    return {}


def check_room(call: Call, instance: Instance) -> None:
    """Raise where an instance can take no further disk now."""
    _check_target(call, instance)
    if len(instance.disk_ids) > _MOST_DATA_DISKS:
        raise ApiError("InstanceDiskLimitExceeded", 403, "The disk quota of the instance is exceeded.")


def attach(call: Call, disk: Disk, instance: Instance, device: str, *, bootable: bool = False) -> None:
    """The disk is the instance's, on `device` or the first that is free; `bootable` as its system disk."""
    taken = {attached.device for attached in call.world.disks_of(instance)}
    disk.device = "/dev/xvda" if bootable else _device(device, taken)
    disk.type = "system" if bootable else "data"
    disk.instance_id, disk.status = instance.id, "In_use"
    instance.disk_ids.insert(0 if bootable else len(instance.disk_ids), disk.id)
    events.notify_disk(call.world, disk, "AttachDisk", call.now)


@action()
def detach_disk(call: Call) -> Body:
    """Detach a disk; a system disk only from a Stopped instance."""
    params = call.params
    instance = call.world.instance(params.required("InstanceId"), call.any_region)
    disk = call.world.disk(params.required("DiskId"), instance.region)
    if disk.instance_id != instance.id:
        raise ApiError("DependencyViolation", 403, "The specified disk is not attached to the specified instance.")
    if disk.is_local:
        raise ApiError("OperationDenied", 403, "The specified disk is not a portable disk.")
    _check_target(call, instance)
    if disk.type == "system" and instance.status != "Stopped":
        raise ApiError("IncorrectInstanceStatus", 403, "A system disk is detached from a Stopped instance only.")
    call.refuse_if_dry_run()
    instance.disk_ids.remove(disk.id)
    disk.instance_id, disk.status, disk.device = "", "Available", ""
    disk.delete_with_instance = params.flag("DeleteWithInstance", default=disk.delete_with_instance)
    events.notify_disk(call.world, disk, "DetachDisk", call.now)
    call.changed(f"{disk.id} detached from {instance.id}")
    return {}


@action()
def delete_disk(call: Call) -> Body:
    """Delete an Available disk; its finished snapshots stay."""
    disk = call.world.disk(call.params.required("DiskId"), call.any_region)
    if disk.instance_id:
        raise ApiError("IncorrectDiskStatus", 403, "The current disk status does not support this operation.")
    if any(s.disk_id == disk.id and s.status == "progressing" for s in call.world.snapshots.values()):
        raise ApiError("DiskCreatingSnapshot", 403, "The operation is denied: the disk is creating a snapshot.")
    call.refuse_if_dry_run()
    lose_snapshots_of(call.world, disk, call.now)
    del call.world.disks[disk.id]
    call.changed(f"{disk.id} deleted")
    return {}


def _check_target(call: Call, instance: Instance) -> None:
    if instance.status not in ("Running", "Stopped"):
        raise ApiError(
            "IncorrectInstanceStatus", 403, "The current status of the resource does not support this operation."
        )
    if instance.locks:
        raise ApiError(f"InstanceLockedFor{instance.locks[0]}", 403, "The specified operation is denied: locked.")


def _check_disk(disk: Disk, instance: Instance) -> None:
    if disk.instance_id or disk.status != "Available":
        raise ApiError("IncorrectDiskStatus", 403, "The current disk status does not support this operation.")
    if disk.zone != instance.zone:
        raise ApiError("ResourcesNotInSameZone", 403, "The specified instance and disk are not in the same zone.")


def _device(wanted: str, taken: set[str]) -> str:
    if wanted in taken:
        raise ApiError("InvalidDevice.InUse", 403, "The specified device has been occupied.")
    if wanted and not any(wanted == f"/dev/xvd{letter}" for letter in _LETTERS):
        raise invalid("Device")
    free = [f"/dev/xvd{letter}" for letter in _LETTERS if f"/dev/xvd{letter}" not in taken]
    if not free:
        raise not_found("Device", "no device is free")
    return wanted or free[0]
