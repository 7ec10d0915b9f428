"""The one writer: a thread that takes all changes that wait, runs them in one transaction and commits once."""

import logging
import queue
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from itertools import count
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from msgspec.structs import replace

from spottui.domain.facts import Fact, Logged, StateEntered
from spottui.domain.fold import apply
from spottui.domain.plan import Plan
from spottui.domain.recovery import Recovery
from spottui.journal import schema
from spottui.journal.encoding import encode, fact_row
from spottui.journal.recoveries import Recoveries, load, load_plan, of_instances, snapshot_row
from spottui.journal.store import JournalAway, JournalProblem, Store, is_passing, upsert

log = logging.getLogger("spottui.journal")

T = TypeVar("T")

MOST_AT_ONCE = 512
LOOK_S = 0.25
"""How often it is looked whether another process has committed something."""
RETRY_S = (0.1, 0.2, 0.5, 1.0)

Listener = Callable[[Sequence[Logged]], None]


class Urgency(IntEnum):
    """Which changes come first where many wait."""

    EVIDENCE = 0
    """What sources saw, and what came of calls."""
    INTENT = 1
    DECISION = 2
    EYES = 3
    """What is shown only, and may come late."""


class Transaction:
    """What a change reads and writes. What it reads no other process changes until it is committed."""

    def __init__(self, connection: sa.Connection, recoveries: Recoveries) -> None:
        self._connection = connection
        self._recoveries = recoveries
        self._done = _Staged()
        self._own = _Staged()
        self._savepoint: sa.NestedTransaction | None = None

    @property
    def connection(self) -> sa.Connection:
        """The connection, for tables beside the log: undone with the change when that raises."""
        if self._savepoint is None:
            self._savepoint = self._connection.begin_nested()
        return self._connection

    @property
    def head(self) -> int:
        """The number of the last fact, those of this transaction counted."""
        return self._recoveries.seq + len(self._done.facts) + len(self._own.facts)

    def recovery(self, recovery_id: str) -> Recovery | None:
        """Return a recovery as it is now."""
        return (
            self._own.recoveries.get(recovery_id)
            or self._done.recoveries.get(recovery_id)
            or self._recoveries.known(recovery_id)
            or load(self._connection, recovery_id)
        )

    def of_instances(self, region: str, instance_ids: Iterable[str]) -> dict[str, list[Recovery]]:
        """Return every recovery of these instances, the newest first."""
        wanted = set(instance_ids)
        on_disk = [one for one in wanted if self._recoveries.was_reclaimed(region, one)]
        found = {key: list(ones) for key, ones in of_instances(self._connection, region, on_disk).items()}
        for staged in (self._done, self._own):
            for one in staged.recoveries.values():
                if one.region == region and one.instance_id in wanted:
                    known = found.setdefault(one.instance_id, [])
                    found[one.instance_id] = [*(old for old in known if old.recovery_id != one.recovery_id), one]
        return {key: sorted(ones, key=lambda one: one.interruption.epoch, reverse=True) for key, ones in found.items()}

    def released_at(self, region: str, instance_id: str) -> datetime | None:
        """Return when an instance was released of which no reclaim was known then."""
        return self._recoveries.released_at(region, instance_id)

    def lately(self) -> list[Recovery]:
        """Return every recovery that is open or ended lately, in no order."""
        known = {one.recovery_id: one for one in self._recoveries.lately()}
        return list((known | self._done.recoveries | self._own.recoveries).values())

    @property
    def done(self) -> int:
        """How many facts the changes before this one have written."""
        return len(self._done.facts)

    def changed_since(self, done: int) -> list[Recovery]:
        """Return the recoveries of which changes before this one have written facts beyond the first `done`."""
        ids = {one.recovery_id for one in self._done.facts[done:]}
        return [self._done.recoveries[one] for one in ids if one]

    def plan(self, recovery_id: str) -> Plan | None:
        """Return a recovery's plan."""
        return (
            self._own.plans.get(recovery_id)
            or self._done.plans.get(recovery_id)
            or self._recoveries.known_plan(recovery_id)
            or load_plan(self._connection, recovery_id)
        )

    def set_plan(self, recovery_id: str, plan: Plan) -> None:
        """Write a recovery's plan."""
        self._own.plans[recovery_id] = plan

    def record(self, recovery_id: str, fact: Fact, at: datetime) -> Recovery:
        """Write a fact of a recovery that is known, and return the recovery after it."""
        known = self.recovery(recovery_id)
        if known is None:
            raise LookupError(f"no recovery {recovery_id} in the journal")
        if isinstance(fact, StateEntered) and fact.was is None:
            fact = replace(fact, was=known.state)
        return self._apply(known, self._logged(fact, at, known.region, known.instance_id, recovery_id))

    def begin(self, fact: Fact, at: datetime, region: str, instance_id: str, recovery_id: str) -> Recovery:
        """Write the fact that opens a recovery, and return the recovery."""
        return self._apply(None, self._logged(fact, at, region, instance_id, recovery_id))

    def log(self, fact: Fact, at: datetime, region: str = "", instance_id: str = "") -> None:
        """Write a fact that is about no recovery."""
        self._logged(fact, at, region, instance_id, "")

    def _logged(self, fact: Fact, at: datetime, region: str, instance_id: str, recovery_id: str) -> Logged:
        logged = Logged(self.head + 1, at, fact, region, instance_id, recovery_id)
        self._own.facts.append(logged)
        return logged

    def _apply(self, known: Recovery | None, logged: Logged) -> Recovery:
        changed = apply(known, logged)
        self._own.recoveries[changed.recovery_id] = changed
        return changed

    def run(self, change: "Callable[[Transaction], T]") -> T:
        """Run one change: what it wrote stands, or nothing of it when it raises."""
        self._own, self._savepoint = _Staged(), None
        try:
            result = change(self)
            self._own.encode()
        except BaseException:
            if self._savepoint is not None:
                self._savepoint.rollback()
            raise
        if self._savepoint is not None:
            self._savepoint.commit()
        self._done.add(self._own)
        return result

    def flush(self) -> "_Staged":
        """Write all that the changes have staged, each table once, and return it."""
        done = self._done
        if done.facts:
            self._connection.execute(schema.fact.insert(), done.fact_rows)
            upsert(self._connection, schema.recovery, [snapshot_row(one) for one in done.recoveries.values()])
            self._connection.execute(schema.log_head.update(), {"seq": done.facts[-1].seq})
        upsert(self._connection, schema.plan, list(done.plan_rows.values()))
        return done


