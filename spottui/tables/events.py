"""The rows of the events panel, the newest first."""

from spottui.domain.feed import Event, EventKind
from spottui.domain.text import plain
from spottui.domain.view import DeskView
from spottui.tables.column import Cell, Column, Row, Rows, Table, Tone, as_text
from spottui.tables.instances import short_id
from spottui.tables.moments import utc_clock

_TONES = {
    EventKind.RECLAIM: Tone.ALARM,
    EventKind.LOCK: Tone.ALARM,
    EventKind.POISON: Tone.WARN,
    EventKind.SOURCE: Tone.WARN,
    EventKind.DUPLICATE: Tone.QUIET,
}

COLUMNS = (
    Column("time", "Time", 8, pinned=True),
    Column("event", "Event", 9, pinned=True),
    Column("instance", "Instance", 11, drop=1, render=short_id, whole=as_text, pinned=True),
    Column("text", "What", 20, flexible=True),
)


def _order(row: Row) -> tuple[Cell, ...]:
    return (-int(row[0]),)


LEVELS = ("", "event:~reclaim|lock|poison|source~", "event:~state|call|auto~")
"""The filters for all events, for what is being reclaimed or wrong, and for what is done about it."""

EVENTS = Table(COLUMNS, _order)


def event_rows(view: DeskView, known: Rows) -> Rows:
    """Return the rows of a view by the event's number; an event never changes, so known rows are kept."""
    return {event.seq: known.get(event.seq) or event_row(event) for event in view.events}


def event_row(event: Event) -> Row:
    """Return the row of one event."""
    return (
        event.seq,
        _TONES.get(event.kind, Tone.PLAIN),
        utc_clock(event.at),
        str(event.kind),
        plain(event.instance_id, 64),
        plain(event.text),
    )
