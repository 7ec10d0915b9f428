"""The image route: a full image of the dying instance, and a replacement launched from it."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from spottui.cloud.ecs_shapes import Image
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.domain.forecast import TIGHT_S, Forecast, while_imaging
from spottui.domain.instance import Instance, InstanceStatus
from spottui.domain.plan import Plan
from spottui.domain.recovery import Created, Recovery, RecoveryState
from spottui.domain.tokens import client_token
from spottui.recovery.calls import Call, call, may_begin
from spottui.recovery.outlook import with_forecast
from spottui.recovery.rebind import move_eip
from spottui.recovery.stage import Stage
from spottui.recovery.work import Ended, Work

IMAGE_POLL_S = 5.0
IMAGE_POLL_TIGHT_S = 2.0
RUNNING_POLL_S = 2.0
STILL_RUNNING_S = 1.0
UNLISTED_GRACE = timedelta(seconds=120)
"""A new image may not be listed at once (alibaba_facts.md 3.2)."""
IMAGE_PATIENCE = timedelta(hours=2)
LAUNCH_PATIENCE = timedelta(minutes=10)
RUNNING_PATIENCE = timedelta(minutes=5)


async def image_route(recovery_id: str, stage: Stage) -> Ended:
    """Image, launch at the first candidate that has room, and see it run."""
    image_id = await stage(create_image, recovery_id)
    if isinstance(image_id, Ended):
        return image_id
    lost = await stage(wait_for_image, recovery_id, image_id)
    if lost:
        return lost
    for attempt in range(await stage(count_candidates, recovery_id)):
        launched = await stage(launch, recovery_id, image_id, attempt)
        if isinstance(launched, Ended):
            return launched
        if launched:
            lost = await stage(wait_until_running, recovery_id, launched)
            if lost:
                return lost
            not_moved = await stage(rebind, recovery_id, launched)
            return await stage(verify, recovery_id, launched, not_moved)
    return Ended(RecoveryState.FAILED, f"no candidate has room now; image {image_id} is kept")


async def create_image(work: Work, recovery_id: str) -> str | Ended:
    """Start the image and return its id."""
    recovery, plan = work.recovery(recovery_id), _plan(work, recovery_id)
    ecs, token = work.ecs(recovery), client_token(recovery_id, "CreateImage")
    if not may_begin(work, recovery, token):
        return _cancelled(recovery)
    outcome = await call(
        work,
        recovery_id,
        Call(
            "CreateImage",
            token,
            give_up_at=recovery.deadline,
            shows=lambda known: _entered(known, RecoveryState.IMAGING, "image of all cloud disks"),
            gives=lambda known, image_id: _imaging(known, image_id, work.now()),
        ),
        lambda: ecs.create_image(recovery.instance_id, plan.image_name, recovery_id, token),
    )
    if not isinstance(outcome, CloudError):
        return outcome
    recovery = work.recovery(recovery_id)
    if recovery.cancel and not outcome.kind.effect_unknown:
        return _cancelled(recovery)
    return Ended(RecoveryState.FAILED, _not_made(outcome, "no image", recovery_id))


async def wait_for_image(work: Work, recovery_id: str, image_id: str) -> Ended | None:
    """Wait until instances can be launched from the image, showing its progress and the forecast."""
    plan = _plan(work, recovery_id)
    poll_s = 0.0
    while True:
        recovery = work.recovery(recovery_id)
        if recovery.cancel:
            return _cancelled(recovery)
        image = await work.polls.image(recovery.region, image_id, poll_s)
        now = work.now()
        started = recovery.imaging_since or now
        if isinstance(image, Image) and image.usable:
            await _image_ready(work, recovery, plan, (now - started).total_seconds())
            return None
        ended = _image_lost(image, image_id, now - started)
        if ended:
            return ended
        poll_s = IMAGE_POLL_TIGHT_S
        if isinstance(image, Image):
            poll_s = await _show_progress(work, recovery, image, plan, started, now)


async def count_candidates(work: Work, recovery_id: str) -> int:
    """Return how many candidates the frozen plan has."""
    return len(_plan(work, recovery_id).candidates)


async def launch(work: Work, recovery_id: str, image_id: str, attempt: int) -> str | Ended | None:
    """Launch at one candidate and return the new instance's id, or None when there is no room there."""
    recovery, plan = work.recovery(recovery_id), _plan(work, recovery_id)
    candidate = plan.candidates[attempt]
    ecs, token = work.ecs(recovery), client_token(recovery_id, "RunInstances", attempt)
    if not may_begin(work, recovery, token):
        return _cancelled(recovery)
    next_step = f"launch {candidate.instance_type} in {candidate.zone}"
    outcome = await call(
        work,
        recovery_id,
        Call(
            "RunInstances",
            token,
            give_up_at=work.now() + LAUNCH_PATIENCE,
            shows=lambda known: _entered(known, RecoveryState.LAUNCHING, next_step),
            gives=_launched,
        ),
        lambda: ecs.run_instance(plan.spec, candidate, image_id, recovery_id, token),
    )
    if not isinstance(outcome, CloudError):
        return outcome
    if outcome.kind is ErrorKind.NO_STOCK:
        return None
    recovery = work.recovery(recovery_id)
    if recovery.cancel and not outcome.kind.effect_unknown:
        return _cancelled(recovery)
    return Ended(RecoveryState.FAILED, _not_made(outcome, "not launched", recovery_id))


