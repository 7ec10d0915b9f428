"""What the events panel holds of the feed: the newest lines, or those around the cursor, never the whole of it."""

from collections.abc import Callable, Mapping, Sequence

from textual import on
from textual.message import Message
from textual.widget import Widget

from spottui.console.messages import Answered
from spottui.console.widgets.table import DeskTable
from spottui.domain.facts import Logged
from spottui.tables.column import Cell, Rows
from spottui.tables.diff import Diff
from spottui.tables.events import EVENTS, event_row, shown
from spottui.tables.filter import FilterError, parse

PAGE = 500
HELD = 2_000
_NEAR = 30

Ask = Callable[[tuple[str, ...], int, int | None, Widget], None]
"""Asks the desk for a page of lines that hold all words and are numbered above one number and below another; the
answer is the words and the lines."""


class EventReader(Widget):
    """Moves the lines that the table holds along the feed on disk; shows nothing itself.

    `events` are the lines that the table holds. `follows` is True while new lines come in at the top. It is not while
    a person holds the panel still (`pause`), and while newer lines than those around the cursor were let go. `names`
    are those of the instances by their ids.
    """

    class Changed(Message):
        """Other lines are held than before."""

    def __init__(self, table: DeskTable, ask: Ask) -> None:
        super().__init__()
        self.display = False
        self.is_paused = False
        self._table, self._ask = table, ask
        self.events: dict[Cell, Logged] = {}
        self.names: Mapping[str, str] = {}
        self._live: Sequence[Logged] = ()
        self._words: tuple[str, ...] = ()
        self._no_older = False
        self._newer_let_go = False
        self._asked = ""

    @property
    def follows(self) -> bool:
        """Whether new lines come in at the top."""
        return not self.is_paused and not self._newer_let_go

    @property
    def is_searching(self) -> bool:
        """Whether lines on disk are being looked through."""
        return bool(self._asked)

    def newer(self) -> int:
        """Return how many of the newest lines the table does not hold."""
        top = self._top()
        return 0 if self.follows else sum(event.seq > top for event in self._live)

    def take(self, events: Sequence[Logged], new: Rows) -> None:
        """Take in the newest lines of the feed, of which `new` are the rows that were not there before."""
        self._live = shown(events)
        if self.follows:
            bottom = self._bottom()
            self._put([event for event in self._live if event.seq in new and event.seq >= bottom], new)
            self._let_go(newest=False)

    def pause(self) -> bool:
        """Hold the panel still, or let it follow again from the newest line; return whether it is held."""
        self.is_paused = not self.is_paused
        if not self.is_paused:
            self.start_over()
        return self.is_paused

    def start_over(self) -> None:
        """Go back to the newest lines."""
        self._newer_let_go = False
        self._no_older = False
        self.events = {event.seq: event for event in self._live}
        rows: Rows = {event.seq: self._rows.get(event.seq) or event_row(event, self.names) for event in self._live}
        self._table.apply(Diff(rows, frozenset(self._rows.keys() - rows.keys())))
        self.look_on()

    def search(self, text: str) -> None:
        """Look for what a filter asks for in all of the feed; whatever it was before, the lines held start over."""
        self._words = sought(text)
        self._asked = ""
        self.start_over()

    def look_on(self) -> None:
        """Ask for lines where the cursor comes near an end of those that are held, or too few match."""
        model = self._table.model
        if self._asked or not self._live:
            return
        if self._newer_let_go and model.cursor < _NEAR:
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
            self._let_go(newest=True)
        else:
            self._newer_let_go = len(events) == PAGE
            self._put(events)
            self._let_go(newest=False)
            if not self._newer_let_go:
                top = self._top()
                self._put([event for event in self._live if event.seq > top])
        if events:
            self.look_on()
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

    def _put(self, events: Sequence[Logged], known: Rows | None = None) -> None:
        self.events.update((event.seq, event) for event in events)
        rows: Rows = {event.seq: (known or {}).get(event.seq) or event_row(event, self.names) for event in events}
        if rows:
            self._table.apply(Diff(rows))

    def _let_go(self, *, newest: bool) -> None:
        """Hold no more than `HELD` lines: drop those at the end that the person comes from."""
        spare = len(self._rows) - HELD
        if spare > 0:
            keys: list[Cell] = sorted(self._rows, key=int, reverse=newest)[:spare]
            self._newer_let_go = self._newer_let_go or newest
            self._no_older = self._no_older and newest
            self._table.apply(Diff({}, frozenset(keys)))
            self.events = {key: event for key, event in self.events.items() if key in self._rows}


def sought(text: str) -> tuple[str, ...]:
    """Return the words that every line must hold for a filter to keep it, as far as the disk can look for them."""
    try:
        found = parse(text, EVENTS.columns)
    except FilterError:
        return ()
    columns = ("event", "name", "instance", "text")
    return tuple(
        term.value
        for term in (found.terms if found else ())
        if not term.absent
        and term.pattern is None
        and term.sign in (":", "=")
        and term.value.isascii()
        and (term.column is None or term.column.id in columns)
    )
