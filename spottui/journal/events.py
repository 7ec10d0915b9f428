"""The event feed on disk: every message and every step is one line."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

import sqlalchemy as sa

from spottui.domain.feed import NOBODY, Event, EventKind, Line
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
        return tuple(as_event(row) for row in reversed(rows))

    def find(
        self,
        words: Sequence[str],
        limit: int,
        *,
        above: int = 0,
        below: int | None = None,
        named: Mapping[str, Sequence[str]] = NOBODY,
    ) -> tuple[Event, ...]:
        """Return lines that hold every word and are numbered between `above` and `below`, at most `limit`.

        They are the newest of those, newest first; without `below` the oldest, oldest first. A word is looked for in
        kind, region, instance id and text; the case of ASCII letters does not count. A line of one of the instances
        whose ids `named` has for a word holds that word too: their names do, and lines have none.
        """
        table = schema.event
        said = table.c.kind + " " + table.c.region + " " + table.c.instance_id + " " + table.c.text
        of_one = {word: table.c.instance_id.in_(named.get(word, ())) for word in words}
        held = (said.icontains(word, autoescape=True) | of_one[word] for word in words)
        query = sa.select(table).where(table.c.seq > above, *held)
        if below is None:
            query = query.order_by(table.c.seq)
        else:
            query = query.where(table.c.seq < below).order_by(table.c.seq.desc())
        with self._database.read() as connection:
            rows = connection.execute(query.limit(limit)).mappings().all()
        return tuple(as_event(row) for row in rows)

    def count(self) -> int:
        """Return how many lines are kept, by their numbers, which have no gaps."""
        table = schema.event
        with self._database.read() as connection:
            first, last = connection.execute(sa.select(sa.func.min(table.c.seq), sa.func.max(table.c.seq))).one()
        return 0 if first is None else int(last - first + 1)

    def _forget_old(self) -> None:
        newest = sa.select(sa.func.max(schema.event.c.seq)).scalar_subquery()
        with self._database.write() as connection:
            connection.execute(schema.event.delete().where(schema.event.c.seq <= newest - KEPT))


def write_line(connection: sa.Connection, line: Line, now: datetime) -> None:
    """Append a line in a transaction that is under way."""
    values = {**asdict(line), "kind": line.kind.value}
    connection.execute(_INSERT, {"at": stamp(now), **values})


def as_event(row: sa.RowMapping) -> Event:
    """Return the line of one row."""
    return Event(**{**row, "kind": EventKind(row["kind"]), "at": moment(row["at"])})
