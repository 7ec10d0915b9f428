"""The journal of several hosts: a PostgreSQL database, with one writer at a time over all of them.

A writer first locks the one row of `log_head`. A host that is stopped or disconnected meanwhile must not keep it: the
database ends transactions that are idle for two seconds, and we end those without an answer for five.
"""

import secrets
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from typing import Any, TypeVar

import msgspec
import psycopg
import sqlalchemy as sa
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import PGconn, Ping

from spottui.journal import schema
from spottui.journal.leases import CHANNEL, FORGET_DEAD, Leases, cause_of
from spottui.journal.store import READ_ONLY, JournalAway, JournalProblem, empty_engine, is_passing
from spottui.journal.upgrade import check_version, make_tables

schema.fact_of_release.dialect_options["postgresql"]["where"] = schema.RELEASES

T = TypeVar("T")

OLDEST_VERSION = 12
WRITE_ANSWER_S = 5.0
READ_ANSWER_S = 10.0
CONNECTIONS = 8
"""Connections of one console: one to write, one for its lease, the others to read."""
LOOKS = 5

_CONNECTION = {
    "application_name": "spottui",
    "connect_timeout": "3",
    "keepalives_idle": "2",
    "keepalives_interval": "1",
    "keepalives_count": "3",
    "tcp_user_timeout": "4000",
}
"""Defaults for what an address leaves out: a host that does not answer is abandoned within seconds."""
# The same for the other end: locks of a vanished host must be freed within seconds. Queries are small and many; JIT
# compilation, which the planner chooses for the one about locks, costs a second of CPU each time.
_SESSION = """
    SET jit = off;
    SET idle_in_transaction_session_timeout = '2s'; SET lock_timeout = '4s'; SET statement_timeout = '4500ms';
    SET synchronous_commit = on; SET tcp_user_timeout = 4000;
    SET tcp_keepalives_idle = 2; SET tcp_keepalives_interval = 1; SET tcp_keepalives_count = 3;
"""
_READING = """
    SET default_transaction_read_only = on; SET default_transaction_isolation = 'repeatable read';
    SET idle_in_transaction_session_timeout = '60s'; SET statement_timeout = '60s';
"""
_SIGN = sa.text(
    "INSERT INTO last_batch (writer, batch, at) VALUES (:writer, :batch, extract(epoch FROM clock_timestamp())) "
    "ON CONFLICT (writer) DO UPDATE SET batch = excluded.batch, at = excluded.at "
    f"RETURNING pg_notify('{CHANNEL}', '')"
)
_LAST_BATCH = sa.select(schema.last_batch.c.batch)
_FORGET_BATCHES = "DELETE FROM last_batch WHERE at < extract(epoch FROM clock_timestamp()) - 86400"
"""By the clock of the database: that of this host may be ahead, and a row that a living writer needs would go."""
_ALONE = 0x5907_0000
_TIME = "SELECT extract(epoch FROM clock_timestamp())::float8"
_PID = "SELECT pg_backend_pid()"
_CONNECTIONS_LEFT = """
    SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
        - (SELECT sum(numbackends) FROM pg_stat_database)
"""


def open_postgres(address: str, *, read_only: bool, acts: bool) -> "tuple[PostgresStore, Leases | Nobody]":
    """Open the journal at an address, and create its tables unless read-only.

    Raises `JournalProblem`, and `JournalAway` if the same may succeed later.
    """
    store = PostgresStore(address, read_only=read_only)
    try:
        store.start(acts=acts)
    except (sa.exc.DBAPIError, psycopg.Error) as error:
        store.close()
        raise store.problem(getattr(error, "orig", None) or error) from None
    except JournalProblem:
        store.close()
        raise
    return store, store.leases


class Server(msgspec.Struct, frozen=True):
    """The database as this host finds it.

    `ahead_s` is how far its clock is ahead of this host's. `is_pooled` if a pooler shares server connections: then the
    locks by which consoles know that others are alive mean nothing.
    """

    version: str
    latency_s: float
    ahead_s: float
    connections_left: int
    is_pooled: bool
    is_encrypted: bool