async def wait_until_running(work: Work, recovery_id: str, new_id: str) -> Ended | None:
    """Wait until the replacement is Running; one that is not listed yet is waited for, never launched again."""
    recovery = await _enter(work, recovery_id, RecoveryState.STARTING, f"wait until {new_id} runs")
    until, poll_s = work.now() + RUNNING_PATIENCE, 0.0
    while work.now() < until:
        found = await work.polls.instance(recovery.region, new_id, poll_s)
        if isinstance(found, Instance) and found.status is InstanceStatus.RUNNING:
            return None
        poll_s = RUNNING_POLL_S
    minutes = RUNNING_PATIENCE.total_seconds() / 60
    return Ended(
        RecoveryState.FAILED, f"{new_id} was not seen running within {minutes:.0f} minutes; look at it by hand"
    )


async def rebind(work: Work, recovery_id: str, new_id: str) -> str:
    """Move the EIP to the replacement; return why it could not be moved, which does not undo the recovery."""
    eip_id = _plan(work, recovery_id).spec.instance.eip_id
    if not eip_id:
        return ""
    recovery = await _enter(work, recovery_id, RecoveryState.REBINDING, f"move EIP {eip_id} to {new_id}")
    return await move_eip(work, recovery, eip_id, new_id)


async def verify(work: Work, recovery_id: str, new_id: str, not_moved: str) -> Ended:
    """See the replacement running once more: a launch can fail after it began to run."""
    recovery = await _enter(work, recovery_id, RecoveryState.VERIFYING, f"{new_id} still runs")
    until = work.now() + RUNNING_PATIENCE
    while work.now() < until:
        found = await work.polls.instance(recovery.region, new_id, STILL_RUNNING_S)
        if isinstance(found, Instance):
            if found.status is InstanceStatus.RUNNING:
                seconds = (work.now() - recovery.started).total_seconds()
                return Ended(
                    RecoveryState.RECOVERED, f"{new_id} runs in {found.zone}, {seconds:.0f} s after the notice"
                )
            return Ended(RecoveryState.FAILED, f"{new_id} ran and then was {found.status}")
    return Ended(RecoveryState.FAILED, f"{new_id} ran and then was not seen again; look at it by hand")


def _plan(work: Work, recovery_id: str) -> Plan:
    plan = work.journal.recoveries.plan(recovery_id)
    if plan is None:
        raise LookupError(f"no plan for {recovery_id} in the journal")
    return plan


async def _enter(work: Work, recovery_id: str, state: RecoveryState, next_step: str) -> Recovery:
    return await _change(work, recovery_id, lambda known: _entered(known, state, next_step))


def _entered(recovery: Recovery, state: RecoveryState, next_step: str) -> Recovery:
    return replace(recovery, state=state, next_step=next_step, reason="", veto_until=None)


def _imaging(recovery: Recovery, image_id: str, now: datetime) -> Recovery:
    since = recovery.imaging_since or now
    return replace(_with_created(recovery, "image", image_id), image_id=image_id, imaging_since=since)


def _launched(recovery: Recovery, new_id: str) -> Recovery:
    return replace(_with_created(recovery, "instance", new_id), new_instance_id=new_id)


async def _change(work: Work, recovery_id: str, change: Callable[[Recovery], Recovery]) -> Recovery:
    return await asyncio.to_thread(work.journal.recoveries.change, recovery_id, work.now(), change)


def _cancelled(recovery: Recovery) -> Ended:
    left = ", ".join(f"{one.kind} {one.resource_id}" for one in recovery.created)
    return Ended(RecoveryState.CANCELLED, f"left behind: {left}" if left else "nothing was made")


def _with_created(recovery: Recovery, kind: str, resource_id: str) -> Recovery:
    one = Created(kind, resource_id)
    return recovery if one in recovery.created else replace(recovery, created=(*recovery.created, one))


async def _image_ready(work: Work, recovery: Recovery, plan: Plan, seconds: float) -> None:
    await asyncio.to_thread(work.journal.image_timings.add, recovery.image_id, plan.spec.image_gib, seconds, work.now())
    await _change(work, recovery.recovery_id, lambda known: replace(known, progress=100, forecast_at=work.now()))


def _image_lost(image: Image | CloudError | None, image_id: str, since: timedelta) -> Ended | None:
    if isinstance(image, Image) and image.lost:
        return Ended(RecoveryState.FAILED, f"image {image_id} is {image.status}; the kept disks hold the data")
    if image is None and since > UNLISTED_GRACE:
        return Ended(RecoveryState.FAILED, f"image {image_id} is not listed; the kept disks hold the data")
    if since > IMAGE_PATIENCE:
        return Ended(RecoveryState.FAILED, f"image {image_id} is not ready after {since}; the kept disks hold the data")
    return None


async def _show_progress(
    work: Work, recovery: Recovery, image: Image, plan: Plan, started: datetime, now: datetime
) -> float:
    """Commit progress and forecast when they moved; return how soon to look again."""
    timing = work.journal.image_timings.timing()
    forecast = while_imaging(now, started, image.progress, recovery.deadline, plan.spec.image_gib, timing)
    shown = with_forecast(replace(recovery, progress=image.progress), forecast, now)
    if shown != recovery:
        await _change(
            work,
            recovery.recovery_id,
            lambda known: with_forecast(replace(known, progress=image.progress), forecast, now),
        )
    return _poll_s(forecast, now)


def _poll_s(forecast: Forecast, now: datetime) -> float:
    soon = (forecast.ready_at - now).total_seconds() < 2 * IMAGE_POLL_S
    return IMAGE_POLL_TIGHT_S if soon or forecast.slack_s < TIGHT_S else IMAGE_POLL_S


def _not_made(error: CloudError, what: str, recovery_id: str) -> str:
    if error.kind.effect_unknown:
        return f"{error.line}; it may exist all the same, with the tag spottui={recovery_id}: look before you go on"
    return f"{what}: {error.line}"
