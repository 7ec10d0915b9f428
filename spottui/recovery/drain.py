"""Draining: a configured command with a timeout, before the image is started. It never stops a recovery."""

import asyncio
from datetime import timedelta
from functools import partial

from spottui.cloud import assistant
from spottui.cloud.errors import CloudError
from spottui.cloud.redaction import redact
from spottui.domain.facts import Drained
from spottui.domain.forecast import TIGHT_S
from spottui.domain.reasons import Doing, NextStep
from spottui.domain.recovery import RecoveryState
from spottui.domain.text import plain
from spottui.domain.tokens import client_token
from spottui.recovery.calls import Call, call
from spottui.recovery.context import RecoveryContext, failure_of
from spottui.recovery.shell_commands import invocation_over

OUTPUT_KEPT = 4000
"""Characters of a command's output that go into the log."""


async def drain(ctx: RecoveryContext) -> None:
    """Run the plan's command and wait for it until its timeout, unless that was done before."""
    command, recovery = ctx.plan.drain, ctx.recovery
    if command is None or recovery.drained or recovery.cancel or recovery.image_id:
        return
    box_s = min(command.timeout_s, ctx.forecast_now(ctx.plan).slack_s - TIGHT_S)
    if recovery.drain_begun:
        box_s -= (ctx.now() - recovery.drain_begun).total_seconds()
    if box_s < 1:
        await ctx.record(Drained(command.name, "", seconds=command.timeout_s if recovery.drain_begun else 0.0))
        return
    until = asyncio.get_running_loop().time() + box_s
    token = client_token(ctx.id, "RunCommand", recovery.run)
    entering = ctx.entering(RecoveryState.DRAINING, NextStep(Doing.DRAIN, command.name, seconds=round(box_s)))
    invoke_id = await call(
        ctx,
        Call("RunCommand", token, ctx.now() + timedelta(seconds=box_s), entering),
        partial(assistant.run_command, ctx.ecs, recovery.instance_id, "spottui-drain", command.command, box_s, token),
    )
    if isinstance(invoke_id, CloudError):
        await ctx.record(Drained(command.name, "", failure=failure_of(invoke_id)))
        return
    invocation = await invocation_over(ctx, invoke_id, recovery.instance_id, until)
    if invocation is None:
        await ctx.record(Drained(command.name, "", seconds=round(box_s)))
        return
    output = plain(redact(invocation.output), OUTPUT_KEPT)
    await ctx.record(Drained(command.name, invocation.status, invocation.exit_code, output))
