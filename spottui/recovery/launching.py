"""Launching a replacement at the first candidate with capacity, and waiting until it runs."""

import asyncio
from datetime import datetime, timedelta
from functools import partial

from msgspec.structs import replace

from spottui.cloud.codes import part_of
from spottui.cloud.ecs_shapes import Image
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.domain.facts import LaunchRefused, NextStepChanged, StateEntered
from spottui.domain.fold import REMOVED
from spottui.domain.instance import Instance, InstanceStatus
from spottui.domain.launch_spec import LaunchSource, LaunchSpec, Part
from spottui.domain.outcome import data_as_of
from spottui.domain.plan import Candidate, Plan
from spottui.domain.reasons import Doing, Failure, NextStep, Reason, Why
from spottui.domain.recovery import Recovery, RecoveryState, Try
from spottui.domain.tokens import client_token
from spottui.journal.writer import Urgency
from spottui.recovery.adoption import FOLLOW_S, UNLISTED_S, adopt_instance, await_instance
from spottui.recovery.arrivals import arrival
from spottui.recovery.auto_mode_rules import AUTO
from spottui.recovery.calls import Call, call, may_begin
from spottui.recovery.context import RecoveryContext, StepOutcome, cancelled, failed, failure_of, leaves, not_done
from spottui.recovery.private_ip import await_private_ip, look_elsewhere, wait_for_private_ip, wanted_private_ip
from spottui.recovery.probing import see_served
from spottui.recovery.public_ip import public_ip_lost, public_ip_settled, without_public_ip
from spottui.recovery.rebind import rebind

LAUNCHES = 3
"""How many times a replacement is launched again after the cloud itself removed it."""
PATIENCE_S = 600.0
RUNNING_PATIENCE_S = 300.0
RUNNING_POLL_S = 1.0
STILL_RUNNING_S = 1.0
MISSED_LOOKS = 3
"""After so many polls without the instance the cloud is asked whether it removed it."""
REST = timedelta(seconds=30)
"""How long a place that refused is backed off for all recoveries."""
PAUSE = timedelta(seconds=10)
"""After so long since the last try another journal's console may have launched: the cloud is asked first."""
ROOM_POLL_S = 2.0
DISK_CATEGORIES = ("cloud_essd", "cloud_auto")
SETTLE_S = 60.0
"""How long a launch with an unknown effect is repeated before the cloud is asked whether the instance exists."""
PASSING = tuple(kind.value for kind in ErrorKind if kind.passes or kind in (ErrorKind.EXISTS, ErrorKind.ADDRESS))
"""Failures after which the same place may work later; any other failure of a place is final."""
RESTING = tuple(kind for kind in PASSING if kind not in (ErrorKind.NOT_READY.value, ErrorKind.ADDRESS.value))
"""Of those, the ones that the place is to be left alone for: what is not its fault is an image, or an address."""
UP = (InstanceStatus.RUNNING, InstanceStatus.STARTING, InstanceStatus.PENDING)


async def bring_up(ctx: RecoveryContext, source: LaunchSource) -> StepOutcome:
    """Launch a replacement, move the EIP to it, and wait until it runs."""
    launched = await launch_and_see_running(ctx, source)
    return launched if isinstance(launched, StepOutcome) else await finish(ctx, launched)


async def finish(ctx: RecoveryContext, new_id: str) -> StepOutcome:
    """Move the EIP to a running replacement, and check that it still runs."""
    return await verify(ctx, new_id, await rebind(ctx, new_id))


async def launch_and_see_running(ctx: RecoveryContext, source: LaunchSource) -> str | StepOutcome:
    """Launch, and return the id of the running instance."""
    lost = await await_private_ip(ctx)
    if lost:
        return lost
    while _removed(ctx.recovery) < LAUNCHES:
        launched = await launch(ctx, source)
        if isinstance(launched, StepOutcome):
            return launched
        lost = await wait_until_running(ctx, launched)
        if lost is None:
            return launched
        if not lost.retryable:
            return lost
    last = ctx.recovery.tries[-1].failure
    gone = Reason(Why.REMOVED_AGAIN, last.message if last else "")
    return replace(lost, retryable=False) if lost else failed(gone)


