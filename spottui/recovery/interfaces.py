"""Secondary network interfaces and private IPs: the replacement gets them once it serves, if it is in their zone.

An instance that is not replaced gets its interfaces back as they were. Attaching and detaching have no token, so an
interface is read before each call: after a restart or a lost answer this continues from its present state. Nothing here
ends a recovery.
"""

import asyncio
import logging
from contextlib import suppress
from datetime import timedelta
from functools import partial

from spottui.cloud import interfaces
from spottui.cloud.errors import CloudError
from spottui.cloud.interfaces import ASSIGN, ATTACH, DETACH, KEEP, Interface
from spottui.domain.facts import InterfaceRestored
from spottui.domain.instance import Instance
from spottui.domain.launch_spec import LaunchSpec
from spottui.domain.reasons import Doing, Failure, NextStep, Reason, Why
from spottui.domain.recovery import RecoveryState
from spottui.domain.tokens import client_token
from spottui.journal.store import JournalProblem
from spottui.recovery.calls import Call, call, call_once
from spottui.recovery.context import Fenced, RecoveryContext, StepOutcome, failure_of
from spottui.recovery.private_ip import wanted_private_ip

log = logging.getLogger("spottui.recovery")

POLL_S, LOOKS = 1.0, 10
RETRY_S = 5.0
RESTORED = "goes with its instance again"
PATIENCE = timedelta(seconds=60)
"""How long to wait for an interface, from now, or from the release if the old instance cannot detach it."""


def begin_to_keep_interfaces(ctx: RecoveryContext) -> None:
    """Begin to make the secondary interfaces outlive the instance, in parallel with everything else."""
    is_wanted = ctx.plan.spec.interfaces and not ctx.recovery.cancel
    if is_wanted and ctx.interfaces is None:
        ctx.interfaces = asyncio.create_task(_keep_all(ctx))


async def settle_interfaces(ctx: RecoveryContext, ended: StepOutcome) -> StepOutcome:
    """Attach the old instance's interfaces to its replacement; without one, let them be deleted with it as before.

    A failed recovery may be retried, so its interfaces are kept. Returns which could not be attached or restored.
    """
    if ended.replaces(ctx.recovery):
        return await _move_all(ctx, ended)
    if ended.state is RecoveryState.FAILED:
        return ended
    if ctx.interfaces:
        await asyncio.wait({ctx.interfaces})
    left = [await _restore(ctx, eni_id) for eni_id in ctx.recovery.kept_interfaces]
    return ended.because_of(filter(None, left))


async def _move_all(ctx: RecoveryContext, ended: StepOutcome) -> StepOutcome:
    region, new_id, spec = ctx.recovery.region, ctx.recovery.new_instance_id, ctx.plan.spec
    new = await ctx.shared.polls.instance(region, new_id, 0.0) if spec.interfaces else None
    moved = [await _move(ctx, eni_id, new_id, new) for eni_id in spec.interfaces]
    lost = await _assign_private_ips(ctx, new_id) if spec.secondary_ips else None
    return ended.because_of(problem for problem in (*moved, lost) if problem)


async def _keep_all(ctx: RecoveryContext) -> None:
    try:
        with suppress(Fenced, JournalProblem):
            for eni_id in ctx.plan.spec.interfaces:
                await _keep(ctx, eni_id)
    except Exception:
        log.exception("the network interfaces of %s may go with it", ctx.recovery.instance_id)


async def _keep(ctx: RecoveryContext, eni_id: str) -> None:
    """Make one outlive the instance, unless it does; a refusal costs only the interface."""
    until = max(ctx.now() + LOOKS * timedelta(seconds=POLL_S), ctx.recovery.deadline)
    while not ctx.recovery.state.is_final:
        eni = await ctx.attempt(partial(interfaces.interface, ctx.ecs, eni_id))
        if ctx.recovery.cancel or eni is None or (isinstance(eni, Interface) and not eni.goes_with_instance):
            return
        is_old = isinstance(eni, Interface) and eni.instance_id == ctx.recovery.instance_id
        error = eni if isinstance(eni, CloudError) else None
        if is_old:
            error = await call_once(
                ctx, KEEP, eni_id, partial(interfaces.set_goes_with_instance, ctx.ecs, eni_id, False)
            )
        if error is None or not error.kind.worth_repeating or ctx.now() > until:
            return
        await asyncio.sleep(POLL_S)


async def _restore(ctx: RecoveryContext, eni_id: str) -> Reason | None:
    """Let one be deleted with the old instance again; return why it is not."""
    failure = None
    for _ in range(LOOKS):
        eni = await ctx.attempt(partial(interfaces.interface, ctx.ecs, eni_id))
        error = eni if isinstance(eni, CloudError) else None
        if eni is None or (isinstance(eni, Interface) and eni.goes_with_instance):
            await ctx.record(InterfaceRestored(eni_id))
            return None
        if isinstance(eni, Interface) and eni.instance_id != ctx.recovery.instance_id:
            # Somebody has moved it meanwhile: it must not be deleted with its new instance.
            return None
        if isinstance(eni, Interface):
            restore = partial(interfaces.set_goes_with_instance, ctx.ecs, eni_id, True)
            error = await call_once(ctx, KEEP, eni_id, restore, RESTORED)
        failure = failure_of(error) if error else None
        if error and not error.kind.worth_repeating:
            break
        if error:
            await asyncio.sleep(POLL_S)
    return Reason(Why.INTERFACE_LEFT, eni_id, failure=failure)


