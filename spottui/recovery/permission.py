"""Between the notice and the first costly step: evidence, the plan, and permission."""

import asyncio
import logging
from contextlib import suppress
from datetime import datetime
from functools import partial

import msgspec
from msgspec.structs import replace

from spottui.cloud.errors import CloudError, ErrorKind
from spottui.domain.facts import (
    CallAnswered,
    CallFailed,
    NextStepChanged,
    PlanMade,
    RouteChosen,
    RouteTaken,
    StateEntered,
)
from spottui.domain.forecast import Forecast, Verdict
from spottui.domain.instance import Instance, InstanceStatus
from spottui.domain.interruption import Evidence, Release
from spottui.domain.launch_spec import LaunchSpec
from spottui.domain.plan import Plan, by_route
from spottui.domain.reasons import Failure, Reason, Why
from spottui.domain.recovery import Decision, Recovery, RecoveryState
from spottui.domain.routes import Route
from spottui.journal.reclaims import release
from spottui.journal.store import JournalProblem
from spottui.journal.transaction import Transaction
from spottui.journal.writer import Urgency
from spottui.recovery.adoption import begin_to_look_for_images
from spottui.recovery.arrivals import arrival
from spottui.recovery.auto_mode_rules import Grant
from spottui.recovery.context import Fenced, RecoveryContext, StepOutcome, failure_of
from spottui.recovery.lineage import tired_pools
from spottui.recovery.places import begin_to_look
from spottui.recovery.planner import capture, known_spec, make_plan, seen_lately, with_details
from spottui.recovery.protect import ACTION, PATIENCE_S, Protected, disks_to_protect

log = logging.getLogger("spottui.recovery")

POLL_S = 1.0
"""How often a recovery that waits for a slot or for its lock checks again."""
LOCK_SOON_S = 0.3
"""A lock is looked up right after a notice; for this long its absence is not reported."""
IMAGE_MOVED_S = 10.0
"""The expected image time changes with each finished image; only a change of this much is written."""
LONGEST_WAIT_S = 3600.0
READ_S = 15.0
"""How long a plan waits for the disk protection's look-up of its instance."""
ADDRESSES_S = 1.0
"""How long a plan waits to hear which addresses its instance has now."""
RUNNING = InstanceStatus.RUNNING.value
PROTECT_AGAIN_S = 2.0
DETAILS_S = 20.0
"""How long after the notice a detail without an answer is asked for again; then the plan is made without it."""


class Wait(msgspec.Struct, frozen=True):
    """Check again in so many seconds; new facts wake the recovery at once."""

    seconds: float


async def wait_for_permission(ctx: RecoveryContext) -> StepOutcome | None:
    """Wait until a person or auto-mode confirms, and return None, or the end without a confirmation.

    The disks were protected with the notice, or are now if another process received it. A hanging call is waited for at
    most a second: it may still arrive, and the image must not wait for it. A person's confirmation counts with any
    evidence, which the screen has shown. Auto-mode confirms only reclaims with a lock, after the veto window.
    """
    if not ctx.recovery.state.waits_for_permission and ctx.recovery.state is not RecoveryState.PROTECTING:
        return None
    protected = ctx.protecting = asyncio.create_task(protect_disks(ctx))
    until = asyncio.get_running_loop().time() + PATIENCE_S
    ended = await _until_a_word(ctx)
    if ended is not None:
        return ended
    if ctx.plan.route.traits.needs_image_in_time:
        begin_to_look_for_images(ctx)
    await asyncio.wait({protected}, timeout=max(0.0, until - asyncio.get_running_loop().time()))
    if ctx.recovery.route is not ctx.plan.route:
        await ctx.record(RouteTaken(ctx.plan.route))
    return None


