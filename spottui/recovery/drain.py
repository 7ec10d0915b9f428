"""Draining: a command of the configuration, in a box of time, before the image is begun. It never stops a recovery."""

import asyncio
from datetime import timedelta
from functools import partial

from spottui.cloud import assistant
from spottui.cloud.ecs_shapes import Invocation
from spottui.cloud.errors import CloudError
from spottui.cloud.redaction import redact
from spottui.domain.forecast import TIGHT_S
from spottui.domain.plan import Drain
from spottui.domain.recovery import RecoveryState
from spottui.domain.text import plain
from spottui.domain.tokens import client_token
from spottui.recovery.calls import Call, attempt, call
from spottui.recovery.change import entered, note, plan_of
from spottui.recovery.outlook import forecast_now
from spottui.recovery.work import Work

LOOK_S = 1.0
OUTPUT_KEPT = 4000
"""Characters of a command's output that go into the audit."""


async def drain(work: Work, recovery_id: str) -> str:
    """Run the plan's command and wait for it as long as it may take; return what came of it, for the log."""
    plan = plan_of(work, recovery_id)
    one = plan.drain
    recovery = work.recovery(recovery_id)
    if one is None or recovery.cancel:
        return ""
    box_s = min(one.timeout_s, forecast_now(work, recovery, plan).slack_s - TIGHT_S)
    if box_s < 1:
        return await _said(work, recovery_id, one, "skipped: there is no time for it")
    until = work.now() + timedelta(seconds=box_s)
    token = client_token(recovery_id, "RunCommand")
    ecs = work.ecs(recovery)
    invoke_id = await call(
        work,
        recovery_id,
        Call(
            "RunCommand",
            token,
            give_up_at=until,
            shows=lambda known: entered(known, RecoveryState.DRAINING, f"drain {one.name}, at most {box_s:.0f} s"),
            gives=lambda known, _: known,
        ),
        partial(assistant.run_command, ecs, recovery.instance_id, one.command, box_s, token),
    )
    if isinstance(invoke_id, CloudError):
        return await _said(work, recovery_id, one, f"did not run: {invoke_id.line}")
    while work.now() < until and not work.recovery(recovery_id).cancel:
        found = await attempt(work, partial(assistant.invocation, ecs, invoke_id, recovery.instance_id))
        if isinstance(found, Invocation) and found.over:
            return await _said(work, recovery_id, one, _outcome(found))
        await asyncio.sleep(LOOK_S)
    return await _said(work, recovery_id, one, f"not finished within {box_s:.0f} s; the recovery goes on")


def _outcome(found: Invocation) -> str:
    output = plain(redact(found.output), OUTPUT_KEPT)
    return f"{found.status}, exit code {found.exit_code}" + (f": {output}" if output else "")


async def _said(work: Work, recovery_id: str, one: Drain, text: str) -> str:
    await note(work, recovery_id, "Drain", f"drain {one.name} {text}")
    return text
