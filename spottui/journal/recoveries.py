"""Recoveries: the read model of each, its frozen plan, and what people decided."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from spottui.domain.audit import Entry, Phase
from spottui.domain.plan import Plan, Route, by_route
from spottui.domain.recovery import Decision, Recovery, RecoveryState
from spottui.journal import schema
from spottui.journal.audit import write_entry
from spottui.journal.database import Database
from spottui.journal.encoding import KEPT_DECODED, decode, encode, stamp
from spottui.journal.outbox import write_letter
from spottui.journal.outlooks import write_outlook

ROW = (schema.recovery.c.data, schema.recovery.c.decision, schema.recovery.c.who, schema.recovery.c.cancel)

LATELY_S = 0.5

# Statements that every step runs are built once: in a storm that is a third of their cost.
_OWN = schema.recovery.c.id == sa.bindparam("own_id")
_LOAD = sa.select(*ROW).where(_OWN)
_PLAN = sa.select(schema.plan.c.plan).where(schema.plan.c.recovery_id == sa.bindparam("own_id"))
_SAVE = schema.recovery.update().where(_OWN).values(data=sa.bindparam("data"), state=sa.bindparam("state"))
_SAVE_PLAN = sa.insert(schema.plan).prefix_with("OR REPLACE")
# An id ends with a number: all of an instance lie together in the index.
_OF_INSTANCE = (
    sa.select(*ROW)
    .where(schema.recovery.c.id >= sa.bindparam("first"), schema.recovery.c.id < sa.bindparam("behind"))
    .order_by(sa.literal_column("rowid"))
)
_END_FOR_GUARD = (
    schema.auto_answer.update()
    .where(
        schema.auto_answer.c.recovery_id == sa.bindparam("own_id"), schema.auto_answer.c.run == sa.bindparam("own_run")
    )
    .values(outcome=sa.bindparam("outcome"), ended_at=sa.bindparam("ended_at"))
)


class Recoveries:
    """Reads and writes recoveries; what the workflow says and what people say never overwrite each other."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sharing = threading.Lock()
        self._shared: dict[str, Recovery] = {}
        self._shared_at = float("-inf")

    def get(self, recovery_id: str) -> Recovery | None:
        """Return a recovery by its id."""
        with self._database.read() as connection:
            return load(connection, recovery_id)

    def lately(self, recovery_id: str) -> Recovery | None:
        """Return a recovery as it was at most `LATELY_S` seconds ago: in a storm all who wait share one query."""
        with self._sharing:
            now = time.monotonic()
            if now - self._shared_at > LATELY_S:
                self._shared = {one.recovery_id: one for one in self.unfinished()}
                self._shared_at = now
            known = self._shared.get(recovery_id)
        return known or self.get(recovery_id)

    def latest(self, limit: int) -> tuple[Recovery, ...]:
        """Return every recovery that is not over and the newest that are, at most `limit`, by deadline."""
        over = schema.recovery.c.state.in_([state.value for state in RecoveryState if state.is_final])
        query = sa.select(*ROW).order_by(over, sa.desc(sa.literal_column("rowid"))).limit(limit)
        with self._database.read() as connection:
            found = [decoded(*row) for row in connection.execute(query).all()]
        return tuple(sorted(found, key=lambda recovery: (recovery.deadline, recovery.recovery_id)))

    def all(self) -> tuple[Recovery, ...]:
        """Return every recovery of this journal, oldest first."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(*ROW).order_by(sa.literal_column("rowid"))).all()
        return tuple(decoded(*row) for row in rows)

    def unfinished(self) -> tuple[Recovery, ...]:
        """Return the recoveries that are not over, the nearest deadline first."""
        over = schema.recovery.c.state.in_([state.value for state in RecoveryState if state.is_final])
        with self._database.read() as connection:
            found = [decoded(*row) for row in connection.execute(sa.select(*ROW).where(~over)).all()]
        return tuple(sorted(found, key=lambda recovery: recovery.deadline))

    def of_instance(self, region: str, instance_id: str) -> tuple[Recovery, ...]:
        """Return every recovery of an instance, the oldest first."""
        ids = {"first": f"{region}.{instance_id}.", "behind": f"{region}.{instance_id}.~"}
        with self._database.read() as connection:
            return tuple(decoded(*row) for row in connection.execute(_OF_INSTANCE, ids).all())

    def change(
        self, recovery_id: str, now: datetime, change: Callable[[Recovery], Recovery], entry: Entry | None = None
    ) -> Recovery:
        """Commit what the workflow found or did, with its audit entry; a new state is a line of the feed too."""
        with self._database.write() as connection:
            return _change(connection, recovery_id, now, change, entry)

    def change_all(
        self, now: datetime, changes: Mapping[str, tuple[Callable[[Recovery], Recovery], Entry | None]]
    ) -> None:
        """Commit what several recoveries found or did together, by their ids, as `change` does it for one."""
        with self._database.write() as connection:
            for recovery_id, (change, entry) in changes.items():
                _change(connection, recovery_id, now, change, entry)

    def note(self, recovery_id: str, action: str, text: str, now: datetime) -> None:
        """Commit a decision that changes nothing of the recovery itself, as a sentence."""
        self.change(recovery_id, now, lambda known: known, Entry(recovery_id, action, Phase.DECISION, detail=text))

    def decide(
        self,
        recovery_id: str,
        decision: Decision,
        who: str,
        now: datetime,
        *,
        only_if: Callable[[Recovery], bool] = lambda _: True,
        route: Route | None = None,
    ) -> Recovery | None:
        """Commit a decision when `only_if` holds of the recovery at that moment; return it as decided, or None.

        A `route` is put first in its plan with it; raises `Refused` when that cannot lead anywhere.
        """
        with self._database.write() as connection:
            known = load(connection, recovery_id)
            if known is None or known.state.is_final or not only_if(known):
                return None
            if route:
                known = _put_first(connection, known, route, who, now)
            return write_decision(connection, known, decision, who, now)

    def cancel(self, recovery_id: str, who: str, now: datetime) -> bool:
        """Raise the cancel flag, which the workflow reads between steps; False when the recovery is over."""
        with self._database.write() as connection:
            known = load(connection, recovery_id)
            if known is None or known.state.is_final:
                return False
            connection.execute(schema.recovery.update().where(schema.recovery.c.id == recovery_id).values(cancel=True))
            entry = Entry(recovery_id, "Decision", Phase.DECISION, detail=f"cancel asked for by {who}")
            write_entry(connection, entry, known.region, known.instance_id, now)
            return True

    def plan(self, recovery_id: str) -> Plan | None:
        """Return the plan of a recovery, or None while there is none."""
        with self._database.read() as connection:
            return _plan(connection, recovery_id)

    def set_plan(
        self, recovery_id: str, plan: Plan, now: datetime, change: Callable[[Recovery], Recovery] = lambda known: known
    ) -> Plan:
        """Commit the plan, and what it shows, unless there is a plan already; return the one that holds."""
        with self._database.write() as connection:
            known = _plan(connection, recovery_id)
            if known:
                return known
            _change(connection, recovery_id, now, change, None)
            connection.execute(_SAVE_PLAN, {"recovery_id": recovery_id, "plan": encode(plan)})
            return plan

    def replan(self, recovery_id: str, change: Callable[[Recovery, Plan], Plan | None]) -> Plan | None:
        """Commit what `change` makes of the plan as it is at that moment, and return it; None when it leaves it."""
        with self._database.write() as connection:
            known = _plan(connection, recovery_id)
            changed = change(_required(connection, recovery_id), known) if known else None
            if changed:
                connection.execute(_SAVE_PLAN, {"recovery_id": recovery_id, "plan": encode(changed)})
            return changed

    def reopen(self, recovery_id: str, decision: Decision, who: str, now: datetime) -> Recovery | None:
        """Begin another run of a recovery that came to nothing, decided by `who`; None when it did not, or runs.

        What it has made stays its own, and so do its tokens: what was begun is settled before anything new.
        """
        with self._database.write() as connection:
            known = load(connection, recovery_id)
            if known is None or not known.state.is_final or known.state is RecoveryState.RECOVERED:
                return None
            again = replace(
                known,
                state=RecoveryState.PROTECTING,
                reason="",
                ended=None,
                run=known.run + 1,
                veto_until=None,
                forecast_at=None,
            )
            values: dict[str, Any] = {
                "data": encode(again),
                "state": again.state.value,
                "decision": decision.value,
                "who": who,
                "decided_at": stamp(now),
                "cancel": False,
            }
            plan = _plan(connection, recovery_id)
            if plan:
                stale = encode(replace(plan, surveyed=False))
                connection.execute(_SAVE_PLAN, {"recovery_id": recovery_id, "plan": stale})
            connection.execute(schema.recovery.update().where(schema.recovery.c.id == recovery_id).values(**values))
            write_outlook(connection, known, again, now)
            by, waits = f" by {who}" if who else "", "" if decision else ", waits for a yes"
            told = f"tried again{by}, run {again.run + 1}{waits}"
            entry = Entry(recovery_id, "Retry", Phase.DECISION, detail=told)
            write_entry(connection, entry, known.region, known.instance_id, now)
            return replace(again, decision=decision, who=who, cancel=False)


def load(connection: sa.Connection, recovery_id: str) -> Recovery | None:
    """Return a recovery in a transaction that is under way."""
    row = connection.execute(_LOAD, {"own_id": recovery_id}).one_or_none()
    return None if row is None else decoded(*row)


def _plan(connection: sa.Connection, recovery_id: str) -> Plan | None:
    text = connection.execute(_PLAN, {"own_id": recovery_id}).scalar()
    return None if text is None else _decoded_plan(text)


def _put_first(connection: sa.Connection, known: Recovery, route: Route, who: str, now: datetime) -> Recovery:
    plan = _plan(connection, known.recovery_id)
    if plan is None or plan.route is route:
        return known
    chosen = encode(by_route(plan, route))
    connection.execute(_SAVE_PLAN, {"recovery_id": known.recovery_id, "plan": chosen})
    entry = Entry(known.recovery_id, "Route", Phase.DECISION, detail=f"route {route} chosen by {who}")
    return _change(connection, known.recovery_id, now, lambda one: replace(one, route=route), entry)


def write_decision(connection: sa.Connection, known: Recovery, decision: Decision, who: str, now: datetime) -> Recovery:
    """Write a decision in a transaction that is under way, and return the recovery as decided."""
    values = {"decision": decision.value, "who": who, "decided_at": stamp(now)}
    connection.execute(schema.recovery.update().where(schema.recovery.c.id == known.recovery_id).values(**values))
    entry = Entry(known.recovery_id, "Decision", Phase.DECISION, detail=f"{decision} by {who}")
    write_entry(connection, entry, known.region, known.instance_id, now)
    title = f"{known.name or known.instance_id}: {decision} by {who}"
    write_letter(connection, known.recovery_id, title, known.reason, now)
    return replace(known, decision=decision, who=who)


def _change(
    connection: sa.Connection,
    recovery_id: str,
    now: datetime,
    change: Callable[[Recovery], Recovery],
    entry: Entry | None,
) -> Recovery:
    old = _required(connection, recovery_id)
    new = change(old)
    if entry:
        write_entry(connection, entry, old.region, old.instance_id, now)
    if new == old:
        return old
    if new.state.is_final and new.ended is None:
        new = replace(new, ended=now)
    if new.state.is_final:
        _end_for_the_guard(connection, new)
    connection.execute(_SAVE, {"own_id": recovery_id, "data": encode(new), "state": new.state.value})
    write_outlook(connection, old, new, now)
    if new.state is not old.state:
        text = f"{old.state} → {new.state}" + (f": {new.reason}" if new.reason else "")
        entered = Entry(recovery_id, "State", Phase.STATE, detail=text)
        write_entry(connection, entered, new.region, new.instance_id, now)
    return new


def _end_for_the_guard(connection: sa.Connection, ended: Recovery) -> None:
    """How a run ended stays with what auto-mode was told about it: a person may begin another run."""
    ended_at = stamp(ended.ended) if ended.ended else None
    outcome = {"outcome": ended.state.value, "ended_at": ended_at}
    connection.execute(_END_FOR_GUARD, {"own_id": ended.recovery_id, "own_run": ended.run, **outcome})


def _required(connection: sa.Connection, recovery_id: str) -> Recovery:
    known = load(connection, recovery_id)
    if known is None:
        raise LookupError(f"no recovery {recovery_id} in the journal")
    return known


# A screen reads all of them several times a second: what did not change is the same object, and costs nothing.
@lru_cache(maxsize=KEPT_DECODED)
def decoded(data: str, decision: str, who: str, cancel: bool) -> Recovery:
    """Return the recovery of one row: its `data`, `decision`, `who` and `cancel`."""
    return replace(decode(data, Recovery), decision=Decision(decision), who=who, cancel=cancel)


# A plan is read at each step of its recovery, and changes once or twice.
@lru_cache(maxsize=64)
def _decoded_plan(text: str) -> Plan:
    return decode(text, Plan)