def look_at_server(address: str) -> Server:
    """Look at the server of a journal; raises `JournalProblem`."""
    store = PostgresStore(address, read_only=True)
    try:
        with closing(store.connect(WRITE_ANSWER_S)) as connection, closing(store.connect(WRITE_ANSWER_S)) as other:
            latency_s, ahead_s = min(_asked_for_the_time(connection) for _ in range(LOOKS))
            pids = [[int(each.execute(_PID).fetchone()[0]) for each in (connection, other)] for _ in range(LOOKS)]  # type: ignore[index]
            left = connection.execute(_CONNECTIONS_LEFT).fetchone()
            version = str(connection.info.parameter_status("server_version"))
            return Server(
                version, latency_s, ahead_s, int(left[0]) if left else 0, _share(pids), connection.pgconn.ssl_in_use
            )
    except psycopg.Error as error:
        raise JournalProblem(f"journal {store.address}: {cause_of(error)}") from None
    finally:
        store.close()


class Nobody:
    """The consoles of a journal without tables: none, and no changes."""

    own = ""
    problem = ""

    def living(self) -> tuple[()]:
        """Return no console."""
        return ()

    def is_alive(self, console: str) -> bool:
        """Return False."""
        return False

    def changes(self) -> int:
        """Return what never changes."""
        return 0

    def close(self) -> None:
        """Do nothing."""


