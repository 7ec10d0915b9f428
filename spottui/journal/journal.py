"""The journal: its database, the log and what is folded from it, and the consoles that act on it."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa
from msgspec import MsgspecError

from spottui.domain.facts import Logged
from spottui.journal.cool_downs import CoolDowns
from spottui.journal.fleet import Fleet
from spottui.journal.history import History
from spottui.journal.image_timings import ImageTimings
from spottui.journal.launches import Launches
from spottui.journal.log import Log
from spottui.journal.process_locks import Liveness, ProcessLocks
from spottui.journal.recoveries import Recoveries
from spottui.journal.store import JournalAway, JournalProblem, SqliteStore, Store
from spottui.journal.transaction import Transaction
from spottui.journal.upgrade import check_version, prepare, unreadable
from spottui.journal.watermarks import Watermarks
from spottui.journal.writer import Promise, Urgency, Writer

T = TypeVar("T")

LAST_WORD_S = 6.0
"""Longer than an available database takes to answer."""


class Journal:
    """Opens the journal at an address, a path or `postgresql://…`; raises `JournalProblem`. Thread-safe.

    Opened read-only it changes nothing, migrates nothing and waits for no writer; a missing file is an empty
    journal. With `acts` this process is one of the journal's consoles, which may drive recoveries.
    """

    def __init__(self, address: str | Path, *, read_only: bool = False, acts: bool = False) -> None:
        self.store, self.consoles = opened(str(address), read_only=read_only, acts=acts)
        self.recoveries = self._loaded()
        self.writer = Writer(self.store, self.recoveries, self._announce_trouble)
        writer = None if read_only else self.writer
        self.log = Log(self.store)
        self.fleet = Fleet(self.store, writer)
        self.image_timings = ImageTimings(self.store, writer)
        self.cool_downs = CoolDowns(self.store, writer)
        self.history = History(self.store)
        self.watermarks = Watermarks(self.store, writer)
        self.launches = Launches(self.store, writer)
        self._changed = threading.Condition()
        self._version = 0
        self.writer.listen(self._announce)
        if not read_only:
            self.writer.start()

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def submit(self, change: Callable[[Transaction], T], urgency: Urgency = Urgency.INTENT) -> Promise[T]:
        """Run a change with the next commit (`Writer.submit`)."""
        return self.writer.submit(change, urgency)

    def run(
        self, change: Callable[[Transaction], T], urgency: Urgency = Urgency.INTENT, timeout_s: float | None = None
    ) -> T:
        """Run a change and wait until it is on disk; raises `TimeoutError` where that takes longer."""
        future = self.submit(change, urgency)
        try:
            return future.result(timeout_s)
        except TimeoutError:
            # A change that was not committed in time is not made later.
            future.given_up = True
            if future.cancel():
                raise
            return self._last_word(future)

    def follow(self, listener: Callable[[Sequence[Logged]], None] | None = None) -> None:
        """Call a function with committed facts, also of other processes; a read-only journal starts to poll now."""
        if listener:
            self.writer.listen(listener)
        if not self.writer.is_alive() and self.store.read_only:
            self.writer.start()

    @property
    def version(self) -> int:
        """Grows with each change of what is shown."""
        return self._version

    def announce(self) -> None:
        """Wake everybody who waits for a change, also for changes that are not in the log."""
        self._announce(())

    def wait(self, version: int, timeout_s: float) -> int:
        """Wait for a newer version, at most `timeout_s` seconds; return it."""
        with self._changed:
            self._changed.wait_for(lambda: self._version > version, timeout_s)
            return self._version

    def close(self) -> None:
        """Commit what waits and close every connection."""
        self.writer.stop()
        self.consoles.close()
        self.store.close()

    def _loaded(self) -> Recoveries:
        """Read what is kept in memory: damaged pages of a file show only here, not at its opening."""
        try:
            return Recoveries(self.store)
        except Exception as error:
            self.consoles.close()
            self.store.close()
            if isinstance(error, sa.exc.DatabaseError | MsgspecError | ValueError):
                raise unreadable(self.store, error) from None
            raise

    def _last_word(self, future: Promise[T]) -> T:
        """Wait for the commit in progress; a database that was lost during it may never report the result."""
        try:
            return future.result(LAST_WORD_S)
        except TimeoutError:
            if future.done():
                raise
            unsure = "it is unknown whether this was written until it answers again"
            raise JournalAway(self.store.address, f"{self.writer.problem or 'no answer'}; {unsure}") from None

    def _announce_trouble(self) -> None:
        """Observers must learn at once that this console can no longer write."""
        if self.writer.broken:
            self.consoles.close()
        self.announce()

    def _announce(self, _logged: Sequence[Logged]) -> None:
        with self._changed:
            self._version += 1
            self._changed.notify_all()


def opened(address: str, *, read_only: bool, acts: bool) -> tuple[Store, Liveness]:
    """Open the database of a journal without reading it, and who acts on it; raises `JournalProblem`."""
    if address.startswith(("postgresql://", "postgres://")):
        try:
            from spottui.journal.postgres import open_postgres
        except ImportError:
            raise JournalProblem(
                "a PostgreSQL journal needs psycopg: install spottui with its extra `postgres`, as in "
                "pip install '/path/to/spottui[postgres]'."
            ) from None
        return open_postgres(address, read_only=read_only, acts=acts)
    path = Path(address)
    store = SqliteStore(path, read_only=read_only)
    if read_only:
        check_version(store)
    else:
        prepare(store, path)
    return store, ProcessLocks(path, acts=acts)