def _removed(recovery: Recovery) -> int:
    """Return how many of this run's newest replacements in a row were removed by the cloud."""
    count = 0
    for attempt in reversed(_of_this_run(recovery)):
        if attempt.refusal != REMOVED:
            break
        count += 1
    return count


async def launch(ctx: RecoveryContext, source: LaunchSource) -> str | StepOutcome:
    """Launch at the first candidate with capacity, and return the new instance's id.

    Each try is on disk with its token before the call is made; one with an unknown effect is repeated, and settled by a
    search for its instance before the next try. Only money, credentials, permission and the account's quota end it
    while a place is left (`ErrorKind`). Restricted to a zone, it ends as `retryable` if there is no capacity; else it
    waits for places that are backed off. To keep the old private IP, only its vSwitch is used until that is given up.
    """
    await public_ip_settled(ctx)
    plan, zone, until_s = ctx.plan, source.zone, asyncio.get_running_loop().time() + PATIENCE_S
    while True:
        recovery = ctx.recovery
        if recovery.new_instance_id:
            return recovery.new_instance_id
        spared = await _runs_again(ctx, plan)
        if spared:
            return spared
        attempt = recovery.open_try or _next_try(ctx, plan, source)
        if recovery.cancel and not (attempt and may_begin(recovery, attempt.client_token)):
            return cancelled(recovery)
        left_s = until_s - asyncio.get_running_loop().time()
        if attempt is None and await look_elsewhere(ctx, _last_failure(recovery)):
            continue
        if attempt is None:
            if zone or left_s < 0 or not places_left(recovery, plan, zone):
                no_room = Reason(Why.NO_ROOM, source.image_id, failure=_last_failure(recovery))
                return replace(failed(no_room), retryable=bool(zone))
            await _wait_for_room(ctx, plan)
            continue
        outcome = await _launched_or_found(ctx, plan, attempt, left_s)
        if isinstance(outcome, str):
            return outcome
        is_over = asyncio.get_running_loop().time() > until_s
        ended = await _refused(ctx, attempt, outcome, is_over=is_over) if outcome else None
        if ended:
            return ended
        await wait_for_private_ip(ctx, attempt)


async def wait_until_running(ctx: RecoveryContext, new_id: str) -> StepOutcome | None:
    """Wait until the replacement is Running.

    An unlisted instance is waited for, unless the cloud says that it removed it: then another may be launched. The wait
    is over only after a poll that began past the limit and was answered, never because of silence.
    """
    if ctx.recovery.state in (RecoveryState.REBINDING, RecoveryState.VERIFYING):
        return None
    await ctx.enter(RecoveryState.STARTING, NextStep(Doing.AWAIT_RUNNING, new_id))
    loop, poll_s, missed = asyncio.get_running_loop(), 0.0, 0
    until_s = loop.time() + RUNNING_PATIENCE_S
    while True:
        is_late = loop.time() > until_s
        instance = await ctx.shared.polls.instance(ctx.recovery.region, new_id, poll_s)
        poll_s = RUNNING_POLL_S
        if isinstance(instance, CloudError):
            continue
        if instance is not None and instance.status is InstanceStatus.RUNNING:
            return None
        missed = 0 if instance else missed + 1
        if missed and missed % MISSED_LOOKS == 0 and await _is_gone(ctx, new_id):
            return replace(failed(Reason(Why.REMOVED_AGAIN, new_id)), retryable=True)
        if is_late:
            return failed(Reason(Why.NOT_SEEN_RUNNING, new_id, seconds=RUNNING_PATIENCE_S))


