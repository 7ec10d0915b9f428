"""The restart route: an instance that is stopped, not released, at the deadline is started again, itself."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

from spottui.cloud.errors import CloudError, ErrorKind
from spottui.domain.instance import Instance, InstanceStatus
from spottui.domain.recovery import RecoveryState
from spottui.recovery.calls import attempt, tell
from spottui.recovery.change import cancelled, change, enter, entered, leaves
from spottui.recovery.launching import UP, verify, wait_until_running
from spottui.recovery.stage import Stage
from spottui.recovery.work import Ended, Work

LOOK_S = 2.0
STOP_GRACE = timedelta(minutes=5)
"""How long after the deadline the stop is awaited."""
BACKOFF_S = (5.0, 10.0, 20.0, 40.0, 60.0)


async def restart_route(recovery_id: str, stage: Stage) -> Ended:
    """Wait until the cloud has stopped it, start it as soon as there is stock, and see it run."""
    ended = await stage(wait_until_stopped, recovery_id)
    if ended is None:
        ended = await stage(start, recovery_id)
    if ended is not None:
        return ended
    instance_id = await stage(itself, recovery_id)
    lost = await stage(wait_until_running, recovery_id, instance_id)
    if lost is not None:
        return lost
    return await stage(verify, recovery_id, instance_id, "")


async def wait_until_stopped(work: Work, recovery_id: str) -> Ended | None:
    """Wait for the stop at the deadline; an instance that goes on running without a lock was spared."""
    recovery = await enter(work, recovery_id, RecoveryState.STARTING, "wait until it is stopped, then start it")
    until, poll_s = max(recovery.deadline, work.now()) + STOP_GRACE, 0.0
    while work.now() < until:
        if work.recovery(recovery_id).cancel:
            return cancelled(work.recovery(recovery_id))
        found = await work.polls.instance(recovery.region, recovery.instance_id, poll_s)
        poll_s = LOOK_S
        if isinstance(found, Instance) and not found.recycling:
            if found.status is InstanceStatus.STOPPED:
                return None
            if found.status in UP and work.now() > recovery.deadline + timedelta(seconds=LOOK_S):
                return Ended(RecoveryState.SKIPPED, f"{recovery.instance_id} runs on without a lock: called off")
    return leaves(f"{recovery.instance_id} was not seen stopped within {STOP_GRACE} of its deadline")


async def start(work: Work, recovery_id: str) -> Ended | None:
    """Start the instance, again and again while there is no stock. It has no token: so look, and start what stands."""
    recovery = work.recovery(recovery_id)
    until = work.now() + timedelta(seconds=work.settings.policy.restart_patience_s)
    failures = 0
    while True:
        if work.recovery(recovery_id).cancel:
            return cancelled(work.recovery(recovery_id))
        found = await work.polls.instance(recovery.region, recovery.instance_id, 0.0)
        if isinstance(found, Instance) and found.status in UP:
            return None
        if isinstance(found, Instance) and found.status is InstanceStatus.STOPPED:
            refused = await _start_once(work, recovery_id)
            if refused is None:
                continue
            if not (refused.kind.passes or refused.kind in (ErrorKind.NO_STOCK, ErrorKind.QUOTA)):
                return leaves(f"not started: {refused.line}")
            await _say(work, recovery_id, refused)
        wait_s = BACKOFF_S[min(failures, len(BACKOFF_S) - 1)]
        failures += 1
        if work.now() + timedelta(seconds=wait_s) > until:
            return leaves(f"{recovery.instance_id} could not be started for lack of stock")
        await work.signals.wait(recovery_id, wait_s)


async def itself(work: Work, recovery_id: str) -> str:
    """Commit that the instance is its own replacement, and return its id."""
    instance_id = work.recovery(recovery_id).instance_id
    await change(work, recovery_id, lambda known: replace(known, new_instance_id=instance_id))
    return instance_id


async def _start_once(work: Work, recovery_id: str) -> CloudError | None:
    recovery = work.recovery(recovery_id)
    outcome = await attempt(work, partial(work.ecs(recovery).start_instance, recovery.instance_id))
    await tell(work, recovery_id, "StartInstance", outcome, recovery.instance_id)
    return outcome if isinstance(outcome, CloudError) else None


async def _say(work: Work, recovery_id: str, refused: CloudError) -> None:
    next_step = f"start it: {refused.code or refused.kind.value}, tried again until an image is made of it"
    await change(work, recovery_id, lambda known: entered(known, RecoveryState.STARTING, next_step))
