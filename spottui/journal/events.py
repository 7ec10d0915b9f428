"""The event feed on disk: every message and every step is one line."""

from dataclasses import asdict
from datetime import datetime

import sqlalchemy as sa

from spottui.domain.feed import Event, EventKind, Line
from spottui.journal import schema
from spottui.journal.database import Database
from spottui.journal.encoding import moment, stamp

_INSERT = schema.event.insert()
KEPT = 100_000
"""Lines that are kept; older ones go at the next start."""


class Events:
    """Reads and writes the feed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._forget_old()

    def add(self, line: Line, now: datetime) -> None:
        """Append one line."""
        with self._database.write() as connection:
            write_line(connection, line, now)

    def after(self, seq: int, limit: int) -> tuple[Event, ...]:
        """Return the newest lines after `seq`, at most `limit`, oldest first."""
        table = schema.event
        query = sa.select(table).where(table.c.seq > seq).order_by(table.c.seq.desc()).limit(limit)
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
        return tuple(_event(row) for row in reversed(rows))

    def _forget_old(self) -> None:
        newest = sa.select(sa.func.max(schema.event.c.seq)).scalar_subquery()
        with self._database.write() as connection:
            connection.execute(schema.event.delete().where(schema.event.c.seq <= newest - KEPT))


def write_line(connection: sa.Connection, line: Line, now: datetime) -> None:
    """Append a line in a transaction that is under way."""
    values = {**asdict(line), "kind": line.kind.value}
    connection.execute(_INSERT, {"at": stamp(now), **values})


def _event(row: sa.RowMapping) -> Event:
    return Event(**{**row, "kind": EventKind(row["kind"]), "at": moment(row["at"])})
