"""The recoveries in memory as folded from the log: all open ones, and those that ended lately."""

import threading
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from spottui.domain import facts as f
from spottui.domain.facts import Logged
from spottui.domain.fold import apply
from spottui.domain.plan import Plan
from spottui.domain.recovery import Recovery
from spottui.domain.view import ROWS_SHOWN
from spottui.journal import schema
from spottui.journal.encoding import FACT_COLUMNS, as_logged, decode, encode, stamp, tag
from spottui.journal.store import JournalProblem, Store

GONE_BACK = "it has gone back to an earlier state; restart spottui"
ENDED_KEPT = ROWS_SHOWN
ENDED_KEPT_FOR = timedelta(hours=2)
"""How long places where replacements failed are avoided."""
FEED_KEPT = 1000
_PLAN_FACTS = (f.PlanMade, f.PlanSurveyed, f.RouteChosen, f.Retried)
_IDS_PER_QUERY = 500

_ROW = schema.recovery.c.data
_OWNER = (schema.recovery.c.region, schema.recovery.c.instance_id)
_RECLAIMED = sa.select(*_OWNER, sa.func.count()).group_by(*_OWNER)
# Written exactly as in the index, so that it is used.
_RELEASES = (
    sa.select(*FACT_COLUMNS)
    .where(sa.text("kind = 'released'"), schema.fact.c.recovery_id == "")
    .order_by(schema.fact.c.seq.desc())
    .limit(10_000)
)