@dataclass(slots=True)
class _Staged:
    facts: list[Logged] = field(default_factory=list)
    recoveries: dict[str, Recovery] = field(default_factory=dict)
    plans: dict[str, Plan] = field(default_factory=dict)
    fact_rows: list[dict[str, object]] = field(default_factory=list)
    plan_rows: dict[str, dict[str, object]] = field(default_factory=dict)

    def encode(self) -> None:
        """Make rows of it while it is alone: what no database takes must not hold the others of a batch."""
        self.fact_rows = [fact_row(one) for one in self.facts]
        self.plan_rows = {key: {"recovery_id": key, "data": encode(one)} for key, one in self.plans.items()}

    def add(self, other: "_Staged") -> None:
        self.facts += other.facts
        self.recoveries.update(other.recoveries)
        self.plans.update(other.plans)
        self.fact_rows += other.fact_rows
        self.plan_rows.update(other.plan_rows)


class Promise(Future[T]):
    """What a change comes to. One that is `given_up` before it could be committed is not done later."""

    given_up = False


@dataclass(slots=True)
class _Change(Generic[T]):
    run: Callable[[Transaction], T]
    future: Promise[T]


@dataclass(slots=True)
class _Batch:
    """What is committed as one; `outcomes` are of its last try, while nobody knows whether that was committed."""

    changes: list[_Change[Any]]
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    outcomes: list[tuple[Any, Exception | None]] | None = None

    def drop_given_up(self) -> None:
        """Leave out what nobody waits for any more."""
        for change in self.changes:
            if change.future.given_up:
                change.future.set_exception(TimeoutError())
        self.changes = [change for change in self.changes if not change.future.given_up]


