"""Commands of the configuration: the result of one on an instance by Cloud Assistant, and one on this machine."""

import asyncio
import os
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ, DefaultSelector
from subprocess import PIPE, STDOUT, Popen, TimeoutExpired
from tempfile import TemporaryFile

import msgspec

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
        invocation = await ctx.attempt(partial(assistant.invocation, ctx.ecs, invoke_id, instance_id))
        if isinstance(invocation, Invocation) and invocation.over:
            return invocation
        await ctx.wait(min(POLL_S, max(until_s - loop.time(), 0.0)))
    return None


KEPT = 16_384
"""Bytes of output that are kept; the rest is read and dropped."""
LAST_WORDS_S = 0.5
"""How long after the program's end its children may keep its output open."""
LOOK_S = 0.05


class Ran(msgspec.Struct, frozen=True):
    """The result: `exit_code` is None if it was killed at its timeout, negative for a signal."""

    exit_code: int | None
    output: str


def run(argv: Sequence[str], stdin: bytes, environment: Mapping[str, str], timeout_s: float) -> Ran:
    """Run a program in a process group of its own, which is killed at the timeout.

    What it starts in a session of its own is not waited for. The environment is added to this process's own. Raises
    `OSError` when the program cannot be started.
    """
    output, added = bytearray(), {**os.environ, **environment}
    with TemporaryFile() as given:
        # A file, because a program that writes before it reads would wait for us, as we for it.
        given.write(stdin)
        given.seek(0)
        with Popen(
            argv, bufsize=0, stdin=given, stdout=PIPE, stderr=STDOUT, env=added, start_new_session=True
        ) as process:
            exit_code, is_open = _listen(process, output, timeout_s)
            if exit_code is None or is_open:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
    return Ran(exit_code, bytes(output).decode(errors="replace"))


def _listen(process: Popen[bytes], output: bytearray, timeout_s: float) -> tuple[int | None, bool]:
    """Read until the program has ended; return its exit code, None at the timeout, and whether its output is open."""
    assert process.stdout
    exit_code, is_open, until_s = None, True, time.monotonic() + timeout_s
    with DefaultSelector() as selector:
        selector.register(process.stdout, EVENT_READ)
        while (left_s := until_s - time.monotonic()) > 0 and (is_open or exit_code is None):
            if not is_open:
                with suppress(TimeoutExpired):
                    process.wait(left_s)
            elif selector.select(min(left_s, LOOK_S)):
                chunk = process.stdout.read(KEPT)
                is_open = bool(chunk)
                output += chunk[: KEPT - len(output)]
            if exit_code is None and (exit_code := process.poll()) is not None:
                until_s = min(until_s, time.monotonic() + LAST_WORDS_S)
    return exit_code, is_open
