"""The disks of a launch: the system disk, the image's data disks, then the request's own."""

from spottui.sim.catalog import TYPES
from spottui.sim.errors import ApiError, invalid
from spottui.sim.model import Disk, Image, Instance
from spottui.sim.registry import Call

_CATEGORIES = ("cloud", "cloud_efficiency", "cloud_ssd", "cloud_essd", "cloud_auto", "cloud_essd_entry")
_DEFAULT_CATEGORY = "cloud_essd"


def check_disks(call: Call, image: Image) -> None:
    """Raise for a category or size the API refuses."""
    category = call.params.text("SystemDisk.Category", _DEFAULT_CATEGORY)
    if category not in _CATEGORIES:
        raise ApiError("InvalidSystemDiskCategory.ValueNotSupported", 400, "SystemDisk.Category is not supported.")
    smallest = max((m.size_gib for m in image.mappings if m.type == "system"), default=20)
    if call.params.whole("SystemDisk.Size", smallest, 1, 2048) < smallest:
        raise ApiError("InvalidSystemDiskSize.LessThanImageSize", 404, "The system disk is smaller than the image.")
    for disk in call.params.groups("DataDisk"):
        if disk.get("Category", _DEFAULT_CATEGORY) not in _CATEGORIES:
            raise ApiError("InvalidDiskCategory.NotSupported", 400, "DataDisk.N.Category is not supported.")
        if not disk.get("Size", "20").isdigit():
            raise invalid("DataDisk.N.Size")
        if disk.get("SnapshotId"):
            call.world.snapshot(disk["SnapshotId"])


def attach_disks(call: Call, row: Instance, image: Image) -> None:
    """Create the disks of a new instance; a request's data disk on the device of an image's one changes it."""
    wanted = call.params.groups("DataDisk")
    by_device = {disk["Device"]: disk for disk in wanted if disk.get("Device")}
    system = {
        "Size": call.params.text("SystemDisk.Size"), "Category": call.params.text("SystemDisk.Category"),
        "PerformanceLevel": call.params.text("SystemDisk.PerformanceLevel"),
        "DiskName": call.params.text("SystemDisk.DiskName"),
        "Encrypted": call.params.text("SystemDisk.Encrypted"), "KMSKeyId": call.params.text("SystemDisk.KMSKeyId"),
    }  # fmt: skip
    taken = set()
    for mapping in image.mappings:
        changed = system if mapping.type == "system" else by_device.get(mapping.device, {})
        _add(call, row, mapping.type, mapping.device, {"SnapshotId": mapping.snapshot_id, **changed}, mapping.size_gib)
        taken.add(mapping.device)
    for disk in wanted:
        if disk.get("Device") not in taken:
            device = disk.get("Device") or _free_device(taken)
            _add(call, row, "data", device, disk, 20)
            taken.add(device)
    if TYPES[row.type].local_gib:
        local = {"Category": "ephemeral_ssd"}
        _add(call, row, "data", _free_device(taken), local, TYPES[row.type].local_gib)


def _add(call: Call, row: Instance, kind: str, device: str, wanted: dict[str, str], size_gib: int) -> None:
    category = wanted.get("Category") or _DEFAULT_CATEGORY
    disk = Disk(
        next(call.world.order), call.world.ids.resource("d"), row.region, row.zone,
        wanted.get("DiskName") or "", kind, device, category, int(wanted.get("Size") or size_gib), call.now,
        instance_id=row.id, delete_with_instance=wanted.get("DeleteWithInstance", "true").lower() != "false",
        encrypted=wanted.get("Encrypted", "").lower() == "true", kms_key_id=wanted.get("KMSKeyId") or "",
        performance_level=wanted.get("PerformanceLevel") or ("PL1" if category == "cloud_essd" else ""),
        image_id=row.image_id if kind == "system" else "", source_snapshot_id=wanted.get("SnapshotId") or "",
        tags=dict(row.tags),
    )  # fmt: skip
    call.world.disks[disk.id] = disk
    row.disk_ids.append(disk.id)


def _free_device(taken: set[str]) -> str:
    return next(d for d in (f"/dev/xvd{letter}" for letter in "bcdefghijklmnopqrstuvwxyz") if d not in taken)