async def verify(ctx: RecoveryContext, new_id: str, not_moved: Reason | None) -> StepOutcome:
    """Check that the replacement still runs: a launch can fail after the instance began to run."""
    await ctx.enter(RecoveryState.VERIFYING, NextStep(Doing.SEE_AGAIN, new_id))
    loop = asyncio.get_running_loop()
    until_s = loop.time() + RUNNING_PATIENCE_S
    while True:
        is_late = loop.time() > until_s
        instance = await ctx.shared.polls.instance(ctx.recovery.region, new_id, STILL_RUNNING_S)
        if isinstance(instance, Instance):
            if instance.status is not InstanceStatus.RUNNING:
                return failed(Reason(Why.STOPPED_RUNNING, new_id, instance.status.value))
            return await see_served(ctx, instance) or StepOutcome(
                RecoveryState.RECOVERED, _how_it_ended(ctx, instance, not_moved)
            )
        if instance is None and is_late:
            return failed(Reason(Why.STOPPED_RUNNING, new_id))


def _next_try(ctx: RecoveryContext, plan: Plan, source: LaunchSource) -> Try | None:
    """Return the best place that is not backed off, with a new token: a refused one is never used again.

    Every journal derives the same tokens from the instance and the image, so that the cloud refuses a second launch. If
    an earlier reclaim used a token, the next number is taken after a search for what that launch made.
    """
    now, recovery = ctx.now(), ctx.recovery
    private_ip = wanted_private_ip(recovery, plan)
    resting = set(ctx.shared.journal.cool_downs.resting(recovery.region, now)) | _own_refusals(recovery, now)
    if recovery.who == AUTO:
        resting |= set(ctx.shared.auto_mode.resting())
    token = client_token(f"{recovery.instance_id} {source.image_id}", "RunInstances", len(recovery.tries))
    for candidate in plan.candidates:
        category = _category(recovery, candidate)
        if category is None or candidate.place in resting or source.zone not in ("", candidate.zone):
            continue
        if _is_closed(recovery, candidate) or (private_ip and candidate.vswitch_id != plan.spec.vswitch_id):
            continue
        return Try(
            candidate.place,
            candidate.vswitch_id,
            source.image_id,
            token,
            source.data_disks,
            category,
            now,
            snapshots=source.snapshots,
            public_ip=not recovery.eip_id,
            private_ip=private_ip,
        )
    return None


def _of_this_run(recovery: Recovery) -> list[Try]:
    """Return the tries since the last retry by a person: the causes of earlier refusals may have been fixed."""
    since = recovery.past_runs[-1].ended if recovery.past_runs else None
    return [attempt for attempt in recovery.tries if since is None or (attempt.at and attempt.at >= since)]


def _own_refusals(recovery: Recovery, now: datetime) -> set[tuple[str, str, bool]]:
    mine = (attempt for attempt in recovery.tries if attempt.refusal in RESTING)
    return {attempt.place for attempt in mine if attempt.at and timedelta(0) <= now - attempt.at < REST}


def _category(recovery: Recovery, candidate: Candidate) -> str | None:
    """Return the disk category to request here, empty for the disks' own; None if the place accepts none of them."""
    here = (attempt for attempt in _of_this_run(recovery) if attempt.place == candidate.place)
    tried = {attempt.disk_category for attempt in here if attempt.refusal == ErrorKind.DISK_CATEGORY.value}
    return next((category for category in (candidate.disk_category, *DISK_CATEGORIES) if category not in tried), None)


def _is_closed(recovery: Recovery, candidate: Candidate) -> bool:
    """Whether this place was refused for good.

    Another disk category is requested automatically, and an omitted part does not count against the place.
    """
    passing, refused = (*PASSING, ErrorKind.DISK_CATEGORY.value, REMOVED), set[Part]()
    for attempt in _of_this_run(recovery):
        part = part_of(attempt.failure.code) if attempt.failure else None
        is_fault = part is None or part in refused
        refused |= {part} if part else set()
        if attempt.place == candidate.place and attempt.failure and attempt.refusal not in passing and is_fault:
            return True
    return False


