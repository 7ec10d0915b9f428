"""Disks of instances, and those that outlived theirs: their state, their snapshots, and attaching them."""

from collections.abc import Collection, Iterable, Sequence

from spottui.cloud import ecs_shapes as shapes
from spottui.cloud.batches import Answers, in_halves
from spottui.cloud.ecs import OUR_TAG, PAGE, Answer, Ecs, created
from spottui.cloud.sdk import models
from spottui.domain.instance import Disk

FEW = 5
"""For more instances than these all disks of the region are listed, 100 a call."""
KEPT_NAME = "spottui-kept"
"""The name of the snapshots of disks that outlived their instance; those of images and groups are named otherwise."""


def disks_of(ecs: Ecs, instance_ids: Collection[str]) -> Answers[tuple[Disk, ...]]:
    """Return the disks of instances: a call for each of a few, since no call takes several; all disks for many.

    Raises `CloudError`.
    """
    if len(instance_ids) <= FEW:
        return in_halves(instance_ids, lambda ids: {instance_id: ecs.disks(instance_id) for instance_id in ids}, 1)
    by_instance: dict[str, tuple[Disk, ...]] = {}
    for attached in ecs.disks_by_instance():
        by_instance |= {key: by_instance.get(key, ()) + disks for key, disks in attached.items() if key in instance_ids}
    return Answers(by_instance, {})


def by_id(ecs: Ecs, disk_ids: Iterable[str]) -> Answers[Disk]:
    """Return those of the given disks that exist, attached or not."""

    def ask(some: Sequence[str]) -> dict[str, Disk]:
        body = ecs.read("DescribeDisks", {"DiskIds": shapes.id_list(some), "PageSize": PAGE})
        return ecs.parsed("DescribeDisks", shapes.all_disks, body)

    return in_halves(disk_ids, ask)


def create_snapshot(ecs: Ecs, disk_id: str, interruption_id: str, token: str) -> Answer:
    """Start a snapshot of a disk that outlived its instance, tagged with the interruption."""
    request = models.CreateSnapshotRequest(
        disk_id=disk_id,
        snapshot_name=KEPT_NAME,
        client_token=token,
        tag=[models.CreateSnapshotRequestTag(key=OUR_TAG, value=interruption_id)],
    )
    body = ecs.act("CreateSnapshot", request)
    return created("CreateSnapshot", body.get("SnapshotId"), body)


def unprotect(ecs: Ecs, disk_ids: Iterable[str]) -> str:
    """Let cloud disks (at most 100) be deleted with their instance again; return the RequestId. Safe to repeat."""
    request = models.ModifyDiskAttributeRequest(
        region_id=ecs.region_id, disk_ids=list(disk_ids), delete_with_instance=True
    )
    return ecs.change("", "ModifyDiskAttribute", request).request_id


def snapshots(ecs: Ecs, snapshot_ids: Iterable[str]) -> Answers[shapes.Snapshot]:
    """Return those of the given snapshots that exist, by id."""

    def ask(some: Sequence[str]) -> dict[str, shapes.Snapshot]:
        body = ecs.read("DescribeSnapshots", {"SnapshotIds": shapes.id_list(some), "PageSize": PAGE})
        return ecs.parsed("DescribeSnapshots", shapes.snapshots, body)

    return in_halves(snapshot_ids, ask)


def attach(ecs: Ecs, disk: Disk, instance_id: str) -> Answer:
    """Attach a free data disk to an instance of its zone; without a token, so read the disk's state first."""
    request = models.AttachDiskRequest(
        disk_id=disk.disk_id, instance_id=instance_id, delete_with_instance=disk.delete_with_instance
    )
    return ecs.change(disk.disk_id, "AttachDisk", request)
