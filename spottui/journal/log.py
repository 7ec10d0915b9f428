"""The log on disk: facts by recovery and by number, search, and retention."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from spottui.domain import facts as f
from spottui.domain.facts import Logged
from spottui.domain.plan import Plan, without_user_data
from spottui.journal import schema
from spottui.journal.encoding import FACT_COLUMNS, as_logged, decode, stamp, tag
from spottui.journal.recoveries import newest_of_feed
from spottui.journal.snapshots import unlike_their_facts
from spottui.journal.store import Store
from spottui.journal.transaction import Transaction

LINES_KEPT = timedelta(days=30)
"""How long facts about no recovery, such as messages and sources, are kept."""
CALM_CALLS_KEPT = timedelta(days=3)
"""Calls in calm time are many, and their results are visible in the cloud."""
FLOODS = (f.PoisonSeen, f.MessageSeen, f.Released)
"""Kinds of facts about no recovery with which anybody who may send messages could fill the log."""
FLOOD_KEPT = 10_000
USER_DATA_KEPT = timedelta(days=7)
"""How long a failed recovery can be retried with its user data; a successful one does not need it."""
DROPPED_AT_ONCE = 1_000
PLANS_AT_ONCE = 50
_USER_DATA = '"user_data":{'
RECOVERIES_AT_ONCE = 10
_SCANNED_AT_ONCE = 2_000

_FACT = schema.fact.c
_IN_FEED = _FACT.kind.not_in([tag(kind) for kind in f.QUIET])
_BY_SEQ = sa.select(*FACT_COLUMNS).order_by(_FACT.seq)


class Log:
    """Reads the log."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of(self, recovery_id: str) -> tuple[Logged, ...]:
        """Return every fact of a recovery, oldest first."""
        return self._all(_BY_SEQ.where(_FACT.recovery_id == recovery_id))

    def after(self, seq: int, limit: int, kinds: Sequence[type] = ()) -> tuple[Logged, ...]:
        """Return the first facts after a number, at most `limit`, oldest first; of some kinds only, or of all."""
        query = _BY_SEQ.where(_FACT.seq > seq).limit(limit)
        return self._all(query.where(_FACT.kind.in_([tag(kind) for kind in kinds])) if kinds else query)

    def unread_outputs(self) -> dict[str, str]:
        """Return the unread output stream of each console by its id; some of the consoles may have ended."""
        facts = [logged.fact for logged in self._all(_BY_SEQ.where(_FACT.kind == tag(f.OutputLost)))]
        return {fact.console: fact.stream for fact in facts if isinstance(fact, f.OutputLost)}

    def between(self, began: datetime, ended: datetime) -> tuple[Logged, ...]:
        """Return every fact of a period, oldest first."""
        return self._all(_BY_SEQ.where(_FACT.at >= stamp(began), _FACT.at <= stamp(ended)))

    def before(self, seq: int, limit: int) -> tuple[Logged, ...]:
        """Return the newest facts of the feed below a number, oldest first."""
        with self._store.read() as connection:
            return tuple(reversed(newest_of_feed(connection, limit, seq)))

    def first_after(self, at: datetime) -> int:
        """Return the number of the first fact of a time or later, one more than the last where there is none."""
        with self._store.read() as connection:
            seq = connection.execute(sa.select(sa.func.min(_FACT.seq)).where(_FACT.at >= stamp(at))).scalar()
            return int(seq) if seq else int(connection.execute(sa.select(schema.log_head.c.seq)).scalar() or 0) + 1

    def find(
        self, holds: Callable[[Logged], bool], limit: int, *, above: int = 0, below: int | None = None
    ) -> tuple[Logged, ...]:
        """Return facts of the feed for which `holds`, numbered between `above` and `below`, at most `limit`.

        They are the newest of those, newest first; without `below` the oldest, oldest first.
        """
        loggeds: list[Logged] = []
        for logged in self._feed(above, below):
            if holds(logged):
                loggeds.append(logged)
                if len(loggeds) == limit:
                    break
        return tuple(loggeds)

    def last(self, kind: type, recovery_id: str = "") -> Logged | None:
        """Return the newest fact of a kind."""
        query = sa.select(*FACT_COLUMNS).where(_FACT.kind == tag(kind))
        query = query.where(_FACT.recovery_id == recovery_id) if recovery_id else query
        with self._store.read() as connection:
            row = connection.execute(query.order_by(_FACT.seq.desc()).limit(1)).one_or_none()
        return None if row is None else as_logged(row)

    def unlike_their_facts(self) -> Iterator[str]:
        """Yield the ids of the recoveries whose snapshot differs from the fold of their facts."""
        with self._store.read() as connection:
            yield from (recovery.recovery_id for recovery in unlike_their_facts(connection))

    def _feed(self, above: int, below: int | None) -> Iterator[Logged]:
        """Yield the feed page by page, so that only the needed part is read."""
        last, newest_first = (below, True) if below is not None else (above, False)
        while True:
            query = sa.select(*FACT_COLUMNS).where(_IN_FEED, _FACT.seq > above).limit(_SCANNED_AT_ONCE)
            bound = _FACT.seq < last if newest_first else _FACT.seq > last
            page = self._all(query.where(bound).order_by(_FACT.seq.desc() if newest_first else _FACT.seq))
            yield from page
            if len(page) < _SCANNED_AT_ONCE:
                return
            last = page[-1].seq

    def _all(self, query: "sa.Select[tuple[object, ...]]") -> tuple[Logged, ...]:
        with self._store.read() as connection:
            return tuple(as_logged(row) for row in connection.execute(query))


