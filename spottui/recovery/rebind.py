"""What the old instance had and the new one is to have: its EIP."""

import asyncio
from datetime import timedelta
from functools import partial

from spottui.cloud.ecs import Answer, Ecs
from spottui.cloud.ecs_shapes import Eip
from spottui.cloud.errors import CloudError
from spottui.domain.recovery import Recovery
from spottui.recovery.calls import attempt, tell
from spottui.recovery.work import Work

LOOK_S = 1.0
PATIENCE = timedelta(seconds=60)


async def move_eip(work: Work, recovery: Recovery, eip_id: str, new_id: str) -> str:
    """Move an EIP from the old instance to the new one; return why it could not be moved, or nothing.

    Neither call has a token. So the address is looked at before each of them, and what is as wanted is left alone:
    after a restart, or a lost answer, this goes on from where the address is.
    """
    ecs, until = work.ecs(recovery), work.now() + PATIENCE
    problem = ""
    while work.now() < until:
        eip = await attempt(work, lambda: ecs.eip(eip_id))
        if eip is None:
            return f"EIP {eip_id} is gone"
        if isinstance(eip, CloudError):
            problem = eip.line
        elif eip.instance_id == new_id:
            return ""
        elif eip.instance_id not in ("", recovery.instance_id):
            return f"EIP {eip_id} is bound to {eip.instance_id} now"
        else:
            problem = await _one_move(work, recovery, ecs, eip, new_id)
        await asyncio.sleep(LOOK_S)
    return f"EIP {eip_id} was not moved: {problem}" if problem else f"EIP {eip_id} was not seen on {new_id}"


async def _one_move(work: Work, recovery: Recovery, ecs: Ecs, eip: Eip, new_id: str) -> str:
    """Unbind it from the old instance, or bind it to the new one when it is free; return what went wrong."""
    if eip.instance_id:
        return await _call(
            work, recovery, "UnassociateEipAddress", partial(ecs.unbind_eip, eip.eip_id, eip.instance_id)
        )
    if eip.free:
        return await _call(work, recovery, "AssociateEipAddress", partial(ecs.bind_eip, eip.eip_id, new_id))
    return ""


async def _call(work: Work, recovery: Recovery, action: str, do: "partial[Answer]") -> str:
    outcome = await attempt(work, do)
    gave = "" if isinstance(outcome, CloudError) else outcome.resource_id
    await tell(work, recovery.recovery_id, action, outcome, gave)
    return outcome.line if isinstance(outcome, CloudError) else ""
