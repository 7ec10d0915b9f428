"""The window of the events panel on the feed: the newest events, or those around the cursor, never all."""

from collections.abc import Callable, Mapping, Sequence

from textual import on
from textual.message import Message
from textual.widget import Widget

from spottui.console.messages import Answered
from spottui.console.widgets.table import DeskTable
from spottui.domain.facts import Logged
from spottui.domain.region_key import shown_account
from spottui.tables.column import Cell, Rows
from spottui.tables.diff import Diff
from spottui.tables.events import EVENTS, event_row, shown
from spottui.tables.filter import FilterError, parse

PAGE = 500
HELD = 2_000
_NEAR = 30

AskForEvents = Callable[[tuple[str, ...], int, int | None, Widget], None]
"""Asks the desk for a page of events that contain all words, numbered above one and below another; the answer is the
words and the events."""


class EventReader(Widget):
    """Moves the table's window along the feed in the journal; shows nothing itself.

    `events` are those in the window, at most `HELD`. `follows` is True while new events come in at the top; it is not
    while paused, nor while the window has moved to older events. `names` are those of the instances by their ids.
    """

    class Changed(Message):
        """The window has moved."""

    def __init__(self, table: DeskTable, ask: AskForEvents) -> None:
        super().__init__()
        self.display = False
        self.is_paused = False
        self._table, self._ask = table, ask
        self.events: dict[Cell, Logged] = {}
        self.names: Mapping[str, str] = {}
        self._live: Sequence[Logged] = ()
        self._words: tuple[str, ...] = ()
        self._no_older = False
        self._newer_dropped = False
        self._asked = ""

    @property
    def follows(self) -> bool:
        """Whether new events come in at the top."""
        return not self.is_paused and not self._newer_dropped

    @property
    def is_searching(self) -> bool:
        """Whether the journal is being read."""
        return bool(self._asked)

    def newer(self) -> int:
        """Return how many events are newer than the window."""
        top = self._top()
        return 0 if self.follows else sum(event.seq > top for event in self._live)

    def take(self, events: Sequence[Logged], new: Rows) -> None:
        """Add the newest events of the feed, of which `new` are the rows that were not there before."""
        self._live = shown(events)
        if self.follows:
            bottom = self._bottom()
            self._put([event for event in self._live if event.seq in new and event.seq >= bottom], new)
            self._drop(newest=False)

    def pause(self) -> bool:
        """Stop following, or follow again from the newest event; return whether it is paused."""
        self.is_paused = not self.is_paused
        if not self.is_paused:
            self.start_over()
        return self.is_paused

    def start_over(self) -> None:
        """Go back to the newest events."""
        self._newer_dropped = False
        self._no_older = False
        self.events = {event.seq: event for event in self._live}
        rows: Rows = {event.seq: self._rows.get(event.seq) or event_row(event, self.names) for event in self._live}
        self._table.apply(Diff(rows, frozenset(self._rows.keys() - rows.keys())))
        self.load_more()

    def search(self, text: str) -> None:
        """Read what a filter looks for from the whole feed, starting again from the newest events."""
        self._words = search_words(text)
        self._asked = ""
        self.start_over()

    def load_more(self) -> None:
        """Read more where the cursor comes near an end of the window, or too few events match."""
        model = self._table.model
        if self._asked or not self._live:
            return
        if self._newer_dropped and model.cursor < _NEAR:
            self._go("newer", self._top(), None)
        elif not self._no_older and len(model.view) - model.cursor < max(_NEAR, self._table.size.height):
            self._go("older", 0, self._bottom())

    @on(Answered)
    def _take_page(self, message: Answered) -> None:
        message.stop()
        asked, self._asked = self._asked, ""
        if not asked or not isinstance(message.answer, tuple) or message.answer[0] != self._words:
            return
        events = message.answer[1]
        if asked == "older":
            self._no_older = len(events) < PAGE
            self._put(events)
            self._drop(newest=True)
        else:
            self._newer_dropped = len(events) == PAGE
            self._put(events)
            self._drop(newest=False)
            if not self._newer_dropped:
                top = self._top()
                self._put([event for event in self._live if event.seq > top])
        if events:
            self.load_more()
        self.post_message(self.Changed())

    def _go(self, where: str, above: int, below: int | None) -> None:
        self._asked = where
        self._ask(self._words, above, below, self)

    @property
    def _rows(self) -> Rows:
        return self._table.model.rows

    def _top(self) -> int:
        return max((int(key) for key in self._rows), default=0)

    def _bottom(self) -> int:
        return min((int(key) for key in self._rows), default=0)

    def _put(self, events: Sequence[Logged], made: Rows | None = None) -> None:
        self.events.update((event.seq, event) for event in events)
        rows: Rows = {event.seq: (made or {}).get(event.seq) or event_row(event, self.names) for event in events}
        if rows:
            self._table.apply(Diff(rows))

    def _drop(self, *, newest: bool) -> None:
        """Drop what exceeds `HELD` events, at the end away from the cursor."""
        spare = len(self._rows) - HELD
        if spare > 0:
            keys: list[Cell] = sorted(self._rows, key=int, reverse=newest)[:spare]
            self._newer_dropped = self._newer_dropped or newest
            self._no_older = self._no_older and newest
            self._table.apply(Diff({}, frozenset(keys)))
            self.events = {key: event for key, event in self.events.items() if key in self._rows}


def events_of(
    account: str, find: Callable[..., tuple[Logged, ...]], limit: int, above: int, below: int | None
) -> tuple[Logged, ...]:
    """Return events as `Desk.find_events` does, only those of one account, all for an empty name.

    Asks `find` for page after page, so that fewer than `limit` are all there are.
    """
    kept: list[Logged] = []
    while True:
        page = find(limit, above=above, below=below)
        kept += [
            logged for logged in page if not (account and logged.region) or shown_account(logged.region) == account
        ]
        if len(page) < limit or len(kept) >= limit:
            return tuple(kept[:limit])
        last = page[-1].seq
        above, below = (last, None) if below is None else (above, last)


def search_words(text: str) -> tuple[str, ...]:
    """Return the words of a filter that every event must contain and that the journal can search for."""
    try:
        parsed = parse(text, EVENTS.columns)
    except FilterError:
        return ()
    columns = ("event", "name", "instance", "text")
    return tuple(
        term.value
        for term in (parsed.terms if parsed else ())
        if not term.absent
        and term.pattern is None
        and term.sign in (":", "=")
        and term.value.isascii()
        and (term.column is None or term.column.id in columns)
    )
