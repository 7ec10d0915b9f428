"""The writer: a thread that runs all waiting changes in one transaction and commits once."""

import logging
import queue
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import count
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from spottui.domain.facts import Logged
from spottui.journal import schema
from spottui.journal.recoveries import GONE_BACK, Recoveries
from spottui.journal.store import JournalAway, JournalProblem, Store, is_passing
from spottui.journal.transaction import Transaction

log = logging.getLogger("spottui.journal")

T = TypeVar("T")

MOST_AT_ONCE = 512
POLL_S = 0.25
"""How often to check whether another process has committed something."""
STUCK_S = 120.0
"""Longer than any commit takes, and than the pause between tries while the database is away."""
RETRY_S = (0.1, 0.2, 0.5, 1.0)

Listener = Callable[[Sequence[Logged]], None]


class Urgency(IntEnum):
    """The order of changes when many wait."""

    EVIDENCE = 0
    """Observations of sources and results of calls."""
    INTENT = 1
    DECISION = 2
    EYES = 3
    """Data that is only shown and may be late."""


class Promise(Future[T]):
    """The future result of a change. One that is `given_up` before its commit is not made later."""

    given_up = False


@dataclass(slots=True)
class _Change(Generic[T]):
    run: Callable[[Transaction], T]
    future: Promise[T]


@dataclass(slots=True)
class _Batch:
    """Changes that are committed together; `outcomes` are of the last try, while its success is unknown."""

    changes: list[_Change[Any]]
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    outcomes: list[tuple[Any, Exception | None]] | None = None

    def drop_given_up(self) -> None:
        """Drop the changes that nobody waits for any more."""
        for change in self.changes:
            if change.future.given_up:
                change.future.set_exception(TimeoutError())
        self.changes = [change for change in self.changes if not change.future.given_up]


