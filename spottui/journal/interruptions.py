"""Interruptions: one row per instance and reclaim, whatever number of signs there were."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

import sqlalchemy as sa

from spottui.domain.feed import EventKind
from spottui.domain.interruption import Evidence, Interruption, Observation, first_sight, fuse, same_reclaim
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.journal import schema
from spottui.journal.database import Database
from spottui.journal.encoding import decode, encode
from spottui.journal.events import Line, write_line
from spottui.journal.outbox import write_letter

EPOCHS = 20
"""The newest interruptions of one instance among which an observation's own is looked for."""

NameOf = Callable[[str, str], str]
"""Gives the name of an instance by region and id, empty when it is not known."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What an observation came to: a new interruption, stronger evidence for a known one, or a duplicate."""

    interruption: Interruption
    is_new: bool
    is_duplicate: bool


class Interruptions:
    """Reads and writes interruptions; opening one opens its recovery in the same commit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(
        self, observations: Sequence[Observation], lines: Sequence[Line], name_of: NameOf, now: datetime
    ) -> tuple[Recorded, ...]:
        """Commit observations and feed lines together, each observation to the one interruption it speaks of.

        `name_of` gives an instance's name for the recovery that a new interruption opens.
        """
        with self._database.write() as connection:
            for line in lines:
                write_line(connection, line, now)
            return tuple(_record_one(connection, seen, name_of, now) for seen in observations)

    def unlocked(self, region: str, instance_ids: Sequence[str], now: datetime) -> list[str]:
        """Note that the fleet has shown these instances without a lock after their deadline: the next lock is new.

        Returns those of which it was noted.
        """
        done: list[str] = []
        with self._database.write() as connection:
            for instance_id in instance_ids:
                known = _latest(connection, region, instance_id)
                if known and known.over_at < now:
                    done.append(instance_id)
                    if known.unlocked_at is None:
                        _update(connection, replace(known, unlocked_at=now))
        return done

    def get(self, interruption_id: str) -> Interruption | None:
        """Return an interruption by its id."""
        with self._database.read() as connection:
            query = sa.select(schema.interruption.c.data).where(schema.interruption.c.id == interruption_id)
            text = connection.execute(query).scalar()
            return None if text is None else decode(text, Interruption)

    def latest(self, limit: int) -> tuple[Interruption, ...]:
        """Return the newest interruptions, newest first."""
        with self._database.read() as connection:
            query = sa.select(schema.interruption.c.data).order_by(schema.interruption.c.epoch.desc()).limit(limit)
            return tuple(_decoded(text) for text in connection.execute(query).scalars())


@lru_cache(maxsize=2000)
def _decoded(text: str) -> Interruption:
    return decode(text, Interruption)


def _record_one(connection: sa.Connection, seen: Observation, name_of: NameOf, now: datetime) -> Recorded:
    known = _known(connection, seen)
    if known is None:
        return _open(connection, seen, name_of, now)
    fused = fuse(known, seen)
    _update(connection, fused)
    duplicate = fused.evidence == known.evidence
    _write_sighting(connection, seen, fused, EventKind.DUPLICATE if duplicate else _kind(seen), now)
    return Recorded(fused, is_new=False, is_duplicate=duplicate)


def _known(connection: sa.Connection, seen: Observation) -> Interruption | None:
    """Return the interruption that an observation speaks of: an old message may mean an old one."""
    table, recovery = schema.interruption, schema.recovery
    query = (
        sa.select(table.c.data, recovery.c.state)
        .join(recovery, recovery.c.id == table.c.id)
        .where(table.c.region == seen.region, table.c.instance_id == seen.instance_id)
        .order_by(table.c.epoch.desc())
        .limit(EPOCHS)
    )
    for data, state in connection.execute(query).all():
        known, ended = _decoded(data), RecoveryState(state)
        asked_again = seen.source is Evidence.ENGINEER and ended is RecoveryState.VETOED
        if same_reclaim(known, seen, closed=ended.came_to_nothing or asked_again):
            return known
    return None


def _open(connection: sa.Connection, seen: Observation, name_of: NameOf, now: datetime) -> Recorded:
    opened = _with_free_epoch(connection, first_sight(seen, now))
    connection.execute(
        schema.interruption.insert().values(
            id=opened.id,
            region=opened.region,
            instance_id=opened.instance_id,
            epoch=opened.epoch,
            data=encode(opened),
        )
    )
    recovery = Recovery(
        recovery_id=opened.id,
        region=opened.region,
        instance_id=opened.instance_id,
        name=name_of(opened.region, opened.instance_id),
        state=RecoveryState.SUSPECTED,
        deadline=opened.deadline,
        started=now,
    )
    connection.execute(schema.recovery.insert().values(id=opened.id, state=recovery.state.value, data=encode(recovery)))
    _write_sighting(connection, seen, opened, _kind(seen), now)
    write_letter(connection, opened.id, *_notice(recovery, opened), now)
    return Recorded(opened, is_new=True, is_duplicate=False)


def _notice(recovery: Recovery, opened: Interruption) -> tuple[str, str]:
    """Return title and text of the letter that tells of a new interruption."""
    name = recovery.name or recovery.instance_id
    if Evidence.ENGINEER in opened.evidence:
        return f"{name}: an engineer asked for its recovery", f"{opened.instance_id} in {opened.region}"
    certain = "its lock is set" if opened.locked else "no lock seen yet, it may be a drill"
    return (
        f"{name}: notice of a reclaim",
        f"{opened.instance_id} in {opened.region}, deadline {opened.deadline:%H:%M:%S} UTC, {certain}",
    )


def _with_free_epoch(connection: sa.Connection, opened: Interruption) -> Interruption:
    """Two reclaims of one instance cannot have begun in one second; two askings of an engineer can."""
    taken = sa.select(schema.interruption.c.id)
    while connection.execute(taken.where(schema.interruption.c.id == opened.id)).first():
        opened = replace(opened, epoch=opened.epoch + 1)
    return opened


def _update(connection: sa.Connection, known: Interruption) -> None:
    connection.execute(
        schema.interruption.update().where(schema.interruption.c.id == known.id).values(data=encode(known))
    )


def _latest(connection: sa.Connection, region: str, instance_id: str) -> Interruption | None:
    table = schema.interruption
    query = (
        sa.select(table.c.data)
        .where(table.c.region == region, table.c.instance_id == instance_id)
        .order_by(table.c.epoch.desc())
        .limit(1)
    )
    text = connection.execute(query).scalar()
    return None if text is None else decode(text, Interruption)


def _kind(seen: Observation) -> EventKind:
    return EventKind.LOCK if seen.source == "L" else EventKind.RECLAIM


def _write_sighting(
    connection: sa.Connection, seen: Observation, known: Interruption, kind: EventKind, now: datetime
) -> None:
    again = f"seen again ({known.duplicates} more)" if kind is EventKind.DUPLICATE else f"evidence {known.marks}"
    text = f"{again}, deadline {known.deadline:%H:%M:%S}"
    if seen.message_id:
        text += f", message {seen.message_id}"
    write_line(connection, Line(kind, seen.region, seen.instance_id, text, recovery_id=known.id), now)
