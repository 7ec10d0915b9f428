"""Launching a replacement at the first candidate that has room, and seeing it run."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from spottui.cloud.ecs import Answer, Ecs
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.domain.instance import Instance, InstanceStatus
from spottui.domain.outcome import data_as_of
from spottui.domain.plan import Candidate, Plan, Route
from spottui.domain.recovery import Created, Recovery, RecoveryState, Try
from spottui.domain.tokens import client_token
from spottui.recovery.calls import Call, attempt, call, may_begin
from spottui.recovery.change import cancelled, change, enter, entered, failed, not_done, plan_of, with_created
from spottui.recovery.guard import AUTO
from spottui.recovery.rebind import move_eip
from spottui.recovery.stage import Stage
from spottui.recovery.work import Ended, Work

LAUNCHES = 3
"""So many replacements that the cloud itself removed again are launched anew."""
PATIENCE = timedelta(minutes=10)
RUNNING_PATIENCE = timedelta(minutes=5)
RUNNING_POLL_S = 1.0
STILL_RUNNING_S = 1.0
MISSED_LOOKS = 3
"""After so many looks without the instance the cloud is asked whether it has removed it."""
REST = timedelta(seconds=30)
"""How long a place that refused is left alone, by everybody."""
ROOM_LOOK_S = 2.0
DISK_CATEGORIES = ("cloud_essd", "cloud_auto")
REFUSED_HERE = (ErrorKind.NO_STOCK, ErrorKind.QUOTA, ErrorKind.DISK_CATEGORY, ErrorKind.NOT_READY)
UP = (InstanceStatus.RUNNING, InstanceStatus.STARTING, InstanceStatus.PENDING)


async def launch_and_see_running(
    recovery_id: str, stage: Stage, image_id: str, zone: str = "", *, data_disks: bool = True
) -> str | Ended:
    """Launch from an image and return the id of the instance that runs; `zone` keeps to one zone."""
    lost: Ended | None = None
    for _ in range(LAUNCHES):
        launched = await stage(launch, recovery_id, image_id, zone, data_disks)
        if isinstance(launched, Ended):
            return launched
        lost = await stage(wait_until_running, recovery_id, launched)
        if lost is None:
            return launched
        if not lost.again:
            return lost
    assert lost is not None
    return replace(lost, again=False)


async def launch(work: Work, recovery_id: str, image_id: str, zone: str, data_disks: bool) -> str | Ended:
    """Launch at the first candidate that has room and return the new instance's id.

    Each try is on disk, with its token, before its call is made; one whose effect is unknown is settled before the
    next. Kept to a zone, it ends as `again` when nothing there has room; else places that rest are waited for.
    """
    plan, until = plan_of(work, recovery_id), work.now() + PATIENCE
    while True:
        recovery = work.recovery(recovery_id)
        if recovery.new_instance_id:
            return recovery.new_instance_id
        spared = await _runs_again(work, recovery, plan)
        if spared:
            return spared
        one = _open_try(recovery) or _next_try(work, recovery, plan, image_id, zone, data_disks=data_disks)
        if recovery.cancel and not (one and may_begin(work, recovery, one.client_token)):
            return cancelled(recovery)
        if one is None:
            if zone or work.now() > until:
                return replace(failed(f"no candidate has room now; image {image_id} is kept"), again=bool(zone))
            await _wait_for_room(work, recovery_id, plan)
            continue
        outcome = await _launch_once(work, recovery, plan, one, until)
        if not isinstance(outcome, CloudError):
            return outcome
        if outcome.kind not in REFUSED_HERE:
            recovery = work.recovery(recovery_id)
            if recovery.cancel and not outcome.kind.effect_unknown:
                return cancelled(recovery)
            return failed(not_done(outcome, "not launched", recovery_id))
        await _note_refusal(work, recovery, one, outcome)


async def wait_until_running(work: Work, recovery_id: str, new_id: str) -> Ended | None:
    """Wait until the replacement is Running.

    One that is not listed is waited for, unless the cloud says itself that it has removed it: then it is forgotten,
    and another may be launched.
    """
    recovery = await enter(work, recovery_id, RecoveryState.STARTING, f"wait until {new_id} runs")
    until, poll_s, missed = work.now() + RUNNING_PATIENCE, 0.0, 0
    while work.now() < until:
        found = await work.polls.instance(recovery.region, new_id, poll_s)
        poll_s = RUNNING_POLL_S
        if isinstance(found, Instance):
            missed = 0
            if found.status is InstanceStatus.RUNNING:
                return None
        elif found is None:
            missed += 1
            if missed % MISSED_LOOKS == 0 and await _is_gone(work, recovery, new_id):
                return Ended(RecoveryState.FAILED, f"{new_id} was removed again", again=True)
    minutes = RUNNING_PATIENCE.total_seconds() / 60
    return failed(f"{new_id} was not seen running within {minutes:.0f} minutes; look at it by hand")


async def rebind(work: Work, recovery_id: str, new_id: str) -> str:
    """Move the EIP to the replacement; return why it could not be moved, which does not undo the recovery."""
    eip_id = plan_of(work, recovery_id).spec.instance.eip_id
    if not eip_id:
        return ""
    recovery = await enter(work, recovery_id, RecoveryState.REBINDING, f"move EIP {eip_id} to {new_id}")
    return await move_eip(work, recovery, eip_id, new_id)


async def verify(work: Work, recovery_id: str, new_id: str, not_moved: str) -> Ended:
    """See the replacement running once more: a launch can fail after it began to run."""
    recovery = await enter(work, recovery_id, RecoveryState.VERIFYING, f"{new_id} still runs")
    until = work.now() + RUNNING_PATIENCE
    while work.now() < until:
        found = await work.polls.instance(recovery.region, new_id, STILL_RUNNING_S)
        if isinstance(found, Instance):
            if found.status is not InstanceStatus.RUNNING:
                return failed(f"{new_id} ran and then was {found.status}")
            return Ended(RecoveryState.RECOVERED, _how_it_ended(work, recovery, found, not_moved))
    return failed(f"{new_id} ran and then was not seen again; look at it by hand")


def _open_try(recovery: Recovery) -> Try | None:
    """The launch that was begun and of which nobody knows what came of it."""
    last = recovery.tries[-1] if recovery.tries else None
    return last if last and not last.refused else None


def _next_try(work: Work, recovery: Recovery, plan: Plan, image_id: str, zone: str, *, data_disks: bool) -> Try | None:
    """The best place that does not rest, with a token of its own: a refused one is never used again."""
    now = work.now()
    resting = set(work.journal.cool_downs.resting(recovery.region, now)) | _own_refusals(recovery, now)
    if recovery.who == AUTO:
        resting |= set(work.guard.resting())
    token = client_token(recovery.recovery_id, "RunInstances", len(recovery.tries))
    for candidate in plan.candidates:
        category = _category(recovery, candidate)
        if category is None or candidate.place in resting or zone not in ("", candidate.zone):
            continue
        return Try(candidate.place, candidate.vswitch_id, image_id, token, data_disks, category, now)
    return None


def _own_refusals(recovery: Recovery, now: datetime) -> set[tuple[str, str, bool]]:
    mine = (one for one in recovery.tries if one.kind in (ErrorKind.NO_STOCK.value, ErrorKind.QUOTA.value))
    return {one.place for one in mine if one.at and now - one.at < REST}


def _category(recovery: Recovery, candidate: Candidate) -> str | None:
    """The disk category to ask for here, empty for the disks' own; None when this place takes none of them."""
    tried = {
        one.disk_category
        for one in recovery.tries
        if one.place == candidate.place and one.kind == ErrorKind.DISK_CATEGORY.value
    }
    return next((one for one in (candidate.disk_category, *DISK_CATEGORIES) if one not in tried), None)


