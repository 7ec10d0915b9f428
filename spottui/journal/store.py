"""What the journal needs of a database, and the store for one host: an SQLite file in WAL mode, with synced commits."""

import os
import secrets
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa

from spottui.domain.refusal import Unavailable
from spottui.journal import schema
from spottui.journal.file_lock import holder_text
from spottui.journal.file_watch import FileWatch, uri

BUSY_TIMEOUT_MS = 5_000
CACHE_KIB = 512
CHECKPOINT_PAGES = 2_000
"""The WAL is checkpointed at about eight megabytes."""


class JournalProblem(Exception):
    """The journal cannot be used; the text names it and says what can be done."""


class JournalAway(JournalProblem, Unavailable):
    """The database does not answer now, for a `cause`; callers that can wait retry."""

    def __init__(self, address: str, cause: str) -> None:
        super().__init__(f"journal {address}: {cause}")
        self.cause = cause


class Store(Protocol):
    """A database. `address` names it for people and holds no password."""

    address: str
    read_only: bool

    def write(self) -> AbstractContextManager[sa.Connection]:
        """Begin a transaction as the only writer of all processes; it is committed to disk at the end of the block."""
        ...

    def read(self) -> AbstractContextManager[sa.Connection]:
        """Give a connection for queries that share one snapshot; it waits for no writer."""
        ...

    def changes(self) -> object:
        """Return a value that changes with each commit of another process."""
        ...

    def sign(self, connection: sa.Connection, batch: str) -> None:
        """Write the batch's id within its transaction, if the answer to a commit can get lost."""
        ...

    def has(self, connection: sa.Connection, batch: str) -> bool:
        """Whether this batch, the last one of this process, was committed."""
        ...

    def integrity(self) -> str:
        """Return the problem that the database reports about itself, empty if there is none."""
        ...

    def harm(self) -> str:
        """Return what happened to the open database so that it is no longer the journal; empty if nothing did."""
        ...

    def close(self) -> None:
        """Close every connection."""
        ...


class SqliteStore:
    """A journal in a file, for the consoles of one host; only its owner can read it."""

    def __init__(self, path: Path, *, read_only: bool) -> None:
        self.path = path
        self.address = str(path)
        self.read_only = read_only
        exists = path.exists()
        if not read_only:
            _make_private(path)
        self._reading = _reading_engine(_address(path)) if exists or not read_only else empty_engine()
        self._writing = None if read_only else _writing_engine(path)
        self._files = FileWatch(path, writes=not read_only)
        self._watching: Any = None

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """Take SQLite's write lock at once, so that data read inside cannot change meanwhile."""
        if self._writing is None:
            raise JournalProblem(f"journal {self.path}: it was opened to be read")
        try:
            with self._writing.begin() as connection:
                yield connection
        except sa.exc.OperationalError as error:
            if _code(error) != sqlite3.SQLITE_BUSY:
                raise
            raise JournalAway(self.address, holder_text(self.path)) from None

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Give a connection for queries."""
        with self._reading.connect() as connection:
            yield connection

    def changes(self) -> object:
        """Return SQLite's count of commits by others; it belongs to a connection, so the same one is always used."""
        if self._writing:
            writing = self._writing.raw_connection()
            try:
                return writing.cursor().execute(_CHANGES).fetchone()[0]
            finally:
                writing.close()
        if self._watching is None:
            self._watching = self._reading.raw_connection()
        return self._watching.cursor().execute(_CHANGES).fetchone()[0]

    def sign(self, connection: sa.Connection, batch: str) -> None:
        """Do nothing: SQLite commits within this process, so its result is always known."""

    def has(self, connection: sa.Connection, batch: str) -> bool:
        """Return False: a commit that raised was not made."""
        return False

    def integrity(self) -> str:
        """Return what `PRAGMA quick_check` says."""
        with self.read() as connection:
            said = connection.exec_driver_sql("PRAGMA quick_check").scalar()
        return "" if said == "ok" else str(said)

    def harm(self) -> str:
        """Return what happened to the open files: later writes would be in nobody's journal."""
        return self._files.harm()

    def close(self) -> None:
        """Close every connection."""
        if self._watching:
            self._watching.close()
        self._reading.dispose()
        if self._writing:
            self._writing.dispose()


_CHANGES = "PRAGMA data_version"
READ_ONLY = "25006"
"""PostgreSQL's code for a read-only standby: after a failover this server or another one writes again."""


def is_passing(error: Exception) -> bool:
    """Whether the database failed, and not the statement.

    An I/O error of SQLite is permanent: data lost by a failed fsync looks as if it was written at a retry.
    """
    if isinstance(error, sa.exc.DBAPIError):
        if _code(error) == sqlite3.SQLITE_IOERR:
            return False
        failed = isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError) or error.connection_invalidated
        return failed or getattr(error.orig, "sqlstate", "") == READ_ONLY
    return isinstance(error, JournalAway | sa.exc.TimeoutError)


def _code(error: sa.exc.DBAPIError) -> int | None:
    """Return the primary code of an SQLite error."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    return None if code is None else int(code) & 0xFF


def empty_engine() -> sa.Engine:
    """Return a stand-in for a journal that does not exist: an empty database."""
    engine = _reading_engine(f"file:empty-{secrets.token_hex(8)}?mode=memory&cache=shared")
    schema.metadata.create_all(engine)
    return engine


def upsert(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Write rows, each replacing the one with its primary key."""
    if rows:
        connection.execute(_upsert(connection.dialect.name, table), list(rows))


@lru_cache(maxsize=32)
def _upsert(dialect: str, table: sa.Table) -> sa.Insert:
    # Import only the dialect in use: the other one takes a tenth of the console's start.
    insert = import_module(f"sqlalchemy.dialects.{dialect}").insert(table)
    key = [column.name for column in table.primary_key]
    rest = {column.name: insert.excluded[column.name] for column in table.columns if column.name not in key}
    replacing: sa.Insert = insert.on_conflict_do_update(index_elements=key, set_=rest)
    return replacing


def _address(path: Path) -> str:
    """A file that no process has open and whose directory is read-only is read without a lock."""
    at_rest = not path.with_name(f"{path.name}-wal").exists() and not os.access(path.parent, os.W_OK)
    return f"{uri(path)}?mode=ro{'&immutable=1' if at_rest else ''}"


def _engine(address: str, *, connections: int = 5) -> sa.Engine:
    # The parameters of a statement that fails hold user data, and its text goes to the log.
    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(address, uri=True, check_same_thread=False, isolation_level=None)
        connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        return connection

    return sa.create_engine(
        "sqlite://", creator=connect, poolclass=sa.QueuePool, pool_size=connections, hide_parameters=True
    )


def _reading_engine(address: str) -> sa.Engine:
    engine = _engine(address)

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def _writing_engine(path: Path) -> sa.Engine:
    engine = _engine(f"{uri(path)}?mode=rw", connections=1)

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")

    @sa.event.listens_for(engine, "begin")
    def begin_immediate(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _make_private(path: Path) -> None:
    """The journal holds user data and plans: the directory is 0700 and the file 0600 from the first byte on."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
    except OSError as error:
        raise JournalProblem(
            f"journal {path}: {error.strerror}. Set another path with `journal` in the configuration."
        ) from None
