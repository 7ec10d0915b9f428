"""The restart route: an instance that the cloud stops instead of releasing is started again."""

import asyncio
from datetime import timedelta
from functools import partial

from spottui.cloud.errors import CloudError, ErrorKind
from spottui.domain.facts import StartedAgain
from spottui.domain.instance import Instance, InstanceStatus
from spottui.domain.reasons import Doing, NextStep, Reason, Why
from spottui.domain.recovery import RecoveryState
from spottui.recovery.calls import call_once
from spottui.recovery.context import RecoveryContext, StepOutcome, cancelled, failure_of, leaves
from spottui.recovery.launching import UP, verify, wait_until_running

POLL_S = 2.0
STOP_GRACE_S = 300.0
"""How long after the deadline the stop is awaited."""
BACKOFF_S = (5.0, 10.0, 20.0, 40.0, 60.0)
_MAY_BE_MENDED = (ErrorKind.QUOTA, ErrorKind.CREDENTIALS)
"""Stock may return with the instance's own stop, and a changed credentials file is reloaded automatically."""


async def restart_route(ctx: RecoveryContext) -> StepOutcome:
    """Wait until the cloud has stopped it, start it as soon as there is stock, and wait until it runs."""
    recovery = ctx.recovery
    if recovery.new_instance_id != recovery.instance_id:
        ended = await wait_until_stopped(ctx) or await start(ctx)
        if ended is not None:
            return ended
        await ctx.record(StartedAgain())
    lost = await wait_until_running(ctx, recovery.instance_id)
    return lost or await verify(ctx, recovery.instance_id, None)


async def wait_until_stopped(ctx: RecoveryContext) -> StepOutcome | None:
    """Wait for the stop at the deadline; an instance that keeps running without a lock was not reclaimed.

    Once its stop has been seen, a running instance was started by us.
    """
    next_step = ctx.recovery.next_step
    if next_step and next_step.doing in (Doing.START, Doing.START_AGAIN):
        return None
    recovery = await ctx.enter(RecoveryState.STARTING, NextStep(Doing.AWAIT_STOP))
    loop, poll_s = asyncio.get_running_loop(), 0.0
    until_s = loop.time() + max((recovery.deadline - ctx.now()).total_seconds(), 0.0) + STOP_GRACE_S
    while not ctx.recovery.cancel:
        is_over, is_late = ctx.now() > recovery.deadline + timedelta(seconds=POLL_S), loop.time() > until_s
        instance = await ctx.shared.polls.instance(recovery.region, recovery.instance_id, poll_s)
        poll_s = POLL_S
        if isinstance(instance, Instance) and not instance.recycling:
            if instance.status is InstanceStatus.STOPPED:
                await ctx.enter(RecoveryState.STARTING, NextStep(Doing.START))
                return None
            if instance.status in UP and is_over:
                return StepOutcome(
                    RecoveryState.SKIPPED, Reason(Why.CALLED_OFF, recovery.instance_id, instance.status.value)
                )
        if is_late and not isinstance(instance, CloudError):
            return leaves(Reason(Why.NOT_STOPPED, recovery.instance_id, seconds=STOP_GRACE_S))
    return cancelled(ctx.recovery)


async def start(ctx: RecoveryContext) -> StepOutcome | None:
    """Start the instance, retried while there is no stock. The call has no token, so its status is read first."""
    recovery, loop = ctx.recovery, asyncio.get_running_loop()
    until_s = loop.time() + ctx.shared.settings.policy.restart_patience_s
    failures = 0
    while not ctx.recovery.cancel:
        is_late = loop.time() > until_s
        instance = await ctx.shared.polls.instance(recovery.region, recovery.instance_id, 0.0)
        if isinstance(instance, Instance) and instance.status in UP:
            return None
        if isinstance(instance, Instance) and instance.status is InstanceStatus.STOPPED:
            begin = partial(ctx.ecs.start_instance, recovery.instance_id)
            refused = await call_once(ctx, "StartInstance", recovery.instance_id, begin)
            if refused is None:
                continue
            if not (refused.kind.passes or refused.kind in _MAY_BE_MENDED):
                return leaves(Reason(Why.NOT_STARTED, failure=failure_of(refused)))
            again = NextStep(Doing.START_AGAIN, refused.code or refused.kind.value)
            await ctx.enter(RecoveryState.STARTING, again)
        if is_late and not isinstance(instance, CloudError):
            return leaves(Reason(Why.NO_STOCK_TO_START, recovery.instance_id))
        wait_s = BACKOFF_S[min(failures, len(BACKOFF_S) - 1)]
        failures += 1
        await ctx.wait(min(wait_s, max(until_s - loop.time(), POLL_S)))
    return cancelled(ctx.recovery)
