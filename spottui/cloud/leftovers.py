"""What recoveries have made, found by its tag, and taking it away again."""

from spottui.cloud import ecs_shapes as shapes
from spottui.cloud.ecs import OUR_TAG, Ecs
from spottui.cloud.sdk import models


def our_snapshots(ecs: Ecs) -> dict[str, shapes.Snapshot]:
    """Return every snapshot that has our tag, by id."""
    every = ecs.every("DescribeSnapshots", {"Tag.1.Key": OUR_TAG}, lambda body: tuple(shapes.snapshots(body).values()))
    return {snapshot.snapshot_id: snapshot for snapshot in every}


def delete_image(ecs: Ecs, image_id: str) -> str:
    """Delete an image that no instance runs from, not its snapshots; return the RequestId."""
    request = models.DeleteImageRequest(region_id=ecs.region_id, image_id=image_id, force=False)
    return str(ecs.act("DeleteImage", ecs.client.delete_image_with_options, request).request_id or "")


def delete_snapshot(ecs: Ecs, snapshot_id: str) -> str:
    """Delete a snapshot that no image refers to; return the RequestId."""
    request = models.DeleteSnapshotRequest(snapshot_id=snapshot_id, force=False)
    return str(ecs.act("DeleteSnapshot", ecs.client.delete_snapshot_with_options, request).request_id or "")


def delete_disk(ecs: Ecs, disk_id: str) -> str:
    """Delete a disk that is attached to nothing; return the RequestId."""
    request = models.DeleteDiskRequest(disk_id=disk_id)
    return str(ecs.act("DeleteDisk", ecs.client.delete_disk_with_options, request).request_id or "")
