"""What comes of a command that Cloud Assistant was given."""

import asyncio
from functools import partial

from spottui.cloud import assistant
from spottui.cloud.ecs_shapes import Invocation
from spottui.recovery.context import RecoveryContext

LOOK_S = 1.0


async def invocation_over(
    ctx: RecoveryContext, invoke_id: str, instance_id: str, until_s: float, *, heeds_cancel: bool = True
) -> Invocation | None:
    """Return what came of a command on an instance, None when it was not over at `until_s` of the loop's clock.

    A person who cancels the recovery ends the wait where it `heeds_cancel`.
    """
    loop = asyncio.get_running_loop()
    while loop.time() < until_s and not (heeds_cancel and ctx.recovery.cancel):
        found = await ctx.attempt(partial(assistant.invocation, ctx.ecs, invoke_id, instance_id))
        if isinstance(found, Invocation) and found.over:
            return found
        await ctx.wait(min(LOOK_S, max(until_s - loop.time(), 0.0)))
    return None
