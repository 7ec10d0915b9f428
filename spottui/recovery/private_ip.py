"""The private IP that a replacement is to have again: it is free once the old instance is released.

The machine matters more than its address: if the address is unavailable it is launched without, with a note.
"""

from datetime import timedelta

from spottui.cloud.errors import ErrorKind
from spottui.domain.facts import PrivateIpGivenUp
from spottui.domain.instance import Instance
from spottui.domain.plan import Plan
from spottui.domain.reasons import Doing, Failure, NextStep, Reason, Why
from spottui.domain.recovery import Recovery, RecoveryState, Try
from spottui.recovery.context import RecoveryContext, StepOutcome

POLL_S = 2.0
GONE_GRACE = timedelta(seconds=30)
"""How long after the deadline a missing instance is not yet gone, and a running one not yet spared."""
RELEASE_GRACE = timedelta(seconds=180)
"""How long after the deadline the release is awaited."""
TRIES, APART_S = 5, 4.0
"""An address may be in use for a moment after its instance is gone."""


def wanted_private_ip(recovery: Recovery, plan: Plan) -> str:
    """Return the private IP that the next launch asks for, empty for any."""
    return plan.spec.instance.private_ip if plan.keeps_private_ip and recovery.private_ip_lost is None else ""


async def await_private_ip(ctx: RecoveryContext) -> StepOutcome | None:
    """Wait for the release of the old instance where the replacement is to have its private IP.

    A person who replaces an instance that runs on has not asked to wait. One whose reclaim is withdrawn needs no
    replacement.
    """
    address, deadline, old_id = (
        wanted_private_ip(ctx.recovery, ctx.plan),
        ctx.recovery.deadline,
        ctx.recovery.instance_id,
    )
    while address and not (ctx.recovery.cancel or ctx.recovery.new_instance_id):
        is_late = ctx.now() > deadline + RELEASE_GRACE
        gone = await ctx.shared.polls.gone(ctx.recovery.region, old_id)
        if gone is True:
            return None
        if gone is False and (is_late or ctx.recovery.interruption.is_manual):
            await _give_up(ctx, Reason(Why.PRIVATE_IP_IN_USE, address, old_id))
            return None
        ended = await spared(ctx)
        if ended:
            return ended
        await ctx.enter(RecoveryState.LAUNCHING, NextStep(Doing.AWAIT_PRIVATE_IP, address, at=deadline))
        await ctx.wait(POLL_S)
    return None


async def spared(ctx: RecoveryContext) -> StepOutcome | None:
    """Return that an instance which runs on without a lock after its deadline was not reclaimed; None for any other."""
    recovery = ctx.recovery
    if ctx.now() < recovery.deadline + GONE_GRACE:
        return None
    instance = await ctx.shared.polls.instance(recovery.region, recovery.instance_id, 0.0)
    if isinstance(instance, Instance) and not instance.recycling:
        return StepOutcome(RecoveryState.SKIPPED, Reason(Why.CALLED_OFF, recovery.instance_id))
    return None


async def wait_for_private_ip(ctx: RecoveryContext, last: Try) -> None:
    """Wait a moment after a launch for which its private IP was not free, and give the address up after several."""
    refused = [attempt for attempt in ctx.recovery.tries if attempt.refusal == ErrorKind.ADDRESS.value]
    if not refused or refused[-1].client_token != last.client_token:
        return
    if len(refused) % TRIES:
        await ctx.wait(APART_S)
    else:
        await _give_up(ctx, Reason(Why.PRIVATE_IP_TAKEN, last.private_ip, failure=refused[-1].failure))


async def look_elsewhere(ctx: RecoveryContext, failure: Failure | None) -> bool:
    """Give up the private IP if no place near it has capacity; False if there was none to give up."""
    address = wanted_private_ip(ctx.recovery, ctx.plan)
    if address:
        zone = ctx.plan.spec.instance.zone
        await _give_up(ctx, Reason(Why.PRIVATE_IP_NO_ROOM, address, zone, failure=failure))
    return bool(address)


async def _give_up(ctx: RecoveryContext, reason: Reason) -> None:
    await ctx.record(PrivateIpGivenUp(reason))
