"""Moving the EIP of the old instance to the new one."""

import asyncio
from functools import partial

from spottui.cloud import eips
from spottui.cloud.ecs_shapes import Eip
from spottui.cloud.errors import CloudError
from spottui.domain.reasons import Doing, NextStep, Reason, Why
from spottui.domain.recovery import RecoveryState
from spottui.recovery.calls import call_once
from spottui.recovery.context import RecoveryContext, failure_of

POLL_S = 1.0
PATIENCE_S = 60.0


async def rebind(ctx: RecoveryContext, new_id: str) -> Reason | None:
    """Move the EIP to the replacement; return why it could not be moved, which does not undo the recovery.

    Neither call has a token, so the address is read before each of them: after a restart or a lost answer this
    continues from where the address is.
    """
    eip_id = ctx.plan.spec.instance.eip_id or ctx.recovery.eip_id
    if not eip_id:
        return None
    await ctx.enter(RecoveryState.REBINDING, NextStep(Doing.MOVE_EIP, eip_id, to=new_id))
    ecs, old_id = ctx.ecs, ctx.recovery.instance_id
    until, problem = asyncio.get_running_loop().time() + PATIENCE_S, None
    while asyncio.get_running_loop().time() < until:
        eip = await ctx.attempt(lambda: eips.eip(ecs, eip_id))
        if eip is None:
            return Reason(Why.EIP_GONE, eip_id)
        if isinstance(eip, CloudError):
            problem = eip
        elif eip.instance_id == new_id:
            return None
        elif eip.instance_id not in ("", old_id):
            return Reason(Why.EIP_TAKEN, eip_id, eip.instance_id)
        else:
            problem = await _one_move(ctx, eip, new_id)
        await asyncio.sleep(POLL_S)
    return Reason(Why.EIP_NOT_MOVED, eip_id, new_id, failure=failure_of(problem) if problem else None)


async def _one_move(ctx: RecoveryContext, eip: Eip, new_id: str) -> CloudError | None:
    """Unbind it from the old instance, or bind it to the new one if it is free; return the error, if any."""
    if eip.instance_id:
        unbind = partial(eips.unbind, ctx.ecs, eip.eip_id, eip.instance_id)
        return await call_once(ctx, "UnassociateEipAddress", eip.instance_id, unbind)
    if eip.free:
        return await call_once(ctx, "AssociateEipAddress", new_id, partial(eips.bind, ctx.ecs, eip.eip_id, new_id))
    return None
