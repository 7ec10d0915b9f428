"""The course of recoveries: progress, forecast and next step as they were shown, for who looks at it afterwards."""

from datetime import datetime

import sqlalchemy as sa

from spottui.domain.as_of import Outlook
from spottui.domain.recovery import Recovery
from spottui.journal import schema
from spottui.journal.database import Database
from spottui.journal.encoding import decode, encode, stamp

KEPT = 100_000
"""Lines that are kept; older ones go at the next start."""

_INSERT = schema.outlook.insert()


class Outlooks:
    """Reads the courses of recoveries; they are written with the changes that they tell of."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._forget_old()

    def of(self, recovery_id: str) -> tuple[Outlook, ...]:
        """Return what a recovery showed, oldest first; empty where an earlier version wrote the journal."""
        table = schema.outlook
        query = sa.select(table.c.data).where(table.c.recovery_id == recovery_id).order_by(table.c.seq)
        with self._database.read() as connection:
            return tuple(decode(text, Outlook) for text in connection.execute(query).scalars())

    def _forget_old(self) -> None:
        newest = sa.select(sa.func.max(schema.outlook.c.seq)).scalar_subquery()
        with self._database.write() as connection:
            connection.execute(schema.outlook.delete().where(schema.outlook.c.seq <= newest - KEPT))


def write_outlook(connection: sa.Connection, old: Recovery, new: Recovery, now: datetime) -> None:
    """Write what a recovery shows, if it is news, in a transaction that is under way."""
    shown = _outlook(new, now)
    if shown != _outlook(old, now):
        values = {"at": stamp(now), "recovery_id": new.recovery_id, "data": encode(shown)}
        connection.execute(_INSERT, values)


def _outlook(known: Recovery, now: datetime) -> Outlook:
    return Outlook(
        now,
        known.progress,
        known.forecast_at,
        known.verdict,
        known.veto_until,
        known.reason,
        known.next_step,
        known.route,
        known.image_s,
        known.queued,
        known.no_room,
        known.awaits_release,
        known.unseen_since,
        known.trouble,
    )
