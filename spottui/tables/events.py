"""The rows of the events panel, the newest first."""

from collections.abc import Iterable, Mapping
from itertools import islice

from spottui import words
from spottui.domain.facts import CallFailed, EarlierLine, Fact, Logged, StateEntered
from spottui.domain.recovery import RecoveryState
from spottui.domain.text import plain
from spottui.domain.view import DeskView
from spottui.tables.column import Cell, Column, Row, Rows, Table, Tone, as_text
from spottui.tables.instances import short_id
from spottui.tables.moments import utc_clock
from spottui.words import EventKind

_ID = "i-"
_MOST_IDS = 1000

_TONES = {
    EventKind.RECLAIM: Tone.ALARM,
    EventKind.LOCK: Tone.ALARM,
    EventKind.POISON: Tone.WARN,
    EventKind.SOURCE: Tone.WARN,
    EventKind.VETOED: Tone.WARN,
    EventKind.HELD: Tone.WARN,
    EventKind.STOPPED: Tone.WARN,
    EventKind.DUPLICATE: Tone.QUIET,
}


def _name(cell: Cell, now_s: float) -> str:
    text = str(cell)
    return short_id(cell) if text.startswith(_ID) else text


COLUMNS = (
    Column("time", "Time UTC", 8, pinned=True),
    Column("event", "Event", 9, pinned=True),
    Column("name", "Name", 11, render=_name, whole=as_text, pinned=True),
    Column("text", "What", 14, flexible=True),
    Column("instance", "Instance", 11, render=short_id, whole=as_text, wide=90),
)
"""Who the event is about is named by the id where no name is known."""


def _order(row: Row) -> tuple[Cell, ...]:
    return (-int(row[0]),)


_DONE = "event:~state|call|auto|confirmed|vetoed|held|stopped|retried|decided~"
LEVELS = ("", "event:~reclaim|lock|poison|source~", _DONE)
"""The filters for all events, for what is being reclaimed or wrong, and for what is done about it."""

EVENTS = Table(COLUMNS, _order)
_NAME = EVENTS.place("name")


def names_of(view: DeskView) -> dict[str, str]:
    """Return the names of the instances by id, including those that are gone but have a recovery."""
    gone = {holder.instance_id: holder.name for holder in view.recoveries if holder.name}
    return gone | {holder.instance_id: holder.name for holder in view.instances if holder.name}


def ids_by_word(words: Iterable[str], names: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return, for each word, the ids of at most a thousand instances whose name contains it."""
    folded = [(instance_id, name.casefold()) for instance_id, name in names.items()]
    matches = {word: (instance_id for instance_id, name in folded if word.casefold() in name) for word in words}
    return {word: tuple(islice(ids, _MOST_IDS)) for word, ids in matches.items()}


def event_rows(view: DeskView, made: Rows, names: Mapping[str, str]) -> Rows:
    """Return the rows of a view by the event's number; a row of `made` is kept unless its name has changed."""
    rows: Rows = {}
    for event in shown(view.events):
        row = made.get(event.seq)
        named = row is not None and row[_NAME] == _who(event, names)
        rows[event.seq] = row if row is not None and named else event_row(event, names)
    return rows


def shown(log: Iterable[Logged]) -> tuple[Logged, ...]:
    """Return the facts that are lines of the feed."""
    return tuple(event for event in log if words.event_kind(event.fact))


def event_row(event: Logged, names: Mapping[str, str]) -> Row:
    """Return the row of one fact of the feed; `names` are those of the instances by their ids."""
    kind = words.event_kind(event.fact)
    return (
        event.seq,
        Tone.ALARM if _has_failed(event.fact) else _TONES.get(kind, Tone.PLAIN) if kind else Tone.PLAIN,
        utc_clock(event.at),
        str(kind or ""),
        _who(event, names),
        plain(words.text(event)),
        plain(event.instance_id, 64),
    )


def _has_failed(fact: Fact) -> bool:
    match fact:
        case CallFailed() | StateEntered(state=RecoveryState.FAILED) | EarlierLine(failed=True):
            return True
    return False


def _who(event: Logged, names: Mapping[str, str]) -> str:
    return plain(names.get(event.instance_id, "") or event.instance_id, 64)
