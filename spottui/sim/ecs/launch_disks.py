"""The disks of a launch: the system disk, the image's data disks, then the request's own."""

from fnmatch import fnmatchcase

from spottui.sim.catalog import TYPES
from spottui.sim.ecs.launch_checks import check_keys
from spottui.sim.errors import ApiError, invalid
from spottui.sim.imaging import is_available
from spottui.sim.model import Disk, Image, Instance, Snapshot
from spottui.sim.registry import Call
from spottui.sim.world import World

CATEGORIES = ("cloud", "cloud_efficiency", "cloud_ssd", "cloud_essd", "cloud_auto", "cloud_essd_entry")
DEFAULT_CATEGORY = "cloud_essd"


def check_disks(call: Call, image: Image, instance_type: str, zone: str) -> None:
    """Raise for a category, size, snapshot or key the API refuses."""
    category = call.params.text("SystemDisk.Category", DEFAULT_CATEGORY)
    if category not in CATEGORIES:
        raise ApiError("InvalidSystemDiskCategory.ValueNotSupported", 400, "SystemDisk.Category is not supported.")
    if not has_category(call.world, zone, category):
        raise ApiError("OperationDenied.ZoneSystemCategoryNotMatch", 403, "The zone has no such system disk.")
    smallest = max((m.size_gib for m in image.mappings if m.type == "system"), default=20)
    if call.params.whole("SystemDisk.Size", smallest, 1, 2048) < smallest:
        raise ApiError("InvalidSystemDiskSize.LessThanImageSize", 404, "The system disk is smaller than the image.")
    data = call.params.groups("DataDisk")
    for disk in data:
        _check_data_disk(call, disk, zone)
    for kind in (category, *(disk.get("Category", DEFAULT_CATEGORY) for disk in data)):
        if not has_category(call.world, instance_type, kind):
            raise ApiError(
                "InvalidInstanceType.NotSupportDiskCategory", 403,
                "The instanceType does not support the disk category.",
            )  # fmt: skip
    from_image = (snapshot_of(call.world, m.snapshot_id) for m in image.mappings)
    asked = [call.params.text("SystemDisk.KMSKeyId"), *(disk.get("KMSKeyId", "") for disk in data)]
    check_keys(call.world, [*asked, *(snapshot.kms_key_id for snapshot in from_image if snapshot)])


def has_category(world: World, place: str, category: str) -> bool:
    """Whether a zone or an instance type has disks of a category; where nothing is said it has all."""
    said = [known for pattern, known in world.settings.disk_categories.items() if fnmatchcase(place, pattern)]
    return all(category in known.split(",") for known in said)


def snapshot_of(world: World, snapshot_id: str) -> Snapshot | None:
    """The snapshot, if it is still there."""
    return world.snapshots.get(snapshot_id)


def ready_snapshot(call: Call, snapshot_id: str) -> Snapshot:
    """A snapshot that disks can be made of now.

    Raises:
        ApiError: 404 InvalidSnapshotId.NotFound, 403 InvalidSnapshotId.NotReady.
    """
    snapshot = call.world.snapshot(snapshot_id, call.any_region)
    if not is_available(snapshot, call.now):
        raise ApiError("InvalidSnapshotId.NotReady", 403, "The specified snapshot has not completed yet.")
    return snapshot


def _check_data_disk(call: Call, disk: dict[str, str], zone: str) -> None:
    category = disk.get("Category", DEFAULT_CATEGORY)
    if category not in CATEGORIES or not has_category(call.world, zone, category):
        raise ApiError("InvalidDiskCategory.NotSupported", 400, "DataDisk.N.Category is not supported.")
    size = disk.get("Size") or "20"
    if not size.isdigit():
        raise invalid("DataDisk.N.Size")
    if disk.get("SnapshotId"):
        snapshot = ready_snapshot(call, disk["SnapshotId"])
        if disk.get("Size") and int(size) < snapshot.size_gib:
            raise ApiError("InvalidDiskSize.TooSmall", 403, "The disk size is less than the size of the snapshot.")


def attach_disks(call: Call, row: Instance, image: Image) -> None:
    """Create the disks of a new instance; a request's data disk on the device of an image's one changes it."""
    wanted = call.params.groups("DataDisk")
    by_device = {disk["Device"]: disk for disk in wanted if disk.get("Device")}
    system = {
        "Size": call.params.text("SystemDisk.Size"), "Category": call.params.text("SystemDisk.Category"),
        "PerformanceLevel": call.params.text("SystemDisk.PerformanceLevel"),
        "DiskName": call.params.text("SystemDisk.DiskName"), "Encrypted": call.params.text("SystemDisk.Encrypted"),
        "KMSKeyId": call.params.text("SystemDisk.KMSKeyId"),
    }  # fmt: skip
    taken = set()
    for mapping in image.mappings:
        changed = system if mapping.type == "system" else by_device.get(mapping.device, {})
        _add(call, row, mapping.type, mapping.device, {"SnapshotId": mapping.snapshot_id, **changed}, mapping.size_gib)
        taken.add(mapping.device)
    for disk in wanted:
        if disk.get("Device") not in taken:
            device = disk.get("Device") or _free_device(taken)
            source = snapshot_of(call.world, disk.get("SnapshotId", ""))
            _add(call, row, "data", device, disk, source.size_gib if source else 20)
            taken.add(device)
    if TYPES[row.type].local_gib:
        local = {"Category": "ephemeral_ssd"}
        _add(call, row, "data", _free_device(taken), local, TYPES[row.type].local_gib)


def _add(call: Call, row: Instance, kind: str, device: str, wanted: dict[str, str], size_gib: int) -> None:
    category = wanted.get("Category") or DEFAULT_CATEGORY
    source = snapshot_of(call.world, wanted.get("SnapshotId") or "")
    disk = Disk(
        next(call.world.order), call.world.ids.resource("d"), row.region, row.zone,
        wanted.get("DiskName") or "", kind, device, category, int(wanted.get("Size") or size_gib), call.now,
        instance_id=row.id, delete_with_instance=wanted.get("DeleteWithInstance", "true").lower() != "false",
        performance_level=wanted.get("PerformanceLevel") or ("PL1" if category == "cloud_essd" else ""),
        image_id=row.image_id if kind == "system" else "", source_snapshot_id=wanted.get("SnapshotId") or "",
        tags=dict(row.tags),
        encrypted=wanted.get("Encrypted", "").lower() == "true" or bool(source and source.encrypted),
        kms_key_id=wanted.get("KMSKeyId") or (source.kms_key_id if source else ""),
        ports=source.ports if source else (),
    )  # fmt: skip
    call.world.disks[disk.id] = disk
    row.disk_ids.append(disk.id)


def _free_device(taken: set[str]) -> str:
    return next(d for d in (f"/dev/xvd{letter}" for letter in "bcdefghijklmnopqrstuvwxyz") if d not in taken)
