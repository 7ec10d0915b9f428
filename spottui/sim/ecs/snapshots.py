"""Snapshots: made of one disk, looked up, deleted."""

from collections.abc import Iterable

from spottui.sim.ecs import filters, rendering
from spottui.sim.errors import ApiError
from spottui.sim.imaging import check_snapshots, duration_s, start_snapshot
from spottui.sim.paging import by_token_or_number
from spottui.sim.params import Params
from spottui.sim.registry import Body, Call, action

_STATUSES = ("progressing", "accomplished", "failed", "all")


@action()
def create_snapshot(call: Call) -> Body:
    """Start a snapshot of a disk; one at a time."""
    disk_id = call.params.required("DiskId")
    if call.params.flag("DryRun"):
        call.world.disk(disk_id, call.any_region)
        call.refuse_if_dry_run()
    return call.once("CreateSnapshot", lambda: _create(call, disk_id))


def _create(call: Call, disk_id: str) -> tuple[Body, str]:
    disk = call.world.disk(disk_id, call.any_region)
    if disk.is_local:
        raise ApiError("InvalidDiskCategory.OperateNotSupported", 403, "A local disk has no snapshots.")
    check_snapshots(call.world, call.now, [disk])
    done_at = call.now + duration_s(call.world, [disk])
    name = call.params.text("SnapshotName")
    snapshot = start_snapshot(call.world, call.now, done_at, disk, call.params.tags(), name, usage="")
    return {"SnapshotId": snapshot.id}, snapshot.id


@action()
def delete_snapshot(call: Call) -> Body:
    """Delete a snapshot that no image refers to; one that is not there is ignored."""
    snapshot = call.world.snapshots.get(call.params.required("SnapshotId"))
    if snapshot is None:
        return {}
    if any(m.snapshot_id == snapshot.id for image in call.world.images.values() for m in image.mappings):
        raise ApiError("SnapshotCreatedImage", 403, "The snapshot has been used to create an image.")
    del call.world.snapshots[snapshot.id]
    call.changed(f"{snapshot.id} deleted")
    return {}


@action()
def describe_snapshots(call: Call) -> Body:
    """Snapshots of a region, of a disk, of an instance's disks or by id."""
    region, params = call.region_id, call.params
    status = params.choice("Status", _STATUSES, ApiError("InvalidSnapshotStatus.NotFound", 404, "No such status."))
    rows = (row for row in call.world.snapshots.values() if row.region == region)
    snapshots = filters.keep_by_tag(
        rows,
        params.tags(),
        filters.among("id", params.json_list("SnapshotIds")),
        filters.equals("disk_id", params.text("DiskId")),
        filters.equals("status", "" if status == "all" else status),
        filters.equals("name", params.text("SnapshotName")),
        filters.among("disk_id", _disks_of(call)),
        *_more_filters(params),
    )
    call.refuse_if_dry_run()
    return by_token_or_number(
        call, snapshots, lambda page: {"Snapshots": {"Snapshot": page}},
        lambda row: rendering.snapshot(row, call.now),
    )  # fmt: skip


def _more_filters(params: Params) -> Iterable[filters.Keep | None]:
    usage, kind = params.text("Usage"), params.text("SnapshotType")
    return [
        filters.equals("kms_key_id", params.text("KMSKeyId")),
        filters.switched(params, "Encrypted", lambda row: row.encrypted),
        filters.equals("disk_type", params.text("SourceDiskType").lower()),
        (lambda row: (row.usage or "none") == usage) if usage else None,
        filters.fixed("" if kind == "all" else kind, "user"), filters.fixed(params.text("Category"), "Standard"),
        filters.fixed(params.text("ResourceGroupId"), ""), filters.fixed(params.text("SnapshotLinkId"), ""),
        *filters.created(params, "started_at"),
    ]  # fmt: skip


def _disks_of(call: Call) -> list[str] | None:
    instance_id = call.params.text("InstanceId")
    if not instance_id:
        return None
    return call.world.instance(instance_id, call.region_id).disk_ids
