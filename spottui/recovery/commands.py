"""Waiting for the result of a Cloud Assistant command."""

import asyncio
from functools import partial

from spottui.cloud import assistant
from spottui.cloud.ecs_shapes import Invocation
from spottui.recovery.context import RecoveryContext

POLL_S = 1.0


async def invocation_over(
    ctx: RecoveryContext, invoke_id: str, instance_id: str, until_s: float, *, heeds_cancel: bool = True
) -> Invocation | None:
    """Return the result of a command on an instance, or None if it is not finished at `until_s` of the loop's clock.

    With `heeds_cancel`, cancelling the recovery ends the wait.
    """
    loop = asyncio.get_running_loop()
    while loop.time() < until_s and not (heeds_cancel and ctx.recovery.cancel):
        found = await ctx.attempt(partial(assistant.invocation, ctx.ecs, invoke_id, instance_id))
        if isinstance(found, Invocation) and found.over:
            return found
        await ctx.wait(min(POLL_S, max(until_s - loop.time(), 0.0)))
    return None
