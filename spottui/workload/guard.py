"""Runs a workload on a spot instance: watches for the reclaim, warns the workload, and ends it before the machine does.

The metadata decides. What a queue says may be stale or forged: it makes the metadata be asked at once, and counts by
itself only while the metadata cannot be asked at all. A deadline is compared with the cloud's time, as the answers
tell it, and with this machine's only where no answer is dated; waits go by the monotonic clock.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import FrameType

from spottui.cloud.metadata import Metadata, MetadataProblem
from spottui.domain.clock import NOTICE_S
from spottui.domain.interruption import Notice
from spottui.workload.listener import Listener, Notices
from spottui.workload.processes import Workload

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
RUN_NUMBER = "SPOTTUI_RUN"
"""Tells the workload which run of it this is, from 1."""
HEAR_S = 0.2
"""Between two looks at whether the queue has said anything, which asks nobody."""
UNCONFIRMED_S = 1.0
"""Between two looks at the metadata, at most, while a queue has said what the metadata does not."""
UNANSWERED = 3
"""So many looks in a row without an answer, and the metadata cannot be asked."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The signal that warns the workload, seconds before the deadline at which it is killed, seconds between looks.

    Where the metadata cannot be asked, a notice counts until it is `fresh_s` old, and the workload is run again when
    the machine still lives `grace_s` after the deadline.
    """

    warning: signal.Signals = signal.SIGTERM
    margin_s: float = 30.0
    poll_s: float = 5.0
    fresh_s: float = 90.0
    grace_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended; `exit_code` as a shell says it, 128 and the signal's number after a signal.

    It was `interrupted` by a notice, a drill or a signal that ends the guard: what it saved then is gone on with.

    `again_in_s` is in how many seconds it may be run again if the machine lives: 0 after a drill, past the deadline
    after a notice that the metadata could not confirm, and None when the machine goes or the command ended by itself.
    """

    exit_code: int
    interrupted: bool
    again_in_s: float | None = None


