"""Which consoles of a shared database are alive, on any host: each holds an advisory lock and renews a lease.

A dying process frees its lock with its connection; the lease of a stopped or disconnected one expires, by the clock of
the database. A short loss of only the lock is a broken connection and has no consequence.
"""

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import psycopg

from spottui.domain.view import LiveConsole

log = logging.getLogger("spottui.journal")

BEAT_S = 1.0
HEAR_S = 0.2
AGAIN_S = 0.5
LEASE_S = 5.0
"""After so long without a renewal a console counts as dead although it holds its lock."""
UNLOCKED_S = 3.0
"""How long a console may be without its lock: shorter than a take-over, longer than a reconnect."""
CHANNEL = "spottui"

Connect = Callable[[], "psycopg.Connection[Any]"]


class Leases:
    """One connection that listens for commits and, each second, renews the lease and reads those of the others.

    With `acts` this process is one of the consoles until it ends. Queries are answered from memory. `problem` says why
    the database does not answer, empty while it does.
    """

    def __init__(self, connect: Connect, *, acts: bool) -> None:
        self._connect = connect
        self._thread = threading.Thread(target=self._run, name="leases", daemon=True)
        self._connection: psycopg.Connection[Any] | None = None
        self._holds_lock = False
        self._ended = threading.Event()
        self._starting = threading.Lock()
        self._known: dict[str, _Lease] = {}
        self._strangers: dict[str, int] = {}
        self._looks = 0
        self._head = -1
        self._changes = 0
        self.problem = ""
        self.own = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}" if acts else ""
        self._key = secrets.randbits(31)
        self._look()
        if acts:
            self._thread.start()

    def living(self) -> tuple[LiveConsole, ...]:
        """Return the consoles that have their lock or renewed their lease lately, oldest first."""
        return tuple(lease.console for lease in self._known.values() if lease.is_there)

    def is_alive(self, console: str) -> bool:
        """Whether a console is alive; for an unknown one the database is asked again first."""
        if console == self.own or not console:
            return bool(console)
        lease = self._known.get(console)
        if lease is not None:
            self._strangers.pop(console, None)
            return lease.console.answers
        return self._thread.is_alive() and self._looks <= self._strangers.setdefault(console, self._looks) + 1

    def changes(self) -> int:
        """Return a number that grows when somebody may have committed something."""
        with self._starting:
            if self._thread.ident is None:
                self._thread.start()
        return self._changes

    def close(self) -> None:
        """Stop being a console."""
        self._ended.set()
        if self._thread.ident is None:
            self._leave()
        else:
            self._thread.join(BEAT_S * 2)

    def _run(self) -> None:
        beat = time.monotonic() + BEAT_S
        while not self._ended.is_set():
            try:
                if self._connection is not None:
                    for _ in self._connection.notifies(timeout=HEAR_S):
                        self._changes += 1
                if self._connection is None or time.monotonic() >= beat:
                    beat = time.monotonic() + BEAT_S
                    self._look()
            except psycopg.Error as error:
                self._lost(error)
                self._ended.wait(AGAIN_S)
        self._leave()

    def _look(self) -> None:
        connection = self._connection
        if connection is None:
            connection = self._connection = self._connect()
            self._holds_lock = False
            connection.execute(f"LISTEN {CHANNEL}")
            self._changes += 1
        if self.own:
            self._renew(connection)
        rows = connection.execute(_LOOK).fetchall()
        head = rows[0][0]
        self._known = {row[1]: _lease(*row[1:]) for row in rows if row[1] is not None}
        self._looks += 1
        if head != self._head:
            self._head = head
            self._changes += 1
        if self.problem:
            log.warning("the database answers again")
            self.problem = ""

    def _renew(self, connection: "psycopg.Connection[Any]") -> None:
        me = {"console": self.own, "host": socket.gethostname(), "pid": os.getpid(), "key": self._key}
        connection.execute(_RENEW, me)
        if not self._holds_lock:
            # After a broken connection the database may still hold it for the old one.
            row = connection.execute(_TAKE_LOCK, {"lock": LOCK, "key": self._key}).fetchone()
            self._holds_lock = bool(row and row[0])

    def _lost(self, error: psycopg.Error) -> None:
        cause = cause_of(error)
        if not self.problem:
            log.warning("the database does not answer: %s", cause)
        self.problem = cause
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _leave(self) -> None:
        if self._connection is None:
            return
        try:
            if self.own:
                self._connection.execute("DELETE FROM lease WHERE console = %s", [self.own])
            self._connection.close()
        except psycopg.Error:
            return


def cause_of(error: BaseException) -> str:
    """Return libpq's error on one line, without its prefix."""
    lines = [line.strip() for line in str(error).strip().splitlines() if line.strip()]
    text = lines[0] if lines else type(error).__name__
    return text.removeprefix("connection failed: ").rpartition("FATAL:  ")[2]


class _Lease(msgspec.Struct, frozen=True):
    console: LiveConsole
    is_there: bool


def _lease(console: str, host: str, pid: int, since: float, age_s: float, has_lock: bool) -> _Lease:
    answers = age_s < (LEASE_S if has_lock else UNLOCKED_S)
    shown = LiveConsole(console, host, pid, datetime.fromtimestamp(since, UTC), answers)
    return _Lease(shown, has_lock or answers)


LOCK = 0x5907
"""The class of our advisory locks."""
_NOW = "extract(epoch FROM clock_timestamp())::float8"
_HAS_LOCK = f"""
    EXISTS (
        SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = {LOCK}::int4::oid AND objid::bigint = key
        AND objsubid = 2 AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    )
"""
FORGET_DEAD = f"DELETE FROM lease WHERE renewed < {_NOW} - 3600 AND NOT {_HAS_LOCK}"
"""Killed consoles leave their rows. One that is only stopped holds its lock, and one that returns writes a new row."""
_RENEW = f"""
    INSERT INTO lease (console, host, pid, since, renewed, key)
    VALUES (%(console)s, %(host)s, %(pid)s, {_NOW}, {_NOW}, %(key)s)
    ON CONFLICT (console) DO UPDATE SET renewed = excluded.renewed
"""
_TAKE_LOCK = "SELECT pg_try_advisory_lock(%(lock)s::int4, %(key)s::int4)"
# A restart of the database drops all locks: everybody gets the time of a fresh renewal to return.
_LOOK = f"""
    SELECT log_head.seq, console, host, pid, since,
        {_NOW} - greatest(renewed, extract(epoch FROM pg_postmaster_start_time())::float8),
        {_HAS_LOCK}
    FROM log_head LEFT JOIN lease ON true ORDER BY since
"""
