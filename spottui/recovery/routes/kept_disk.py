"""The kept-disk route: the disks that outlived the instance, an image of the system disk, the data disks moved over."""

import asyncio
from datetime import timedelta
from functools import partial

from msgspec.structs import replace

from spottui.cloud import disks
from spottui.cloud.ecs import SYSTEM_DEVICE, ImageSource
from spottui.cloud.ecs_shapes import Snapshot
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.domain.facts import DisksFree, ImageGivenUp, ProgressSeen, StateEntered
from spottui.domain.instance import Disk
from spottui.domain.launch_spec import LaunchSource
from spottui.domain.reasons import Doing, NextStep, Reason, Why
from spottui.domain.recovery import ImageOf, Recovery, RecoveryState
from spottui.domain.tokens import client_token
from spottui.recovery.adoption import adopt_snapshot, await_adoption, launched
from spottui.recovery.calls import Call, call, call_once, may_begin
from spottui.recovery.context import RecoveryContext, StepOutcome, cancelled, failed, failure_of, leaves, not_done
from spottui.recovery.imaging import start_image, wait_for_image
from spottui.recovery.launching import finish, launch_and_see_running
from spottui.recovery.private_ip import GONE_GRACE, spared

POLL_S = 2.0
RELEASE_GRACE_S = 600.0
"""How long after the deadline the release of the disks is awaited."""
SNAPSHOT_PATIENCE_S = 7200.0
USABLE_PATIENCE_S = 30.0
"""How long to wait for usable snapshots; after that their disks have to be in the image."""
ATTACH_PATIENCE_S = 180.0


async def kept_disk_route(ctx: RecoveryContext) -> StepOutcome:
    """Image of the kept system disk, launch in the disks' zone, attach the data disks.

    If that zone has no capacity it is launched in any zone: with data disks made of instantly usable snapshots of the
    kept ones, or else from an image that includes the data disks.
    """
    ended = None if ctx.recovery.disks_free else await wait_for_release(ctx)
    if ended:
        return ended
    if not ctx.recovery.whole_image:
        home = ctx.plan.spec.instance.zone if len(_kept_disks(ctx)) > 1 else ""
        launched = await _launch_from(ctx, whole=False, zone=home)
        if isinstance(launched, StepOutcome) and launched.retryable and _has_instant_data(ctx):
            launched = await _launch_from_snapshots(ctx)
        if not isinstance(launched, StepOutcome):
            has_data = bool(ctx.recovery.tries and ctx.recovery.tries[-1].snapshots)
            not_attached = None if has_data else await attach_data_disks(ctx, launched)
            return not_attached or await finish(ctx, launched)
        if not launched.retryable:
            return launched
        # The image of only the system disk is of no use in another zone; another one is made.
        await ctx.record(ImageGivenUp(ctx.recovery.image_id, whole=True))
    launched = await _launch_from(ctx, whole=True, zone="")
    return launched if isinstance(launched, StepOutcome) else await finish(ctx, launched)


async def _launch_from(ctx: RecoveryContext, *, whole: bool, zone: str) -> str | StepOutcome:
    image_id = await _image(ctx, whole=whole)
    if isinstance(image_id, StepOutcome):
        return image_id
    lost = await wait_for_image(ctx, image_id)
    if lost:
        return replace(lost, retryable=False)
    return await launch_and_see_running(ctx, LaunchSource(image_id, data_disks=whole, zone=zone))


async def _launch_from_snapshots(ctx: RecoveryContext) -> str | StepOutcome:
    """Launch in any zone, from the image of the system disk and snapshots that need not be uploaded yet."""
    data = [disk for disk in _kept_disks(ctx) if disk.kind != "system"]
    lost = await _snapshots(ctx, data, at_once=True)
    if lost:
        return replace(lost, retryable=True)
    snapshots = dict(ctx.recovery.snapshots)
    pairs = tuple((disk.disk_id, snapshots[disk.disk_id]) for disk in data)
    return await launch_and_see_running(ctx, LaunchSource(ctx.recovery.image_id, snapshots=pairs))


def _has_instant_data(ctx: RecoveryContext) -> bool:
    """Whether every data disk is kept, and of a category of which disks can be made within seconds in any zone."""
    kept = {disk.disk_id for disk in _kept_disks(ctx)}
    data_disks = ctx.plan.spec.data_disks
    return bool(data_disks) and ctx.plan.spec.has_instant_data and all(disk.disk_id in kept for disk in data_disks)


