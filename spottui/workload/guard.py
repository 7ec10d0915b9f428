"""Runs a workload on a spot instance: watches for the reclaim, warns the workload, and ends it before the machine does.

The workload runs in a process group of its own, so that what it started is warned and ended with it.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import FrameType

from spottui.cloud.metadata import Metadata, MetadataProblem
from spottui.domain.notice import Notice
from spottui.workload.listener import Listener, Notices

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
RUN_NUMBER = "SPOTTUI_RUN"
"""Tells the workload which run of it this is, from 1."""
HEAR_S = 0.2
"""Between two looks at whether the queue has said anything, which asks nobody."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The signal that warns the workload, seconds before the deadline at which it is killed, seconds between looks."""

    warning: signal.Signals = signal.SIGTERM
    margin_s: float = 30.0
    poll_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended; `exit_code` as a shell says it, 128 and the signal's number after a signal.

    `by_drill` when it was interrupted by a drill, after which the machine stays.
    """

    exit_code: int
    interrupted: bool
    by_drill: bool = False


class Guard:
    """Runs one command. `say` is told in words what happens; `queue` opens what is listened to beside the metadata."""

    def __init__(
        self,
        rules: Rules,
        metadata: Metadata,
        say: Callable[[str], None],
        queue: Callable[[], Notices] | None = None,
    ) -> None:
        self._rules = rules
        self._metadata = metadata
        self._say = say
        self._queue = queue
        self._listener: Listener | None = None
        self._problem = ""
        self._stale: datetime | None = None

    def run(self, command: tuple[str, ...], run_number: int = 1) -> Ended:
        """Run until the command ends, is ended, or the machine goes; raises `OSError` when it cannot be started."""
        self._forget_a_past_reclaim()
        child = subprocess.Popen(command, process_group=0, env={**os.environ, RUN_NUMBER: str(run_number)})
        with _forwarding(child), self._listening():
            notice = self._watch(child)
            if notice is None:
                return Ended(_exit_code(child), interrupted=False)
            self._interrupt(child, notice)
            return Ended(_exit_code(child), interrupted=True, by_drill=notice.is_drill)

    @contextmanager
    def _listening(self) -> Iterator[None]:
        if self._queue is None:
            yield
            return
        self._listener = Listener(self._queue, self._say, self._rules.poll_s)
        try:
            yield
        finally:
            self._listener.stop()
            self._listener = None

    def _watch(self, child: "subprocess.Popen[bytes]") -> Notice | None:
        """Wait until the workload ended by itself, and return None, or until it has to end, and return why."""
        while True:
            notice = self._notice()
            if notice or self._ends_before_the_next_look(child):
                return None if child.poll() is not None else notice

    def _notice(self) -> Notice | None:
        """What the metadata says is exact; the queue may be the first to speak."""
        deadline = self._look()
        if deadline:
            return Notice(deadline)
        return self._listener.heard if self._listener else None

    def _ends_before_the_next_look(self, child: "subprocess.Popen[bytes]") -> bool:
        look_at = time.monotonic() + self._rules.poll_s
        while self._listener and not self._listener.heard and time.monotonic() + HEAR_S < look_at:
            if _ends_within(child, HEAR_S):
                return True
        heard = self._listener and self._listener.heard
        return _ends_within(child, 0 if heard else max(look_at - time.monotonic(), 0))

    def _interrupt(self, child: "subprocess.Popen[bytes]", notice: Notice) -> None:
        end_at = self._end_at(notice.deadline)
        patience_s = max((end_at - datetime.now(UTC)).total_seconds(), 0.0)
        why = "a drill: as if" if notice.is_drill else "this instance is taken back at"
        self._say(f"{why} {notice.deadline:%H:%M:%S} UTC: {self._rules.warning.name} sent, {patience_s:.0f} s to save")
        _signal_group(child, self._rules.warning)
        if self._listener:
            self._listener.acted()
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