async def protect_disks(ctx: RecoveryContext) -> None:
    """Write the result of the disk protection, which is sent now unless it was before.

    Until the release it is retried after a temporary failure: a failed look-up, a throttled call, a busy disk.
    """
    recovery, protection, told = ctx.recovery, ctx.shared.protection, frozenset[Failure]()
    if recovery.made("kept disk"):
        return
    answer = protection.of(recovery.region, recovery.instance_id)
    with suppress(Fenced, JournalProblem):
        while True:
            try:
                protected = await _confirmed(ctx, await arrival(answer))
            except Exception:
                log.exception("the disks of %s are not protected", recovery.instance_id)
                protected = Protected()
            told = await _record_protection(ctx, protected, told)
            latest = ctx.recovery
            if not protected.may_pass or latest.state.is_final or latest.interruption.released_at:
                return
            if ctx.now() > latest.deadline:
                return
            await asyncio.sleep(PROTECT_AGAIN_S)
            answer = protection.again(recovery.region, recovery.instance_id)


async def _confirmed(ctx: RecoveryContext, protected: Protected) -> Protected:
    """Protect once more what the plan has as unprotected and a look has shown as kept.

    The console that protected it has died before it could write that down: without that it would count as lost.
    """
    plan = ctx.shared.journal.recoveries.plan(ctx.id)
    answered = {*protected.disk_ids, *(disk_id for disk_id, _ in protected.refused), *ctx.recovery.made("kept disk")}
    unsaid = tuple(disk_id for disk_id in (disks_to_protect(plan.spec) if plan else ()) if disk_id not in answered)
    if protected.refused or not unsaid:
        return protected
    return await arrival(ctx.shared.protection.confirm(ctx.recovery.region, ctx.recovery.instance_id, unsaid))


async def _record_protection(
    ctx: RecoveryContext, protected: Protected, told: frozenset[Failure]
) -> frozenset[Failure]:
    """Commit what is new, and return the reported failures: the same one is not reported every few seconds."""
    failures = [(disk_id, failure_of(error)) for disk_id, error in protected.refused]
    facts = [
        CallFailed(ACTION, failure, target=disk_id) for disk_id, failure in failures if _untold(failure) not in told
    ]
    new = tuple(disk_id for disk_id in protected.disk_ids if disk_id not in ctx.recovery.made("kept disk"))
    kept = [CallAnswered(ACTION, "", protected.request_id, new)] if new else []
    if kept or facts:
        await ctx.record(*kept, *facts, urgency=Urgency.EVIDENCE)
    return frozenset(_untold(failure) for _, failure in failures)


def _untold(failure: Failure) -> Failure:
    """Compare failures without their RequestIds, which differ for each call."""
    return replace(failure, request_id="", message="")


async def _until_a_word(ctx: RecoveryContext) -> StepOutcome | None:
    """Check until there is a confirmation (None) or an end."""
    while True:
        answer = await _look(ctx)
        if not isinstance(answer, Wait):
            return answer
        await ctx.wait(answer.seconds)


async def _look(ctx: RecoveryContext) -> StepOutcome | Wait | None:
    """Return None for a confirmation, an end, or when to check again."""
    recovery = ctx.recovery
    if not recovery.state.waits_for_permission and recovery.decision is Decision.CONFIRM and recovery.has_plan:
        return None
    if recovery.cancel or recovery.decision is Decision.VETO:
        return _stopped_by_person(recovery)
    plan = await _plan(ctx)
    recovery = ctx.recovery
    if recovery.decision is Decision.CONFIRM and isinstance(plan, Plan):
        return None
    answer = await _wait_or_go(ctx, recovery, plan)
    if isinstance(answer, Wait) and isinstance(plan, Plan) and recovery.interruption.confirmed:
        # Look up places while somebody reads the plan; an early confirmation does not wait for it, and a drill needs
        # none.
        begin_to_look(ctx)
    return answer


