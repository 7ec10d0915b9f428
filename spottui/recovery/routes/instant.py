"""The instant route: serve within a minute, from an earlier system image and snapshots of the data disks as they are.

Disks of the ESSD series can be made of a snapshot within seconds, in any zone (docs/alibaba-facts.md 13); a system
disk needs an image, so that one is as old as the image.
"""

import asyncio
from datetime import timedelta
from functools import partial

from spottui.cloud import snapshot_groups
from spottui.cloud.ecs import OUR_TAG, SYSTEM_DEVICE, Answer, ImageSource
from spottui.cloud.ecs_shapes import Image, Snapshot
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.cloud.snapshot_groups import SnapshotGroup
from spottui.domain.facts import EarlierImageTaken, SnapshotsUsable
from spottui.domain.instance import Disk
from spottui.domain.launch_spec import LaunchSource
from spottui.domain.ready import system_disk
from spottui.domain.reasons import Doing, NextStep, Reason, Why
from spottui.domain.recovery import ImageOf, Recovery, RecoveryState
from spottui.domain.tokens import client_token
from spottui.recovery.adoption import adopt_group, await_adoption
from spottui.recovery.calls import Call, call, call_once, may_begin
from spottui.recovery.context import RecoveryContext, StepOutcome, cancelled, leaves, not_done
from spottui.recovery.imaging import start_image, wait_for_image
from spottui.recovery.launching import bring_up
from spottui.recovery.places import look_for_places

POLL_S = 1.0
USABLE_PATIENCE_S = 20.0
"""How long to wait for usable snapshots; after that an image may still be in time."""
AFTER_DEADLINE = timedelta(seconds=5)
DELETE = "DeleteSnapshotGroup"


async def instant_route(ctx: RecoveryContext) -> StepOutcome:
    """Snapshot the data disks, and launch from the newest image of the system disk and those snapshots.

    If the policy wants a fresh system, its disk is in the group, and its image is awaited.
    """
    ended = await _serve(ctx)
    if ended.try_next_route:
        await _free_the_disks(ctx)
    return ended


async def _serve(ctx: RecoveryContext) -> StepOutcome:
    await look_for_places(ctx)
    image = ctx.plan.system_image
    if image is None:
        return leaves(Reason(Why.NO_EARLIER_IMAGE))
    lost = await _snapshot_disks(ctx)
    if lost:
        return lost
    fresh_id = await _fresh_image(ctx) if ctx.plan.fresh_system else ""
    if not fresh_id and not ctx.recovery.tries:
        await ctx.record(EarlierImageTaken(image.image_id, image.made))
    return await bring_up(ctx, LaunchSource(fresh_id or image.image_id, snapshots=ctx.recovery.group_snapshots))


async def _snapshot_disks(ctx: RecoveryContext) -> StepOutcome | None:
    plan = ctx.plan
    wanted = plan.spec.cloud_disks if plan.fresh_system else plan.spec.data_disks
    if not wanted or ctx.recovery.group_snapshots:
        return None
    group_id = ctx.recovery.snapshot_group or await _create_group(ctx, wanted)
    return group_id if isinstance(group_id, StepOutcome) else await _wait_until_usable(ctx, group_id, wanted)


async def _fresh_image(ctx: RecoveryContext) -> str:
    """Return the image of the system disk as of the notice; empty if it is not ready by the deadline, or never will be.

    A system disk needs a snapshot that is uploaded. One launch follows, from whatever there is then.
    """
    recovery, system = ctx.recovery, system_disk(ctx.plan.spec)
    is_fresh = recovery.image_of is ImageOf.SYSTEM_DISK
    if recovery.image_id and is_fresh and recovery.state is not RecoveryState.IMAGING:
        return await _usable_image(ctx, recovery)
    snapshot_id = dict(recovery.group_snapshots).get(system.disk_id, "") if system else ""
    if not snapshot_id or not await _is_uploaded(ctx, snapshot_id):
        return ""
    source = ImageSource(snapshots=((SYSTEM_DEVICE, snapshot_id),), traits=ctx.plan.spec.image)
    image_id = await start_image(ctx, source, ImageOf.SYSTEM_DISK, recovery.deadline)
    if not isinstance(image_id, str):
        return ""
    try:
        async with asyncio.timeout((recovery.deadline - ctx.now()).total_seconds()):
            lost = await wait_for_image(ctx, image_id)
    except TimeoutError:
        return ""
    return "" if lost else image_id


async def _usable_image(ctx: RecoveryContext, recovery: Recovery) -> str:
    """Return the fresh image after a restart; empty where the launch was begun without it, and it is not usable yet."""
    if recovery.tries and recovery.tries[-1].image_id == recovery.image_id:
        return recovery.image_id
    image = await ctx.shared.polls.image(recovery.region, recovery.image_id, 0.0)
    return recovery.image_id if isinstance(image, Image) and image.usable else ""


