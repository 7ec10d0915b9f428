"""What is made ready in calm time: found by its tag, whose value is the id of its instance, and made."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from spottui.cloud import ecs_shapes as shapes
from spottui.cloud.ecs import PAGE, SYSTEM_DEVICE, Answer, Ecs, ImageSource
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.cloud.fields import list_of, second_of, text_of
from spottui.cloud.rows import rows
from spottui.cloud.sdk import models
from spottui.domain.launch_spec import ImageTraits
from spottui.domain.ready import READY_TAG

T = TypeVar("T")

AS_OF_TAG = "spottui:as-of"
"""On an image: when the snapshot was begun of which it was made, and so of when its data is."""


@dataclass(frozen=True, slots=True)
class Order:
    """Something that is to be made for an instance: its name, and the ClientToken of the call."""

    instance_id: str
    name: str
    token: str


@dataclass(frozen=True, slots=True)
class SnapshotGroup:
    """Snapshots of several disks of one moment, which is `made`; `disk_ids` are the disks."""

    group_id: str
    name: str
    status: str
    made: datetime | None
    tags: tuple[tuple[str, str], ...]
    snapshot_ids: tuple[str, ...]
    disk_ids: tuple[str, ...]

    @property
    def finished(self) -> bool:
        """Whether it is uploaded: it outlives its zone."""
        return self.status == "accomplished"

    @property
    def lost(self) -> bool:
        """Whether it will never be."""
        return self.status == "failed"


def ready_images(ecs: Ecs) -> tuple[shapes.Image, ...]:
    """Return the images of a region that were made ready, whatever their status."""
    query = {"ImageOwnerAlias": "self", "Status": "Creating,Waiting,Available,UnAvailable,CreateFailed"}
    return _every(ecs, "DescribeImages", query, shapes.images)


def ready_snapshots(ecs: Ecs) -> tuple[shapes.Snapshot, ...]:
    """Return the snapshots of a region that were made ready, those of groups too."""
    return _every(ecs, "DescribeSnapshots", {}, lambda body: tuple(shapes.snapshots(body).values()))


def ready_system_snapshots(ecs: Ecs) -> tuple[shapes.Snapshot, ...]:
    """Return the snapshots of system disks of a region that were made ready."""
    query = {"SourceDiskType": "System"}
    return _every(ecs, "DescribeSnapshots", query, lambda body: tuple(shapes.snapshots(body).values()))


def ready_groups(ecs: Ecs) -> tuple[SnapshotGroup, ...]:
    """Return the snapshot groups of a region that were made ready."""
    found: list[SnapshotGroup] = []
    token = ""
    while True:
        query = {"Tag.1.Key": READY_TAG, "MaxResults": PAGE, **({"NextToken": token} if token else {})}
        body = ecs.read("DescribeSnapshotGroups", query)
        found += ecs.parsed("DescribeSnapshotGroups", _groups, body)
        token = str(body.get("NextToken") or "")
        if not token:
            return tuple(found)


def create_snapshot(ecs: Ecs, disk_id: str, order: Order) -> Answer:
    """Start a snapshot of a system disk."""
    request = models.CreateSnapshotRequest(
        disk_id=disk_id,
        snapshot_name=order.name,
        client_token=order.token,
        tag=[models.CreateSnapshotRequestTag(key=READY_TAG, value=order.instance_id)],
    )
    body = ecs.act("CreateSnapshot", ecs.client.create_snapshot_with_options, request)
    return _answer("CreateSnapshot", body.snapshot_id, body.request_id)


def create_system_image(ecs: Ecs, snapshot: shapes.Snapshot, traits: ImageTraits | None, order: Order) -> Answer:
    """Start an image of a finished snapshot of a system disk."""
    source = ImageSource(snapshots=((SYSTEM_DEVICE, snapshot.snapshot_id),), traits=traits)
    as_of = {AS_OF_TAG: f"{snapshot.made:%Y-%m-%dT%H:%M:%SZ}"} if snapshot.made else {}
    return ecs.create_tagged_image(source, order.name, {READY_TAG: order.instance_id, **as_of}, order.token)


def create_group(ecs: Ecs, disk_ids: Collection[str], order: Order) -> Answer:
    """Start snapshots of all these disks of an instance, at one moment."""
    request = models.CreateSnapshotGroupRequest(
        region_id=ecs.region,
        instance_id=order.instance_id,
        disk_id=list(disk_ids),
        name=order.name,
        client_token=order.token,
        tag=[models.CreateSnapshotGroupRequestTag(key=READY_TAG, value=order.instance_id)],
    )
    body = ecs.act("CreateSnapshotGroup", ecs.client.create_snapshot_group_with_options, request)
    return _answer("CreateSnapshotGroup", body.snapshot_group_id, body.request_id)


def delete_group(ecs: Ecs, group_id: str) -> str:
    """Delete a snapshot group with its snapshots, of which no image may have been made; return the RequestId."""
    request = models.DeleteSnapshotGroupRequest(region_id=ecs.region, snapshot_group_id=group_id)
    body = ecs.act("DeleteSnapshotGroup", ecs.client.delete_snapshot_group_with_options, request)
    return str(body.request_id or "")


def system_as_of(image: shapes.Image) -> datetime | None:
    """Return of when the data of an image is: its tag may make it older than the image, never younger."""
    tagged = second_of(dict(image.tags).get(AS_OF_TAG, ""))
    return min(tagged, image.made) if tagged and image.made else image.made


def _every(
    ecs: Ecs, action: str, query: Mapping[str, object], read: Callable[[dict[str, Any]], tuple[T, ...]]
) -> tuple[T, ...]:
    found: list[T] = []
    page = 1
    while True:
        some = ecs.ask(action, {**query, "Tag.1.Key": READY_TAG, "PageSize": PAGE, "PageNumber": page}, read)
        found += some
        if len(some) < PAGE:
            return tuple(found)
        page += 1


def _groups(body: dict[str, Any]) -> Iterable[SnapshotGroup]:
    return map(_group, rows("DescribeSnapshotGroups", body, "SnapshotGroups", "SnapshotGroup"))


def _group(row: dict[str, Any]) -> SnapshotGroup:
    members = list_of(row, "Snapshots", "Snapshot")
    return SnapshotGroup(
        group_id=text_of(row, "SnapshotGroupId"),
        name=text_of(row, "Name"),
        status=text_of(row, "Status"),
        made=second_of(text_of(row, "CreationTime")),
        # Those of a group are named otherwise than those of a snapshot.
        tags=tuple((text_of(tag, "Key"), text_of(tag, "Value")) for tag in list_of(row, "Tags", "Tag")),
        snapshot_ids=tuple(text_of(one, "SnapshotId") for one in members),
        disk_ids=tuple(text_of(one, "SourceDiskId") for one in members),
    )


def _answer(action: str, resource_id: object, request_id: object) -> Answer:
    """An answer without the id of what was made leaves the effect unknown: the token will find it."""
    if not resource_id:
        raise CloudError(action, ErrorKind.BROKEN, message="an answer without an id", request_id=str(request_id or ""))
    return Answer(str(resource_id), str(request_id or ""))
