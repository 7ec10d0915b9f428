"""Recoveries: the read model of each, its frozen plan, and what people decided."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from spottui.domain.feed import EventKind
from spottui.domain.plan import Plan
from spottui.domain.recovery import Decision, Recovery, RecoveryState
from spottui.journal import schema
from spottui.journal.audit import Entry, write_entry
from spottui.journal.database import Database
from spottui.journal.encoding import decode, encode, stamp
from spottui.journal.events import Line, write_line
from spottui.journal.outbox import write_letter

_ROW = (schema.recovery.c.data, schema.recovery.c.decision, schema.recovery.c.who, schema.recovery.c.cancel)


class Recoveries:
    """Reads and writes recoveries; what the workflow says and what people say never overwrite each other."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, recovery_id: str) -> Recovery | None:
        """Return a recovery by its id."""
        with self._database.read() as connection:
            return _load(connection, recovery_id)

    def latest(self, limit: int) -> tuple[Recovery, ...]:
        """Return every recovery that is not over and the newest that are, at most `limit`, by deadline."""
        over = schema.recovery.c.state.in_([state.value for state in RecoveryState if state.is_final])
        query = sa.select(*_ROW).order_by(over, sa.desc(sa.literal_column("rowid"))).limit(limit)
        with self._database.read() as connection:
            found = [_recovery(row) for row in connection.execute(query).all()]
        return tuple(sorted(found, key=lambda recovery: (recovery.deadline, recovery.recovery_id)))

    def unfinished(self) -> tuple[Recovery, ...]:
        """Return the recoveries that are not over, the nearest deadline first."""
        over = schema.recovery.c.state.in_([state.value for state in RecoveryState if state.is_final])
        with self._database.read() as connection:
            found = [_recovery(row) for row in connection.execute(sa.select(*_ROW).where(~over)).all()]
        return tuple(sorted(found, key=lambda recovery: recovery.deadline))

    def change(
        self, recovery_id: str, now: datetime, change: Callable[[Recovery], Recovery], entry: Entry | None = None
    ) -> Recovery:
        """Commit what the workflow found or did, with its audit entry; a new state is a line of the feed too."""
        with self._database.write() as connection:
            old = _required(connection, recovery_id)
            new = change(old)
            if entry:
                write_entry(connection, entry, old.region, old.instance_id, now)
            if new == old:
                return old
            if new.state.is_final and new.ended is None:
                new = replace(new, ended=now)
            values = {"data": encode(new), "state": new.state.value}
            connection.execute(schema.recovery.update().where(schema.recovery.c.id == recovery_id).values(**values))
            if new.state is not old.state:
                text = f"{old.state} → {new.state}" + (f": {new.reason}" if new.reason else "")
                write_line(connection, Line(EventKind.STATE, new.region, new.instance_id, text, recovery_id), now)
            return new

    def decide(
        self,
        recovery_id: str,
        decision: Decision,
        who: str,
        now: datetime,
        *,
        only_if: Callable[[Recovery], bool] = lambda _: True,
    ) -> Recovery | None:
        """Commit a decision when `only_if` holds of the recovery at that moment; return it as decided, or None."""
        with self._database.write() as connection:
            known = _load(connection, recovery_id)
            if known is None or known.state.is_final or not only_if(known):
                return None
            values = {"decision": decision.value, "who": who, "decided_at": stamp(now)}
            connection.execute(schema.recovery.update().where(schema.recovery.c.id == recovery_id).values(**values))
            line = Line(EventKind.STATE, known.region, known.instance_id, f"{decision} by {who}", recovery_id)
            write_line(connection, line, now)
            write_letter(connection, recovery_id, f"{known.name or known.instance_id}: {decision} by {who}", "", now)
            return replace(known, decision=decision, who=who)

    def cancel(self, recovery_id: str, who: str, now: datetime) -> bool:
        """Raise the cancel flag, which the workflow reads between steps; False when the recovery is over."""
        with self._database.write() as connection:
            known = _load(connection, recovery_id)
            if known is None or known.state.is_final:
                return False
            connection.execute(schema.recovery.update().where(schema.recovery.c.id == recovery_id).values(cancel=True))
            line = Line(EventKind.STATE, known.region, known.instance_id, f"cancel asked for by {who}", recovery_id)
            write_line(connection, line, now)
            return True

    def plan(self, recovery_id: str) -> Plan | None:
        """Return the plan of a recovery, or None while there is none."""
        with self._database.read() as connection:
            query = sa.select(schema.recovery.c.plan).where(schema.recovery.c.id == recovery_id)
            text = connection.execute(query).scalar()
            return None if text is None else decode(text, Plan)

    def set_plan(
        self, recovery_id: str, plan: Plan, change: Callable[[Recovery], Recovery] = lambda known: known
    ) -> Plan:
        """Commit the plan, and what it shows, unless there is a plan already; return the one that holds."""
        with self._database.write() as connection:
            query = sa.select(schema.recovery.c.plan).where(schema.recovery.c.id == recovery_id)
            text = connection.execute(query).scalar()
            if text is not None:
                return decode(text, Plan)
            values = {"plan": encode(plan), "data": encode(change(_required(connection, recovery_id)))}
            connection.execute(schema.recovery.update().where(schema.recovery.c.id == recovery_id).values(**values))
            return plan

    def allowed_by(self, who: str, since: datetime) -> int:
        """Count the recoveries that `who` has confirmed since then."""
        table = schema.recovery
        query = sa.select(sa.func.count()).where(
            table.c.who == who, table.c.decision == Decision.CONFIRM.value, table.c.decided_at >= stamp(since)
        )
        with self._database.read() as connection:
            return int(connection.execute(query).scalar() or 0)


def _load(connection: sa.Connection, recovery_id: str) -> Recovery | None:
    row = connection.execute(sa.select(*_ROW).where(schema.recovery.c.id == recovery_id)).one_or_none()
    return None if row is None else _recovery(row)


def _required(connection: sa.Connection, recovery_id: str) -> Recovery:
    known = _load(connection, recovery_id)
    if known is None:
        raise LookupError(f"no recovery {recovery_id} in the journal")
    return known


def _recovery(row: Sequence[Any]) -> Recovery:
    return _decoded(*row)


# A screen reads all of them several times a second: what did not change is the same object, and costs nothing.
@lru_cache(maxsize=2000)
def _decoded(data: str, decision: str, who: str, cancel: bool) -> Recovery:
    return replace(decode(data, Recovery), decision=Decision(decision), who=who, cancel=cancel)
