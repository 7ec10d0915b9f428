"""Disks: what there is, and whether they go with their instance."""

from spottui.sim.ecs import filters, rendering
from spottui.sim.errors import ApiError, missing, not_found
from spottui.sim.model import Disk
from spottui.sim.paging import by_token_or_number
from spottui.sim.registry import Body, Call, action

_STATUSES = ("In_use", "Available", "Attaching", "Detaching", "Creating", "ReIniting", "All")
_TYPES = ("system", "data", "all")


@action()
def describe_disks(call: Call) -> Body:
    """Disks of a region, of an instance or by id."""
    region, params = call.region_id, call.params
    delete_with = params.flag("DeleteWithInstance") if params.text("DeleteWithInstance") else None
    params.choice("Status", _STATUSES, not_found("DiskStatus", params.text("Status")))
    params.choice("DiskType", _TYPES, ApiError("InvalidDiskType.ValueNotSupported", 400, "DiskType is not valid."))
    rows = (row for row in call.world.disks.values() if row.region == region)
    found = filters.keep(
        rows,
        filters.among("id", params.json_list("DiskIds")),
        filters.equals("instance_id", params.text("InstanceId")),
        filters.equals("zone", params.text("ZoneId")),
        filters.equals("type", "" if params.text("DiskType") == "all" else params.text("DiskType")),
        filters.equals("category", "" if params.text("Category") == "all" else params.text("Category")),
        filters.equals("status", "" if params.text("Status") == "All" else params.text("Status")),
        None if delete_with is None else (lambda row: row.delete_with_instance == delete_with),
        filters.tagged(params.tags()),
    )
    call.refuse_if_dry_run()
    return by_token_or_number(call, found, lambda page: {"Disks": {"Disk": page}}, rendering.disk, most=500)


@action()
def modify_disk_attribute(call: Call) -> Body:
    """Set DeleteWithInstance or the name of up to 100 disks; all or none."""
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
