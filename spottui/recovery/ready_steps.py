"""The next steps for one instance that is kept ready, derived only from what the cloud lists.

There is no other state. Every console derives the same steps with the same names and ClientTokens.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol, TypeVar

import msgspec

from spottui.cloud import leftovers, ready, snapshot_groups
from spottui.cloud.ecs import Answer, Ecs
from spottui.cloud.ecs_shapes import Image, Snapshot
from spottui.cloud.ready import Order
from spottui.cloud.snapshot_groups import SnapshotGroup
from spottui.domain.ready import READY_TAG, KeptReady, image_every_s, snapshots_every_s, system_disk
from spottui.domain.tokens import client_token, ready_name, slot_of, slot_start

MOST_ATTEMPTS = 3
"""After so many losses in one slot the next slot is awaited."""


class Step(msgspec.Struct, frozen=True):
    """One call: its action, its target, and its ClientToken, empty if the action has none."""

    action: str
    target: str
    call: Callable[[Ecs], Answer]
    token: str = ""

    @property
    def copies_system(self) -> bool:
        """Whether the cloud copies a system disk for it, which takes minutes."""
        return self.action in ("CreateSnapshot", "CreateImage")

    @property
    def is_copy(self) -> bool:
        """Whether it keeps disks busy for a while."""
        return self.action in ("CreateSnapshot", "CreateSnapshotGroup")


class PossibleSteps(msgspec.Struct, frozen=True):
    """The steps that can be taken now for an instance; with neither steps nor `waits` its slots are complete."""

    steps: tuple[Step, ...]
    waits: bool

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing to do before the next slot."""
        return not self.steps and not self.waits


@dataclass(slots=True)
class MadeReady:
    """What was made ready for one instance, by slot."""

    images: list[tuple[datetime, Image]] = field(default_factory=list)
    snapshots: list[tuple[datetime, Snapshot]] = field(default_factory=list)
    groups: list[tuple[datetime, SnapshotGroup]] = field(default_factory=list)

    @property
    def copying(self) -> int:
        """How many of its snapshots of the system disk, and of its images, are not finished."""
        images = sum(not (image.complete or image.lost) for _, image in self.images)
        return images + sum(not (snapshot.finished or snapshot.lost) for _, snapshot in self.snapshots)

    @property
    def newest_image(self) -> datetime | None:
        """The slot of the newest usable image, None without one."""
        return max((slot for slot, image in self.images if image.complete), default=None)


def made_ready(
    images: Iterable[Image], snapshots: Iterable[Snapshot], groups: Iterable[SnapshotGroup]
) -> dict[str, MadeReady]:
    """Return what was made ready, by instance id: only what has both the tag and the name of it."""
    by_instance: dict[str, MadeReady] = {}
    for instance_id, slot, image in _named(images):
        by_instance.setdefault(instance_id, MadeReady()).images.append((slot, image))
    for instance_id, slot, snapshot in _named(snapshots):
        by_instance.setdefault(instance_id, MadeReady()).snapshots.append((slot, snapshot))
    for instance_id, slot, group in _named(groups):
        by_instance.setdefault(instance_id, MadeReady()).groups.append((slot, group))
    return by_instance


def possible_steps(kept: KeptReady, made: MadeReady, now: datetime, in_use: Collection[str]) -> PossibleSteps:
    """Return what can be done now for an instance; `in_use` are the images that instances run from."""
    steps = [*_superseded(kept, made, in_use)]
    waits = False
    if not kept.beyond_cap:
        for of_disks in (_system(kept, made, now), _data(kept, made, now)):
            steps += of_disks.steps
            waits |= of_disks.waits
    # A deleted image leaves its snapshot, which is deleted in the next round.
    return PossibleSteps(tuple(steps), waits or bool(steps))


def unfinished_steps(made: MadeReady) -> tuple[Step, ...]:
    """Return what cancels the copies of an instance's disks that are under way."""
    groups = [group.group_id for _, group in made.groups if not (group.finished or group.lost)]
    snapshots = [snapshot.snapshot_id for _, snapshot in made.snapshots if not (snapshot.finished or snapshot.lost)]
    return (
        *(_deletion("DeleteSnapshotGroup", snapshot_groups.delete_group, group) for group in groups),
        *(_deletion("DeleteSnapshot", leftovers.delete_snapshot, snapshot) for snapshot in snapshots),
    )


def next_slot(kept: KeptReady, now: datetime) -> datetime:
    """Return when the next slot of an instance begins."""
    every = [image_every_s(kept.schedule), snapshots_every_s(kept.schedule)]
    instance_id = kept.spec.instance.instance_id
    return min(slot_start(instance_id, each, now) + timedelta(seconds=each) for each in every if each)


