"""Hooks: configured commands that run in parallel with a recovery, once for each run and event.

The begin of a hook is journaled before it runs. If its console dies meanwhile, it is unknown whether the hook ran, and
it is not run again.
"""

import asyncio
import json
import logging
import time
from collections.abc import Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Any

import msgspec

from spottui.cloud import assistant
from spottui.cloud.ecs import Answer
from spottui.cloud.errors import CloudError
from spottui.cloud.redaction import redact
from spottui.domain.facts import HookBegun, HookEnded
from spottui.domain.hook import HookEnd, HookEvent, HookPlace, HookSettings
from spottui.domain.reasons import Failure
from spottui.domain.recovery import Recovery
from spottui.domain.region_key import account_of, region_id
from spottui.domain.text import plain
from spottui.domain.tokens import client_token
from spottui.journal.store import JournalAway, JournalProblem
from spottui.journal.transaction import Transaction
from spottui.journal.writer import Urgency
from spottui.recovery import shell_commands
from spottui.recovery.arrivals import arrival
from spottui.recovery.context import Fenced, RecoveryContext, failure_of
from spottui.recovery.shell_commands import invocation_over

log = logging.getLogger("spottui.hooks")

OUTPUT_KEPT = 1000
"""Characters of a hook's output that go into the log."""
_AGAIN_S = 1.0


class _Came(msgspec.Struct, frozen=True):
    end: HookEnd
    exit_code: int | None = None
    output: str = ""
    failure: Failure | None = None


_THREADS = ThreadPoolExecutor(64, thread_name_prefix="hook")
_running: set[asyncio.Task[None]] = set()


def run_notice_hooks(ctx: RecoveryContext) -> None:
    """Begin the hooks of a notice in parallel with the recovery, unless they were begun or there was no notice."""
    recovery = ctx.recovery
    if not recovery.run and not recovery.interruption.is_manual and _of(ctx, HookEvent.NOTICE):
        _beside(_begin_and_run(ctx, HookEvent.NOTICE))


def begin_hooks(
    ctx: RecoveryContext, on: HookEvent, transaction: Transaction, recovery: Recovery, now: datetime
) -> tuple[HookBegun, ...]:
    """Write the begin of an event's hooks for this run, and return those facts; empty if they had begun before."""
    if any((hook.on, hook.run) == (on, recovery.run) for hook in recovery.hooks):
        return ()
    console = ctx.shared.journal.consoles.own
    begun = tuple(
        HookBegun(on, number, console, hook.program, recovery.run, _token(ctx, hook, number, recovery.run))
        for number, hook in enumerate(_of(ctx, on))
    )
    for fact in begun:
        transaction.record(recovery.recovery_id, fact, now)
    return begun


def run_hooks(ctx: RecoveryContext, begun: Iterable[HookBegun]) -> None:
    """Run the hooks that were begun, each in a task of its own."""
    for fact in begun:
        _beside(_run(ctx, fact))


async def settle_lost_hooks(ctx: RecoveryContext) -> None:
    """Write for hooks whose console died that it is unknown whether they ran."""
    consoles = ctx.shared.journal.consoles
    for hook in ctx.recovery.open_hooks:
        if not consoles.is_alive(hook.console):
            await ctx.record(HookEnded(hook.on, hook.number, HookEnd.NOT_KNOWN, hook.program, hook.run))


def _of(ctx: RecoveryContext, on: HookEvent) -> tuple[HookSettings, ...]:
    return tuple(hook for hook in ctx.shared.settings.hooks if hook.on is on)


def _token(ctx: RecoveryContext, hook: HookSettings, number: int, run: int) -> str:
    return client_token(ctx.id, f"hook {number}", run) if hook.where is HookPlace.REPLACEMENT else ""


def _beside(work: Coroutine[Any, Any, None]) -> None:
    """A loop keeps no reference to its tasks."""
    task = asyncio.get_running_loop().create_task(work)
    _running.add(task)
    task.add_done_callback(_running.discard)