class Writer(threading.Thread):
    """Owns the only writing connection. Changes are functions of a transaction; callers get a future.

    A change must come to the same when it is run again: while the database does not take anything, a batch waits and
    is tried again. `listen` is told, in the order of the log, of every fact that this or another process committed.
    """

    def __init__(self, store: Store, recoveries: Recoveries) -> None:
        super().__init__(name="journal", daemon=True)
        self._store = store
        self._recoveries = recoveries
        self._waiting: queue.PriorityQueue[tuple[int, int, _Change[Any] | None]] = queue.PriorityQueue()
        self._numbers = count()
        self._listeners: list[Listener] = []
        self._changes: object = None
        self._stopping = threading.Event()
        self.problem = ""
        """Why nothing can be written now, empty while all is well."""
        self.broken = ""
        """Why nothing will be written any more."""

    @property
    def is_over(self) -> bool:
        """Whether nothing is written any more."""
        return bool(self.broken) or self._stopping.is_set()

    def submit(self, change: Callable[[Transaction], T], urgency: Urgency = Urgency.INTENT) -> Promise[T]:
        """Run a change with the next commit; the future has what it returned or raised, once that is on disk."""
        future: Promise[T] = Promise()
        if self.is_over:
            future.set_exception(JournalProblem(self.broken or f"journal {self._store.address}: it is closed"))
            return future
        self._waiting.put((urgency, next(self._numbers), _Change(change, future)))
        return future

    def listen(self, listener: Listener) -> None:
        """Tell of every fact that is committed from now on, in the writer's thread: it must not wait for anything.

        It is told of none where something else is new: that nothing can be written, or that it can again.
        """
        self._listeners.append(listener)

    def stop(self, timeout_s: float = 5.0) -> None:
        """Commit what waits and end."""
        self._waiting.put((max(Urgency) + 1, next(self._numbers), None))
        self._stopping.set()
        if self.is_alive():
            self.join(timeout_s)

    def run(self) -> None:
        """Commit batches until stopped; between them look what other processes have done."""
        while True:
            batch = self._take()
            if batch is None:
                return
            try:
                self._commit(batch) if batch else self._follow()
            except Exception as error:
                log.exception("the journal cannot be written any more")
                self._break(f"journal {self._store.address}: {_cause(error)}", batch)
                return

    def _take(self) -> list[_Change[Any]] | None:
        """Wait for changes and return all that wait, the most urgent first; None when it is to end."""
        batch: list[_Change[Any]] = []
        try:
            found = self._waiting.get(timeout=LOOK_S)
            while True:
                if found[2] is None:
                    if batch:
                        self._waiting.put(found)
                        return batch
                    return None
                batch.append(found[2])
                if len(batch) == MOST_AT_ONCE:
                    return batch
                found = self._waiting.get_nowait()
        except queue.Empty:
            return batch

    def _commit(self, changes: list[_Change[Any]]) -> None:
        batch = _Batch([change for change in changes if change.future.set_running_or_notify_cancel()])
        for failures in count():
            if batch.outcomes is None:
                batch.drop_given_up()
            try:
                committed = self._transaction(batch)
            except Exception as error:
                if not is_passing(error):
                    raise
                self._say(_cause(error))
                if self._stopping.is_set():
                    raise
                time.sleep(RETRY_S[min(failures, len(RETRY_S) - 1)])
                continue
            break
        self._say("")
        self._tell(committed)
        for change, (result, raised) in zip(batch.changes, batch.outcomes or (), strict=True):
            if raised is None:
                change.future.set_result(result)
            else:
                change.future.set_exception(raised)

    def _transaction(self, batch: _Batch) -> list[Logged]:
        self._refuse_if_gone()
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
            # From here on it may be committed whatever is heard of it.
            batch.outcomes = outcomes
        self._recoveries.took(staged.facts, staged.recoveries, staged.plans)
        return staged.facts

    def _refuse_if_gone(self) -> None:
        if self._store.is_gone():
            raise JournalProblem("it was deleted or replaced under this console; end it and start spottui again")

    def _catch_up(self, connection: sa.Connection, head: int) -> None:
        if head < self._recoveries.seq:
            raise JournalProblem("it has gone back to an earlier moment; start spottui again")
        if head > self._recoveries.seq:
            self._tell(self._recoveries.catch_up(connection))

    def _follow(self) -> None:
        """Read what other processes have committed, if anything."""
        self._refuse_if_gone()
        try:
            changes = self._store.changes()
            if changes == self._changes:
                return
            with self._store.read() as connection:
                self._tell(self._recoveries.catch_up(connection))
        except Exception as error:
            if not is_passing(error):
                raise
            self._say(_cause(error))
            return
        self._changes = changes
        self._say("")

    def _tell(self, logged: Sequence[Logged]) -> None:
        if logged:
            self._notify(logged)

    def _notify(self, logged: Sequence[Logged]) -> None:
        for listener in self._listeners:
            try:
                listener(logged)
            except Exception:
                log.exception("a listener of the journal failed")

    def _say(self, problem: str) -> None:
        if problem != self.problem:
            self.problem = problem
            log.warning("journal: %s", problem or "it takes changes again")
            self._notify(())

    def _break(self, why: str, batch: list[_Change[Any]] | None) -> None:
        self.broken = self.problem = why
        self._notify(())
        while True:
            for change in batch or ():
                if not change.future.done():
                    change.future.set_exception(JournalProblem(why))
            try:
                batch = [found] if (found := self._waiting.get_nowait()[2]) else []
            except queue.Empty:
                return


_HEAD = sa.select(schema.log_head.c.seq).with_for_update()


def _outcome(transaction: Transaction, change: _Change[Any]) -> tuple[Any, Exception | None]:
    try:
        return transaction.run(change.run), None
    except Exception as error:
        if is_passing(error):
            raise
        return None, error


def _cause(error: Exception) -> str:
    """Return what is wrong in one line; a database's own error is in `orig`, without the statement."""
    if isinstance(error, JournalAway):
        return error.cause
    text = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
    return _WORDS.get(text, text) or type(error).__name__


_WORDS = {
    "database or disk is full": "the disk is full",
    "database is locked": "another process holds it locked",
    "disk I/O error": "the disk gives an error",
    "attempt to write a readonly database": "it cannot be written: its directory is read-only",
}