class Recoveries:
    """Reads recoveries and their plans, from memory if they are open or ended lately. Thread-safe.

    The writer reports what it committed (`took`), or lets it read what other processes did (`catch_up`).
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, Recovery] = {}
        self._plans: dict[str, Plan] = {}
        self._ended: deque[str] = deque()
        self._reclaimed: dict[tuple[str, str], int] = {}
        self._released: dict[tuple[str, str], datetime] = {}
        self._lock = threading.Lock()
        self._is_loaded = False
        self.feed: deque[Logged] = deque(maxlen=FEED_KEPT)
        self.seq = 0
        self._last: Logged | None = None
        self._load()

    def get(self, recovery_id: str) -> Recovery | None:
        """Return a recovery by its id."""
        recovery = self._known.get(recovery_id)
        if recovery is not None:
            return recovery
        with self._store.read() as connection:
            return load(connection, recovery_id)

    def known(self, recovery_id: str) -> Recovery | None:
        """Return a recovery that is in memory."""
        return self._known.get(recovery_id)

    def known_plan(self, recovery_id: str) -> Plan | None:
        """Return a plan that is in memory."""
        return self._plans.get(recovery_id)

    def known_plans(self, recoveries: Iterable[Recovery]) -> dict[str, Plan]:
        """Return the plans of recoveries that are in memory, by recovery id."""
        ids = (recovery.recovery_id for recovery in recoveries)
        return {recovery_id: plan for recovery_id in ids if (plan := self._plans.get(recovery_id))}

    def was_reclaimed(self, region: str, instance_id: str) -> bool:
        """Whether there is any recovery of an instance, however old."""
        return (region, instance_id) in self._reclaimed

    def count_of(self, region: str, instance_id: str) -> int:
        """Return how many recoveries of an instance there are; 2 stands for more."""
        return self._reclaimed.get((region, instance_id), 0)

    def released_at(self, region: str, instance_id: str) -> datetime | None:
        """Return when an instance without a recovery was released, as far back as the log has that line."""
        return self._released.get((region, instance_id))

    def open(self) -> tuple[Recovery, ...]:
        """Return the open recoveries in the order of `latest`."""
        return tuple(
            sorted((recovery for recovery in list(self._known.values()) if not recovery.state.is_final), key=_urgency)
        )

    def lately(self) -> tuple[Recovery, ...]:
        """Return every recovery that is open or ended within two hours, in no order."""
        return tuple(self._known.values())

    def latest(self, limit: int) -> tuple[Recovery, ...]:
        """Return all open recoveries, filled up to `limit` with the newest ended ones.

        Those with a lock or a person's decision come first, then the nearest deadline.
        """
        recoveries = list(self._known.values())
        going = [recovery for recovery in recoveries if not recovery.state.is_final]
        over = sorted(
            (recovery for recovery in recoveries if recovery.state.is_final),
            key=lambda recovery: recovery.started,
            reverse=True,
        )
        return tuple(sorted(going + over[: max(limit - len(going), 0)], key=_urgency))

    def of_instance(self, region: str, instance_id: str) -> tuple[Recovery, ...]:
        """Return every recovery of an instance, the oldest first."""
        with self._store.read() as connection:
            return of_instances(connection, region, [instance_id]).get(instance_id, ())

    def all(self) -> tuple[Recovery, ...]:
        """Return every recovery of this journal, oldest first."""
        with self._store.read() as connection:
            rows = connection.execute(sa.select(_ROW).order_by(schema.recovery.c.epoch)).scalars()
            return tuple(decode(text, Recovery) for text in rows)

    def plan(self, recovery_id: str) -> Plan | None:
        """Return the plan of a recovery, or None while there is none."""
        kept = self._plans.get(recovery_id)
        if kept is not None:
            return kept
        seq = self.seq
        with self._store.read() as connection:
            plan = load_plan(connection, recovery_id)
        with self._lock:
            recovery = self._known.get(recovery_id)
            # It may have been changed since it was read, and is known to be only for what is committed from now on.
            if plan and recovery and not recovery.state.is_final and self.seq == seq:
                self._plans.setdefault(recovery_id, plan)
        return plan

    def took(self, logged: Sequence[Logged], changed: Mapping[str, Recovery], plans: Mapping[str, Plan]) -> None:
        """Take in what this process has committed."""
        with self._lock:
            self._plans.update(plans)
            for recovery in changed.values():
                self._keep(recovery)
            self._take_in(logged)

    def catch_up(self, connection: sa.Connection) -> list[Logged]:
        """Read what other processes have committed since, and return it.

        Raises `JournalProblem` where another fact has the number of the last one that was read: a database that went
        back to an earlier state, as at a failover to a replica, has given its numbers again.
        """
        query = sa.select(*FACT_COLUMNS).where(schema.fact.c.seq >= self.seq).order_by(schema.fact.c.seq)
        logged = [as_logged(row) for row in connection.execute(query)]
        if logged and logged[0].seq == self.seq:
            again = logged.pop(0)
            if self._last and not _is_same(self._last, again):
                raise JournalProblem(GONE_BACK)
        unknown = {entry.recovery_id for entry in logged} - self._known.keys() - {""}
        known = {recovery.recovery_id: recovery for recovery in _load_some(connection, unknown)}
        with self._lock:
            for entry in logged:
                before = known.get(entry.recovery_id) or self._known.get(entry.recovery_id)
                if entry.recovery_id and (before is None or before.version < entry.seq):
                    known[entry.recovery_id] = apply(before, entry)
                if isinstance(entry.fact, _PLAN_FACTS):
                    self._plans.pop(entry.recovery_id, None)
            for recovery in known.values():
                self._keep(recovery)
            self._take_in(logged)
        return logged

    def _take_in(self, logged: Sequence[Logged]) -> None:
        if logged:
            self.feed.extend(entry for entry in logged if not isinstance(entry.fact, f.QUIET))
            for entry in logged:
                if isinstance(entry.fact, f.Released) and not entry.recovery_id:
                    self._released.setdefault((entry.region, entry.instance_id), entry.fact.released)
            self._last = logged[-1]
            self.seq = self._last.seq

    def _keep(self, recovery: Recovery) -> None:
        was = self._known.get(recovery.recovery_id)
        self._known[recovery.recovery_id] = recovery
        if was is None and self._is_loaded:
            key = recovery.region, recovery.instance_id
            self._reclaimed[key] = min(self._reclaimed.get(key, 0) + 1, 2)
        if recovery.state.is_final and (was is None or not was.state.is_final):
            self._ended.append(recovery.recovery_id)
            self._forget_old(recovery.ended)

    def _forget_old(self, now: datetime | None) -> None:
        while len(self._ended) > ENDED_KEPT and now is not None:
            oldest = self._known.get(self._ended[0])
            if oldest and oldest.state.is_final and oldest.ended and now - oldest.ended < ENDED_KEPT_FOR:
                return
            self._ended.popleft()
            if oldest is not None and oldest.state.is_final:
                del self._known[oldest.recovery_id]
                self._plans.pop(oldest.recovery_id, None)

    def _load(self) -> None:
        table = schema.recovery.c
        with self._store.read() as connection:
            # Read first: what is committed between these queries is caught up with later, and skipped if it was seen.
            seq = int(connection.execute(sa.select(schema.log_head.c.seq)).scalar() or 0)
            newest = (
                sa.select(table.ended).where(table.ended.is_not(None)).order_by(table.ended.desc()).limit(ENDED_KEPT)
            )
            ends = connection.execute(newest).scalars().all()
            # After a storm more have ended lately than are shown, and the limits of an hour count them all.
            oldest = min(ends[-1], ends[0] - ENDED_KEPT_FOR.total_seconds()) if ends else 0.0
            ended = sa.select(_ROW).where(table.ended >= oldest).order_by(table.ended)
            going = sa.select(_ROW).where(table.ended.is_(None))
            for query in (ended, going):
                for text in connection.execute(query).scalars():
                    self._keep(decode(text, Recovery))
            self._reclaimed.update(((row[0], row[1]), min(row[2], 2)) for row in connection.execute(_RECLAIMED))
            self._is_loaded = True
            self._take_in([as_logged(row) for row in reversed(connection.execute(_RELEASES).all())])
            self.feed.clear()
            self.feed.extend(reversed(newest_of_feed(connection, FEED_KEPT, seq + 1)))
            last = connection.execute(sa.select(*FACT_COLUMNS).where(schema.fact.c.seq == seq)).one_or_none()
            self.seq, self._last = seq, as_logged(last) if last else None


def _is_same(one: Logged, other: Logged) -> bool:
    """Whether two facts of one number are one: times are stored in seconds, as a fraction that may be rounded."""
    is_same_time = abs(one.at - other.at) < timedelta(milliseconds=1)
    return is_same_time and (one.recovery_id, tag(type(one.fact))) == (other.recovery_id, tag(type(other.fact)))


def _urgency(recovery: Recovery) -> tuple[bool, datetime, str]:
    return not recovery.interruption.confirmed, recovery.deadline, recovery.recovery_id


def newest_of_feed(connection: sa.Connection, limit: int, below: int | None = None) -> list[Logged]:
    """Return the newest facts of the feed, newest first."""
    column = schema.fact.c
    query = sa.select(*FACT_COLUMNS).where(column.kind.not_in([tag(kind) for kind in f.QUIET]))
    if below is not None:
        query = query.where(column.seq < below)
    return [as_logged(row) for row in connection.execute(query.order_by(column.seq.desc()).limit(limit))]


def load(connection: sa.Connection, recovery_id: str) -> Recovery | None:
    """Return a recovery as stored on disk."""
    return next(iter(_load_some(connection, [recovery_id])), None)


def load_plan(connection: sa.Connection, recovery_id: str) -> Plan | None:
    """Return a plan as stored on disk."""
    query = sa.select(schema.plan.c.data).where(schema.plan.c.recovery_id == recovery_id)
    text = connection.execute(query).scalar()
    return None if text is None else decode(text, Plan)


def of_instances(
    connection: sa.Connection, region: str, instance_ids: Iterable[str]
) -> dict[str, tuple[Recovery, ...]]:
    """Return every recovery of these instances of a region, the oldest first."""
    found: dict[str, tuple[Recovery, ...]] = {}
    table, wanted = schema.recovery.c, list(instance_ids)
    for start in range(0, len(wanted), _IDS_PER_QUERY):
        some = table.instance_id.in_(wanted[start : start + _IDS_PER_QUERY])
        query = sa.select(_ROW).where(some, table.region == region).order_by(table.epoch)
        for text in connection.execute(query).scalars():
            recovery = decode(text, Recovery)
            found[recovery.instance_id] = (*found.get(recovery.instance_id, ()), recovery)
    return found


def snapshot_row(recovery: Recovery) -> dict[str, Any]:
    """Return the row of a recovery's snapshot."""
    return {
        "id": recovery.recovery_id,
        "region": recovery.region,
        "instance_id": recovery.instance_id,
        "epoch": recovery.interruption.epoch,
        "state": recovery.state.value,
        "ended": stamp(recovery.ended) if recovery.ended else None,
        "driver": recovery.driver,
        "fence": recovery.fence,
        "version": recovery.version,
        "data": encode(recovery),
    }


def _load_some(connection: sa.Connection, ids: Iterable[str]) -> list[Recovery]:
    recoveries: list[Recovery] = []
    wanted = list(ids)
    for start in range(0, len(wanted), _IDS_PER_QUERY):
        query = sa.select(_ROW).where(schema.recovery.c.id.in_(wanted[start : start + _IDS_PER_QUERY]))
        recoveries += [decode(text, Recovery) for text in connection.execute(query).scalars()]
    return recoveries