async def _wait_or_go(ctx: RecoveryContext, recovery: Recovery, plan: Plan | Reason) -> StepOutcome | Wait | None:
    interruption = recovery.interruption
    if interruption.unlocked_at and Evidence.ENGINEER not in interruption.evidence:
        return StepOutcome(RecoveryState.SKIPPED, Reason(Why.CALLED_OFF, recovery.instance_id, RUNNING))
    if _is_too_late(recovery, ctx.now()):
        return await _ended_by_time(ctx, plan)
    now = ctx.now()
    if not interruption.confirmed:
        if (now - interruption.first_seen).total_seconds() < LOCK_SOON_S:
            return Wait(LOCK_SOON_S)
        return await _show(ctx, plan, RecoveryState.SUSPECTED, Reason(Why.NO_LOCK_YET))
    if not isinstance(plan, Plan):
        return await _show(ctx, plan, RecoveryState.SUSPECTED, plan)
    if not interruption.locked:
        return await _show(ctx, plan, RecoveryState.NEEDS_YOU, Reason(Why.NO_LOCK_AUTO_STAYS_AWAY))
    return await _ask_auto_mode(ctx, recovery, plan)


async def _ask_auto_mode(ctx: RecoveryContext, recovery: Recovery, plan: Plan) -> Wait | None:
    replacement = await _replacement(ctx, recovery)
    if replacement:
        return await _show(ctx, plan, RecoveryState.NEEDS_YOU, Reason(Why.REPLACED_ALREADY, replacement))
    if recovery.decision is Decision.HOLD:
        return await _show(ctx, plan, RecoveryState.NEEDS_YOU, Reason(Why.HELD, detail=recovery.who))
    forecast = ctx.forecast_now(plan)
    answer = await ctx.shared.auto_mode.ask(recovery, plan, forecast)
    if not isinstance(answer, Grant):
        reason = answer.reason if answer.ahead is None else replace(answer.reason, count=answer.ahead)
        return await _show(ctx, plan, RecoveryState.NEEDS_YOU, reason, queued=answer.ahead)
    left_s = (answer.veto_until - ctx.now()).total_seconds()
    if left_s > 0:
        await _show(ctx, plan, RecoveryState.VETO_WINDOW, Reason(Why.VETO_WINDOW), veto_until=answer.veto_until)
        return Wait(min(left_s, POLL_S))
    await _serve_from_earlier_image_if_late(ctx, plan, forecast)
    return None if await ctx.shared.auto_mode.confirm(ctx.recovery, ctx.plan, forecast) else Wait(POLL_S)


async def _replacement(ctx: RecoveryContext, recovery: Recovery) -> str:
    """Return the instance by which an earlier recovery replaced this one, for example after a confirmed drill."""
    recoveries = ctx.shared.journal.recoveries
    if recoveries.count_of(recovery.region, recovery.instance_id) < 2:
        return ""
    earlier = await asyncio.to_thread(recoveries.of_instance, recovery.region, recovery.instance_id)
    replaced = (past for past in earlier if past.state is RecoveryState.RECOVERED)
    return next((past.new_instance_id for past in replaced if past.new_instance_id != recovery.instance_id), "")


async def _serve_from_earlier_image_if_late(ctx: RecoveryContext, plan: Plan, forecast: Forecast) -> None:
    """If the policy allows it, take an earlier image when a new one will not make it."""
    late = forecast.verdict is Verdict.WILL_NOT and plan.route.traits.needs_image_in_time
    if late and plan.warm_image and ctx.shared.settings.policy.warm_image:
        await ctx.change(partial(_from_earlier_image, ctx.now()))


def _from_earlier_image(now: datetime, transaction: Transaction, recovery: Recovery) -> None:
    """Do so unless a person has decided."""
    plan = transaction.plan(recovery.recovery_id)
    if plan is None or recovery.decision is not Decision.NONE:
        return
    # A confirmation of the plan with the other route does not count for this one.
    chosen = replace(by_route(plan, Route.WARM_IMAGE), first_digest="")
    transaction.set_plan(recovery.recovery_id, chosen)
    fact = RouteChosen(Route.WARM_IMAGE, chosen.next_step, why=Verdict.WILL_NOT)
    transaction.record(recovery.recovery_id, fact, now)


