"""Disks that outlived their instance: where they are, their snapshots, and moving them to another instance."""

from collections.abc import Iterable

from spottui.cloud import ecs_shapes as shapes
from spottui.cloud.ecs import OUR_TAG, PAGE, Answer, Ecs
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.cloud.sdk import models
from spottui.domain.instance import Disk


def by_id(ecs: Ecs, disk_ids: Iterable[str]) -> dict[str, Disk]:
    """Return the given disks (at most 100) that exist, attached or not."""
    body = ecs.read("DescribeDisks", {"DiskIds": shapes.id_list(disk_ids), "PageSize": PAGE})
    return ecs.parsed("DescribeDisks", shapes.all_disks, body)


def create_snapshot(ecs: Ecs, disk_id: str, interruption_id: str, token: str) -> Answer:
    """Start a snapshot of a disk, tagged with the interruption."""
    request = models.CreateSnapshotRequest(
        disk_id=disk_id,
        client_token=token,
        tag=[models.CreateSnapshotRequestTag(key=OUR_TAG, value=interruption_id)],
    )
    body = ecs.act("CreateSnapshot", ecs.client.create_snapshot_with_options, request)
    if not body.snapshot_id:
        raise CloudError("CreateSnapshot", ErrorKind.BROKEN, message="an answer without an id")
    return Answer(str(body.snapshot_id), str(body.request_id or ""))


def snapshots(ecs: Ecs, snapshot_ids: Iterable[str]) -> dict[str, shapes.Snapshot]:
    """Return the given snapshots (at most 100) that exist, by id."""
    body = ecs.read("DescribeSnapshots", {"SnapshotIds": shapes.id_list(snapshot_ids), "PageSize": PAGE})
    return ecs.parsed("DescribeSnapshots", shapes.snapshots, body)


def attach(ecs: Ecs, disk: Disk, instance_id: str) -> Answer:
    """Attach a free data disk to an instance of its zone; it has no token, so look first where the disk is."""
    request = models.AttachDiskRequest(
        disk_id=disk.disk_id, instance_id=instance_id, delete_with_instance=disk.delete_with_instance
    )
    body = ecs.act("AttachDisk", ecs.client.attach_disk_with_options, request)
    return Answer(disk.disk_id, str(body.request_id or ""))
