"""Runs a workload on a spot instance: watches for the reclaim, warns the workload, and ends it before the machine does.

The workload runs in a process group of its own, so that what it started is warned and ended with it.
"""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import FrameType

from spottui.cloud.metadata import Metadata, MetadataProblem

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
RUN_NUMBER = "SPOTTUI_RUN"
"""Tells the workload which run of it this is, from 1."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The signal that warns the workload, seconds before the deadline at which it is killed, seconds between looks."""

    warning: signal.Signals = signal.SIGTERM
    margin_s: float = 30.0
    poll_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended; `exit_code` as a shell says it, 128 and the signal's number after a signal."""

    exit_code: int
    interrupted: bool


class Guard:
    """Runs one command. `say` is told in words what happens."""

    def __init__(self, rules: Rules, metadata: Metadata, say: Callable[[str], None]) -> None:
        self._rules = rules
        self._metadata = metadata
        self._say = say
        self._problem = ""
        self._stale: datetime | None = None

    def run(self, command: tuple[str, ...], run_number: int = 1) -> Ended:
        """Run until the command ends, is ended, or the machine goes; raises `OSError` when it cannot be started."""
        self._forget_a_past_reclaim()
        child = subprocess.Popen(command, process_group=0, env={**os.environ, RUN_NUMBER: str(run_number)})
        with _forwarding(child):
            deadline = self._watch(child)
            if deadline is None:
                return Ended(_exit_code(child), interrupted=False)
            self._interrupt(child, deadline)
            return Ended(_exit_code(child), interrupted=True)

    def _watch(self, child: "subprocess.Popen[bytes]") -> datetime | None:
        """Wait until the workload ended by itself, and return None, or until it has to end, and return when."""
        while True:
            deadline = self._look()
            if deadline or _ends_within(child, self._rules.poll_s):
                return None if child.poll() is not None else deadline

    def _interrupt(self, child: "subprocess.Popen[bytes]", deadline: datetime) -> None:
        end_at = self._end_at(deadline)
        patience_s = max((end_at - datetime.now(UTC)).total_seconds(), 0.0)
        self._say(
            f"this instance is taken back at {deadline:%H:%M:%S} UTC: {self._rules.warning.name} sent, "
            f"{patience_s:.0f} s to save"
        )
        _signal_group(child, self._rules.warning)
        if _ends_within(child, patience_s):
            self._say("the workload ended in time")
            return
        self._say("the workload did not end in time: killed")
        _signal_group(child, signal.SIGKILL)
        child.wait()

    def _end_at(self, deadline: datetime) -> datetime:
        """A notice that comes within the margin leaves half of what is left, and a second at least."""
        now = datetime.now(UTC)
        end_at = deadline - timedelta(seconds=self._rules.margin_s)
        return end_at if end_at > now else now + max((deadline - now) / 2, timedelta(seconds=1))

    def _look(self) -> datetime | None:
        """Return the deadline when there is one; what cannot be read is said once and is no evidence."""
        try:
            deadline = self._metadata.termination_time()
        except MetadataProblem as problem:
            if str(problem) != self._problem:
                self._say(f"metadata: {problem}")
            self._problem = str(problem)
            return None
        self._problem = ""
        return None if deadline == self._stale else deadline

    def _forget_a_past_reclaim(self) -> None:
        """An instance that was stopped at a reclaim and started again may still be shown that reclaim's time."""
        found = self._look()
        if found and found < datetime.now(UTC):
            self._stale = found
            self._say(f"metadata: the reclaim of {found:%Y-%m-%d %H:%M:%S} UTC is over")


@contextmanager
def _forwarding(child: "subprocess.Popen[bytes]") -> Iterator[None]:
    """Pass on what asks this process to end: the workload decides what it means."""

    def forward(number: int, _frame: FrameType | None) -> None:
        _signal_group(child, signal.Signals(number))

    before = {number: signal.signal(number, forward) for number in FORWARDED}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _signal_group(child: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    try:
        os.killpg(child.pid, number)
    except ProcessLookupError:
        return


def _ends_within(child: "subprocess.Popen[bytes]", seconds: float) -> bool:
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _exit_code(child: "subprocess.Popen[bytes]") -> int:
    code = child.wait()
    return code if code >= 0 else 128 - code