async def _move(ctx: RecoveryContext, eni_id: str, new_id: str, new: Instance | CloudError | None) -> Reason | None:
    """Attach one interface to the replacement; return why it is not there.

    If the old instance may not detach it, this waits for the release.
    """
    until, failure, may_detach = ctx.now() + PATIENCE, None, True
    await ctx.enter(RecoveryState.VERIFYING, NextStep(Doing.MOVE_INTERFACE, eni_id, to=new_id))
    while ctx.now() < until:
        eni = await ctx.attempt(partial(interfaces.interface, ctx.ecs, eni_id))
        if isinstance(eni, Interface) and eni.instance_id == new_id:
            return None
        lost = _why_lost(ctx, eni_id, eni, new)
        if lost:
            return lost
        error = eni if isinstance(eni, CloudError) else None
        is_of_old = isinstance(eni, Interface) and bool(eni.instance_id)
        if isinstance(eni, Interface) and eni.settled and (may_detach or not is_of_old):
            error = await _one_move(ctx, eni, new_id)
        failure = failure_of(error) if error else failure
        if error and is_of_old:
            may_detach, until = error.kind.worth_repeating, max(until, ctx.recovery.deadline + PATIENCE)
        elif error and not error.kind.worth_repeating:
            break
        await ctx.wait(RETRY_S if error else POLL_S)
    return Reason(Why.INTERFACE_NOT_MOVED, eni_id, failure=failure)


def _why_lost(
    ctx: RecoveryContext, eni_id: str, eni: Interface | CloudError | None, new: Instance | CloudError | None
) -> Reason | None:
    """Return why an interface can never be the replacement's, None where it may."""
    if eni is None:
        return Reason(Why.INTERFACE_GONE, eni_id)
    if isinstance(eni, CloudError):
        return None
    if isinstance(new, Instance) and eni.zone != new.zone:
        return Reason(Why.INTERFACE_ELSEWHERE, eni_id, eni.zone)
    is_taken = eni.instance_id not in ("", ctx.recovery.instance_id)
    return Reason(Why.INTERFACE_TAKEN, eni_id, eni.instance_id) if is_taken else None


async def _one_move(ctx: RecoveryContext, eni: Interface, new_id: str) -> CloudError | None:
    """Detach it from the old instance, or attach a free one to the new one; return the error, if any."""
    if eni.instance_id:
        take = partial(interfaces.detach, ctx.ecs, eni.eni_id, eni.instance_id)
        return await call_once(ctx, DETACH, eni.eni_id, take, f"from {eni.instance_id}")
    give = partial(interfaces.attach, ctx.ecs, eni.eni_id, new_id)
    return await call_once(ctx, ATTACH, eni.eni_id, give, f"to {new_id}")


async def _assign_private_ips(ctx: RecoveryContext, new_id: str) -> Reason | None:
    """Give the replacement as many secondary private IPs as before; the same ones if it has the old primary one."""
    old = ctx.plan.spec.secondary_ips
    specs = await ctx.attempt(partial(ctx.ecs.launch_specs, [new_id]))
    if isinstance(specs, CloudError):
        return _lost(ctx, failure_of(specs))
    new = specs.get(new_id)
    if new is None:
        return _lost(ctx, None)
    same = old if wanted_private_ip(ctx.recovery, ctx.plan) else ()
    refused = await _assign(ctx, new, same) if same else None
    if refused or not same:
        refused = await _assign(ctx, new, ())
    return _lost(ctx, failure_of(refused)) if refused else None


async def _assign(ctx: RecoveryContext, new: LaunchSpec, addresses: tuple[str, ...]) -> CloudError | None:
    count = len(ctx.plan.spec.secondary_ips) - len(new.secondary_ips)
    if count <= 0:
        return None
    token = client_token(ctx.id, f"{ASSIGN} {new.eni_id} {' '.join(addresses)}")
    assign = partial(interfaces.assign_private_ips, ctx.ecs, new.eni_id, count, addresses, token)
    assignment = Call(
        ASSIGN, token, ctx.now() + PATIENCE, target=new.eni_id, detail=", ".join(addresses) or f"{count} more"
    )
    outcome = await call(ctx, assignment, assign)
    return outcome if isinstance(outcome, CloudError) else None


def _lost(ctx: RecoveryContext, failure: Failure | None) -> Reason:
    return Reason(Why.SECONDARY_IPS_LOST, resources=ctx.plan.spec.secondary_ips, failure=failure)