async def _launch_once(work: Work, recovery: Recovery, plan: Plan, one: Try, until: datetime) -> str | CloudError:
    instance_type, zone, on_demand = one.place
    place = Candidate(instance_type, zone, one.vswitch_id, "", on_demand=on_demand, disk_category=one.disk_category)
    next_step = f"launch {instance_type} in {zone}" + (" on-demand" if on_demand else "")
    return await call(
        work,
        recovery.recovery_id,
        Call(
            "RunInstances",
            one.client_token,
            give_up_at=until,
            shows=lambda known: _trying(entered(known, RecoveryState.LAUNCHING, next_step), one),
            gives=_launched,
        ),
        partial(_run, work.ecs(recovery), plan, place, one, recovery.recovery_id),
    )


def _run(ecs: Ecs, plan: Plan, place: Candidate, one: Try, recovery_id: str) -> Answer:
    return ecs.run_instance(plan.spec, place, one.image_id, recovery_id, one.client_token, data_disks=one.data_disks)


def _launched(known: Recovery, new_id: str) -> Recovery:
    return replace(with_created(known, "instance", new_id), new_instance_id=new_id, no_room=False)


def _trying(known: Recovery, one: Try) -> Recovery:
    return known if one in known.tries else replace(known, tries=(*known.tries, one))


