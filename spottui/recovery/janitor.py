"""The janitor: tags the leftovers of recoveries, and deletes them on command after verifying each one."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from functools import partial

import msgspec
from msgspec.structs import replace

from spottui.cloud import disks, leftovers, snapshot_groups
from spottui.cloud.ecs import OUR_TAG, Ecs
from spottui.cloud.ecs_shapes import Image, Snapshot
from spottui.cloud.errors import CloudError
from spottui.cloud.leftovers import EXPIRES_TAG, tag
from spottui.domain.billed_resources import Leftover, LeftoverKind
from spottui.domain.clock import Clock
from spottui.domain.facts import CallAnswered, CallBegun, CallFailed, Fact
from spottui.domain.instance import Disk, InstanceStatus
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.refusal import Refused
from spottui.domain.routes import Data
from spottui.domain.settings import Settings
from spottui.journal import Journal
from spottui.journal.transaction import Transaction
from spottui.recovery.calls import call_once
from spottui.recovery.context import RecoveryContext, failure_of
from spottui.recovery.ready_leftovers import ready_leftovers
from spottui.recovery.standing_protection import protected_disks

IDS_PER_CALL = 100
ACTIONS = {
    LeftoverKind.IMAGE: ("DeleteImage", leftovers.delete_image),
    LeftoverKind.SNAPSHOT: ("DeleteSnapshot", leftovers.delete_snapshot),
    LeftoverKind.DISK: ("DeleteDisk", leftovers.delete_disk),
    LeftoverKind.GROUP: ("DeleteSnapshotGroup", snapshot_groups.delete_group),
}


class Janitor(msgspec.Struct, frozen=True):
    """What a clean-up needs: the journal, the clients of the regions, the time and the settings. It needs no engine."""

    journal: Journal
    regions: Mapping[str, Ecs]
    clock: Clock
    settings: Settings

    def leftovers(self) -> tuple[Leftover, ...]:
        """Return the leftovers in the configured regions that cost money, the deletable ones first.

        Asks the cloud; raises `Refused` with its error if it does not answer.
        """
        try:
            leftovers = [leftover for ecs in self.regions.values() for leftover in _of_region(self, ecs)]
        except CloudError as error:
            raise Refused(f"Leftovers cannot be listed: {error.line}. {error.advice}".strip()) from None
        return tuple(
            sorted(
                leftovers,
                key=lambda leftover: (not leftover.may_go, leftover.recovery_id, leftover.kind, leftover.resource_id),
            )
        )

    def clean_up(self, resource_ids: Iterable[str], who: str) -> Iterator[tuple[str, str]]:
        """Delete leftovers that may be deleted; yield each id with an empty text if it is gone, else why it remains.

        Everything is verified again first. An image's own snapshots are deleted with it. Raises `Refused`.
        """
        known = {leftover.resource_id: leftover for leftover in self.leftovers()}
        for resource_id in resource_ids:
            leftover = known.get(resource_id)
            if leftover is None:
                yield resource_id, "not a leftover of a recovery"
            else:
                yield resource_id, leftover.held_by or _delete_with_snapshots(self, leftover, who)


class _Region(msgspec.Struct, frozen=True):
    """What the cloud and the journal say about one region, read once; `running` are replacements with their images."""

    ecs: Ecs
    recoveries: dict[str, Recovery]
    running: dict[str, str]


def _of_region(janitor: Janitor, ecs: Ecs) -> Iterator[Leftover]:
    journal = janitor.journal
    recoveries = {
        recovery.recovery_id: recovery for recovery in journal.recoveries.all() if recovery.region == ecs.region
    }
    region = _Region(ecs, recoveries, _running(ecs, recoveries.values()))
    images = ecs.our_images()
    of_images = {snapshot_id for image in images.values() for snapshot_id in image.snapshots}
    yield from (_image(region, image) for image in images.values())
    yield from (
        _snapshot(region, snapshot)
        for snapshot in leftovers.our_snapshots(ecs).values()
        if snapshot.snapshot_id not in of_images
    )
    yield from _disks(region, protected_disks(journal))
    yield from ready_leftovers(ecs, janitor.settings, partial(_held_made_ready, region))


def _running(ecs: Ecs, recoveries: Iterable[Recovery]) -> dict[str, str]:
    """Return the replacements that run now, each with its image."""
    wanted = sorted({recovery.new_instance_id for recovery in recoveries if recovery.new_instance_id})
    image_ids: dict[str, str] = {}
    for start in range(0, len(wanted), IDS_PER_CALL):
        specs = ecs.launch_specs(wanted[start : start + IDS_PER_CALL])
        image_ids |= {
            key: spec.image_id for key, spec in specs.items() if spec.instance.status is InstanceStatus.RUNNING
        }
    return image_ids


def _image(region: _Region, image: Image) -> Leftover:
    users = [instance_id for instance_id, image_id in region.running.items() if image_id == image.image_id]
    held_by = f"the replacement {users[0]} runs from it, and the cloud deletes no image in use" if users else ""
    leftover = _leftover(region, LeftoverKind.IMAGE, image.image_id, dict(image.tags), image.gib, held_by)
    return replace(leftover, snapshots=image.snapshots, since=leftover.since or image.made)


def _snapshot(region: _Region, snapshot: Snapshot) -> Leftover:
    return _leftover(region, LeftoverKind.SNAPSHOT, snapshot.snapshot_id, dict(snapshot.tags), snapshot.gib)


def _held_made_ready(region: _Region, instance_id: str, resource_id: str, *, alive: bool) -> str:
    """Return why a resource of `[[ready]]` must stay; `alive` says whether its instance is still listed."""
    users = [new_id for new_id, image_id in region.running.items() if image_id == resource_id]
    if users:
        return f"the replacement {users[0]} runs from it, and the cloud deletes no image in use"
    recovery = _newest_of(region, instance_id)
    is_at_peace = recovery is None or (alive and recovery.state.is_final)
    return "" if is_at_peace else _held_by(region, recovery)


def _newest_of(region: _Region, instance_id: str) -> Recovery | None:
    mine = [recovery for recovery in region.recoveries.values() if recovery.instance_id == instance_id]
    return max(mine, key=lambda recovery: recovery.interruption.epoch, default=None)


def _disks(region: _Region, standing: Mapping[tuple[str, str], Iterable[str]]) -> Iterator[Leftover]:
    """Yield kept disks that are free; their owner is in the journal and, after the recovery, in their tag.

    `standing` are those that were protected in calm time, by region and instance.
    """
    owners = {
        disk_id: recovery
        for (of_region, instance_id), disk_ids in standing.items()
        if of_region == region.ecs.region and (recovery := _newest_of(region, instance_id))
        for disk_id in disk_ids
    }
    owners |= {disk_id: recovery for recovery in region.recoveries.values() for disk_id in recovery.made("kept disk")}
    wanted = sorted(owners)
    for start in range(0, len(wanted), IDS_PER_CALL):
        for disk_id, disk in disks.by_id(region.ecs, wanted[start : start + IDS_PER_CALL]).items():
            if not disk.instance_id:
                tags = {**dict(disk.tags), OUR_TAG: owners[disk_id].recovery_id}
                held_by = _holds(disk, owners[disk_id])
                leftover = _leftover(region, LeftoverKind.DISK, disk_id, tags, disk.size_gib, held_by)
                yield replace(leftover, priced_as=disk.category)


def _holds(disk: Disk, recovery: Recovery) -> str:
    if disk.status != "Available":
        return f"the disk is {disk.status}"
    if recovery.route.traits.serves_at_once:
        return "the replacement was launched from an earlier image: later writes are on this disk only"
    return ""


def _leftover(
    region: _Region, kind: LeftoverKind, resource_id: str, tags: dict[str, str], gib: int, held_by: str = ""
) -> Leftover:
    recovery_id = tags.get(OUR_TAG, "")
    recovery = region.recoveries.get(recovery_id)
    return Leftover(
        kind=kind,
        resource_id=resource_id,
        region=region.ecs.region,
        recovery_id=recovery_id,
        instance_id=recovery.instance_id if recovery else "",
        gib=gib,
        held_by=held_by or _held_by(region, recovery),
        expires=_day(tags.get(EXPIRES_TAG, "")),
        since=recovery.started if recovery else None,
    )


def _held_by(region: _Region, recovery: Recovery | None) -> str:
    """Return why a resource of a recovery must stay: it may be the last copy of the data."""
    if recovery is None:
        return "its recovery is not in this journal"
    if recovery.state is not RecoveryState.RECOVERED:
        return f"its recovery is {recovery.state}: this may be the last copy of the data"
    heir = _heir(region, recovery.new_instance_id)
    return "" if heir in region.running else f"the replacement {heir} has not been seen running"


def _heir(region: _Region, instance_id: str) -> str:
    """Return the instance that has the data now: a replacement may have been reclaimed and replaced in turn.

    A replacement from an earlier image lacks the latest data of its predecessor.
    """
    replaced_by = {
        recovery.instance_id: recovery.new_instance_id
        for recovery in region.recoveries.values()
        if recovery.state is RecoveryState.RECOVERED and recovery.route.traits.data is not Data.EARLIER
    }
    seen: set[str] = set()
    while instance_id in replaced_by and instance_id not in seen:
        seen.add(instance_id)
        instance_id = replaced_by[instance_id]
    return instance_id


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _delete_with_snapshots(janitor: Janitor, leftover: Leftover, who: str) -> str:
    refused = _delete(janitor, leftover, leftover.kind, leftover.resource_id, who)
    if refused:
        return refused
    left = [_delete(janitor, leftover, LeftoverKind.SNAPSHOT, snapshot_id, who) for snapshot_id in leftover.snapshots]
    return "; ".join(filter(None, left))


def _delete(janitor: Janitor, of: Leftover, kind: LeftoverKind, resource_id: str, who: str) -> str:
    """Delete one resource, journaled before and after."""
    action, delete = ACTIONS[kind]
    _record(janitor, of, CallBegun(action, target=resource_id, who=who))
    try:
        request_id = delete(janitor.regions[of.region], resource_id)
    except CloudError as error:
        _record(janitor, of, CallFailed(action, failure_of(error), target=resource_id))
        return error.line
    _record(janitor, of, CallAnswered(action, "", request_id, target=resource_id))
    return ""


def _record(janitor: Janitor, of: Leftover, fact: Fact) -> None:
    now = janitor.clock.now()

    def write(transaction: Transaction) -> None:
        if of.recovery_id:
            transaction.record(of.recovery_id, fact, now)
        else:
            transaction.log(fact, now, of.region, of.instance_id)

    janitor.journal.run(write)


KINDS = {"image": "image", "snapshot": "snapshot", "kept disk": "disk"}
"""Kinds of created things to the ResourceType of TagResources."""


async def mark_leftovers(ctx: RecoveryContext) -> None:
    """Tag image, snapshots and kept disks with their recovery and their expiry date."""
    recovery = ctx.recovery
    expires = (ctx.now() + timedelta(days=ctx.shared.settings.policy.keep_days)).date().isoformat()
    for kind, resource_type in KINDS.items():
        ids = [resource_id for resource_id in recovery.made(kind) if resource_id not in recovery.made("attached disk")]
        if ids:
            write = partial(tag, ctx.ecs, resource_type, ids, ctx.id, expires)
            kept = f"keep {resource_type} {', '.join(ids)} until {expires}"
            await call_once(ctx, "TagResources", ", ".join(ids), write, kept)