async def _image(ctx: RecoveryContext, *, whole: bool) -> str | StepOutcome:
    """Return the image of the kept disks, made of finished snapshots."""
    image_of = ImageOf.KEPT_DISKS if whole else ImageOf.KEPT_SYSTEM_DISK
    recovery = ctx.recovery
    if recovery.image_id and recovery.image_of is image_of:
        return recovery.image_id
    wanted = [disk for disk in _kept_disks(ctx) if whole or disk.kind == "system"]
    lost = await _snapshots(ctx, wanted)
    if lost:
        return lost
    snapshots = dict(ctx.recovery.snapshots)
    mapping = tuple((_device(disk), snapshots[disk.disk_id]) for disk in wanted)
    source = ImageSource(snapshots=mapping, traits=ctx.plan.spec.image)
    give_up_at = ctx.now() + timedelta(seconds=SNAPSHOT_PATIENCE_S)
    outcome = await start_image(ctx, source, image_of, give_up_at)
    if isinstance(outcome, CloudError):
        return leaves(not_done(ctx, Why.NO_IMAGE, outcome))
    return outcome


async def wait_for_release(ctx: RecoveryContext) -> StepOutcome | None:
    """Wait until the kept disks are free, and journal that.

    An unlisted disk counts as gone only if the cloud lists others, or nothing well after the deadline: an empty answer
    alone is no evidence.
    """
    kept, deadline = _kept_disks(ctx), ctx.recovery.deadline
    if not any(disk.kind == "system" for disk in kept):
        return leaves(Reason(Why.SYSTEM_DISK_NOT_KEPT))
    await ctx.enter(RecoveryState.IMAGING, NextStep(Doing.AWAIT_RELEASE, at=deadline, count=len(kept)))
    loop, poll_s, since = asyncio.get_running_loop(), 0.0, ctx.now()
    until_s = loop.time() + max((deadline - since).total_seconds(), 0.0) + RELEASE_GRACE_S
    while not ctx.recovery.cancel:
        is_over, is_late = ctx.now() > max(deadline, since) + GONE_GRACE, loop.time() > until_s
        polls = (ctx.shared.polls.disk(ctx.recovery.region, disk.disk_id, poll_s) for disk in kept)
        answers = await asyncio.gather(*polls)
        poll_s = POLL_S
        waiting = [
            answer for answer in answers if isinstance(answer, CloudError) or (answer and answer.status != "Available")
        ]
        gone = [disk.disk_id for disk, answer in zip(kept, answers, strict=True) if answer is None]
        if not waiting and not gone:
            await ctx.record(DisksFree())
            return None
        elsewhere = [disk for disk in answers if isinstance(disk, Disk) and _is_taken(disk, ctx.recovery)]
        if elsewhere and await _has_moved_over(ctx, elsewhere):
            await ctx.record(DisksFree())
            return None
        if elsewhere:
            return leaves(Reason(Why.DISK_TAKEN, elsewhere[0].disk_id, elsewhere[0].instance_id))
        if gone and not waiting and is_over:
            return leaves(Reason(Why.DISK_GONE, gone[0]))
        ended = await spared(ctx)
        if ended:
            return ended
        if is_late and not any(isinstance(answer, CloudError) for answer in answers):
            return leaves(Reason(Why.DISKS_NOT_FREE, seconds=RELEASE_GRACE_S))
    return cancelled(ctx.recovery)


async def attach_data_disks(ctx: RecoveryContext, new_id: str) -> StepOutcome | None:
    """Attach the kept data disks to the replacement, each that can be.

    The call has no token, so each disk is read before it.
    """
    if ctx.recovery.state is RecoveryState.VERIFYING:
        return None
    await ctx.enter(RecoveryState.REBINDING, NextStep(Doing.ATTACH, new_id))
    data = [disk for disk in _kept_disks(ctx) if disk.kind != "system"]
    problems = [problem for disk in data if (problem := await _attach(ctx, disk, new_id))]
    return failed(Reason(Why.NOT_ATTACHED, new_id, causes=tuple(problems))) if problems else None


def _kept_disks(ctx: RecoveryContext) -> list[Disk]:
    """Return the disks that outlive the instance, the system disk first, protected by us or by their creator."""
    protected = ctx.recovery.made("kept disk")
    return [disk for disk in ctx.plan.spec.cloud_disks if disk.disk_id in protected or not disk.delete_with_instance]


def _device(disk: Disk) -> str:
    return SYSTEM_DEVICE if disk.kind == "system" else disk.device


def _is_taken(disk: Disk, recovery: Recovery) -> bool:
    return disk.instance_id not in ("", recovery.instance_id)


async def _has_moved_over(ctx: RecoveryContext, taken: list[Disk]) -> bool:
    """Whether another console has already recovered the instance: its replacement has the disks."""
    replacements = await launched(ctx)
    return not isinstance(replacements, CloudError) and all(disk.instance_id in replacements for disk in taken)


