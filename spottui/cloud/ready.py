"""Finds and creates what is made ready in calm time; its tag holds the id of its instance."""

from collections.abc import Collection
from datetime import datetime

import msgspec

from spottui.cloud import ecs_shapes as shapes
from spottui.cloud import snapshot_groups
from spottui.cloud.ecs import SYSTEM_DEVICE, Answer, Ecs, ImageSource, created
from spottui.cloud.fields import second_of
from spottui.cloud.leftovers import snapshots_tagged
from spottui.cloud.sdk import models
from spottui.cloud.snapshot_groups import SnapshotGroup
from spottui.domain.launch_spec import ImageTraits
from spottui.domain.ready import READY_TAG

AS_OF_TAG = "spottui:as-of"
"""On an image: the start time of its snapshot, which is the age of its data."""


class Order(msgspec.Struct, frozen=True):
    """A resource to create for an instance: its name, and the ClientToken of the call."""

    instance_id: str
    name: str
    token: str


def ready_images(ecs: Ecs) -> tuple[shapes.Image, ...]:
    """Return the images of a region that were made ready, whatever their status."""
    return ecs.images_tagged(READY_TAG)


def ready_system_snapshots(ecs: Ecs) -> tuple[shapes.Snapshot, ...]:
    """Return the snapshots of system disks of a region that were made ready."""
    return snapshots_tagged(ecs, READY_TAG, {"SourceDiskType": "System"})


def ready_groups(ecs: Ecs) -> tuple[SnapshotGroup, ...]:
    """Return the snapshot groups of a region that were made ready."""
    return tuple(snapshot_groups.tagged(ecs, READY_TAG).values())


def create_snapshot(ecs: Ecs, disk_id: str, order: Order) -> Answer:
    """Start a snapshot of a system disk."""
    request = models.CreateSnapshotRequest(
        disk_id=disk_id,
        snapshot_name=order.name,
        client_token=order.token,
        tag=[models.CreateSnapshotRequestTag(key=READY_TAG, value=order.instance_id)],
    )
    body = ecs.act("CreateSnapshot", request)
    return created("CreateSnapshot", body.get("SnapshotId"), body)


def create_system_image(ecs: Ecs, snapshot: shapes.Snapshot, traits: ImageTraits | None, order: Order) -> Answer:
    """Start an image of a finished snapshot of a system disk."""
    source = ImageSource(snapshots=((SYSTEM_DEVICE, snapshot.snapshot_id),), traits=traits)
    as_of = {AS_OF_TAG: f"{snapshot.made:%Y-%m-%dT%H:%M:%SZ}"} if snapshot.made else {}
    return ecs.create_tagged_image(source, order.name, {READY_TAG: order.instance_id, **as_of}, order.token)


def create_group(ecs: Ecs, disk_ids: Collection[str], order: Order) -> Answer:
    """Start snapshots of all these disks of an instance, at one moment."""
    return snapshot_groups.create(ecs, disk_ids, {READY_TAG: order.instance_id}, order.token, order.name)


def system_as_of(image: shapes.Image) -> datetime | None:
    """Return the time of an image's data: its tag may make it older than the image, never younger."""
    tagged = second_of(dict(image.tags).get(AS_OF_TAG, ""))
    return min(tagged, image.made) if tagged and image.made else image.made
