"""What the journal tells afterwards: the lines of one incident, the incidents of a time, and whether it is sound."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from spottui.domain.audit import Entry
from spottui.domain.feed import EventKind
from spottui.domain.history import Past
from spottui.domain.interruption import Interruption
from spottui.domain.plan import Plan
from spottui.domain.recovery import Recovery
from spottui.journal import schema
from spottui.journal.database import Database
from spottui.journal.encoding import decode
from spottui.journal.journal import Journal
from spottui.journal.recoveries import ROW, decoded


@dataclass(frozen=True, slots=True)
class Incident:
    """One reclaim with all that the journal knows of it; `audit` oldest first."""

    interruption: Interruption
    recovery: Recovery
    plan: Plan | None
    audit: tuple[Entry, ...]

    @property
    def past(self) -> Past:
        """What became of it."""
        return Past.of(self.interruption, self.recovery, self.plan)


def incident(journal: Journal, name: str) -> Incident | None:
    """Return an incident by the id of its recovery, or the newest of an instance by the instance's id or name."""
    known = journal.recoveries.get(name) or _newest_of(journal, name)
    interruption = journal.interruptions.get(known.recovery_id) if known else None
    if known is None or interruption is None:
        return None
    return Incident(
        interruption=interruption,
        recovery=known,
        plan=journal.recoveries.plan(known.recovery_id),
        audit=journal.audit.of(known.recovery_id),
    )


def incidents_since(journal: Journal, since: datetime) -> tuple[tuple[Interruption, Recovery], ...]:
    """Return every interruption that began since then, with its recovery, oldest first."""
    table, recovery = schema.interruption, schema.recovery
    query = (
        sa.select(table.c.data.label("interruption"), *ROW)
        .join(recovery, recovery.c.id == table.c.id)
        .where(table.c.epoch >= since.timestamp())
        .order_by(table.c.epoch)
    )
    with journal.database.read() as connection:
        rows = connection.execute(query).all()
    return tuple((decode(row[0], Interruption), decoded(*row[1:])) for row in rows)


def integrity(database: Database) -> str:
    """Return what SQLite finds wrong with the file, empty when it is sound."""
    with database.read() as connection:
        said = connection.exec_driver_sql("PRAGMA quick_check").scalar()
    return "" if said == "ok" else str(said)


def _newest_of(journal: Journal, name: str) -> Recovery | None:
    """Ids are exact; a name is tried when no instance has it as its id."""
    table = schema.interruption
    query = sa.select(table.c.id).where(table.c.instance_id == name).order_by(table.c.epoch.desc()).limit(1)
    with journal.database.read() as connection:
        found = connection.execute(query).scalar()
    if found:
        return journal.recoveries.get(str(found))
    named = (one for one in journal.recoveries.latest(1000) if one.name == name)
    return max(named, key=lambda one: one.started, default=None)


def auto_mode_since(journal: Journal, since: datetime) -> bool:
    """Return whether auto-mode was armed last, by what the feed says since a time."""
    table = schema.event
    query = (
        sa.select(table.c.text)
        .where(table.c.kind == EventKind.AUTO.value, table.c.at >= since.timestamp())
        .order_by(table.c.seq.desc())
        .limit(1)
    )
    with journal.database.read() as connection:
        return str(connection.execute(query).scalar() or "").startswith("auto-mode armed")