async def _snapshots(ctx: RecoveryContext, wanted: list[Disk], *, at_once: bool = False) -> StepOutcome | None:
    """Snapshot disks and wait until all are finished, or where it is `at_once` until disks can be made of them."""
    step = NextStep(Doing.SNAPSHOT)
    if ctx.recovery.next_step != step:
        await ctx.record(StateEntered(RecoveryState.IMAGING, next_step=step))
    begun = await asyncio.gather(*(_snapshot(ctx, disk.disk_id) for disk in wanted))
    for made in begun:
        lost = made if isinstance(made, StepOutcome) else await _wait_for_snapshot(ctx, made, at_once=at_once)
        if lost:
            return lost
    return None


async def _snapshot(ctx: RecoveryContext, disk_id: str) -> str | StepOutcome:
    """Return the snapshot of a disk, another one where the last has failed."""
    recovery = ctx.recovery
    snapshots = [snapshot_id for of_disk, snapshot_id in recovery.snapshots if of_disk == disk_id]
    if snapshots and not await _has_failed(ctx, snapshots[-1]):
        return snapshots[-1]
    # The token is the same in every journal, so that the cloud refuses a second one.
    token = client_token(recovery.instance_id, f"CreateSnapshot {disk_id}", len(snapshots))
    if not may_begin(recovery, token):
        return cancelled(recovery)
    adopted = await adopt_snapshot(ctx, token, disk_id)
    if adopted:
        return adopted
    creation = Call("CreateSnapshot", token, ctx.now() + timedelta(seconds=SNAPSHOT_PATIENCE_S), target=disk_id)
    outcome = await call(ctx, creation, partial(disks.create_snapshot, ctx.ecs, disk_id, ctx.id, token))
    if not isinstance(outcome, CloudError):
        return outcome
    is_there = outcome.kind is ErrorKind.EXISTS
    adopted = await await_adoption(partial(adopt_snapshot, ctx, token, disk_id)) if is_there else None
    return adopted or leaves(not_done(ctx, Why.NO_SNAPSHOT, outcome, disk_id))


async def _has_failed(ctx: RecoveryContext, snapshot_id: str) -> bool:
    snapshot = await ctx.shared.polls.snapshot(ctx.recovery.region, snapshot_id, 0.0)
    return isinstance(snapshot, Snapshot) and snapshot.lost


async def _wait_for_snapshot(ctx: RecoveryContext, snapshot_id: str, *, at_once: bool) -> StepOutcome | None:
    loop, poll_s = asyncio.get_running_loop(), 0.0
    patience_s = USABLE_PATIENCE_S if at_once else SNAPSHOT_PATIENCE_S
    until_s = loop.time() + patience_s
    while not ctx.recovery.cancel:
        is_late = loop.time() > until_s
        snapshot = await ctx.shared.polls.snapshot(ctx.recovery.region, snapshot_id, poll_s)
        poll_s = POLL_S
        if isinstance(snapshot, Snapshot):
            if snapshot.finished or (at_once and snapshot.usable):
                return None
            if snapshot.lost:
                return leaves(Reason(Why.SNAPSHOT_FAILED, snapshot_id))
            if snapshot.progress != ctx.recovery.progress:
                ctx.show(ProgressSeen(snapshot.progress))
        if is_late and not isinstance(snapshot, CloudError):
            return leaves(Reason(Why.SNAPSHOT_NOT_READY, snapshot_id, seconds=patience_s))
    return cancelled(ctx.recovery)


async def _attach(ctx: RecoveryContext, disk: Disk, new_id: str) -> Reason | None:
    """Attach one disk; return why it is not attached within `ATTACH_PATIENCE_S`. A retry looks again where it is."""
    loop, problem = asyncio.get_running_loop(), Reason(Why.DISK_NOT_ATTACHED, disk.disk_id)
    until_s = loop.time() + ATTACH_PATIENCE_S
    while True:
        is_late = loop.time() > until_s
        shown = await ctx.shared.polls.disk(ctx.recovery.region, disk.disk_id, 0.0)
        if isinstance(shown, Disk) and shown.instance_id == new_id:
            return None
        if isinstance(shown, Disk) and _is_taken(shown, ctx.recovery):
            return Reason(Why.DISK_TAKEN, disk.disk_id, shown.instance_id)
        if isinstance(shown, Disk) and shown.status == "Available":
            attach = partial(disks.attach, ctx.ecs, disk, new_id)
            refused = await call_once(ctx, "AttachDisk", disk.disk_id, attach, new_id)
            if refused is None:
                return None
            problem = Reason(Why.DISK_NOT_ATTACHED, disk.disk_id, failure=failure_of(refused))
            is_final = refused.kind.ends_launch or refused.kind is ErrorKind.REFUSED
            if is_final and not refused.kind.worth_repeating:
                return problem
        if is_late and isinstance(shown, CloudError):
            return Reason(Why.DISK_NOT_ATTACHED, disk.disk_id, failure=failure_of(shown))
        if is_late:
            return problem
        await ctx.wait(POLL_S)
