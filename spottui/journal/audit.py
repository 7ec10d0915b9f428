"""The audit: every call of a recovery before and after it was made."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa

from spottui.domain.feed import EventKind
from spottui.journal import schema
from spottui.journal.database import Database
from spottui.journal.encoding import moment, stamp
from spottui.journal.events import Line, write_line


class Phase(StrEnum):
    """Where in a call an audit line stands: before it, or after it with what came of it."""

    INTENT = "intent"
    RESULT = "result"
    ERROR = "error"
    UNKNOWN = "unknown"
    """It failed in a way that leaves open whether it took effect."""
    DECISION = "decision"
    """No call: what a person, auto-mode or the recovery itself has decided, and why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the audit; `detail` holds no secret."""

    recovery_id: str
    action: str
    phase: Phase
    client_token: str = ""
    request_id: str = ""
    detail: str = ""
    at: datetime | None = None


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
    """Write an entry in a transaction that is under way; what a call gave, or why it failed, is in the feed too."""
    connection.execute(
        schema.audit.insert().values(
            at=stamp(now),
            recovery_id=entry.recovery_id,
            action=entry.action,
            phase=entry.phase.value,
            client_token=entry.client_token,
            request_id=entry.request_id,
            detail=entry.detail,
        )
    )
    if entry.phase is not Phase.INTENT:
        decided = entry.phase is Phase.DECISION
        text = entry.detail if decided else f"{entry.action} {entry.detail}".strip()
        kind = EventKind.STATE if decided else EventKind.CALL
        line = Line(kind, region, instance_id, text, entry.recovery_id, entry.request_id)
        write_line(connection, line, now)
