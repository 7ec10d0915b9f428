"""Interruptions: one row per instance and reclaim, whatever number of signs there were."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

import sqlalchemy as sa

from spottui.domain.audit import Entry, Phase
from spottui.domain.feed import EventKind, Line
from spottui.domain.interruption import Evidence, Interruption, Observation, Release, first_sight, fuse, same_reclaim
from spottui.domain.recovery import Decision, Recovery, RecoveryState
from spottui.journal import schema
from spottui.journal.audit import write_entry
from spottui.journal.database import Database
from spottui.journal.encoding import KEPT_DECODED, decode, encode, moment, stamp
from spottui.journal.events import write_line
from spottui.journal.outbox import write_letter

EPOCHS = 20
"""The newest interruptions of one instance among which an observation's own is looked for."""

NameOf = Callable[[str, str], str]
"""Gives the name of an instance by region and id, empty when it is not known."""


# Built once: in a storm a statement costs as much to build as to run.
_OWN = schema.interruption.c.id == sa.bindparam("own_id")
_GET = sa.select(schema.interruption.c.data).where(_OWN)
_UPDATE = schema.interruption.update().where(_OWN).values(data=sa.bindparam("data"))
_OPEN = schema.interruption.insert()
_OPEN_RECOVERY = schema.recovery.insert()
_OF_INSTANCE = (
    sa.select(schema.interruption.c.data, schema.recovery.c.state, schema.recovery.c.decision)
    .join(schema.recovery, schema.recovery.c.id == schema.interruption.c.id)
    .where(
        schema.interruption.c.region == sa.bindparam("of_region"),
        schema.interruption.c.instance_id == sa.bindparam("of_instance"),
    )
    .order_by(schema.interruption.c.epoch.desc())
    .limit(EPOCHS)
)
_RELEASED_AT = sa.select(schema.release.c.at).where(
    schema.release.c.region == sa.bindparam("of_region"), schema.release.c.instance_id == sa.bindparam("of_instance")
)


