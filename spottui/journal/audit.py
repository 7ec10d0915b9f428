"""The audit: what a recovery stands on, and every call of it before and after it was made."""

from datetime import datetime

import sqlalchemy as sa

from spottui.domain.audit import Entry, Phase
from spottui.domain.feed import EventKind, Line
from spottui.journal import schema
from spottui.journal.database import Database
from spottui.journal.encoding import moment, stamp
from spottui.journal.events import write_line

_INSERT = schema.audit.insert()


class Audit:
    """Reads the audit of recoveries; it is written with the change that it tells of."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def unsettled(self, recovery_id: str, client_token: str) -> bool:
        """Whether a call with this token was begun and nobody knows what came of it."""
        table = schema.audit
        query = (
            sa.select(table.c.phase)
            .where(table.c.recovery_id == recovery_id, table.c.client_token == client_token)
            .order_by(table.c.seq.desc())
            .limit(1)
        )
        with self._database.read() as connection:
            return connection.execute(query).scalar() in (Phase.INTENT.value, Phase.UNKNOWN.value)

    def of(self, recovery_id: str) -> tuple[Entry, ...]:
        """Return the entries of a recovery, oldest first."""
        table = schema.audit
        query = sa.select(table).where(table.c.recovery_id == recovery_id).order_by(table.c.seq)
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
        return tuple(
            Entry(
                recovery_id=row["recovery_id"],
                action=row["action"],
                phase=Phase(row["phase"]),
                client_token=row["client_token"],
                request_id=row["request_id"],
                detail=row["detail"],
                at=moment(row["at"]),
            )
            for row in rows
        )


def write_entry(connection: sa.Connection, entry: Entry, region: str, instance_id: str, now: datetime) -> None:
    """Write an entry in a transaction that is under way; what a call gave, or why it failed, is in the feed too.

    A sign of the reclaim has a line of its own there.
    """
    values = {
        "at": stamp(now),
        "recovery_id": entry.recovery_id,
        "action": entry.action,
        "phase": entry.phase.value,
        "client_token": entry.client_token,
        "request_id": entry.request_id,
        "detail": entry.detail,
    }
    connection.execute(_INSERT, values)
    if entry.phase not in (Phase.INTENT, Phase.EVIDENCE):
        decided = entry.phase in (Phase.DECISION, Phase.STATE)
        text = entry.detail if decided else f"{entry.action} {entry.detail}".strip()
        line = Line(_kind(entry), region, instance_id, text, entry.recovery_id, entry.request_id)
        write_line(connection, line, now)


def _kind(entry: Entry) -> EventKind:
    if entry.phase is Phase.DECISION:
        word = entry.action if entry.action == _RETRY else entry.detail.partition(" ")[0]
        return _DECISIONS.get(word, EventKind.DECIDED)
    return EventKind.STATE if entry.phase is Phase.STATE else EventKind.CALL


_RETRY = "Retry"
_DECISIONS = {
    "confirm": EventKind.CONFIRMED,
    "veto": EventKind.VETOED,
    "hold": EventKind.HELD,
    "cancel": EventKind.STOPPED,
    _RETRY: EventKind.RETRIED,
}