def left_out(recovery: Recovery) -> dict[Part, Failure]:
    """Return the parts that this run launches without because the cloud refused them, with its first error."""
    parts: dict[Part, Failure] = {}
    for attempt in _of_this_run(recovery):
        part = part_of(attempt.failure.code) if attempt.failure else None
        if part and attempt.failure:
            parts.setdefault(part, attempt.failure)
    return parts


def places_left(recovery: Recovery, plan: Plan, zone: str = "") -> bool:
    """Whether any place may still work."""
    return any(
        zone in ("", place.zone) and _category(recovery, place) is not None and not _is_closed(recovery, place)
        for place in plan.candidates
    )


def _last_failure(recovery: Recovery) -> Failure | None:
    return next((attempt.failure for attempt in reversed(recovery.tries) if attempt.failure), None)


async def _launched_or_found(ctx: RecoveryContext, plan: Plan, attempt: Try, left_s: float) -> str | CloudError | None:
    """Launch, unless this try's instance exists already; None if the cloud cannot tell now."""
    earlier = [other.at for other in _of_this_run(ctx.recovery) if other.at]
    has_paused = not earlier or ctx.now() - earlier[-1] > PAUSE
    if ctx.follows and not earlier:
        adopted = await await_instance(ctx, attempt, FOLLOW_S)
    elif ctx.follows or has_paused or attempt.client_token in ctx.recovery.unsettled:
        adopted = await adopt_instance(ctx, attempt)
    else:
        adopted = None
    if isinstance(adopted, str):
        return adopted
    if adopted and left_s > 0:
        await ctx.wait(ROOM_POLL_S)
        return None
    return await _launch_once(ctx, plan, attempt, left_s)


async def _launch_once(ctx: RecoveryContext, plan: Plan, attempt: Try, left_s: float) -> str | CloudError:
    (instance_type, zone, on_demand), token, category = attempt.place, attempt.client_token, attempt.disk_category
    place = Candidate(instance_type, zone, attempt.vswitch_id, "", on_demand=on_demand, disk_category=category)
    next_step = NextStep(Doing.LAUNCH, instance_type=instance_type, zone=zone, on_demand=on_demand)
    entering = ctx.entering(RecoveryState.LAUNCHING, next_step)
    until, settle_by = (ctx.now() + timedelta(seconds=seconds) for seconds in (left_s, min(left_s, SETTLE_S)))
    launching = Call("RunInstances", token, until, entering, attempt=attempt, settle_by=settle_by)
    without = frozenset(left_out(ctx.recovery))
    spec = await _in_groups_that_exist(ctx, plan.spec) if Part.SECURITY_GROUP in without else plan.spec
    spec = spec if attempt.public_ip else without_public_ip(spec)
    source = LaunchSource(attempt.image_id, attempt.data_disks, attempt.snapshots)
    run = partial(
        ctx.ecs.run_instance, spec, place, source, ctx.id, token, left_out=without, private_ip=attempt.private_ip
    )
    return await call(ctx, launching, run)


async def _in_groups_that_exist(ctx: RecoveryContext, spec: LaunchSpec) -> LaunchSpec:
    """Leave out the security groups that no longer exist if others are left; unchanged if the cloud does not answer."""
    ecs = ctx.ecs
    group_ids = await ctx.attempt(lambda: ecs.security_groups(spec.security_group_ids))
    return spec if isinstance(group_ids, CloudError) or not group_ids else replace(spec, security_group_ids=group_ids)