class Guard:
    """Runs one command. `say` is told in words what happens; `queue` opens what is listened to beside the metadata."""

    def __init__(
        self, rules: Rules, metadata: Metadata, say: Callable[[str], None], queue: Callable[[], Notices] | None = None
    ) -> None:
        self._rules = rules
        self._metadata = metadata
        self._clock = metadata.clock
        self._say = say
        self._queue = queue
        self._listener: Listener | None = None
        self._problem = ""
        self._unanswered = 0
        self._stale: datetime | None = None
        self._considered: Notice | None = None
        self._doubted: Notice | None = None
        self._drill_ends: float | None = None
        self._next_drill = 0.0
        self._was_told_to_end = False

    def run(self, command: Sequence[str], run_number: int = 1, kept: Sequence[int] = ()) -> Ended:
        """Run until the command and all of its session ended, are ended, or the machine goes.

        Raises `OSError` when it cannot be started. `kept` are file descriptors for the workload to hold.
        """
        self._forget_a_past_reclaim()
        workload = Workload(command, {**os.environ, RUN_NUMBER: str(run_number)}, kept)
        self._was_told_to_end = False
        with self._forwarding(workload), self._listening():
            return self._until_the_end(workload)

    @contextmanager
    def _forwarding(self, workload: Workload) -> Iterator[None]:
        """Pass on what asks this process to end: the workload decides what it means."""

        def forward(number: int, _frame: FrameType | None) -> None:
            self._was_told_to_end = True
            workload.signal(signal.Signals(number))

        before = {number: signal.signal(number, forward) for number in FORWARDED}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def _listening(self) -> Iterator[None]:
        self._considered = self._doubted = self._drill_ends = None
        if self._queue is None:
            yield
            return
        self._listener = Listener(self._queue, self._say, self._rules.poll_s)
        try:
            yield
        finally:
            self._listener.stop()
            self._listener = None

    def _until_the_end(self, workload: Workload) -> Ended:
        while True:
            notice = self._notice()
            if workload.is_over or (notice is None and self._ends_before_the_next_look(workload)):
                drilled = self._drill_ends is not None
                # Whoever ends this process may shut the machine down: then 0 may mean `saved`, as after a warning.
                again_in_s = 0.0 if drilled and not self._was_told_to_end else None
                return Ended(workload.exit_code or 0, drilled or self._was_told_to_end, again_in_s)
            if notice and notice.is_drill:
                self._rehearse(workload, notice)
            elif notice:
                return self._interrupt(workload, notice)
            self._end_a_rehearsal()

    def _notice(self) -> Notice | None:
        """Return what is to be acted on: the metadata's word, or the queue's where it may stand for it."""
        deadline = self._look()
        if deadline:
            return Notice(deadline)
        heard = self._considered = self._listener.heard if self._listener else None
        if heard is None:
            return None
        return self._unanswerable(heard) if self._problem else self._contradicted(heard)

    def _unanswerable(self, heard: Notice) -> Notice | None:
        """A notice while the metadata is silent: real when it is fresh, and one lost answer is no silence."""
        if self._unanswered < UNANSWERED:
            return None
        now = self._clock.now()
        age_s = NOTICE_S - (heard.deadline - now).total_seconds()
        if age_s <= self._rules.fresh_s:
            self._say("queue: reclaim of this instance; the metadata service is unreachable, so the notice counts")
            return Notice(min(heard.deadline, now + timedelta(seconds=NOTICE_S)), is_confirmed=False)
        self._dismiss(f"queue: the notice is {age_s:.0f} s old and the metadata service is unreachable: ignored")
        return None

    def _contradicted(self, heard: Notice) -> Notice | None:
        """A notice while the metadata plans nothing: a drill, or not to be acted on before the metadata agrees."""
        if heard.is_drill:
            if time.monotonic() >= self._next_drill:
                return heard
            self._dismiss("queue: another drill within five minutes: ignored")
        elif heard.deadline < self._clock.now():
            self._dismiss("queue: the notice has expired without confirmation by the metadata: ignored")
        elif heard != self._doubted:
            self._doubted = heard
            at = f"{heard.deadline:%H:%M:%S} UTC"
            self._say(f"queue: reclaim at {at}, but the metadata announces none: waiting for its confirmation")
        return None

    def _dismiss(self, why: str) -> None:
        self._say(why)
        self._considered = None
        if self._listener:
            self._listener.answer()

    def _ends_before_the_next_look(self, workload: Workload) -> bool:
        """Wait; a look is due at once when the queue has spoken, and often for as long as it is doubted."""
        pause_s = min(self._rules.poll_s, UNCONFIRMED_S) if self._considered else self._rules.poll_s
        look_at = time.monotonic() + pause_s
        while (left_s := look_at - time.monotonic()) > 0:
            if workload.ends_within(min(left_s, HEAR_S) if self._listener else left_s):
                return True
            if self._listener and self._listener.heard not in (None, self._considered):
                return False
        return False

    def _rehearse(self, workload: Workload, notice: Notice) -> None:
        """Warn as at a reclaim. A drill kills nothing: it may be anybody's."""
        patience_s = self._patience_s(notice.deadline)
        self._warn(workload, f"drill: as if reclaimed at {_clock(notice)}", patience_s)
        self._drill_ends = time.monotonic() + patience_s
        self._next_drill = time.monotonic() + NOTICE_S
        if self._listener:
            self._listener.answer()

    def _end_a_rehearsal(self) -> None:
        if self._drill_ends is not None and time.monotonic() >= self._drill_ends:
            self._drill_ends = None
            self._say("the workload did not exit in time: a reclaim would kill it now; the drill lets it continue")

    def _interrupt(self, workload: Workload, notice: Notice) -> Ended:
        patience_s = self._patience_s(notice.deadline)
        self._warn(workload, f"this instance is reclaimed at {_clock(notice)}", patience_s)
        if self._listener:
            self._listener.answer_last()
        if workload.ends_within(patience_s):
            self._say("the workload exited in time")
        else:
            self._say("the workload did not exit in time: killed")
            workload.kill()
        again_in_s = max(self._left_s(notice.deadline), 0.0) + self._rules.grace_s
        return Ended(workload.exit_code or 0, True, None if notice.is_confirmed else again_in_s)

    def _warn(self, workload: Workload, why: str, patience_s: float) -> None:
        self._say(f"{why}: {self._rules.warning.name} sent, {patience_s:.0f} s to save")
        workload.signal(self._rules.warning)

    def _patience_s(self, deadline: datetime) -> float:
        """A notice that comes within the margin leaves half of what is left, and a second at least.

        It is never more than a whole notice: where no answer is dated, this machine's clock may be behind.
        """
        left_s = min(self._left_s(deadline), NOTICE_S)
        return left_s - self._rules.margin_s if left_s > self._rules.margin_s else max(left_s / 2, 1.0)

    def _left_s(self, deadline: datetime) -> float:
        return (deadline - self._clock.now()).total_seconds()

    def _look(self) -> datetime | None:
        """Return the deadline when there is one; what cannot be read is said once and is no evidence."""
        try:
            deadline = self._metadata.termination_time()
        except MetadataProblem as problem:
            if str(problem) != self._problem:
                self._say(f"metadata: {problem}")
            self._problem = str(problem)
            self._unanswered += 1
            return None
        self._problem, self._unanswered = "", 0
        return None if deadline == self._stale else deadline

    def _forget_a_past_reclaim(self) -> None:
        """An instance that was stopped at a reclaim and started again may still be shown that reclaim's time."""
        moment = self._look()
        if moment and moment < self._clock.now():
            self._stale = moment
            self._say(f"metadata: the reclaim of {moment:%Y-%m-%d %H:%M:%S} UTC is over")


def _clock(notice: Notice) -> str:
    return f"{notice.deadline:%H:%M:%S} UTC"
