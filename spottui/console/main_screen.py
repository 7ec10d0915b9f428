"""The main screen: three panels, the header above them and the keys below."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from spottui import actions
from spottui.action_context import Situation
from spottui.console import action_handlers
from spottui.console.choice import Choice
from spottui.console.desk_worker import Feed
from spottui.console.messages import ViewArrived
from spottui.console.preferences import Kept
from spottui.console.text import health
from spottui.console.text.titles import Headlines
from spottui.console.widgets.event_reader import PAGE, EventReader
from spottui.console.widgets.lines import Line, filter_footer, footer, header, status
from spottui.console.widgets.panel import Panel
from spottui.console.widgets.table import DeskTable
from spottui.domain.clock import Clock
from spottui.domain.instance import Instance
from spottui.domain.playback import Playback
from spottui.domain.recovery import Recovery
from spottui.domain.text import plain
from spottui.domain.view import DeskView
from spottui.tables.column import Cell, Row
from spottui.tables.events import EVENTS, called
from spottui.tables.instances import INSTANCES, SELDOM, replacements
from spottui.tables.recoveries import RECOVERIES, is_urgent

if TYPE_CHECKING:
    from spottui.console.desk import Desk

log = logging.getLogger("spottui.console")

_KEYS = sorted({key for action in actions.ACTIONS for key in action.keys})
_LINES_AROUND_ROWS = 3
_NAME_CELLS = 14
_SLIP = timedelta(seconds=2)
"""How long a key may still have been meant for the recovery that stood under the cursor before."""


class MainScreen(Screen[None]):
    """Shows what `ViewArrived` brings, and does what the registry of actions says about each key.

    `view` is None and `failed` empty until the desk is open; a desk that cannot be opened leaves its text in `failed`,
    one that cannot be read for now in `trouble`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding(key, f"press('{key}')", show=False) for key in _KEYS]

    def __init__(
        self, feed: Feed, clock: Clock, *, who: str, title: str, kept: Kept, playback: Playback | None = None
    ) -> None:
        super().__init__()
        self.feed, self.clock, self.who, self.kept, self.playback = feed, clock, who, kept, playback
        self.view: DeskView | None = None
        self.failed = self.trouble = ""
        self._heading = title
        self._headlines = Headlines()
        self._standing: tuple[object, ...] = ()
        self._instances: Mapping[Cell, Instance] = {}
        self._going_to: Panel | None = None
        self._slipped_to = ""
        self._slipped_until = datetime.min.replace(tzinfo=UTC)
        self._header, self._status, self._footer = Line("header"), Line("status"), Line("footer")
        self.instances = Panel("Instances", DeskTable(INSTANCES, clock, hidden=_needless(None)))
        self.events_panel = Panel("Events", DeskTable(EVENTS, clock, follow=True))
        self.recoveries = Panel("Recoveries", DeskTable(RECOVERIES, clock))
        self.reader = EventReader(self.events_panel.table, self._ask_for_events)
        for panel in self.panels:
            panel.table.arrangement = kept.arrangement(panel.id or "")

    def compose(self) -> ComposeResult:
        """Yield the lines and the panels."""
        yield self._header
        yield self._status
        with Vertical(id="body"):
            with Horizontal(id="top"):
                yield self.instances
                yield self.events_panel
            yield self.recoveries
        yield self._footer
        yield self.reader
        yield Static("spottui needs 60×16 at least", id="too-small", markup=False)

    def on_mount(self) -> None:
        """Start with the instances, where what is dying stands first; open the desk after the first frame."""
        self.instances.table.focus()
        self.set_interval(1.0, self.tick)
        self.write_lines()
        self.call_after_refresh(self.feed.start)

    def show(self, message: ViewArrived) -> None:
        """Take in what the desk shows."""
        if self._says_nothing_new(message):
            self.view = message.view
            return
        before = self.choice.own
        self.view, self.trouble = message.view, ""
        self._headlines, self._instances = message.headlines, message.instances_by_key
        self.instances.table.hide(_needless(message.view))
        self.instances.table.apply(message.instances)
        self.reader.names = message.names
        self.reader.take(message.view.events, message.events.put)
        self.recoveries.table.apply(message.recoveries)
        self._mark_slip(before)
        self.fit_recoveries()
        self.write_lines()

    def _says_nothing_new(self, message: ViewArrived) -> bool:
        """Whether only the sources have answered again: their ages are written once a second anyway."""
        if self.view is None or self.trouble or message.instances or message.events or message.recoveries:
            return False
        standing = health.standing(message.view, self.clock.now())
        return (self._headlines, self._standing) == (message.headlines, standing)

    def fail(self, text: str) -> None:
        """Say that there is no desk, and why."""
        self.failed = text
        self.write_lines()

    def start_again(self) -> bool:
        """Try to open the desk once more where that failed; False where it did not."""
        if not self.failed or self.feed.is_open:
            return False
        self.failed = ""
        self.write_lines()
        self.feed.start()
        return True

    def worry(self, trouble: str) -> None:
        """Say that the desk cannot be read for now, so that nobody takes what stands here for what is."""
        self.trouble = trouble
        self.write_lines()

    def fit_recoveries(self) -> None:
        """Give the recoveries the rows that they need, or the whole zoom: those that go on may take more."""
        if self.has_class("-zoom-recoveries") and self.has_class("-zoomed"):
            self.recoveries.styles.height = "1fr"
            return
        model, height = self.recoveries.table.model, self.app.size.height
        urgent = sum(is_urgent(model.rows[key]) for key in model.view)
        usual = min(len(model.view) + _LINES_AROUND_ROWS, height * 2 // 5)
        self.recoveries.styles.height = min(max(usual, urgent + _LINES_AROUND_ROWS), height * 3 // 5)

    def tick(self) -> None:
        """Let countdowns, ages and the clock go on."""
        for panel in self.panels:
            panel.table.tick()
        self.write_lines()

    @property
    def panels(self) -> tuple[Panel, Panel, Panel]:
        """The three panels in the order of their keys."""
        return (self.instances, self.events_panel, self.recoveries)

    @property
    def panel(self) -> Panel:
        """The panel that has the focus, or is about to get it."""
        return self._going_to or next((panel for panel in self.panels if panel.has_focus_within), self.instances)

    def focus_panel(self, panel: Panel) -> None:
        """Bring a panel into sight, zoomed if another one was, and give it the focus."""
        if self.has_class("-zoomed"):
            self.remove_class("-zoom-instances", "-zoom-events", "-zoom-recoveries")
            self.add_class(f"-zoom-{panel.id}")
            self.fit_recoveries()
        on_events = panel is self.events_panel or (panel is self.recoveries and self.has_class("-on-events"))
        self.set_class(on_events, "-on-events")
        self._go_to(panel)

    def filter_instances(self, text: str) -> None:
        """Go to the instances and filter them."""
        self.focus_panel(self.instances)
        self.instances.put_filter(text)

    def _go_to(self, panel: Panel) -> None:
        """Give a panel the focus once it is on the screen; the keys are meant for it from now on."""
        self._going_to = panel
        self.call_after_refresh(self._arrive, panel)

    def _arrive(self, panel: Panel) -> None:
        self._going_to = None
        if not panel.is_filtering:
            panel.table.focus()

    @property
    def choice(self) -> Choice:
        """What the person is pointing at."""
        return self.choice_of(self.panel, self.panel.table.model.chosen)

    def choice_of(self, panel: Panel, row: Row | None) -> Choice:
        """Return what a row of a panel stands for."""
        return Choice.of(self.view, panel.id or "", row, self._instances, self.reader.events)

    @property
    def marked_recoveries(self) -> tuple[Recovery, ...]:
        """The recoveries of the marked rows of the focused panel."""
        model = self.panel.table.model
        chosen = (self.choice_of(self.panel, model.rows[key]).recovery for key in model.view if key in model.marked)
        return tuple(one for one in chosen if one is not None)

    @property
    def has_slipped(self) -> bool:
        """Whether another recovery has just come under the cursor without the person's doing."""
        own = self.choice.own
        return own is not None and own.recovery_id == self._slipped_to and self.clock.now() < self._slipped_until

    def _mark_slip(self, before: Recovery | None) -> None:
        own = self.choice.own
        if before and own and before.recovery_id != own.recovery_id:
            self._slipped_to, self._slipped_until = own.recovery_id, self.clock.now() + _SLIP

    @property
    def situation(self) -> Situation:
        """What the person is looking at, for the registry of actions."""
        choice = self.choice
        return Situation(
            read_only=self.view is not None and self.view.read_only,
            open=self.view is not None and not self.view.starting and self.feed.is_open,
            failed=bool(self.failed),
            own=choice.own.state if choice.own else None,
            ended=choice.recovery.state if choice.recovery and not choice.own else None,
            waiting=choice.waiting.state if choice.waiting else None,
            window=choice.window is not None,
            waiting_name=plain(choice.elsewhere(choice.waiting), _NAME_CELLS),
            window_name=plain(choice.elsewhere(choice.window), _NAME_CELLS),
            on_row=choice.row is not None,
            on_recovery=choice.recovery is not None,
            on_someone=bool(choice.resource_id),
            on_events=self.panel is self.events_panel,
            marked=len(self.panel.table.model.marked),
            replays=self.playback is not None,
        )

    def action_press(self, key: str) -> None:
        """Do what a key means now, or say why not."""
        action, refused = actions.on_key(key, self.situation)
        self.act(action, refused)

    def act(self, action: actions.Action, refused: str) -> None:
        """Do an action of the registry, or say why it is refused."""
        if refused:
            self.notify(refused, severity="warning", markup=False)
            return
        try:
            action_handlers.DO[action.id](self)
        except Exception as error:
            log.exception("the action %s failed", action.id)
            told = f"{action.title} failed inside spottui ({type(error).__name__}); the log says where."
            self.notify(told, severity="error", markup=False)

    def write_lines(self) -> None:
        """Write header, status, titles and footer, as they are now."""
        now, width = self.clock.now(), self.app.size.width
        wrong = health.problems(self.view, self.failed, now, self.trouble)
        self._standing = health.standing(self.view, now) if self.view else ()
        self._header.put(
            header(self._heading, self.view, now, width, failed=bool(self.failed), failures=len(self._headlines.failed))
        )
        self._status.put(status(wrong, now, width))
        self._status.set_class(bool(wrong), "-shown")
        self._write_keys()
        self._entitle()

    @on(EventReader.Changed)
    def _follow_reader(self) -> None:
        self.write_lines()

    @on(DeskTable.Moved)
    def _follow_cursor(self, message: DeskTable.Moved) -> None:
        if message.table is self.events_panel.table:
            self.reader.look_on()
        self._write_keys()

    def _write_keys(self) -> None:
        keys = filter_footer() if self.panel.is_filtering else footer(self.situation, self.app.size.width)
        self._footer.put(keys)

    def _entitle(self) -> None:
        view, now = self.view, self.clock.now()
        stale = {name: health.stale_title(view, name, now) if view else "" for name in health.SOURCES}
        old = "OLD" if view and (self.failed or self.trouble) else ""
        stale = {name: old or title for name, title in (*stale.items(), ("desk", ""))}
        self._doubt(stale)
        self.instances.entitle(self._headlines.instances, stale["sweep"] or stale["lock"], self._hint())
        self.events_panel.entitle(
            self._events_title(), stale["queue"], "1 Instances" if self.has_class("-narrow") else ""
        )
        self.recoveries.entitle(self._headlines.recoveries, stale["desk"])
        self.instances.table.say(self._empty(self.instances, health.no_instances(view, self.failed, now)))
        self.events_panel.table.say(self._empty(self.events_panel, health.no_events(view, self.failed, now)))
        none_open = health.no_recoveries(view, self.failed, now, any_lock=self._headlines.any_lock)
        self.recoveries.table.say(self._empty(self.recoveries, none_open))

    def _doubt(self, stale: Mapping[str, str]) -> None:
        """Let nobody take rows for fresh that are not, nor a lock for gone that nobody looks for."""
        unseen = frozenset({"lock"} if stale["lock"] else ())
        self.instances.table.doubt(unseen, old=bool(stale["sweep"] or stale["lock"]))
        self.recoveries.table.doubt(frozenset(), old=bool(stale["desk"]))

    def _hint(self) -> str:
        count = len(self.view.events) if self.view else 0
        return f"2 Events ({count:,})" if self.has_class("-narrow") and count else ""

    def _empty(self, panel: Panel, reason: str) -> str:
        model = panel.table.model
        return f"None of {len(model.rows):,} rows matches {model.filter_text}" if model.rows else reason

    def _events_title(self) -> str:
        newer = self.reader.newer()
        new = f" · +{newer:,} new" if newer else ""
        if self.reader.is_paused:
            return f"paused, p follows{new}"
        if not self.reader.follows:
            return f"older, g goes up{new}"
        return "looking through the older lines…" if self.reader.is_searching and self._searches else ""

    @property
    def _searches(self) -> bool:
        return bool(self.events_panel.table.model.filter_text)

    def _ask_for_events(self, words: tuple[str, ...], above: int, below: int | None, asker: Widget) -> None:
        named = called(words, self.reader.names)

        def find(desk: "Desk") -> object:
            return words, desk.find_events(words, PAGE, above=above, below=below, named=named)

        self.feed.ask(find, asker)

    @on(Panel.Filtered)
    def _follow_filter(self, message: Panel.Filtered) -> None:
        if message.panel is self.events_panel and message.text is not None:
            self.reader.search(message.text)
        self.write_lines()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Bring the panel that has the focus into sight, and its keys into the footer."""
        if self.panel is not self.recoveries:
            self.set_class(self.panel is self.events_panel, "-on-events")
        self.write_lines()

    def on_resize(self) -> None:
        """Fit the lines and the panels into the new size."""
        self.fit_recoveries()
        self.write_lines()
        self.call_after_refresh(self.write_lines)


def _needless(view: DeskView | None) -> frozenset[str]:
    """Return the columns of the instances that say nothing now, or are hidden until somebody wants them."""
    several = view is not None and len(view.regions) > 1
    replaced = view is not None and bool(replacements(view))
    silent = {"region": not several, "now": not replaced}
    return SELDOM.union(column for column, is_silent in silent.items() if is_silent)