class Writer(threading.Thread):
    """Owns the only writing connection. Changes are functions of a transaction; callers get a future.

    A change must have the same result when it runs again: while the database accepts nothing, a batch waits and is
    retried. Listeners get every fact that this or another process committed, in the order of the log. `on_trouble` is
    called when `problem` or `broken` have changed; once broken, waiting changes fail.
    """

    def __init__(self, store: Store, recoveries: Recoveries, on_trouble: Callable[[], object]) -> None:
        super().__init__(name="journal", daemon=True)
        self._store = store
        self._recoveries = recoveries
        self._on_trouble = on_trouble
        self._waiting: queue.PriorityQueue[tuple[int, int, _Change[Any] | None]] = queue.PriorityQueue()
        self._numbers = count()
        self._listeners: list[Listener] = []
        self._changes: object = None
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self.problem = ""
        """Why nothing can be written now, empty if it can."""
        self.broken = ""
        """Why nothing will ever be written again."""
        self._turned_at = time.monotonic()

    @property
    def is_over(self) -> bool:
        """Whether writing has ended for good."""
        return bool(self.broken) or self._stopping.is_set()

    @property
    def is_live(self) -> bool:
        """Whether its thread runs and does not hang in a commit; true also while the database is away."""
        return self.is_alive() and time.monotonic() - self._turned_at < STUCK_S

    def submit(self, change: Callable[[Transaction], T], urgency: Urgency = Urgency.INTENT) -> Promise[T]:
        """Run a change with the next commit; the future gets its result or error once that is on disk."""
        future: Promise[T] = Promise()
        with self._lock:
            refused = self._refused()
            if not refused:
                self._waiting.put((urgency, next(self._numbers), _Change(change, future)))
        if refused:
            future.set_exception(JournalProblem(refused))
        return future

    def listen(self, listener: Listener) -> None:
        """Call a function with facts committed from now on, in the writer's thread: it must not block."""
        self._listeners.append(listener)

    def stop(self, timeout_s: float = 5.0) -> None:
        """Commit what waits and end."""
        with self._lock:
            self._stopping.set()
            self._waiting.put((max(Urgency) + 1, next(self._numbers), None))
        if self.is_alive():
            self.join(timeout_s)

    def run(self) -> None:
        """Commit batches until stopped; between them read what other processes have done."""
        while True:
            self._turned_at = time.monotonic()
            batch = self._take()
            if batch is None:
                return
            try:
                self._commit(batch) if batch else self._follow()
            except Exception as error:
                log.exception("the journal cannot be written any more")
                self._break(f"journal {self._store.address}: {_cause(error)}", batch)
                return

    def _refused(self) -> str:
        """Return why no change is accepted, empty if they are."""
        if self._store.read_only:
            return f"journal {self._store.address}: it was opened to be read"
        return self.broken or (f"journal {self._store.address}: it is closed" if self._stopping.is_set() else "")

    def _take(self) -> list[_Change[Any]] | None:
        """Wait for changes and return all of them, the most urgent first; None at the end."""
        batch: list[_Change[Any]] = []
        try:
            queued = self._waiting.get(timeout=POLL_S)
            while True:
                if queued[2] is None:
                    if batch:
                        self._waiting.put(queued)
                        return batch
                    return None
                batch.append(queued[2])
                if len(batch) == MOST_AT_ONCE:
                    return batch
                queued = self._waiting.get_nowait()
        except queue.Empty:
            return batch

    def _commit(self, changes: list[_Change[Any]]) -> None:
        batch = _Batch([change for change in changes if change.future.set_running_or_notify_cancel()])
        for failures in count():
            self._turned_at = time.monotonic()
            if batch.outcomes is None:
                batch.drop_given_up()
            try:
                committed = self._transaction(batch)
            except Exception as error:
                if not is_passing(error):
                    raise
                self._report_problem(_cause(error))
                if self._stopping.is_set():
                    raise
                time.sleep(RETRY_S[min(failures, len(RETRY_S) - 1)])
                continue
            break
        self._report_problem("")
        self._inform_listeners(committed)
        for change, (result, raised) in zip(batch.changes, batch.outcomes or (), strict=True):
            if raised is None:
                change.future.set_result(result)
            else:
                change.future.set_exception(raised)

    def _transaction(self, batch: _Batch) -> list[Logged]:
        self._refuse_harm()
        with self._store.write() as connection:
            self._catch_up(connection, int(connection.execute(_HEAD).scalar_one()))
            if batch.outcomes is not None and self._store.has(connection, batch.id):
                return []
            batch.outcomes = None
            batch.drop_given_up()
            transaction = Transaction(connection, self._recoveries)
            outcomes = [_outcome(transaction, change) for change in batch.changes]
            staged = transaction.flush()
            self._store.sign(connection, batch.id)
            # From here on it may be committed even if the answer is lost.
            batch.outcomes = outcomes
        self._recoveries.took(staged.facts, staged.recoveries, staged.plans)
        return staged.facts

    def _refuse_harm(self) -> None:
        if harm := self._store.harm():
            raise JournalProblem(harm)

    def _catch_up(self, connection: sa.Connection, head: int) -> None:
        if head < self._recoveries.seq:
            raise JournalProblem(GONE_BACK)
        if head > self._recoveries.seq:
            self._inform_listeners(self._recoveries.catch_up(connection))

    def _follow(self) -> None:
        """Read what other processes have committed, if anything."""
        self._refuse_harm()
        try:
            changes = self._store.changes()
            if changes == self._changes:
                return
            with self._store.read() as connection:
                self._inform_listeners(self._recoveries.catch_up(connection))
        except Exception as error:
            if not is_passing(error):
                raise
            self._report_problem(_cause(error))
            return
        self._changes = changes
        self._report_problem("")

    def _inform_listeners(self, logged: Sequence[Logged]) -> None:
        if not logged:
            return
        for listener in self._listeners:
            try:
                listener(logged)
            except Exception:
                log.exception("a listener of the journal failed")

    def _report_problem(self, problem: str) -> None:
        if problem != self.problem:
            self.problem = problem
            log.warning("journal: %s", problem or "it takes changes again")
            self._on_trouble()

    def _break(self, why: str, batch: list[_Change[Any]] | None) -> None:
        with self._lock:
            self.broken = self.problem = why
        self._on_trouble()
        waiting = list(batch or ())
        with suppress(queue.Empty):
            while True:
                waiting += [found] if (found := self._waiting.get_nowait()[2]) else []
        for change in waiting:
            if change.future.running() or (not change.future.done() and change.future.set_running_or_notify_cancel()):
                change.future.set_exception(JournalProblem(why))


_HEAD = sa.select(schema.log_head.c.seq).with_for_update()


def _outcome(transaction: Transaction, change: _Change[Any]) -> tuple[Any, Exception | None]:
    try:
        return transaction.run(change.run), None
    except Exception as error:
        if is_passing(error):
            raise
        return None, error


def _cause(error: Exception) -> str:
    """Return an error in one line; the database's own error, without the statement, is in `orig`."""
    if isinstance(error, JournalAway):
        return error.cause
    text = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
    return _WORDS.get(text, text) or type(error).__name__


_WORDS = {
    "database or disk is full": "the disk is full",
    "database is locked": "another process holds its lock",
    "disk I/O error": "the disk gives an error",
    "attempt to write a readonly database": "it cannot be written: its directory is read-only",
}
