"""Checking that the replacement serves: the plan's probe is tried until it passes or its patience ends."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

from spottui.cloud import assistant, eips
from spottui.cloud.errors import CloudError
from spottui.domain.facts import Probed
from spottui.domain.instance import Instance, InstanceStatus
from spottui.domain.probe import Miss, Missed, Probe, ProbeAddress, ProbeSettings
from spottui.domain.reasons import Doing, NextStep, Reason, Why
from spottui.domain.recovery import RecoveryState
from spottui.domain.text import plain
from spottui.domain.tokens import client_token
from spottui.recovery import probes
from spottui.recovery.arrivals import arrival
from spottui.recovery.calls import Call, call
from spottui.recovery.context import RecoveryContext, StepOutcome, cancelled, failed
from spottui.recovery.shell_commands import invocation_over

COMMAND_S = 60.0
"""Timeout of one try of a command."""

# A hanging service blocks a thread for seconds: it must not be one of the acting threads.
_THREADS = ThreadPoolExecutor(32, thread_name_prefix="probe")


async def see_served(ctx: RecoveryContext, new: Instance) -> StepOutcome | None:
    """Probe a running replacement; None if it serves or no probe is planned, else the end of the recovery.

    After a restart of spottui it is probed again, with its full patience.
    """
    probe = ctx.plan.probe
    if probe is None:
        return None
    settings, loop = probe.settings, asyncio.get_running_loop()
    began_s, known = loop.time(), None
    until_s = began_s + settings.patience_s
    while not ctx.recovery.cancel:
        is_late = loop.time() > until_s
        address = await _address(ctx, settings, new)
        target = plain(settings.target(address))
        next_step = NextStep(Doing.PROBE, probe.name, to=target, seconds=settings.patience_s)
        await ctx.enter(RecoveryState.VERIFYING, next_step)
        missed = await _missed(ctx, settings, new.instance_id, address, until_s)
        if missed is None or missed != known:
            await ctx.record(Probed(probe.name, target, round(loop.time() - began_s, 1), missed))
        if missed is None:
            return None
        if is_late:
            return await _not_served(ctx, probe, new.instance_id, target, missed)
        known = missed
        await ctx.wait(min(settings.every_s, max(until_s - loop.time(), 0.0)))
    return cancelled(ctx.recovery)


async def _address(ctx: RecoveryContext, settings: ProbeSettings, new: Instance) -> str:
    """Return the address to probe, empty while it is not known: an EIP may be bound a moment later."""
    if settings.address is ProbeAddress.PRIVATE:
        return new.private_ip
    ecs, instance = ctx.ecs, await ctx.shared.polls.instance(ctx.recovery.region, new.instance_id, 0.0)
    if not isinstance(instance, Instance):
        return ""
    eip = await ctx.attempt(lambda: eips.eip(ecs, instance.eip_id)) if instance.eip_id else None
    return instance.public_ip if eip is None or isinstance(eip, CloudError) else eip.address


async def _missed(
    ctx: RecoveryContext, settings: ProbeSettings, new_id: str, address: str, until_s: float
) -> Missed | None:
    """Return why one try does not pass, None when it does."""
    if settings.command:
        return await _command_missed(ctx, settings.command, new_id, until_s)
    return await arrival(_THREADS.submit(probes.missed, settings, address))


async def _command_missed(ctx: RecoveryContext, command: str, new_id: str, until_s: float) -> Missed | None:
    """Each try needs a token of its own: with the same one the old command would be returned."""
    loop = asyncio.get_running_loop()
    box_s = min(COMMAND_S, max(until_s - loop.time(), 1.0))
    token = client_token(ctx.id, "probe", ctx.recovery.probe_commands)
    invoke_id = await call(
        ctx,
        Call("RunCommand", token, ctx.now() + timedelta(seconds=box_s), target=new_id),
        partial(assistant.run_command, ctx.ecs, new_id, "spottui-probe", command, box_s, token),
    )
    if isinstance(invoke_id, CloudError):
        return Missed(Miss.NOT_RUN, invoke_id.code or invoke_id.kind.value)
    invocation = await invocation_over(ctx, invoke_id, new_id, loop.time() + box_s)
    if invocation is None:
        return Missed(Miss.NO_ANSWER)
    if invocation.exit_code:
        return Missed(Miss.EXIT_CODE, str(invocation.exit_code))
    return None if invocation.status == "Finished" else Missed(Miss.NOT_RUN, invocation.status)


async def _not_served(ctx: RecoveryContext, probe: Probe, new_id: str, target: str, missed: Missed) -> StepOutcome:
    """Report a replacement that no longer runs as such."""
    instance = await ctx.shared.polls.instance(ctx.recovery.region, new_id, 0.0)
    if isinstance(instance, Instance) and instance.status is not InstanceStatus.RUNNING:
        return failed(Reason(Why.STOPPED_RUNNING, new_id, instance.status.value))
    probed = (target,) if target else ()
    patience_s = probe.settings.patience_s
    return failed(Reason(Why.NOT_SERVED, new_id, probe.name, seconds=patience_s, resources=probed, missed=missed))