def _system(kept: KeptReady, made: MadeReady, now: datetime) -> PossibleSteps:
    """Yield the snapshot of the system disk, then its image, over as many rounds as it takes."""
    disk, instance_id = system_disk(kept.spec), kept.spec.instance.instance_id
    slot = slot_start(instance_id, image_every_s(kept.schedule), now)
    images = [image for of_slot, image in made.images if of_slot == slot]
    snapshots = [snapshot for of_slot, snapshot in made.snapshots if of_slot == slot]
    if disk is None or any(image.complete for image in images):
        return PossibleSteps((), waits=False)
    if any(not image.lost for image in images):
        return PossibleSteps((), waits=True)
    finished = next((snapshot for snapshot in snapshots if snapshot.finished), None)
    if finished:
        order = _order(kept, "CreateImage", slot, len(images))
        call = partial(ready.create_system_image, snapshot=finished, traits=kept.spec.image, order=order)
        return _made(order, len(images), Step("CreateImage", finished.snapshot_id, call, order.token))
    if any(not snapshot.finished and not snapshot.lost for _, snapshot in made.snapshots):
        return PossibleSteps((), waits=True)
    order = _order(kept, "CreateSnapshot", slot, len(snapshots))
    call = partial(ready.create_snapshot, disk_id=disk.disk_id, order=order)
    return _made(order, len(snapshots), Step("CreateSnapshot", disk.disk_id, call, order.token))


def _data(kept: KeptReady, made: MadeReady, now: datetime) -> PossibleSteps:
    """A snapshot group of the data disks; one at a time."""
    every_s, disks = snapshots_every_s(kept.schedule), kept.spec.data_disks
    if not every_s or not disks:
        return PossibleSteps((), waits=False)
    slot = slot_start(kept.spec.instance.instance_id, every_s, now)
    groups = [group for of_slot, group in made.groups if of_slot == slot]
    if any(group.finished for group in groups):
        return PossibleSteps((), waits=False)
    if any(not group.finished and not group.lost for _, group in made.groups):
        return PossibleSteps((), waits=True)
    order = _order(kept, "CreateSnapshotGroup", slot, len(groups))
    disk_ids = tuple(disk.disk_id for disk in disks)
    call = partial(ready.create_group, disk_ids=disk_ids, order=order)
    return _made(order, len(groups), Step("CreateSnapshotGroup", kept.spec.instance.instance_id, call, order.token))


def _made(order: Order, attempt: int, step: Step) -> PossibleSteps:
    return PossibleSteps((step,) if attempt < MOST_ATTEMPTS else (), waits=False)


def _order(kept: KeptReady, action: str, slot: datetime, attempt: int) -> Order:
    instance = kept.spec.instance
    name = ready_name(instance.instance_id, slot, attempt)
    return Order(instance.instance_id, name, client_token(f"{instance.region}.{name}", action))


def _superseded(kept: KeptReady, made: MadeReady, in_use: Collection[str]) -> Iterable[Step]:
    """Yield the deletion of what is older than the newest usable ones: an image before its snapshot."""
    keep = kept.schedule.keep
    oldest = _oldest_kept([slot for slot, image in made.images if image.complete], keep)
    if oldest:
        of_images = {snapshot_id for _, image in made.images for snapshot_id in image.snapshots}
        for slot, image in made.images:
            if slot < oldest and image.image_id not in in_use:
                yield _deletion("DeleteImage", leftovers.delete_image, image.image_id)
        for slot, snapshot in made.snapshots:
            if slot < oldest and snapshot.snapshot_id not in of_images:
                yield _deletion("DeleteSnapshot", leftovers.delete_snapshot, snapshot.snapshot_id)
    oldest = _oldest_kept([slot for slot, group in made.groups if group.finished], keep)
    if oldest:
        for slot, group in made.groups:
            if slot < oldest:
                yield _deletion("DeleteSnapshotGroup", snapshot_groups.delete_group, group.group_id)


def _oldest_kept(slots: Iterable[datetime], keep: int) -> datetime | None:
    newest = sorted(set(slots), reverse=True)[:keep]
    return newest[-1] if len(newest) == keep else None


def _deletion(action: str, delete: Callable[[Ecs, str], str], resource_id: str) -> Step:
    return Step(action, resource_id, lambda ecs: Answer(resource_id, delete(ecs, resource_id)))


class _Tagged(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def tags(self) -> tuple[tuple[str, str], ...]: ...


T = TypeVar("T", bound=_Tagged)


def _named(things: Iterable[T]) -> Iterable[tuple[str, datetime, T]]:
    for thing in things:
        instance_id = dict(thing.tags).get(READY_TAG, "")
        slot = slot_of(thing.name, instance_id) if instance_id else None
        if slot:
            yield instance_id, slot, thing
