"""What the journal holds of a stretch of the past, line by line, to be played once more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from spottui.domain.as_of import Outlook
from spottui.domain.audit import Entry
from spottui.domain.feed import Event, EventKind
from spottui.domain.instance import Instance
from spottui.domain.interruption import Interruption
from spottui.domain.recovery import Recovery
from spottui.journal import schema
from spottui.journal.encoding import decode, moment, stamp
from spottui.journal.events import as_event
from spottui.journal.fleet import as_captured
from spottui.journal.incidents import Incident
from spottui.journal.journal import Journal
from spottui.journal.recoveries import ROW, decoded

BEFORE, AFTER = timedelta(seconds=5), timedelta(seconds=5)
EVENTS_BEFORE = 1000
_SEEN_EACH = timedelta(hours=2)
"""A spec is written again every hour as long as its instance is there."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One reclaim with its recovery and every line about it, oldest first; `seen_again` are its repeated signs."""

    interruption: Interruption
    recovery: Recovery
    audit: tuple[Entry, ...]
    outlooks: tuple[Outlook, ...]
    seen_again: tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class Footage:
    """A stretch of time: `scenes` are the reclaims of it, `events` its lines after some of before, oldest first.

    `instances` are those that were there at some moment of it, as they were seen last.
    """

    began: datetime
    ended: datetime
    scenes: tuple[Scene, ...]
    events: tuple[Event, ...]
    instances: tuple[Instance, ...]

    @property
    def moments(self) -> tuple[datetime, ...]:
        """Every time of it at which something was written, its beginning and its end; in no order."""
        entries = (entry.at for scene in self.scenes for entry in scene.audit if entry.at)
        outlooks = (one.at for scene in self.scenes for one in scene.outlooks)
        events = (event.at for event in self.events)
        inside = (at for group in (entries, outlooks, events) for at in group if self.began < at < self.ended)
        return (self.began, *inside, self.ended)


def footage(journal: Journal, incident: Incident) -> Footage:
    """Return all of the journal between an incident's first sign and the last that happened of it.

    What comes long afterwards, the janitor's work say, is left out.
    """
    reclaim, recovery = incident.interruption, incident.recovery
    over = max(reclaim.over_at, recovery.ended or reclaim.over_at)
    last = max((entry.at for entry in incident.audit if entry.at and entry.at <= over), default=over)
    began, ended = reclaim.first_seen - BEFORE, max(last, recovery.ended or last) + AFTER
    scenes = _scenes(journal, began, ended)
    return Footage(began, ended, scenes, _events(journal, began, ended), _instances(journal, began, scenes))


def _scenes(journal: Journal, began: datetime, ended: datetime) -> tuple[Scene, ...]:
    """Give what went on in that time, of the whole journal: a storm is not the reclaim of one."""
    table, recovery = schema.interruption, schema.recovery
    query = (
        sa.select(table.c.data.label("interruption"), *ROW)
        .join(recovery, recovery.c.id == table.c.id)
        .where(table.c.epoch <= stamp(ended))
        .order_by(table.c.epoch)
    )
    with journal.database.read() as connection:
        rows = connection.execute(query).all()
    known = [(decode(row[0], Interruption), decoded(*row[1:])) for row in rows]
    seen_again = _seen_again(journal, began)
    return tuple(
        Scene(
            reclaim,
            one,
            journal.audit.of(reclaim.id),
            journal.outlooks.of(reclaim.id),
            tuple(seen_again.get(reclaim.id, ())),
        )
        for reclaim, one in known
        if reclaim.first_seen <= ended and max(one.ended or ended, reclaim.over_at) >= began
    )


def _seen_again(journal: Journal, began: datetime) -> dict[str, list[datetime]]:
    """Give the times of repeated signs by the recovery, those after the end too: a reclaim's row counts them all."""
    table = schema.event.c
    repeated = (table.kind == EventKind.DUPLICATE.value, table.at >= stamp(began))
    query = sa.select(table.recovery_id, table.at).where(*repeated).order_by(table.seq)
    found: dict[str, list[datetime]] = {}
    with journal.database.read() as connection:
        for recovery_id, at in connection.execute(query):
            found.setdefault(recovery_id, []).append(moment(at))
    return found


def _events(journal: Journal, began: datetime, ended: datetime) -> tuple[Event, ...]:
    table = schema.event
    before = sa.select(table).where(table.c.at < stamp(began)).order_by(table.c.seq.desc()).limit(EVENTS_BEFORE)
    inside = sa.select(table).where(table.c.at >= stamp(began), table.c.at <= stamp(ended)).order_by(table.c.seq)
    with journal.database.read() as connection:
        older = connection.execute(before).mappings().all()
        rows = connection.execute(inside).mappings().all()
    return tuple(as_event(row) for row in (*reversed(older), *rows))


def _instances(journal: Journal, began: datetime, scenes: Sequence[Scene]) -> tuple[Instance, ...]:
    """Those of the fleet, and those under reclaim as their plans hold them: the fleet forgets in a week."""
    table = schema.fleet
    query = sa.select(table).where(table.c.seen_at >= stamp(began - _SEEN_EACH))
    with journal.database.read() as connection:
        rows = connection.execute(query).mappings().all()
    plans = (journal.recoveries.plan(scene.recovery.recovery_id) for scene in scenes)
    found = (*(as_captured(row).spec.instance for row in rows), *(plan.spec.instance for plan in plans if plan))
    return tuple({(one.region, one.instance_id): one for one in found}.values())