async def _refused(ctx: RecoveryContext, attempt: Try, error: CloudError, *, is_over: bool) -> StepOutcome | None:
    """Settle the try; return None if another may follow, else the end of the launch."""
    if error.kind.ends_launch or (error.kind.repeats and (is_over or error.kind is ErrorKind.THROTTLED)):
        # Time is up, or this account cannot launch anything anywhere.
        if ctx.recovery.cancel and not error.kind.effect_unknown:
            return cancelled(ctx.recovery)
        return failed(not_done(ctx, Why.NOT_LAUNCHED, error))
    is_unknown = error.kind.effect_unknown or error.kind is ErrorKind.EXISTS
    # The last repetition may just have made it: only the cloud's word of some time later, that it is not there, allows
    # another.
    if is_unknown and await await_instance(ctx, attempt, UNLISTED_S) is not None:
        return None
    await ctx.record(LaunchRefused(attempt.client_token, failure_of(error)), urgency=Urgency.EVIDENCE)
    if error.kind is ErrorKind.NO_STOCK:
        cool_downs = ctx.shared.journal.cool_downs
        await arrival(cool_downs.rest(ctx.recovery.region, attempt.place, ctx.now() + REST, error.code))
    if error.kind is ErrorKind.NOT_READY:
        return await _image_lost(ctx, attempt.image_id)
    return None


async def _image_lost(ctx: RecoveryContext, image_id: str) -> StepOutcome | None:
    """The same refusal means that the image is not ready, disabled or deleted: check which, and wait if not ready."""
    image = await ctx.shared.polls.image(ctx.recovery.region, image_id, ROOM_POLL_S)
    if image is None or (isinstance(image, Image) and image.lost):
        return leaves(Reason(Why.IMAGE_LOST, image_id, image.status if image else ""))
    return None


async def _wait_for_room(ctx: RecoveryContext, plan: Plan) -> None:
    next_step = NextStep(Doing.AWAIT_ROOM, count=len(plan.candidates), seconds=REST.total_seconds())
    if ctx.recovery.next_step != next_step:
        facts = StateEntered(RecoveryState.LAUNCHING, next_step=next_step), NextStepChanged(next_step, no_room=True)
        await ctx.record(*facts)
    await ctx.wait(ROOM_POLL_S)


async def _runs_again(ctx: RecoveryContext, plan: Plan) -> StepOutcome | None:
    """A stopped instance may have been started by somebody: then nothing is launched besides it."""
    if plan.route.traits.launches:
        return None
    old_id = ctx.recovery.instance_id
    old = await ctx.shared.polls.instance(ctx.recovery.region, old_id, 0.0)
    if isinstance(old, Instance) and old.status in UP and not old.recycling:
        return StepOutcome(RecoveryState.SKIPPED, Reason(Why.RUNS_AGAIN, old_id))
    return None


async def _is_gone(ctx: RecoveryContext, new_id: str) -> bool:
    """Ask whether the cloud removed the instance; if so, drop it and back its place off.

    Its statement counts at once. After a person's retry an old instance that is not listed is gone, too.
    """
    recovery, ecs = ctx.recovery, ctx.ecs
    last = recovery.tries[-1] if recovery.tries else None
    if await ctx.attempt(lambda: ecs.launch_failed(new_id)) is True:
        why = "SystemFailure.Delete"
    elif recovery.run and last and last.at and (ctx.now() - last.at).total_seconds() > PATIENCE_S:
        if isinstance(await ctx.attempt(ecs.check_permission), CloudError):
            return False
        why = "not listed any more"
    else:
        return False
    failure = Failure("RunInstances", why, REMOVED, new_id)
    await ctx.record(LaunchRefused(last.client_token if last else "", failure, new_id), urgency=Urgency.EVIDENCE)
    if last:
        await arrival(ctx.shared.journal.cool_downs.rest(recovery.region, last.place, ctx.now() + REST, why))
    return True


def _how_it_ended(ctx: RecoveryContext, new: Instance, not_moved: Reason | None) -> Reason:
    recovery = ctx.recovery
    without = (Reason(Why.RUNS_WITHOUT, part, failure=failure) for part, failure in left_out(recovery).items())
    return Reason(
        Why.RUNS,
        new.instance_id,
        new.zone,
        at=data_as_of(recovery, ctx.plan),
        seconds=int((ctx.now() - recovery.started).total_seconds()),
        causes=(*without, *public_ip_lost(ctx), *filter(None, (recovery.private_ip_lost, not_moved))),
    )