async def _note_refusal(work: Work, recovery: Recovery, one: Try, error: CloudError) -> None:
    """Settle the try; a place without room rests for everybody, one that is dear for this instance only for it."""
    refused = replace(one, refused=error.line, kind=error.kind.value)
    await change(work, recovery.recovery_id, lambda known: _settled(known, refused))
    if error.kind is ErrorKind.NO_STOCK and "SpotPriceLimit" not in error.code:
        work.journal.cool_downs.rest(recovery.region, one.place, work.now() + REST, error.code)
    if error.kind is ErrorKind.NOT_READY:
        await work.signals.wait(recovery.recovery_id, ROOM_LOOK_S)


def _settled(known: Recovery, settled: Try) -> Recovery:
    same = tuple(settled if one.client_token == settled.client_token else one for one in known.tries)
    return replace(known, tries=same)


async def _wait_for_room(work: Work, recovery_id: str, plan: Plan) -> None:
    places = len(plan.candidates)
    next_step = f"none of {places} places has room; each is tried again {REST.total_seconds():.0f} s after its refusal"
    await change(
        work, recovery_id, lambda known: replace(entered(known, RecoveryState.LAUNCHING, next_step), no_room=True)
    )
    await work.signals.wait(recovery_id, ROOM_LOOK_S)


async def _runs_again(work: Work, recovery: Recovery, plan: Plan) -> Ended | None:
    """An instance that was only stopped may have been started by somebody: then nothing is launched beside it."""
    if plan.route is not Route.RESTART:
        return None
    found = await work.polls.instance(recovery.region, recovery.instance_id, 0.0)
    if isinstance(found, Instance) and found.status in UP and not found.recycling:
        return Ended(RecoveryState.SKIPPED, f"{recovery.instance_id} runs again: no replacement was launched")
    return None


async def _is_gone(work: Work, recovery: Recovery, new_id: str) -> bool:
    """Ask whether the cloud has removed the instance; if so, forget it and let its place rest.

    Its own word counts at once. When a person tries again, an instance that was launched long ago and is not listed
    by a cloud that answers is gone as well.
    """
    ecs, last = work.ecs(recovery), recovery.tries[-1] if recovery.tries else None
    if await attempt(work, lambda: ecs.launch_failed(new_id)) is True:
        why = "SystemFailure.Delete"
    elif recovery.run and last and last.at and work.now() - last.at > PATIENCE:
        if isinstance(await attempt(work, ecs.check_permission), CloudError):
            return False
        why = "not listed any more"
    else:
        return False
    await change(work, recovery.recovery_id, lambda known: _without(known, new_id, why))
    if last:
        work.journal.cool_downs.rest(recovery.region, last.place, work.now() + REST, why)
    return True


def _without(known: Recovery, new_id: str, why: str) -> Recovery:
    created = tuple(one for one in known.created if one != Created("instance", new_id))
    tries = known.tries
    if tries and known.new_instance_id == new_id:
        removed = replace(tries[-1], refused=f"{new_id} was removed: {why}", kind="removed")
        tries = (*tries[:-1], removed)
    return replace(known, created=created, tries=tries, new_instance_id="")


def _how_it_ended(work: Work, recovery: Recovery, new: Instance, not_moved: str) -> str:
    seconds = (work.now() - recovery.started).total_seconds()
    parts = [f"{new.instance_id} runs in {new.zone}, {int(seconds)} s after the notice"]
    as_of = data_as_of(recovery, plan_of(work, recovery.recovery_id).warm_image)
    if as_of:
        parts.append(f"data as of {as_of:%Y-%m-%d %H:%M:%S} UTC")
    return "; ".join([*parts, not_moved] if not_moved else parts)