class PostgresStore:
    """A journal in a PostgreSQL database; libpq also reads the environment, its files and the address's query."""

    def __init__(self, address: str, *, read_only: bool) -> None:
        self.address = _shown(address)
        self.read_only = read_only
        self._conninfo = _conninfo(address, self.address)
        self._writer = secrets.token_hex(8)
        self.leases: Leases | Nobody = Nobody()
        self._reading = self._engine(_READING, READ_ANSWER_S, CONNECTIONS - 2)
        self._writing = None if read_only else self._engine("", WRITE_ANSWER_S, 1)

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """Begin a transaction; it is the only writing one once it has locked `log_head`."""
        if self._writing is None:
            raise JournalProblem(f"journal {self.address}: it was opened to be read")
        with self._answering(), self._writing.begin() as connection:
            yield connection
        self.leases.problem = ""

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Give a connection for queries; fails at once while the database is known to be away."""
        if self.leases.problem:
            raise JournalAway(self.address, self.leases.problem)
        with self._answering(), self._reading.connect() as connection:
            yield connection

    def changes(self) -> object:
        """Return a number that grows when somebody may have committed something."""
        if self.leases.problem:
            raise JournalAway(self.address, self.leases.problem)
        return self.leases.changes()

    def sign(self, connection: sa.Connection, batch: str) -> None:
        """Write the batch's id, and notify listeners at its commit."""
        connection.execute(_SIGN, {"writer": self._writer, "batch": batch})

    def has(self, connection: sa.Connection, batch: str) -> bool:
        """Whether this batch was committed although its answer was lost; call it with the log locked."""
        mine = schema.last_batch.c.writer == self._writer
        return bool(connection.execute(_LAST_BATCH.where(mine)).scalar() == batch)

    def integrity(self) -> str:
        """Return an empty text: a database server checks itself."""
        return ""

    def harm(self) -> str:
        """Return an empty text: a missing database does not answer."""
        return ""

    def close(self) -> None:
        """Close every connection."""
        self._reading.dispose()
        if self._writing:
            self._writing.dispose()

    def start(self, *, acts: bool) -> None:
        """Make or look for its tables, check its version, listen for commits, and be a console with `acts`."""
        is_empty = self.read_only and not self._has_tables()
        if is_empty:
            self._reading = empty_engine()
        elif not self.read_only:
            self._prepare()
        check_version(self)
        if not is_empty:
            self.leases = Leases(lambda: self.connect(WRITE_ANSWER_S), acts=acts)

    def problem(self, error: Exception) -> JournalProblem:
        """Return in words why it cannot be opened."""
        cause = cause_of(error)
        is_away = isinstance(error, psycopg.Error) and self._is_away(error)
        return JournalAway(self.address, cause) if is_away else JournalProblem(f"journal {self.address}: {cause}")

    def _prepare(self) -> None:
        """Create missing schema and tables; several consoles that start together do so one after the other."""
        alone = self.connect(WRITE_ANSWER_S)
        try:
            alone.execute("SELECT pg_advisory_lock(%s)", [_ALONE])
            row = alone.execute("SELECT current_schema(), current_setting('search_path')").fetchone()
            if row and row[0] is None:
                name = str(row[1]).partition(",")[0].strip(' "')
                alone.execute(psycopg.sql.SQL("CREATE SCHEMA {}").format(psycopg.sql.Identifier(name)))
            make_tables(self)
            alone.execute(_FORGET_BATCHES)
            alone.execute(FORGET_DEAD)
        finally:
            alone.close()

    def connect(self, answer_s: float, session: str = "") -> "psycopg.Connection[Any]":
        """Connect outside of the pools; raises `psycopg.Error`."""
        connection = _Impatient.connect(**self._conninfo, autocommit=True)
        connection.answer_s = answer_s
        if connection.info.server_version < OLDEST_VERSION * 10_000:
            version = connection.info.parameter_status("server_version")
            raise JournalProblem(
                f"journal {self.address}: PostgreSQL {version} is too old; use {OLDEST_VERSION} or later."
            )
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise JournalProblem(f"journal {self.address}: its encoding is {encoding}; use a database with UTF8.")
        connection.execute(_SESSION + session)
        return connection

    def _engine(self, session: str, answer_s: float, connections: int) -> sa.Engine:
        def connect() -> "psycopg.Connection[Any]":
            connection = self.connect(answer_s, session)
            connection.autocommit = False
            return connection

        # The parameters of a statement that fails hold user data, and its text goes to the log.
        return sa.create_engine(
            "postgresql+psycopg://", creator=connect, pool_size=connections, max_overflow=0, pool_timeout=answer_s,
            pool_pre_ping=True, hide_parameters=True, use_native_hstore=False,
        )  # fmt: skip

    def _has_tables(self) -> bool:
        with self._reading.connect() as connection:
            return sa.inspect(connection).has_table(schema.log_head.name)

    def _is_away(self, error: psycopg.Error) -> bool:
        """Whether the database is what fails, and not what the address says: then the same may succeed later.

        The error of a connection has no code, and its words may be in any language, so the server that it is of is
        asked again. One with which no TLS can be agreed on has not answered.
        """
        if (failed := error.pgconn) is None:  # It was connected, or the time was over.
            return isinstance(error, psycopg.OperationalError) or error.sqlstate == READ_ONLY
        # Of several servers only this one: a ping of one that is silent stops all threads.
        one = {name: getattr(failed, name).decode() for name in ("host", "hostaddr", "port")}
        if PGconn.ping(make_conninfo(**{**self._conninfo, **one}).encode()) in (Ping.REJECT, Ping.NO_RESPONSE):
            return True
        try:
            psycopg.connect(**{**self._conninfo, "target_session_attrs": "any"}).close()
        except psycopg.Error:
            return False
        return True  # Of a cluster that elects, nobody writes yet; or it has just come back.

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Raise `JournalAway` for errors that mean that the database is away."""
        try:
            yield
        except psycopg.OperationalError as error:
            raise JournalAway(self.address, cause_of(error)) from None
        except sa.exc.SQLAlchemyError as error:
            if not is_passing(error):
                raise
            raise JournalAway(self.address, cause_of(getattr(error, "orig", None) or error)) from None


class _Impatient(psycopg.Connection[Any]):
    """A connection that breaks after `answer_s` seconds without any data: the other end may be gone."""

    answer_s = WRITE_ANSWER_S

    def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:
        """Wait for an answer."""
        return super().wait(self._limited(gen), *args, **kwargs)

    def _limited(self, gen: Generator[Any, Any, T]) -> Generator[Any, Any, T]:
        until, ready = time.monotonic() + self.answer_s, None
        try:
            while True:
                ready = yield gen.send(ready)
                if ready:
                    until = time.monotonic() + self.answer_s
                elif time.monotonic() > until:
                    self.pgconn.finish()
                    raise psycopg.OperationalError(f"no answer for {self.answer_s:.0f} s")
        except StopIteration as ended:
            result: T = ended.value
            return result


def _asked_for_the_time(connection: "psycopg.Connection[Any]") -> tuple[float, float]:
    """Return the time of an answer, and how far the server's clock is ahead, in seconds."""
    began, began_at = time.monotonic(), time.time()
    row = connection.execute(_TIME).fetchone()
    took_s = time.monotonic() - began
    return took_s, (float(row[0]) if row else 0.0) - began_at - took_s / 2


def _share(pids: list[list[int]]) -> bool:
    """Whether two open connections are served by the same process, or one by several."""
    one, other = ({pair[number] for pair in pids} for number in (0, 1))
    return len(one) + len(other) > 2 or one == other


def _conninfo(address: str, shown: str) -> dict[str, Any]:
    try:
        return {**_CONNECTION, **conninfo_to_dict(address)}
    except psycopg.ProgrammingError as error:
        raise JournalProblem(f"journal {shown}: {cause_of(error)}") from None


def _shown(address: str) -> str:
    """Return the address without its query, and without a password if there is one."""
    scheme, _, rest = address.partition("://")
    user, at, place = rest.partition("?")[0].rpartition("@")
    return f"{scheme}://{user.partition(':')[0]}{at}{place}"
