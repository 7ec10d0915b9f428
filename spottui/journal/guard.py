"""What the guard of auto-mode remembers: who armed it, and what it last answered about each recovery."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from spottui.domain.audit import Phase
from spottui.domain.feed import EventKind, Line
from spottui.domain.interruption import Interruption
from spottui.domain.recovery import Decision, Recovery, RecoveryState
from spottui.journal import schema
from spottui.journal.database import Database
from spottui.journal.encoding import decode, moment, stamp
from spottui.journal.events import write_line
from spottui.journal.recoveries import ROW, decoded, load, write_decision

_ARMING, _ANSWER, _RECOVERY = schema.arming.c, schema.auto_answer.c, schema.recovery.c
_FINAL = [state.value for state in RecoveryState if state.is_final]
_IDS_PER_QUERY = 500

Turn = tuple[datetime, str]
"""A recovery's place in the line: its deadline, then its id."""


class AutoAnswer(StrEnum):
    """What auto-mode was told about a recovery."""

    GRANTED = "granted"
    """A veto window runs; the recovery holds its place."""
    CONFIRMED = "confirmed"
    IN_LINE = "in line"
    """Nothing but the limits stands against it: it waits for a place in the order of deadlines."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Arming:
    """That one console armed auto-mode, or why what it armed was disarmed."""

    executor_id: str
    armed: bool
    who: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The last answer about one run of a recovery; `why` is its reason without what changes every second."""

    recovery_id: str
    run: int
    answer: AutoAnswer
    why: str
    at: datetime
    asked_at: datetime
    deadline: datetime
    added_cost: float
    veto_until: datetime | None = None


def _waiting(answer: AutoAnswer) -> sa.Select[Any]:
    """Select those with this answer of which no person has spoken since."""
    return (
        sa.select(_ANSWER.deadline, _ANSWER.recovery_id, _ANSWER.added_cost, _ANSWER.asked_at)
        .join(schema.recovery, _RECOVERY.id == _ANSWER.recovery_id)
        .where(
            _ANSWER.answer == answer.value,
            _RECOVERY.decision == Decision.NONE.value,
            ~_RECOVERY.cancel,
            _RECOVERY.state.not_in(_FINAL),
        )
        .order_by(_ANSWER.deadline, _ANSWER.recovery_id)
    )


# Every look asks these: to build a statement takes longer than to run it.
_SAID = sa.select(schema.arming).order_by(_ARMING.at)
_HELD = _waiting(AutoAnswer.GRANTED)
_IN_LINE = _waiting(AutoAnswer.IN_LINE)
_IN_FLIGHT = sa.select(sa.func.count()).where(
    _RECOVERY.decision == Decision.CONFIRM.value, _RECOVERY.state.not_in(_FINAL)
)