class Interruptions:
    """Reads and writes interruptions; opening one opens its recovery in the same commit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(
        self,
        observations: Sequence[Observation],
        releases: Sequence[Release],
        lines: Sequence[Line],
        name_of: NameOf,
        now: datetime,
    ) -> tuple[Interruption, ...]:
        """Commit all of it together, each observation to the one interruption it speaks of; return what it spoke of.

        `name_of` gives an instance's name for the recovery that a new interruption opens. Of a release, those
        interruptions are returned to which it was news.
        """
        with self._database.write() as connection:
            for line in lines:
                write_line(connection, line, now)
            seen = [_record_one(connection, one, name_of, now) for one in observations]
            gone = [known for release in releases for known in _release(connection, release, now)]
            return (*seen, *gone)

    def released(self, release: Release, now: datetime) -> None:
        """Commit that an instance is gone."""
        with self._database.write() as connection:
            _release(connection, release, now)

    def unlocked(self, region: str, instance_ids: Sequence[str], now: datetime) -> list[str]:
        """Note that the fleet has shown these instances without a lock after their deadline: the next lock is new.

        Returns those of which no lock is left to be seen gone.
        """
        with self._database.write() as connection:
            return [one for one in instance_ids if _unlock(connection, region, one, now)]

    def get(self, interruption_id: str) -> Interruption | None:
        """Return an interruption by its id."""
        with self._database.read() as connection:
            text = connection.execute(_GET, {"own_id": interruption_id}).scalar()
            return None if text is None else _decoded(text)

    def latest(self, limit: int) -> tuple[Interruption, ...]:
        """Return the newest interruptions, newest first."""
        with self._database.read() as connection:
            query = sa.select(schema.interruption.c.data).order_by(schema.interruption.c.epoch.desc()).limit(limit)
            return tuple(_decoded(text) for text in connection.execute(query).scalars())

    def forget_releases(self, before: datetime) -> None:
        """Drop the releases of long ago, of which no notice will come any more."""
        with self._database.write() as connection:
            connection.execute(schema.release.delete().where(schema.release.c.at < stamp(before)))


@lru_cache(maxsize=KEPT_DECODED)
def _decoded(text: str) -> Interruption:
    return decode(text, Interruption)


def _record_one(connection: sa.Connection, seen: Observation, name_of: NameOf, now: datetime) -> Interruption:
    known = _known(connection, seen)
    if known is None:
        return _open(connection, seen, name_of, now)
    fused = fuse(known, seen)
    _update(connection, fused)
    if fused.evidence == known.evidence:
        _write_sighting(connection, seen, fused, EventKind.DUPLICATE, now)
    else:
        _write_sighting(connection, seen, fused, _kind(seen), now)
        _write_evidence(connection, seen, fused, now)
    return fused


def _known(connection: sa.Connection, seen: Observation) -> Interruption | None:
    """Return the interruption that an observation speaks of: an old message may mean an old one.

    A lock that was never seen gone is still the same, whatever was said since.
    """
    matching = [
        known
        for known, state, decision in _of_instance(connection, seen.region, seen.instance_id)
        if same_reclaim(known, seen, closed=_is_closed(state, seen.source), acting=_is_acting(state, decision))
    ]
    locked = [known for known in matching if known.locked and seen.source is Evidence.LOCK]
    return next(iter(locked or matching), None)


def _is_closed(state: RecoveryState, source: Evidence) -> bool:
    """Whether a recovery came to nothing; one that a person stopped did only for a person who asks again."""
    if source is Evidence.ENGINEER:
        return state.came_to_nothing or state is RecoveryState.VETOED
    return state in (RecoveryState.FAILED, RecoveryState.SKIPPED)


def _is_acting(state: RecoveryState, decision: Decision) -> bool:
    return not state.is_final and (decision is Decision.CONFIRM or not state.waits_for_permission)


def _of_instance(
    connection: sa.Connection, region: str, instance_id: str
) -> Iterator[tuple[Interruption, RecoveryState, Decision]]:
    """Give the interruptions of an instance with what became of them, newest first."""
    rows = connection.execute(_OF_INSTANCE, {"of_region": region, "of_instance": instance_id}).all()
    for data, state, decision in rows:
        yield _decoded(data), RecoveryState(state), Decision(decision)


def _open(connection: sa.Connection, seen: Observation, name_of: NameOf, now: datetime) -> Interruption:
    released_at = _released_at(connection, seen.region, seen.instance_id)
    opened = _with_free_epoch(connection, replace(first_sight(seen, now), released_at=released_at))
    values = {
        "id": opened.id,
        "region": opened.region,
        "instance_id": opened.instance_id,
        "epoch": opened.epoch,
        "data": encode(opened),
    }
    connection.execute(_OPEN, values)
    recovery = Recovery(
        recovery_id=opened.id,
        region=opened.region,
        instance_id=opened.instance_id,
        name=name_of(opened.region, opened.instance_id),
        state=RecoveryState.SUSPECTED,
        deadline=opened.deadline,
        started=now,
    )
    connection.execute(_OPEN_RECOVERY, {"id": opened.id, "state": recovery.state.value, "data": encode(recovery)})
    _write_sighting(connection, seen, opened, _kind(seen), now)
    _write_evidence(connection, seen, opened, now)
    write_letter(connection, opened.id, *_notice(recovery, opened), now)
    if released_at:
        _write_release(connection, opened, released_at, now)
    return opened


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
    while connection.execute(_GET, {"own_id": opened.id}).first():
        opened = replace(opened, epoch=opened.epoch + 1)
    return opened


def _release(connection: sa.Connection, release: Release, now: datetime) -> list[Interruption]:
    """Keep the first word of a release, and return the interruptions to which it was news."""
    values = {"region": release.region, "instance_id": release.instance_id, "at": stamp(release.at)}
    connection.execute(sa.insert(schema.release).prefix_with("OR IGNORE").values(**values))
    told: list[Interruption] = []
    for known, state, _ in _of_instance(connection, release.region, release.instance_id):
        if known.released_at is None:
            gone = replace(known, released_at=release.at)
            _update(connection, gone)
            _write_release(connection, gone, release.at, now)
            if not state.is_final:
                told.append(gone)
    return told


def _released_at(connection: sa.Connection, region: str, instance_id: str) -> datetime | None:
    seconds = connection.execute(_RELEASED_AT, {"of_region": region, "of_instance": instance_id}).scalar()
    return None if seconds is None else moment(seconds)


def _unlock(connection: sa.Connection, region: str, instance_id: str, now: datetime) -> bool:
    locked = [known for known, _, _ in _of_instance(connection, region, instance_id) if _has_lock(known)]
    over = [known for known in locked if known.over_at < now]
    for known in over:
        _update(connection, replace(known, unlocked_at=now))
    return len(over) == len(locked)


def _has_lock(known: Interruption) -> bool:
    return known.locked and known.unlocked_at is None


def _update(connection: sa.Connection, known: Interruption) -> None:
    connection.execute(_UPDATE, {"own_id": known.id, "data": encode(known)})


def _kind(seen: Observation) -> EventKind:
    return EventKind.LOCK if seen.source is Evidence.LOCK else EventKind.RECLAIM


def _write_sighting(
    connection: sa.Connection, seen: Observation, known: Interruption, kind: EventKind, now: datetime
) -> None:
    again = f"seen again ({known.duplicates} more)" if kind is EventKind.DUPLICATE else f"evidence {known.marks}"
    text = f"{again}, deadline {known.deadline:%H:%M:%S}Z"
    if seen.message_id:
        text += f", message {seen.message_id}"
    write_line(connection, Line(kind, seen.region, seen.instance_id, text, recovery_id=known.id), now)


def _write_evidence(connection: sa.Connection, seen: Observation, known: Interruption, now: datetime) -> None:
    detail = f"dated {seen.at.isoformat()}, deadline {known.deadline.isoformat()}"
    detail += f", message {seen.message_id}" if seen.message_id else ""
    entry = Entry(known.id, seen.source.name.lower(), Phase.EVIDENCE, detail=detail)
    write_entry(connection, entry, seen.region, seen.instance_id, now)


def _write_release(connection: sa.Connection, known: Interruption, at: datetime, now: datetime) -> None:
    entry = Entry(known.id, "release", Phase.EVIDENCE, detail=f"dated {at.isoformat()}")
    write_entry(connection, entry, known.region, known.instance_id, now)
    text = f"released at {at:%H:%M:%S}Z, deadline {known.deadline:%H:%M:%S}Z"
    write_line(connection, Line(EventKind.RECLAIM, known.region, known.instance_id, text, recovery_id=known.id), now)
