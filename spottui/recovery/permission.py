"""Between the notice and the first costly step: evidence, the plan, and somebody's yes."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from spottui.cloud.errors import CloudError
from spottui.domain.forecast import Forecast, Verdict
from spottui.domain.interruption import Interruption, Release
from spottui.domain.plan import Plan, Route, by_route
from spottui.domain.recovery import Decision, Recovery, RecoveryState
from spottui.recovery.calls import attempt
from spottui.recovery.change import change, note, plan_of
from spottui.recovery.guard import Grant
from spottui.recovery.outlook import forecast_now, image_s, with_image_s
from spottui.recovery.places import begin_to_look
from spottui.recovery.planner import capture, make_plan, next_step
from spottui.recovery.protect import PATIENCE_S
from spottui.recovery.work import Ended, Work

LOOK_S = 1.0
"""How often a waiting recovery looks at the journal by itself, for what another process said."""

LOCK_SOON_S = 0.3
"""A lock is asked for at once after a notice: this long nothing is said of its not being there."""


@dataclass(frozen=True, slots=True)
class Permission:
    """How the waiting ended: without a yes, or with one to a plan whose first route this is."""

    ended: Ended | None = None
    route: Route | None = None
    drains: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """In how many seconds to look again; until `idle_until` there is nothing to find but what somebody commits."""

    look_s: float
    idle_until: datetime | None = None


async def wait_for_permission(work: Work, recovery_id: str) -> Permission:
    """Wait until a person or auto-mode has said yes, or it is certain that nobody will.

    The life-raft went out with the notice, or is sent now where that was another process's; one that hangs is waited
    for no longer than a second: it may still arrive, and the image must not wait for it. A person's yes counts
    whatever the evidence: the screen has shown it. Auto-mode says yes only to what a lock has confirmed, when its veto
    window is over.
    """
    work.signals.expect(recovery_id)
    recovery = work.recovery(recovery_id)
    raft = asyncio.wrap_future(work.life_rafts.send(recovery.region, recovery.instance_id, recovery_id))
    until = asyncio.get_running_loop().time() + PATIENCE_S
    ended = await _until_a_word(work, recovery_id)
    if ended is not None:
        return Permission(ended=ended)
    await asyncio.wait({raft}, timeout=max(0.0, until - asyncio.get_running_loop().time()))
    plan, known = plan_of(work, recovery_id), work.recovery(recovery_id)
    route = _first_route(known, plan)
    if known.route is not route:
        await change(work, recovery_id, lambda known: replace(known, route=route))
    return Permission(route=route, drains=plan.drain is not None and not known.image_id)


async def _until_a_word(work: Work, recovery_id: str) -> Ended | None:
    """Look again and again; return None for yes, or an end."""
    while True:
        commits = work.journal.database.commits()
        answer = await _look(work, recovery_id)
        if not isinstance(answer, Wait):
            return answer
        while not await work.signals.wait(recovery_id, answer.look_s):
            if answer.idle_until is None or work.now() > answer.idle_until:
                break
            if work.journal.database.commits() != commits:
                break


def _first_route(known: Recovery, plan: Plan) -> Route:
    """Who tries again goes on with the route that failed, and with what it had made."""
    return known.route if known.run and known.created else plan.route


async def _look(work: Work, recovery_id: str) -> Ended | Wait | None:
    """Return None for yes, an end, or when to look again."""
    recovery = work.recovery(recovery_id)
    interruption = work.journal.interruptions.get(recovery_id)
    if interruption is None:
        raise LookupError(f"no interruption {recovery_id} in the journal")
    if recovery.cancel or recovery.decision is Decision.VETO:
        return _stopped_by_person(recovery)
    plan = await _plan(work, recovery)
    if recovery.decision is Decision.CONFIRM and isinstance(plan, Plan):
        return None
    answer = await _wait_or_go(work, recovery, interruption, plan)
    if isinstance(answer, Wait) and isinstance(plan, Plan) and interruption.confirmed:
        # While somebody reads the plan; a yes at once is not held up by it, and for a drill nothing is looked up.
        begin_to_look(work, recovery_id, plan)
    return answer


async def _wait_or_go(
    work: Work, recovery: Recovery, interruption: Interruption, plan: Plan | str
) -> Ended | Wait | None:
    if work.now() > interruption.over_at or (interruption.released_at and not interruption.confirmed):
        return _too_late(recovery, await _with_release(work, interruption), plan)
    if not interruption.confirmed:
        if (work.now() - interruption.first_seen).total_seconds() < LOCK_SOON_S:
            return Wait(LOCK_SOON_S)
        reason = "no lock seen yet: a drill never gets one"
        return await _show(work, recovery, interruption, plan, RecoveryState.SUSPECTED, reason)
    if not isinstance(plan, Plan):
        return await _show(work, recovery, interruption, plan, RecoveryState.SUSPECTED, f"no plan yet: {plan}")
    if not interruption.locked:
        reason = "no lock seen, so auto-mode leaves it to you: press y"
        return await _show(work, recovery, interruption, plan, RecoveryState.NEEDS_YOU, reason)
    return await _ask_guard(work, recovery, interruption, plan)


async def _ask_guard(work: Work, recovery: Recovery, interruption: Interruption, plan: Plan) -> Wait | None:
    replacement = _replacement(work, recovery)
    if replacement:
        reason = f"{replacement} runs in its place already; y launches another"
        return await _show(work, recovery, interruption, plan, RecoveryState.NEEDS_YOU, reason)
    if recovery.decision is Decision.HOLD:
        return await _show(
            work, recovery, interruption, plan, RecoveryState.NEEDS_YOU, f"held by {recovery.who}; plan ready: press y"
        )
    forecast = forecast_now(work, recovery, plan)
    asked = recovery, interruption, plan, forecast
    answer = await asyncio.to_thread(work.guard.ask, *asked)
    if not isinstance(answer, Grant):
        asks = RecoveryState.NEEDS_YOU
        return await _show(work, recovery, interruption, plan, asks, answer.reason, queued=answer.ahead)
    left_s = (answer.veto_until - work.now()).total_seconds()
    if left_s > 0:
        recovery = replace(recovery, veto_until=answer.veto_until)
        await _show(work, recovery, interruption, plan, RecoveryState.VETO_WINDOW, "auto-mode goes on unless you veto")
        return Wait(min(left_s, LOOK_S))
    await _serve_from_earlier_image_if_late(work, recovery, plan, forecast)
    confirmed = await asyncio.to_thread(work.guard.confirm, *asked)
    return None if confirmed else Wait(LOOK_S)


def _replacement(work: Work, recovery: Recovery) -> str:
    """The instance by which an earlier recovery of this one has replaced it: a drill that a person confirmed, say."""
    earlier = work.journal.recoveries.of_instance(recovery.region, recovery.instance_id)
    replaced = (one for one in earlier if one.state is RecoveryState.RECOVERED)
    return next((one.new_instance_id for one in replaced if one.new_instance_id != recovery.instance_id), "")


async def _serve_from_earlier_image_if_late(work: Work, recovery: Recovery, plan: Plan, forecast: Forecast) -> None:
    """Where the policy allows it, an image that will not make it gives way to an earlier one."""
    late = forecast.verdict is Verdict.WILL_NOT and plan.route is Route.IMAGE
    if not (late and plan.warm_image and work.settings.policy.warm_image):
        return
    if await asyncio.to_thread(work.journal.recoveries.replan, recovery.recovery_id, _from_earlier_image):
        await note(work, recovery.recovery_id, "Route", "route warm-image, because a new image will not make it")


def _from_earlier_image(known: Recovery, plan: Plan) -> Plan | None:
    """Unless somebody has spoken."""
    return by_route(plan, Route.WARM_IMAGE) if known.decision is Decision.NONE else None


async def _show(
    work: Work,
    recovery: Recovery,
    interruption: Interruption,
    plan: Plan | str,
    state: RecoveryState,
    reason: str,
    *,
    queued: int | None = None,
) -> Wait:
    """Commit what the recovery waits for, if that is new, and return when to look again."""
    now = work.now()
    persons_turn = state is RecoveryState.NEEDS_YOU and not work.guard.armed
    wait = Wait(LOOK_S, interruption.over_at if persons_turn else None)
    veto_until = recovery.veto_until if state is RecoveryState.VETO_WINDOW else None

    def show(known: Recovery) -> Recovery:
        shown = replace(known, state=state, reason=reason, veto_until=veto_until, queued=queued)
        shown = replace(shown, deadline=interruption.deadline)
        if not isinstance(plan, Plan):
            return shown
        return with_image_s(replace(shown, route=_first_route(known, plan)), image_s(work, plan.spec))

    known = work.recovery(recovery.recovery_id)
    shown = show(known)
    if shown == known:
        return wait
    if shown.state is known.state and shown.veto_until == known.veto_until:
        # How many are before it changes for all who wait with each place that is freed: that is one commit for all.
        still = partial(_if_it_waits, state, show)
        work.bulletin.post(recovery.recovery_id, still)
    else:
        changed = await asyncio.to_thread(work.journal.recoveries.change, recovery.recovery_id, now, show)
        if state is RecoveryState.NEEDS_YOU and recovery.state is not state:
            await asyncio.to_thread(_notify, work, changed)
    return wait


def _if_it_waits(state: RecoveryState, show: Callable[[Recovery], Recovery], known: Recovery) -> Recovery:
    return show(known) if known.state is state and known.decision is not Decision.CONFIRM else known


def _notify(work: Work, recovery: Recovery) -> None:
    title = f"{recovery.name or recovery.instance_id} is being reclaimed and needs you"
    text = f"{recovery.instance_id} in {recovery.region}, deadline {recovery.deadline:%H:%M:%S} UTC. {recovery.reason}"
    work.journal.outbox.post(recovery.recovery_id, title, text, work.now())


async def _plan(work: Work, recovery: Recovery) -> Plan | str:
    """Return the plan, made now if there is none, or why it cannot be made."""
    known = work.journal.recoveries.plan(recovery.recovery_id)
    if known:
        return known
    ecs = work.ecs(recovery)
    spec = await attempt(work, lambda: capture(ecs, work.journal, work.clock, recovery.instance_id))
    if isinstance(spec, CloudError):
        return spec.line
    if spec is None:
        return f"{recovery.instance_id} is not listed in {recovery.region}"
    plan, takes_s = make_plan(spec, recovery.recovery_id, work.settings), image_s(work, spec)
    return await asyncio.to_thread(
        work.journal.recoveries.set_plan,
        recovery.recovery_id,
        plan,
        work.now(),
        lambda known: replace(
            known, name=spec.instance.name, next_step=next_step(plan), route=plan.route, image_s=takes_s
        ),
    )


def _stopped_by_person(recovery: Recovery) -> Ended:
    if recovery.cancel:
        return Ended(RecoveryState.CANCELLED, "cancelled before anything was launched")
    return Ended(RecoveryState.VETOED, f"vetoed by {recovery.who}")


async def _with_release(work: Work, interruption: Interruption) -> Interruption:
    """After the deadline an instance that is not listed was released: an empty page says so then, and only then."""
    if interruption.released_at:
        return interruption
    ecs = work.regions[interruption.region]
    known = work.journal.fleet.get(interruption.region, interruption.instance_id)
    if known is None or await attempt(work, lambda: ecs.is_gone(interruption.instance_id)) is not True:
        return interruption
    release = Release(interruption.region, interruption.instance_id, work.now())
    await asyncio.to_thread(work.journal.interruptions.released, release, work.now())
    return replace(interruption, released_at=release.at)


def _too_late(recovery: Recovery, interruption: Interruption, plan: Plan | str) -> Ended:
    at = f"{interruption.deadline:%H:%M:%S} UTC"
    if not interruption.confirmed and interruption.released_at:
        return Ended(
            RecoveryState.SKIPPED,
            f"released at {interruption.released_at:%H:%M:%S} UTC before its lock was seen, deadline {at}: "
            "what is left are images and disks that were kept",
        )
    if not interruption.confirmed and interruption.first_seen > interruption.deadline:
        return Ended(
            RecoveryState.SKIPPED, f"the notice came after its deadline at {at}; look whether the instance lives"
        )
    if not interruption.confirmed:
        return Ended(RecoveryState.SKIPPED, f"no lock was seen by {at}: a drill, called off, or released unseen")
    if isinstance(plan, str):
        return Ended(RecoveryState.FAILED, f"no plan could be made by the deadline at {at}: {plan}")
    return Ended(RecoveryState.FAILED, f"nobody confirmed it by the deadline at {at}{_what_is_left(recovery)}")


def _what_is_left(recovery: Recovery) -> str:
    kept = recovery.made("kept disk")
    return f"; its data is on the kept disks {', '.join(kept)}: t recovers from them" if kept else ""