class GuardBook:
    """Opens the guard's pages; one that is opened to write holds the journal's write lock until it is closed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def read(self) -> Iterator["Page"]:
        """Give a page to read from."""
        with self._database.read() as connection:
            yield Page(connection)

    @contextmanager
    def write(self) -> Iterator["Page"]:
        """Give a page on which nothing changes but by its holder, committed when the block is left."""
        with self._database.write() as connection:
            yield Page(connection)


class Page:
    """The guard's questions to the journal, and what it writes there, in one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def arming(self) -> tuple[Arming, ...]:
        """Return what each console has last said, the oldest first."""
        rows = self._connection.execute(_SAID).mappings().all()
        return tuple(
            Arming(row["executor_id"], row["armed"], row["who"], moment(row["at"]), row["reason"]) for row in rows
        )

    def say(self, said: Arming) -> None:
        """Write what a console says of auto-mode."""
        values = {
            "executor_id": said.executor_id,
            "armed": said.armed,
            "who": said.who,
            "at": stamp(said.at),
            "reason": said.reason,
        }
        self._connection.execute(sa.insert(schema.arming).prefix_with("OR REPLACE").values(**values))

    def disarm(self, who: str, reason: str, now: datetime) -> None:
        """Disarm for every console; recoveries in their veto window or in line lose their place."""
        self._connection.execute(schema.arming.update().values(armed=False, who=who, reason=reason, at=stamp(now)))
        waiting = _ANSWER.answer.in_((AutoAnswer.GRANTED.value, AutoAnswer.IN_LINE.value))
        withdrawn = {"answer": AutoAnswer.REFUSED.value, "why": "disarmed", "veto_until": None}
        self._connection.execute(schema.auto_answer.update().where(waiting).values(**withdrawn))

    def forget(self, executor_ids: Iterable[str]) -> None:
        """Drop what consoles that are dead have said."""
        self._connection.execute(schema.arming.delete().where(_ARMING.executor_id.in_(list(executor_ids))))

    def recovery(self, recovery_id: str) -> Recovery | None:
        """Return a recovery as it is now."""
        return load(self._connection, recovery_id)

    def in_flight(self) -> int:
        """Count the recoveries that somebody has confirmed and that are not over."""
        return int(self._connection.execute(_IN_FLIGHT).scalar_one())

    def held(self) -> tuple[tuple[Turn, float], ...]:
        """Return the turn and the added cost of each recovery that holds a place, the nearest deadline first."""
        rows = self._connection.execute(_HELD)
        return tuple(((moment(row.deadline), row.recovery_id), row.added_cost) for row in rows)

    def line(self, asked_since: datetime) -> tuple[Turn, ...]:
        """Return the turns of those in line that have asked since then, the nearest deadline first."""
        rows, since = self._connection.execute(_IN_LINE), stamp(asked_since)
        return tuple((moment(row.deadline), row.recovery_id) for row in rows if row.asked_at > since)

    def confirmed(self, since: datetime) -> tuple[int, float]:
        """Return how many auto-mode has confirmed since then, and what they cost more an hour in all."""
        count, cost = sa.func.count(), sa.func.coalesce(sa.func.sum(_ANSWER.added_cost), 0.0)
        row = self._connection.execute(sa.select(count, cost).where(*_confirmed_since(since))).one()
        return int(row[0]), float(row[1])

    def nth_newest(self, number: int) -> datetime | None:
        """Return when auto-mode made its newest confirmation but `number` - 1."""
        query = sa.select(_ANSWER.at).where(_ANSWER.answer == AutoAnswer.CONFIRMED.value)
        at = self._connection.execute(query.order_by(_ANSWER.at.desc()).offset(number - 1).limit(1)).scalar()
        return None if at is None else moment(at)

    def endings(self, since: datetime, limit: int) -> tuple[RecoveryState, ...]:
        """Return how the newest recoveries of auto-mode ended: `recovered` or `failed`, nothing else counts."""
        query = (
            sa.select(_ANSWER.outcome)
            .where(
                _ANSWER.ended_at > stamp(since),
                _ANSWER.answer == AutoAnswer.CONFIRMED.value,
                _ANSWER.outcome.in_((RecoveryState.RECOVERED.value, RecoveryState.FAILED.value)),
            )
            .order_by(_ANSWER.ended_at.desc())
            .limit(limit)
        )
        return tuple(RecoveryState(state) for state in self._connection.execute(query).scalars())

    def recoveries(self, since: datetime) -> tuple[Recovery, ...]:
        """Return what auto-mode has confirmed since then, over or not."""
        confirmed = sa.exists().where(_ANSWER.recovery_id == _RECOVERY.id, *_confirmed_since(since))
        query = sa.select(*ROW).where(confirmed)
        return tuple(decoded(*row) for row in self._connection.execute(query))

    def locked(self, instance_ids: Iterable[str]) -> dict[str, datetime]:
        """Return when the newest reclaim of each instance was first seen, where a lock has confirmed it."""
        wanted, table = list(instance_ids), schema.interruption.c
        seen: dict[str, datetime] = {}
        for start in range(0, len(wanted), _IDS_PER_QUERY):
            some = table.instance_id.in_(wanted[start : start + _IDS_PER_QUERY])
            for text in self._connection.execute(sa.select(table.data).where(some).order_by(table.epoch)).scalars():
                one = decode(text, Interruption)
                if one.locked:
                    seen[one.instance_id] = one.first_seen
        return seen

    def answered(self, recovery: Recovery) -> Answered | None:
        """Return the last answer about a recovery, None when it has not asked."""
        query = sa.select(schema.auto_answer).where(
            _ANSWER.recovery_id == recovery.recovery_id, _ANSWER.run == recovery.run
        )
        row = self._connection.execute(query).mappings().one_or_none()
        return None if row is None else _answered(row)

    def note(self, new: Answered) -> None:
        """Write an answer over the last one."""
        values = {
            "recovery_id": new.recovery_id,
            "run": new.run,
            "answer": new.answer.value,
            "why": new.why,
            "at": stamp(new.at),
            "asked_at": stamp(new.asked_at),
            "deadline": stamp(new.deadline),
            "added_cost": new.added_cost,
            "veto_until": stamp(new.veto_until) if new.veto_until else None,
        }
        self._connection.execute(sa.insert(schema.auto_answer).prefix_with("OR REPLACE").values(**values))

    def confirm(self, recovery: Recovery, who: str, now: datetime) -> None:
        """Write auto-mode's yes."""
        write_decision(self._connection, recovery, Decision.CONFIRM, who, now)

    def tell(self, text: str, now: datetime, recovery: Recovery | None = None) -> None:
        """Write a line of the feed; one that is about a recovery is in its audit too."""
        line = Line(EventKind.AUTO, "", "", text)
        if recovery:
            line = Line(EventKind.AUTO, recovery.region, recovery.instance_id, text, recovery.recovery_id)
            decision = {"action": "auto-mode", "phase": Phase.DECISION.value, "detail": text}
            audit = schema.audit.insert().values(at=stamp(now), recovery_id=recovery.recovery_id, **decision)
            self._connection.execute(audit)
        write_line(self._connection, line, now)


def _confirmed_since(since: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return _ANSWER.answer == AutoAnswer.CONFIRMED.value, _ANSWER.at > stamp(since)


def _answered(row: sa.RowMapping) -> Answered:
    return Answered(
        recovery_id=row["recovery_id"],
        run=row["run"],
        answer=AutoAnswer(row["answer"]),
        why=row["why"],
        at=moment(row["at"]),
        asked_at=moment(row["asked_at"]),
        deadline=moment(row["deadline"]),
        added_cost=row["added_cost"],
        veto_until=None if row["veto_until"] is None else moment(row["veto_until"]),
    )