async def _show(
    ctx: RecoveryContext,
    plan: Plan | Reason,
    state: RecoveryState,
    reason: Reason,
    *,
    queued: int | None = None,
    veto_until: datetime | None = None,
) -> Wait:
    """Commit what the recovery waits for, if that is new, and return when to check again."""
    recovery = ctx.recovery
    persons_turn = state is RecoveryState.NEEDS_YOU and not ctx.shared.auto_mode.armed
    over_in_s = (recovery.interruption.over_at - ctx.now()).total_seconds()
    wait = Wait(min(max(over_in_s, POLL_S), LONGEST_WAIT_S) if persons_turn else POLL_S)
    image_s = _news_of_image(ctx, recovery, plan)
    if (state, veto_until) != (recovery.state, recovery.veto_until):
        await ctx.record(StateEntered(state, reason, veto_until=veto_until, queued=queued))
    elif (reason, queued) != (recovery.reason, recovery.queued) or image_s is not None:
        # The position of every queued recovery changes with each free slot: nobody waits for that write.
        ctx.show(NextStepChanged(reason=reason, queued=queued, image_s=image_s))
    return wait


def _news_of_image(ctx: RecoveryContext, recovery: Recovery, plan: Plan | Reason) -> float | None:
    """Return the expected image time if it has changed enough to be written."""
    if not isinstance(plan, Plan):
        return None
    image_s, old = ctx.image_s(plan), recovery.image_s
    return None if old is not None and abs(image_s - old) < IMAGE_MOVED_S else image_s


async def _plan(ctx: RecoveryContext) -> Plan | Reason:
    """Return the plan, made now if there is none, or why it cannot be made."""
    recovery, shared = ctx.recovery, ctx.shared
    if recovery.has_plan:
        return ctx.plan
    spec = known_spec(shared.journal, shared.clock, recovery.region, recovery.instance_id) or await _capture(ctx)
    if isinstance(spec, CloudError):
        return Reason(Why.NO_PLAN_YET, failure=failure_of(spec))
    if spec is None:
        return Reason(Why.NO_PLAN_YET, recovery.instance_id, detail=recovery.region)
    spec = await _with_addresses_of_now(ctx, spec)
    tolerance = shared.settings.policy.tolerance
    tired = await asyncio.to_thread(tired_pools, shared.journal, spec, tolerance, ctx.now()) if tolerance else ()
    plan = make_plan(spec, shared.settings, tired)
    return await ctx.change(partial(set_plan_unless_known, plan, spec, ctx.image_s(plan), ctx.now()), Urgency.INTENT)


async def _capture(ctx: RecoveryContext) -> LaunchSpec | CloudError | None:
    """Read what the sweeps have not: RAM roles and images, in a storm of all instances by a few shared calls."""
    recovery, shared = ctx.recovery, ctx.shared
    region, instance_id = recovery.region, recovery.instance_id
    awaits = (ctx.now() - recovery.started).total_seconds() < DETAILS_S
    if seen_lately(shared.journal, shared.clock, region, instance_id) is None:
        # The disk protection reads it for many instances at once.
        await asyncio.wait([arrival(shared.protection.of(region, instance_id))], timeout=READ_S)
    seen = seen_lately(shared.journal, shared.clock, region, instance_id)
    if seen is None:
        return await ctx.attempt(
            partial(capture, ctx.ecs, shared.journal, shared.clock, instance_id, awaits_details=awaits)
        )
    ram_role, image = await asyncio.gather(
        shared.polls.ram_role(region, instance_id), shared.polls.image_traits(region, seen.spec.image_id)
    )
    read = partial(with_details, ctx.ecs, shared.journal, shared.clock, seen, ram_role, image, awaits_details=awaits)
    return await ctx.attempt(read)


