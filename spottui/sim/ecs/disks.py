"""Disks: what there is, and whether they go with their instance."""

from collections.abc import Iterable

from spottui.sim.ecs import filters, rendering
from spottui.sim.ecs.disk_actions import attach, check_room
from spottui.sim.ecs.filters import Keep
from spottui.sim.ecs.launch_checks import check_keys
from spottui.sim.ecs.launch_disks import CATEGORIES, DEFAULT_CATEGORY, has_category, ready_snapshot
from spottui.sim.errors import ApiError, missing, not_found
from spottui.sim.model import Disk
from spottui.sim.paging import by_token_or_number
from spottui.sim.params import Params
from spottui.sim.registry import Body, Call, action

_STATUSES = ("In_use", "Available", "Attaching", "Detaching", "Creating", "ReIniting", "All")
_TYPES = ("system", "data", "all")


@action()
def describe_disks(call: Call) -> Body:
    """Disks of a region, of an instance or by id."""
    region, params = call.region_id, call.params
    params.choice("Status", _STATUSES, not_found("DiskStatus", params.text("Status")))
    params.choice("DiskType", _TYPES, ApiError("InvalidDiskType.ValueNotSupported", 400, "DiskType is not valid."))
    rows = (row for row in call.world.disks.values() if row.region == region)
    disks = filters.keep(
        rows,
        filters.among("id", params.json_list("DiskIds")),
        filters.equals("instance_id", params.text("InstanceId")),
        filters.equals("zone", params.text("ZoneId")),
        filters.equals("type", "" if params.text("DiskType") == "all" else params.text("DiskType")),
        filters.equals("category", "" if params.text("Category") == "all" else params.text("Category")),
        filters.equals("status", "" if params.text("Status") == "All" else params.text("Status")),
        filters.switched(params, "DeleteWithInstance", lambda row: row.delete_with_instance),
        filters.tagged(params.tags()),
        *_more_filters(params),
    )
    call.refuse_if_dry_run()
    return by_token_or_number(call, disks, lambda page: {"Disks": {"Disk": page}}, rendering.disk, most=500)


def _more_filters(params: Params) -> Iterable[Keep | None]:
    params.accept("AdditionalAttributes")
    return [
        filters.equals("name", params.text("DiskName")),
        filters.equals("performance_level", params.text("PerformanceLevel")),
        filters.equals("source_snapshot_id", params.text("SnapshotId")),
        filters.equals("kms_key_id", params.text("KMSKeyId")),
        filters.switched(params, "Encrypted", lambda row: row.encrypted),
        filters.switched(params, "Portable", lambda row: row.type == "data" and not row.is_local),
        filters.switched(params, "EnableAutoSnapshot", lambda row: True),
        filters.switched(params, "DeleteAutoSnapshot", lambda row: False),
        filters.switched(params, "EnableAutomatedSnapshotPolicy", lambda row: False),
        filters.switched(params, "EnableShared", lambda row: False),
        filters.fixed(params.text("DiskChargeType"), "PostPaid"), filters.fixed(params.text("MultiAttach"), "Disabled"),
        filters.fixed(params.text("AutoSnapshotPolicyId"), ""), filters.fixed(params.text("LockReason"), ""),
        filters.fixed(params.text("ResourceGroupId"), ""),
        *filters.created(params),
    ]  # fmt: skip


@action()
def modify_disk_attribute(call: Call) -> Body:
    """Set DeleteWithInstance or the name of up to 100 disks; all or none."""
    call.params.accept("DeleteAutoSnapshot", "EnableAutoSnapshot", "Description", "BurstingEnabled")
    rows = _disks_to_modify(call)
    wanted = call.params.text("DeleteWithInstance")
    if not call.world.settings.protect_while_locked and any(_is_recycling(call, row) for row in rows):
        raise ApiError("InstanceLockedForRecycling", 403, "The specified operation is denied: the instance is locked.")
    if wanted and any(row.is_local for row in rows):
        raise ApiError(
            "InvalidDiskCategory.Mismatch", 400, "The specified disk category does not support this operation."
        )
    for row in rows:
        row.delete_with_instance = call.params.flag("DeleteWithInstance", default=row.delete_with_instance)
        row.name = call.params.text("DiskName", row.name)
    call.changed(", ".join(row.id for row in rows))
    return {}


def _is_recycling(call: Call, row: Disk) -> bool:
    return bool(row.instance_id) and "Recycling" in call.world.instances[row.instance_id].locks


def _disks_to_modify(call: Call) -> list[Disk]:
    single, several = call.params.text("DiskId"), call.params.numbered("DiskIds")
    if not single and not several:
        raise missing("DiskId")
    if single and several:
        raise ApiError("InvalidParameter.Conflict", 400, "DiskId and DiskIds.N can not be used together.")
    if len(several) > 100:
        raise ApiError("InvalidParameter", 400, "At most 100 disks can be specified.")
    return [call.world.disk(disk_id, call.any_region) for disk_id in several or [single]]


@action()
def create_disk(call: Call) -> Body:
    """A disk attached to nothing, empty or made of a snapshot; with an InstanceId it is attached there."""
    region, params = call.region, call.params
    instance = call.world.instance(params["InstanceId"], region.id) if params.text("InstanceId") else None
    if instance:
        check_room(call, instance)
    zone = instance.zone if instance else params.required("ZoneId")
    if zone not in region.zones:
        raise not_found("ZoneId", zone)
    category = params.text("DiskCategory", DEFAULT_CATEGORY)
    if category not in CATEGORIES or not has_category(call.world, zone, category):
        raise ApiError("InvalidDiskCategory.NotSupported", 400, "The specified DiskCategory is not supported.")
    source = ready_snapshot(call, params["SnapshotId"]) if params.text("SnapshotId") else None
    size = params.whole("Size", source.size_gib if source else 0, 1, 65_536)
    if not size:
        raise missing("Size")
    if source and size < source.size_gib:
        raise ApiError("InvalidDiskSize.TooSmall", 403, "The disk size is less than the size of the snapshot.")
    check_keys(call.world, [params.text("KMSKeyId"), source.kms_key_id if source else ""])
    call.refuse_if_dry_run()

    def create() -> tuple[Body, str]:
        disk = Disk(
            next(call.world.order), call.world.ids.resource("d"), region.id, zone, params.text("DiskName"), "data", "",
            category, size, call.now, status="Available", delete_with_instance=False,
            performance_level=params.text("PerformanceLevel", "PL1" if category == "cloud_essd" else ""),
            encrypted=params.flag("Encrypted") or bool(source and source.encrypted),
            kms_key_id=params.text("KMSKeyId") or (source.kms_key_id if source else ""),
            source_snapshot_id=source.id if source else "", tags=params.tags(),
        )  # fmt: skip
        call.world.disks[disk.id] = disk
        if instance:
            attach(call, disk, instance, "")
        return {"DiskId": disk.id, "OrderId": ""}, disk.id

    return call.once("CreateDisk", create)
