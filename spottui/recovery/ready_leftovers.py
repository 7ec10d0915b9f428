"""Resources of `[[ready]]` as the janitor lists them: they stay while their instance is kept ready."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Protocol

from msgspec.structs import replace

from spottui.cloud import disks
from spottui.cloud.ecs import Ecs
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.cloud.ready import ready_groups, ready_images, ready_system_snapshots
from spottui.cloud.snapshot_groups import SnapshotGroup
from spottui.domain.billed_resources import Leftover, LeftoverKind
from spottui.domain.ready import ready_policy
from spottui.domain.settings import Settings
from spottui.recovery.ready_steps import MadeReady, made_ready

KEPT_READY = "its instance is kept ready: the newest ones stay, older ones are deleted automatically"


class Holds(Protocol):
    """Returns why a resource must stay because of the journal or a replacement, empty if it need not."""

    def __call__(self, instance_id: str, resource_id: str, *, alive: bool) -> str:
        """Return it."""
        ...


def ready_leftovers(ecs: Ecs, settings: Settings, holds: Holds) -> Iterator[Leftover]:
    """Give what was made ready in a region; it expires `policy.keep_days` after it was made. Raises `CloudError`."""
    found = made_ready(ready_images(ecs), ready_system_snapshots(ecs), _groups(ecs))
    alive = ecs.existing(found.keys()) if found else {}
    kept_for = timedelta(days=settings.policy.keep_days)
    for instance_id, made in found.items():
        spec = alive.get(instance_id)
        policy = ready_policy(settings, spec.instance) if spec and spec.instance.is_spot else None
        held_by = KEPT_READY if policy and policy.schedule else ""
        for left, made_at in _of_instance(ecs, instance_id, made):
            held = held_by or holds(instance_id, left.resource_id, alive=spec is not None)
            yield _with(left, held, made_at, kept_for)


def _groups(ecs: Ecs) -> tuple[SnapshotGroup, ...]:
    """An account that never used `[[ready]]` need not have the permission to list groups."""
    try:
        return ready_groups(ecs)
    except CloudError as error:
        if error.kind is ErrorKind.DENIED:
            return ()
        raise


def _of_instance(ecs: Ecs, instance_id: str, made: MadeReady) -> Iterator[tuple[Leftover, datetime | None]]:
    def left(kind: LeftoverKind, resource_id: str, gib: int, snapshots: tuple[str, ...] = ()) -> Leftover:
        return Leftover(kind, resource_id, ecs.region, "", instance_id, gib, "", snapshots=snapshots)

    of_images = {snapshot_id for _, image in made.images for snapshot_id in image.snapshots}
    for _, image in made.images:
        yield left(LeftoverKind.IMAGE, image.image_id, image.gib, image.snapshots), image.made
    for _, snapshot in made.snapshots:
        if snapshot.snapshot_id not in of_images:
            yield left(LeftoverKind.SNAPSHOT, snapshot.snapshot_id, snapshot.gib), snapshot.made
    sizes = disks.snapshots(ecs, [snapshot_id for _, group in made.groups for snapshot_id in group.snapshot_ids])
    for _, group in made.groups:
        gib = sum(sizes[snapshot_id].gib for snapshot_id in group.snapshot_ids if snapshot_id in sizes)
        yield left(LeftoverKind.GROUP, group.group_id, gib), group.made


def _with(left: Leftover, held_by: str, made_at: datetime | None, kept_for: timedelta) -> Leftover:
    expires: date | None = (made_at + kept_for).date() if made_at else None
    return replace(left, held_by=held_by, expires=expires, since=made_at)