async def _with_addresses_of_now(ctx: RecoveryContext, spec: LaunchSpec) -> LaunchSpec:
    """An EIP may have been bound since the sweep that saw the instance; unchanged where the cloud does not say."""
    asked = ctx.shared.polls.instance(ctx.recovery.region, ctx.recovery.instance_id, 0.0)
    try:
        instance = await asyncio.wait_for(asked, ADDRESSES_S)
    except TimeoutError:
        return spec
    if not isinstance(instance, Instance):
        return spec
    return replace(spec, instance=replace(spec.instance, eip_id=instance.eip_id, public_ip=instance.public_ip))


def set_plan_unless_known(
    plan: Plan, spec: LaunchSpec, image_s: float, now: datetime, transaction: Transaction, recovery: Recovery
) -> Plan:
    """Write the plan unless there is one already; return the valid one."""
    valid = transaction.plan(recovery.recovery_id)
    if valid:
        return valid
    transaction.set_plan(recovery.recovery_id, plan)
    fact = PlanMade(plan.digest, plan.next_step, plan.route, image_s, spec.instance.name)
    transaction.record(recovery.recovery_id, fact, now)
    return plan


def _stopped_by_person(recovery: Recovery) -> StepOutcome:
    if recovery.cancel:
        return StepOutcome(RecoveryState.CANCELLED, Reason(Why.CANCELLED_EARLY))
    return StepOutcome(RecoveryState.VETOED, Reason(Why.VETOED, detail=recovery.who))


def _is_too_late(recovery: Recovery, now: datetime) -> bool:
    interruption = recovery.interruption
    return now > interruption.over_at or (interruption.released_at is not None and not interruption.confirmed)


async def _ended_by_time(ctx: RecoveryContext, plan: Plan | Reason) -> StepOutcome | Wait:
    """End it once the cloud has answered after the deadline: the answer sets the clock, and shows what is gone.

    An empty page counts as a release only after the deadline.
    """
    recovery = ctx.recovery
    gone = await ctx.shared.polls.gone(recovery.region, recovery.instance_id)
    if isinstance(gone, CloudError) and (gone.kind.passes or gone.kind is ErrorKind.CREDENTIALS):
        # A host clock that is far off gets no signed answer, so it ends nothing.
        return Wait(POLL_S)
    if not _is_too_late(ctx.recovery, ctx.now()):
        return Wait(0)
    is_known = ctx.shared.journal.fleet.get(recovery.region, recovery.instance_id) is not None
    if gone is True and is_known and ctx.recovery.interruption.released_at is None:
        await _note_release(ctx)
    return _too_late(ctx.recovery, plan)


async def _note_release(ctx: RecoveryContext) -> None:
    now = ctx.now()
    gone = Release(ctx.recovery.region, ctx.recovery.instance_id, now)
    await arrival(ctx.shared.journal.submit(lambda t: release(t, gone, now), Urgency.EVIDENCE))


def _too_late(recovery: Recovery, plan: Plan | Reason) -> StepOutcome:
    interruption, deadline = recovery.interruption, recovery.deadline
    if interruption.confirmed:
        if isinstance(plan, Reason):
            why = Reason(Why.NO_PLAN_BY_DEADLINE, deadline=deadline, causes=(plan,))
        else:
            why = Reason(Why.NOBODY_CONFIRMED, deadline=deadline, resources=recovery.made("kept disk"))
        return StepOutcome(RecoveryState.FAILED, why)
    if interruption.released_at:
        why = Reason(Why.RELEASED_BEFORE_LOCK, at=interruption.released_at, deadline=deadline)
    elif interruption.first_seen > deadline:
        why = Reason(Why.NOTICE_TOO_LATE, deadline=deadline)
    else:
        why = Reason(Why.NO_LOCK_BY_DEADLINE, deadline=deadline)
    return StepOutcome(RecoveryState.SKIPPED, why)