async def _is_uploaded(ctx: RecoveryContext, snapshot_id: str) -> bool:
    """Wait for a snapshot of the notice until the deadline."""
    poll_s = 0.0
    while not ctx.recovery.cancel and ctx.now() < ctx.recovery.deadline:
        snapshot = await ctx.shared.polls.snapshot(ctx.recovery.region, snapshot_id, poll_s)
        poll_s = POLL_S
        if isinstance(snapshot, Snapshot) and (snapshot.finished or snapshot.lost):
            return snapshot.finished
    return False


async def _create_group(ctx: RecoveryContext, disks: tuple[Disk, ...]) -> str | StepOutcome:
    """Start the snapshot group, or take the one that was started for this reclaim, and return its id.

    Every journal derives the same first token, so that the cloud refuses a second group. If an earlier reclaim of the
    instance used it, the recovery takes one of its own.
    """
    disk_ids = [disk.disk_id for disk in disks]
    refused: CloudError | None = None
    for token in _group_tokens(ctx.recovery):
        if not may_begin(ctx.recovery, token):
            continue
        begun = await _create_or_adopt(ctx, token, disk_ids)
        if isinstance(begun, str):
            return begun
        refused = begun
        if refused.kind is not ErrorKind.EXISTS:
            break
    return leaves(not_done(ctx, Why.NO_SNAPSHOT, refused, ", ".join(disk_ids))) if refused else cancelled(ctx.recovery)


def _group_tokens(recovery: Recovery) -> list[str]:
    """Return the tokens of a group, first the one whose effect is unknown."""
    tokens = (
        client_token(whose, snapshot_groups.ACTION, recovery.run)
        for whose in (recovery.instance_id, recovery.recovery_id)
    )
    return sorted(tokens, key=lambda token: token not in recovery.unsettled)


async def _create_or_adopt(ctx: RecoveryContext, token: str, disk_ids: list[str]) -> str | CloudError:
    adopted = await adopt_group(ctx, token, disk_ids)
    if adopted:
        return adopted
    entering = ctx.entering(RecoveryState.IMAGING, NextStep(Doing.SNAPSHOT_DATA_DISKS, count=len(disk_ids)))
    give_up_at = max(ctx.recovery.deadline, ctx.now()) + AFTER_DEADLINE
    create = partial(snapshot_groups.create, ctx.ecs, disk_ids, {OUR_TAG: ctx.id}, token)
    outcome = await call(ctx, Call(snapshot_groups.ACTION, token, give_up_at, entering), create)
    if isinstance(outcome, CloudError) and outcome.kind is ErrorKind.EXISTS:
        return await await_adoption(partial(adopt_group, ctx, token, disk_ids)) or outcome
    if isinstance(outcome, CloudError) and outcome.kind.effect_unknown:
        return await adopt_group(ctx, token, disk_ids) or outcome
    return outcome


async def _wait_until_usable(ctx: RecoveryContext, group_id: str, disks: tuple[Disk, ...]) -> StepOutcome | None:
    """Wait until every snapshot of the group is usable, and journal which disk it belongs to."""
    loop, disk_ids = asyncio.get_running_loop(), {disk.disk_id for disk in disks}
    until_s, poll_s = loop.time() + USABLE_PATIENCE_S, 0.0
    while not ctx.recovery.cancel:
        is_late = loop.time() > until_s
        group = await ctx.shared.polls.snapshot_group(ctx.recovery.region, group_id, poll_s)
        poll_s = POLL_S
        if isinstance(group, SnapshotGroup):
            if group.lost:
                return leaves(Reason(Why.SNAPSHOT_FAILED, group_id))
            if group.usable and group.disk_ids == disk_ids:
                await ctx.record(SnapshotsUsable(group_id, group.snapshots))
                return None
        if is_late and not isinstance(group, CloudError):
            return leaves(Reason(Why.SNAPSHOT_NOT_READY, group_id, seconds=USABLE_PATIENCE_S))
    return cancelled(ctx.recovery)


async def _free_the_disks(ctx: RecoveryContext) -> None:
    """Delete the recovery's own unfinished group: a disk takes one snapshot at a time, and the image is next.

    Kept if a data disk may be deleted with the instance, because the group may then be the last copy of its data, and
    if another console started it and may launch from it.
    """
    recovery = ctx.recovery
    kept, group_id = recovery.made("kept disk"), recovery.snapshot_group
    data_disks = ctx.plan.spec.data_disks
    if not group_id or not all(disk.disk_id in kept or not disk.delete_with_instance for disk in data_disks):
        return
    group = await ctx.shared.polls.snapshot_group(recovery.region, group_id, 0.0)
    is_own = isinstance(group, SnapshotGroup) and dict(group.tags).get(OUR_TAG) == ctx.id
    if isinstance(group, SnapshotGroup) and is_own and not (group.finished or group.lost):
        ecs = ctx.ecs
        await call_once(ctx, DELETE, group_id, lambda: Answer("", snapshot_groups.delete_group(ecs, group_id)))