async def _begin_and_run(ctx: RecoveryContext, on: HookEvent) -> None:
    now = ctx.now()
    try:
        begun = await ctx.change(lambda t, recovery: begin_hooks(ctx, on, t, recovery, now), Urgency.EYES)
    except (Fenced, JournalProblem):
        # The next driver, or this console when its journal is back, begins them.
        return
    run_hooks(ctx, begun)


async def _run(ctx: RecoveryContext, begun: HookBegun) -> None:
    hook, began_s = _of(ctx, begun.on)[begun.number], time.monotonic()
    run = _run_here if hook.where is HookPlace.HERE else _run_on_replacement
    try:
        came = await run(ctx, hook, begun)
    except Exception:
        log.exception("%s: hook %s", ctx.id, begun.program)
        came = _Came(HookEnd.NOT_KNOWN)
    output, seconds = plain(redact(came.output), OUTPUT_KEPT), round(time.monotonic() - began_s, 1)
    ended = HookEnded(
        begun.on, begun.number, came.end, begun.program, begun.run, came.exit_code, output, seconds, came.failure
    )
    await _remember(ctx, ended)


async def _remember(ctx: RecoveryContext, ended: HookEnded) -> None:
    """Written whoever drives the recovery by now: only this console knows the result of the hook."""
    now = ctx.now()
    while True:
        try:
            written = ctx.shared.journal.submit(lambda t: t.record(ctx.id, ended, now), Urgency.EVIDENCE)
            await arrival(written)
        except JournalAway:
            await asyncio.sleep(_AGAIN_S)
        except JournalProblem as problem:
            log.error("%s: the result of hook %s was not written: %s", ctx.id, ended.program, problem)
            return
        else:
            return


async def _run_here(ctx: RecoveryContext, hook: HookSettings, _begun: HookBegun) -> _Came:
    recovery = ctx.recovery
    incident = json.dumps(ctx.shared.incident(recovery, ctx.now())).encode()
    work = partial(shell_commands.run, hook.command, incident, _environment(recovery), hook.timeout_s)
    try:
        ran = await arrival(_THREADS.submit(work))
    except OSError as error:
        return _Came(HookEnd.NOT_STARTED, output=error.strerror or type(error).__name__)
    how = HookEnd.TIMED_OUT if ran.exit_code is None else HookEnd.EXITED
    return _Came(how, exit_code=ran.exit_code, output=ran.output)


async def _run_on_replacement(ctx: RecoveryContext, hook: HookSettings, begun: HookBegun) -> _Came:
    new_id, until_s = ctx.recovery.new_instance_id, asyncio.get_running_loop().time() + hook.timeout_s
    command = partial(
        assistant.run_command, ctx.ecs, new_id, "spottui-hook", str(hook.command), hook.timeout_s, begun.token
    )
    answer: Answer | CloudError = await ctx.attempt(command)
    while isinstance(answer, CloudError) and answer.kind.repeats and asyncio.get_running_loop().time() < until_s:
        await asyncio.sleep(_AGAIN_S)
        answer = await ctx.attempt(command)
    if isinstance(answer, CloudError):
        how = HookEnd.NOT_KNOWN if answer.kind.effect_unknown else HookEnd.NOT_STARTED
        return _Came(how, failure=failure_of(answer))
    invocation = await invocation_over(ctx, answer.resource_id, new_id, until_s, heeds_cancel=False)
    if invocation is None:
        return _Came(HookEnd.TIMED_OUT)
    return _Came(HookEnd.EXITED, exit_code=invocation.exit_code, output=invocation.output)


def _environment(recovery: Recovery) -> dict[str, str]:
    account = plain(account_of(recovery.region))
    return {
        **({"SPOTTUI_ACCOUNT": account} if account else {}),
        "SPOTTUI_RECOVERY": plain(recovery.recovery_id),
        "SPOTTUI_INSTANCE": plain(recovery.instance_id),
        "SPOTTUI_REGION": plain(region_id(recovery.region)),
        "SPOTTUI_STATE": recovery.state.value,
        "SPOTTUI_NEW_INSTANCE": plain(recovery.new_instance_id),
    }
