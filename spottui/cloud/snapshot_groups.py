"""Groups of snapshots, all of one moment: disks can be made of them within seconds (docs/alibaba-facts.md 13)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from spottui.cloud.batches import Answers, in_halves
from spottui.cloud.ecs import PAGE, Answer, Ecs, created
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.cloud.fields import list_of, numbered, second_of, text_of
from spottui.cloud.sdk import models

ACTION = "CreateSnapshotGroup"
_LIST = "DescribeSnapshotGroups"
_IDS_PER_CALL = 10


class SnapshotGroup(msgspec.Struct, frozen=True):
    """Snapshots of several disks of one moment, which is `made`: pairs of disk and snapshot.

    `usable` when disks can be made of all of them, which is long before they are uploaded.
    """

    group_id: str
    name: str
    status: str
    made: datetime | None
    snapshots: tuple[tuple[str, str], ...]
    usable: bool
    tags: tuple[tuple[str, str], ...]

    @property
    def disk_ids(self) -> frozenset[str]:
        """The disks that it has snapshots of."""
        return frozenset(disk_id for disk_id, _ in self.snapshots)

    @property
    def snapshot_ids(self) -> tuple[str, ...]:
        """Its snapshots."""
        return tuple(snapshot_id for _, snapshot_id in self.snapshots)

    @property
    def finished(self) -> bool:
        """Whether it is uploaded: it outlives its zone."""
        return self.status == "accomplished"

    @property
    def lost(self) -> bool:
        """Whether it has failed and will never be usable."""
        return self.status == "failed"


def create(ecs: Ecs, disk_ids: Iterable[str], tags: Mapping[str, str], token: str, name: str = "") -> Answer:
    """Start a group of snapshots of disks of one zone (at most 128); returns at once with the group's id."""
    request = models.CreateSnapshotGroupRequest(
        region_id=ecs.region_id,
        disk_id=list(disk_ids),
        client_token=token,
        name=name or None,
        tag=[models.CreateSnapshotGroupRequestTag(key=key, value=value) for key, value in tags.items()],
    )
    body = ecs.act(ACTION, request)
    return created(ACTION, body.get("SnapshotGroupId"), body)


def by_id(ecs: Ecs, group_ids: Iterable[str]) -> Answers[SnapshotGroup]:
    """Return those of the given groups that exist."""

    def ask(some: Sequence[str]) -> dict[str, SnapshotGroup]:
        return _groups(ecs, numbered("SnapshotGroupId", some))

    return in_halves(group_ids, ask, _IDS_PER_CALL)


def tagged(ecs: Ecs, key: str) -> dict[str, SnapshotGroup]:
    """Return every group of the region that has a tag, by id."""
    return _groups(ecs, {"Tag.1.Key": key})


def delete_group(ecs: Ecs, group_id: str) -> str:
    """Delete a snapshot group with its snapshots, of which no image may have been made; return the RequestId."""
    request = models.DeleteSnapshotGroupRequest(region_id=ecs.region_id, snapshot_group_id=group_id)
    return ecs.change("", "DeleteSnapshotGroup", request).request_id


def _groups(ecs: Ecs, query: Mapping[str, object]) -> dict[str, SnapshotGroup]:
    groups: dict[str, SnapshotGroup] = {}
    token = ""
    while True:
        page = {"MaxResults": PAGE, **({"NextToken": token} if token else {})}
        body = ecs.read(_LIST, {**query, **page})
        groups |= ecs.parsed(_LIST, _read, body)
        token = text_of(body, "NextToken")
        if not token:
            return groups


def _read(body: dict[str, Any]) -> dict[str, SnapshotGroup]:
    if not isinstance(body.get("SnapshotGroups"), dict):
        raise CloudError(_LIST, ErrorKind.BROKEN, message="an answer without SnapshotGroups.SnapshotGroup")
    groups = (_group(item) for item in list_of(body, "SnapshotGroups", "SnapshotGroup"))
    return {group.group_id: group for group in groups}


def _group(item: dict[str, Any]) -> SnapshotGroup:
    members = list_of(item, "Snapshots", "Snapshot")
    return SnapshotGroup(
        group_id=text_of(item, "SnapshotGroupId"),
        name=text_of(item, "Name"),
        status=text_of(item, "Status"),
        made=second_of(text_of(item, "CreationTime")),
        snapshots=tuple((text_of(member, "SourceDiskId"), text_of(member, "SnapshotId")) for member in members),
        usable=bool(members) and all(member.get("Available") is True for member in members),
        # Those of a group are named otherwise than those of a snapshot.
        tags=tuple((text_of(tag, "Key"), text_of(tag, "Value")) for tag in list_of(item, "Tags", "Tag")),
    )
