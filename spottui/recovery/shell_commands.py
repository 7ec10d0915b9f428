"""Commands of the configuration: the result of one on an instance by Cloud Assistant, and one on this machine."""

import asyncio
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from subprocess import PIPE, STDOUT, Popen

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
        found = await ctx.attempt(partial(assistant.invocation, ctx.ecs, invoke_id, instance_id))
        if isinstance(found, Invocation) and found.over:
            return found
        await ctx.wait(min(POLL_S, max(until_s - loop.time(), 0.0)))
    return None


KEPT = 16_384
"""Bytes of output that are kept; the rest is read and dropped."""
LAST_WORDS_S = 0.5
"""How long after the program's end its children may keep its output open."""


class Ran(msgspec.Struct, frozen=True):
    """The result: `exit_code` is None if it was killed at its timeout, negative for a signal."""

    exit_code: int | None
    output: str


def run(argv: Sequence[str], stdin: bytes, environment: Mapping[str, str], timeout_s: float) -> Ran:
    """Run a program in a process group of its own, which is killed at the timeout.

    The environment is added to this process's own. Raises `OSError` when the program cannot be started.
    """
    output, added = bytearray(), {**os.environ, **environment}
    with Popen(argv, stdin=PIPE, stdout=PIPE, stderr=STDOUT, env=added, start_new_session=True) as process:
        talking = threading.Thread(target=_talk, args=(process, stdin, output), name="hook output", daemon=True)
        talking.start()
        exit_code = _exit_code(process, timeout_s)
        talking.join(LAST_WORDS_S if exit_code is not None else 0)
        if exit_code is None or talking.is_alive():
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            talking.join()
    return Ran(exit_code, bytes(output).decode(errors="replace"))


def _exit_code(process: Popen[bytes], timeout_s: float) -> int | None:
    try:
        return process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        return None


def _talk(process: Popen[bytes], stdin: bytes, output: bytearray) -> None:
    if process.stdin:
        # A program need not read its input.
        with suppress(BrokenPipeError), process.stdin:
            process.stdin.write(stdin)
    while process.stdout and (chunk := process.stdout.read1(KEPT)):  # type: ignore[attr-defined]
        output += chunk[: KEPT - len(output)]
