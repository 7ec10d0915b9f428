"""The SQLite file behind the journal: WAL, every commit on disk before it counts, readable by its owner only."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from spottui.journal import schema

BUSY_TIMEOUT_MS = 30_000
CACHE_KIB = 256


class JournalProblem(Exception):
    """The journal cannot be opened; the text names the file and what can be done."""


class Database:
    """Transactions on the journal's file, and a counter that tells whoever waits that something was written.

    Thread-safe. `write` takes SQLite's write lock at once, so that what is read inside it cannot change under it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        _make_private(path)
        self._engine = _engine(path, explicit_begin=True)
        self._reading = self._engine.execution_options(reading=True)
        self._written = threading.Condition()
        self._writes = 0
        self._prepare()
        self._commits = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._counting = threading.Lock()

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Give a connection for queries."""
        with self._reading.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """Give a connection in a transaction that is on disk when the block is left, and wake whoever waits."""
        with self._engine.begin() as connection:
            yield connection
        self.announce()

    @property
    def writes(self) -> int:
        """How many times something was written by this process; grows by each commit."""
        return self._writes

    def commits(self) -> int:
        """Return a number that is another one after every commit to the file, by whichever process; reads nothing."""
        with self._counting:
            return int(self._commits.execute("PRAGMA data_version").fetchone()[0])

    def announce(self) -> None:
        """Wake whoever waits for a change, for changes that are not in the file too."""
        with self._written:
            self._writes += 1
            self._written.notify_all()

    def wait(self, seen: int, timeout_s: float) -> int:
        """Wait until more than `seen` writes have happened, at most `timeout_s` seconds; return their number."""
        with self._written:
            self._written.wait_for(lambda: self._writes > seen, timeout_s)
            return self._writes

    def engine_for_dbos(self) -> sa.Engine:
        """Make an engine on the same file that begins transactions the way DBOS expects."""
        return _engine(self.path, explicit_begin=False)

    def close(self) -> None:
        """Close every connection."""
        self._commits.close()
        self._engine.dispose()

    def _prepare(self) -> None:
        try:
            with self._engine.begin() as connection:
                schema.metadata.create_all(connection)
                _check_version(connection, self.path)
        except sa.exc.DatabaseError as error:
            raise JournalProblem(
                f"journal {self.path}: {error.orig}. Move the file away to start a new journal, or free the disk."
            ) from None


def _check_version(connection: sa.Connection, path: Path) -> None:
    row = connection.execute(sa.select(schema.meta.c.value).where(schema.meta.c.key == "schema")).scalar()
    if row is None:
        connection.execute(schema.meta.insert().values(key="schema", value=str(schema.SCHEMA_VERSION)))
        return
    if int(row) > schema.SCHEMA_VERSION:
        raise JournalProblem(
            f"journal {path}: written by a newer spottui (schema {row}, this one knows {schema.SCHEMA_VERSION}). "
            "Upgrade spottui, or name another file as journal."
        )
    for version in range(int(row) + 1, schema.SCHEMA_VERSION + 1):
        for statement in schema.UPGRADES[version]:
            connection.exec_driver_sql(statement)
    version_now = {"value": str(schema.SCHEMA_VERSION)}
    connection.execute(schema.meta.update().where(schema.meta.c.key == "schema").values(**version_now))


def _make_private(path: Path) -> None:
    """The journal holds user data and plans: the directory is 0700 and the file 0600 from the first byte on."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
    except OSError as error:
        raise JournalProblem(
            f"journal {path}: {error.strerror}. Name another place with `journal` in the configuration."
        ) from None


def _engine(path: Path, *, explicit_begin: bool) -> sa.Engine:
    # The parameters of a statement that fails hold user data, and its text goes to the log.
    engine = sa.create_engine(f"sqlite:///{path}", pool_size=5, max_overflow=20, hide_parameters=True)

    @sa.event.listens_for(engine, "connect")
    def prepare_connection(connection: Any, _record: Any) -> None:
        connection.isolation_level = None if explicit_begin else "IMMEDIATE"
        connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        # There are up to twenty connections, and the file is in the machine's own cache anyway.
        connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")

    if explicit_begin:

        @sa.event.listens_for(engine, "begin")
        def begin_immediate(connection: sa.Connection) -> None:
            # A query needs no transaction of its own, and must not wait for who writes.
            if not connection.get_execution_options().get("reading"):
                connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
