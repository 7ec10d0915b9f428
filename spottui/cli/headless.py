"""`spottui --headless`: the console without a screen, one JSON line for each change."""

import sys
import threading
import time
from collections.abc import Callable
from functools import partial

import click

from spottui import words
from spottui.cli.assembly import open_desk
from spottui.cli.ending import Ending, in_time
from spottui.cli.printing import Printing
from spottui.cli.records import event_record, journal_record, line, recovery_record, source_record
from spottui.desk import Desk
from spottui.domain.clock import SystemClock
from spottui.domain.forecast import Verdict
from spottui.domain.recovery import Recovery
from spottui.domain.refusal import Ended, Misconfigured, Unavailable
from spottui.domain.settings import Settings
from spottui.domain.verdicts import verdict_of
from spottui.domain.view import DeskView
from spottui.journal.store import JournalProblem
from spottui.tables.events import shown

WAIT_S = 0.5
REOPEN_S = 3.0
PAUSE_S = 0.1
"""Pause between two views: a storm has hundreds of changes a second, which are printed together."""
JUDGED_EVERY_S = 1.0
NOTE_S = 10.0
"""Pause between two records of whether the output is read."""
GOES_ON = "Recoveries in progress resume at the next start."


def run_headless(
    settings: Settings,
    ending: Ending,
    *,
    auto: bool,
    read_only: bool,
    until: Callable[[DeskView], bool] = lambda _: False,
) -> int:
    """Print changes until a signal arrives or `until` is true of the view; return the exit code.

    The recoveries continue even if the reader of the lines is gone.
    """
    stopping = threading.Event()
    ending.ask = lambda _: stopping.set()
    with Printing() as printing:
        try:
            desk = _opened(partial(open_desk, settings, SystemClock(), auto=auto, read_only=read_only), stopping)
        except (JournalProblem, Misconfigured) as problem:
            click.echo(f"spottui: {problem}", err=True)
            return 2
        if desk is None:
            return 0
        try:
            _follow(desk, _Changes(), printing, stopping, until)
        except Ended as ended:
            click.echo(f"spottui: {ended}. {GOES_ON}", err=True)
            return 1
        finally:
            in_time(desk.close)
    return 0


def _opened(open_it: Callable[[], Desk], stopping: threading.Event) -> Desk | None:
    """Open the desk, however long its journal is away; None if stopped before. Prints what it waits for."""
    said = ""
    while not stopping.is_set():
        try:
            return open_it()
        except Unavailable as away:
            if said != str(away):
                said = str(away)
                _print(line(SystemClock().now(), "journal", {"problem": said, "consoles": []}))
            stopping.wait(REOPEN_S)
    return None


def _follow(
    desk: Desk, changes: "_Changes", printing: Printing, stopping: threading.Event, until: Callable[[DeskView], bool]
) -> None:
    view, unread, note_at = desk.view(), "", 0.0
    _print(line(view.at, "ready", {"profile": view.profile, "regions": view.regions, "auto": view.auto.armed}))
    while not stopping.is_set():
        changes.print(view)
        if printing.unread != unread and time.monotonic() >= note_at:
            unread, note_at = printing.unread, time.monotonic() + NOTE_S
            desk.note_output(unread)
        if until(view):
            return
        stopping.wait(PAUSE_S)
        view = desk.wait(view.version, WAIT_S) or view


class _Changes:
    """Remembers what was printed, so that only changes are printed."""

    def __init__(self) -> None:
        self._event = 0
        self._said: dict[tuple[str, str], dict[str, object]] = {}
        self._seen: dict[str, tuple[Recovery, Verdict | None]] = {}
        self._judge_at = 0.0

    def print(self, view: DeskView) -> None:
        """Print one line for each event, recovery and source that is new or differs."""
        for event in shown(view.events):
            if event.seq > self._event:
                self._event = event.seq
                _print(line(event.at, "event", event_record(event)))
        self._print_recoveries(view)
        for source in view.sources:
            record = source_record(source)
            self._print_if_new(view, "source", f"{source.name} {source.region}", {**record, "last_ok": None})
        auto: dict[str, object] = {
            "armed": view.auto.armed,
            "reason": words.stopped(view.auto.stopped) or None,
            "in_flight": view.auto.in_flight,
        }
        self._print_if_new(view, "auto", "", auto)
        self._print_if_new(view, "journal", "", journal_record(view))

    def _print_recoveries(self, view: DeskView) -> None:
        """In a storm each version changes a few of a thousand recoveries; the others change only with time."""
        judges_all = time.monotonic() >= self._judge_at
        if judges_all:
            self._judge_at = time.monotonic() + JUDGED_EVERY_S
        seen: dict[str, tuple[Recovery, Verdict | None]] = {}
        for recovery in view.recoveries:
            before = self._seen.get(recovery.recovery_id)
            if before and before[0] is recovery and not judges_all:
                seen[recovery.recovery_id] = before
                continue
            now = seen[recovery.recovery_id] = (recovery, verdict_of(recovery, view.at))
            if before != now:
                self._print_if_new(view, "recovery", recovery.recovery_id, recovery_record(recovery, view.at))
        self._seen = seen

    def _print_if_new(self, view: DeskView, kind: str, key: str, record: dict[str, object]) -> None:
        if self._said.get((kind, key)) != record:
            self._said[kind, key] = record
            _print(line(view.at, kind, record))


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