def drop_old(transaction: Transaction, now: datetime, keep: timedelta) -> int:
    """Drop some outdated rows and return how many; call it again until that is 0.

    Facts and plans of recoveries that ended before `keep`, user data after a week, lines of more than a month ago but
    for standing protection, calls in calm time of more than three days ago, and all but the newest poison.
    """
    connection = transaction.connection
    dropped = _drop_recoveries(connection, stamp(now - keep))
    lines = _FACT.recovery_id == ""
    drops = lines & _FACT.kind.not_in([tag(f.DisksProtected), tag(f.ProtectionUndone)])
    old = sa.select(_FACT.seq).where(drops, _FACT.at < stamp(now - LINES_KEPT)).limit(DROPPED_AT_ONCE)
    dropped += connection.execute(schema.fact.delete().where(_FACT.seq.in_(old))).rowcount
    calm = lines & _FACT.kind.in_([tag(f.CallBegun), tag(f.ReadyCallAnswered)])
    old = sa.select(_FACT.seq).where(calm, _FACT.at < stamp(now - CALM_CALLS_KEPT)).limit(DROPPED_AT_ONCE)
    dropped += connection.execute(schema.fact.delete().where(_FACT.seq.in_(old))).rowcount
    for kind in FLOODS:
        newest = sa.select(_FACT.seq).where(_FACT.kind == tag(kind), _FACT.recovery_id == "").order_by(_FACT.seq.desc())
        spare = connection.execute(newest.offset(FLOOD_KEPT).limit(DROPPED_AT_ONCE)).scalars().all()
        if spare:
            dropped += connection.execute(schema.fact.delete().where(_FACT.seq.in_(spare))).rowcount
    return dropped + _forget_user_data(transaction, now)


def _drop_recoveries(connection: sa.Connection, before: float) -> int:
    """Drop all facts and the plan of some recoveries: a part of the facts would make no recovery."""
    recovery, plan = schema.recovery.c, schema.plan.c
    has_facts = sa.exists().where(_FACT.recovery_id == recovery.id)
    has_plan = sa.exists().where(plan.recovery_id == recovery.id)
    old = sa.select(recovery.id).where(recovery.ended < before, has_facts | has_plan).limit(RECOVERIES_AT_ONCE)
    ids = connection.execute(old).scalars().all()
    facts = schema.fact.delete().where(_FACT.recovery_id.in_(ids))
    plans = schema.plan.delete().where(plan.recovery_id.in_(ids))
    return sum(connection.execute(each).rowcount for each in (facts, plans)) if ids else 0


def _forget_user_data(transaction: Transaction, now: datetime) -> int:
    """Drop the user data of plans that have not been retried for long; return how many had any."""
    recovery, plan = schema.recovery.c, schema.plan.c
    over = sa.select(recovery.id).where(recovery.ended < stamp(now - USER_DATA_KEPT))
    query = sa.select(plan.recovery_id, plan.data).where(plan.recovery_id.in_(over), plan.data.contains(_USER_DATA))
    forgotten = 0
    for recovery_id, text in transaction.connection.execute(query.limit(PLANS_AT_ONCE)).all():
        known = decode(text, Plan)
        if known.spec.user_data:
            transaction.set_plan(recovery_id, without_user_data(known))
            forgotten += 1
    return forgotten
