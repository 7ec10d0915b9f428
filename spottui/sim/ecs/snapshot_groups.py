"""Snapshot groups: snapshots of the disks of an instance, all of the same moment."""

from typing import Any

from spottui.sim.clock import iso_seconds
from spottui.sim.ecs import filters
from spottui.sim.errors import ApiError, missing, not_found
from spottui.sim.imaging import check_snapshots, duration_s, is_available, progress, start_snapshot
from spottui.sim.model import Disk, Snapshot, SnapshotGroup
from spottui.sim.paging import by_token_or_number
from spottui.sim.registry import Body, Call, action

_MOST_DISKS = 128


@action()
def create_snapshot_group(call: Call) -> Body:
    """Start a snapshot of each cloud disk of an instance, of all but some of them, or of the disks named."""
    region, params = call.region_id, call.params
    params.accept("InstantAccess", "InstantAccessRetentionDays", "ResourceGroupId")
    instance_id = params.text("InstanceId")

    def create() -> tuple[Body, str]:
        disks = _disks(call, region, instance_id)
        check_snapshots(call.world, call.now, disks)
        # Each disk of a group is copied by itself.
        made = [
            start_snapshot(call.world, call.now, call.now + duration_s(call.world, [disk]), disk, params.tags(),
                           params.text("Name"), usage="")
            for disk in disks
        ]  # fmt: skip
        group = SnapshotGroup(
            next(call.world.order), call.world.ids.resource("ssg"), region, params.text("Name"), instance_id,
            tuple(snapshot.id for snapshot in made), call.now, params.text("Description"), params.tags(),
        )  # fmt: skip
        call.world.snapshot_groups[group.id] = group
        return {"SnapshotGroupId": group.id}, group.id

    return call.once("CreateSnapshotGroup", create)


@action()
def describe_snapshot_groups(call: Call) -> Body:
    """Groups of a region by id, instance, name, status or tag."""
    region, params = call.region_id, call.params
    params.accept("AdditionalAttributes")
    statuses = params.numbered("Status")
    snapshot_groups = filters.keep(
        (row for row in call.world.snapshot_groups.values() if row.region == region),
        filters.among("id", params.numbered("SnapshotGroupId") or None),
        filters.equals("instance_id", params.text("InstanceId")), filters.equals("name", params.text("Name")),
        (lambda row: _status(_snapshots(call, row)) in statuses) if statuses else None,
        filters.fixed(params.text("ResourceGroupId"), ""), filters.tagged(params.tags()),
    )  # fmt: skip
    return by_token_or_number(
        call, snapshot_groups, lambda page: {"SnapshotGroups": {"SnapshotGroup": page}}, lambda row: _row(call, row)
    )


@action()
def delete_snapshot_group(call: Call) -> Body:
    """Delete a group with its snapshots, none of which may be an image's."""
    group = call.world.snapshot_groups.get(call.params.required("SnapshotGroupId"))
    if group is None or group.region != call.region_id:
        raise not_found("SnapshotGroupId", call.params["SnapshotGroupId"])
    used = {m.snapshot_id for image in call.world.images.values() for m in image.mappings}
    if used & set(group.snapshot_ids):
        raise ApiError("SnapshotCreatedImage", 403, "The snapshot has been used to create an image.")
    for snapshot_id in group.snapshot_ids:
        call.world.snapshots.pop(snapshot_id, None)
    del call.world.snapshot_groups[group.id]
    call.changed(f"{group.id} deleted")
    return {}


def _disks(call: Call, region: str, instance_id: str) -> list[Disk]:
    params, world = call.params, call.world
    named, left_out = params.numbered("DiskId"), params.numbered("ExcludeDiskId")
    if not instance_id and not named:
        raise missing("InstanceId")
    if named and left_out:
        raise ApiError("InvalidParameter.Conflict", 400, "DiskId.N and ExcludeDiskId.N can not be used together.")
    if instance_id:
        instance = world.instance(instance_id, region)
        disks = [disk for disk in world.disks_of(instance) if not disk.is_local and disk.id not in left_out]
        disks = [disk for disk in disks if disk.id in named] if named else disks
    else:
        disks = [world.disk(disk_id, region) for disk_id in named]
    if not disks or len(disks) > _MOST_DISKS:
        raise ApiError("InvalidParameter.DiskId", 400, f"Between 1 and {_MOST_DISKS} disks can have a snapshot group.")
    return disks


def _snapshots(call: Call, group: SnapshotGroup) -> list[Snapshot]:
    return [
        call.world.snapshots[snapshot_id] for snapshot_id in group.snapshot_ids if snapshot_id in call.world.snapshots
    ]


def _status(snapshots: list[Snapshot]) -> str:
    statuses = {snapshot.status for snapshot in snapshots} or {"failed"}
    return next(status for status in ("failed", "progressing", "accomplished") if status in statuses)


def _row(call: Call, group: SnapshotGroup) -> dict[str, Any]:
    snapshots = _snapshots(call, group)
    return {
        "SnapshotGroupId": group.id, "Name": group.name, "Description": group.description,
        "InstanceId": group.instance_id, "Status": _status(snapshots), "ProgressStatus": "", "ResourceGroupId": "",
        "CreationTime": iso_seconds(group.started_at), "Tags": {"Tag": _tags(group.tags)},
        "Snapshots": {"Snapshot": [_member(call, snapshot) for snapshot in snapshots]},
    }  # fmt: skip


def _member(call: Call, row: Snapshot) -> dict[str, Any]:
    return {
        "SnapshotId": row.id, "SourceDiskId": row.disk_id, "SourceDiskType": row.disk_type,
        "Progress": f"{progress(row.started_at, row.done_at, call.now)}%", "InstantAccess": False,
        "InstantAccessRetentionDays": 0, "Available": is_available(row, call.now), "Tags": {"Tag": _tags(row.tags)},
    }  # fmt: skip


def _tags(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
