"""The main screen: header, alarm, status, three panels, and the keys at the bottom."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.geometry import Size
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from spottui import actions
from spottui.action_context import ActionContext
from spottui.console.acting import context_of
from spottui.console.messages import CommandEntered, ViewArrived
from spottui.console.selection import Selection, by_id
from spottui.console.session import Session
from spottui.console.text import health
from spottui.console.text.alarm import alarm
from spottui.console.text.titles import Headlines
from spottui.console.widgets.command_line import CommandLine
from spottui.console.widgets.event_reader import PAGE, EventReader, events_of
from spottui.console.widgets.footer import filter_footer, footer
from spottui.console.widgets.keys import KeyLine
from spottui.console.widgets.lines import Line, header, status
from spottui.console.widgets.panel import Panel
from spottui.console.widgets.pulse_panel import PulsePanel
from spottui.console.widgets.table import DeskTable
from spottui.domain.instance import Instance
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.view import DeskView, replacements
from spottui.tables.column import Cell, Row
from spottui.tables.events import EVENTS, ids_by_word
from spottui.tables.instances import INSTANCES, OF_THE_MARKET, OPTIONAL, hidden_accounts
from spottui.tables.recoveries import RECOVERIES, is_urgent

if TYPE_CHECKING:
    from spottui.console.desk import Desk

_KEYS = sorted({key for action in actions.ACTIONS for key in action.keys})
_BY_WIDTH = [(0, "-tiny"), (60, "-narrow"), (100, "-wide"), (160, "-vast")]
_BY_HEIGHT = [(0, "-short"), (16, "-tall")]
_LINES_AROUND_ROWS = 3
_SLIP = timedelta(seconds=2)
"""How long a key may still have been meant for the recovery that stood under the cursor before."""


def classes_of(size: Size) -> Iterator[str]:
    """Yield the classes that Textual gives the main screen when it is so large."""
    for cells, breakpoints in zip(size, (_BY_WIDTH, _BY_HEIGHT), strict=True):
        yield max((least, name) for least, name in breakpoints if least <= cells)[1]


class MainScreen(Screen[None]):
    """Shows what `ViewArrived` brings; the app does what a key means here.

    `failed` says why the desk cannot be opened, `trouble` why it cannot be read for now; both are empty when all is
    well.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding(key, f"app.press('{key}')", show=False) for key in _KEYS]
    HORIZONTAL_BREAKPOINTS = _BY_WIDTH
    VERTICAL_BREAKPOINTS = _BY_HEIGHT

    def __init__(self, session: Session, title: str) -> None:
        super().__init__()
        self.session = session
        self.failed = self.trouble = ""
        self._heading = title
        self._now = session.clock.now()
        self._headlines = Headlines()
        self._status_shown: tuple[object, ...] = ()
        self._instances: Mapping[Cell, Instance] = {}
        self._next_panel: Panel | None = None
        self._slipped_to = ""
        self._slipped_until = datetime.min.replace(tzinfo=UTC)
        self._header, self._alarm = Line("header"), Line("alarm")
        self._pulse = PulsePanel(session)
        self.command_line = CommandLine(session.preferences)
        self._status, self._footer = Line("status"), KeyLine("footer")
        self.instances = Panel("Instances", DeskTable(INSTANCES, session.clock, hidden=_hidden_columns(None)))
        self.events_panel = Panel("Events", DeskTable(EVENTS, session.clock, follow=True))
        self.recoveries = Panel("Recoveries", DeskTable(RECOVERIES, session.clock, hidden=hidden_accounts(None)))
        self.reader = EventReader(self.events_panel.table, self._ask_for_events)
        for panel in self.panels:
            panel.table.arrangement = session.preferences.arrangement(panel.id or "")

    def compose(self) -> ComposeResult:
        """Yield the lines and the panels."""
        yield self._header
        yield self._alarm
        yield self._status
        yield self._pulse
        with Vertical(id="body"):
            with Horizontal(id="top"):
                yield self.instances
                yield self.events_panel
            yield self.recoveries
        yield self.command_line
        yield self._footer
        yield self.reader
        yield Static("spottui needs 60×16 at least", id="too-small", markup=False)

    def on_mount(self) -> None:
        """Focus the instances, the most urgent first, and open the desk after the first frame."""
        self.instances.table.focus()
        self.set_interval(1.0, self.tick)
        self.write_lines()
        self.call_after_refresh(self.session.worker.start)

    def show(self, message: ViewArrived) -> None:
        """Show a new view."""
        if self._is_unchanged(message):
            self.session.view = message.view
            return
        is_elsewhere = self.session.view is not None and self.session.view.account != message.view.account
        before, row, place = self.selection.own, self.recoveries.table.model.chosen, self.recoveries.table.model.cursor
        self.session.view, self.trouble = message.view, ""
        self._headlines, self._instances = message.headlines, message.instances_by_key
        self.instances.table.hide(_hidden_columns(message.view))
        self.recoveries.table.hide(hidden_accounts(message.view))
        self.instances.table.apply(message.instances)
        self.reader.names = message.names
        self.reader.take(message.view.events, message.events.put)
        if is_elsewhere:
            self.reader.start_over()
        self.recoveries.table.apply(message.recoveries)
        self._keep_place_after_veto(row, place)
        self._mark_slip(before)
        self.fit_recoveries()
        self.write_lines()

    def _is_unchanged(self, message: ViewArrived) -> bool:
        """Whether only the sources have answered again: their ages are written once a second anyway."""
        if self.session.view is None or self.trouble or message.instances or message.events or message.recoveries:
            return False
        fields = health.status_fields(message.view, self._now)
        return (self._headlines, self._status_shown) == (message.headlines, fields)

    def show_failure(self, text: str) -> None:
        """Show that there is no desk, and why."""
        self.failed = text
        self.write_lines()

    def restart(self) -> bool:
        """Open the desk again if that failed; False if it did not."""
        if not self.failed or self.session.worker.is_open:
            return False
        self.failed = ""
        self.write_lines()
        self.session.worker.start()
        return True

    def show_trouble(self, trouble: str) -> None:
        """Show that the desk cannot be read for now, and that what is on the screen is old."""
        self.trouble = trouble
        self.write_lines()

    def fit_recoveries(self) -> None:
        """Fit the recoveries to their rows: up to two fifths of the screen, for urgent ones up to three."""
        if self.has_class("-zoom-recoveries") and self.has_class("-zoomed"):
            self.recoveries.styles.height = "1fr"
            return
        model, height = self.recoveries.table.model, self.app.size.height
        urgent = sum(is_urgent(model.rows[key]) for key in model.view)
        usual = min(len(model.view) + _LINES_AROUND_ROWS, height * 2 // 5)
        self.recoveries.styles.height = min(max(usual, urgent + _LINES_AROUND_ROWS), height * 3 // 5)

    def tick(self) -> None:
        """Update countdowns, ages and the clock."""
        self._now = self.session.clock.now()
        for panel in self.panels:
            panel.table.tick(self._now)
        self.write_lines()

    @property
    def panels(self) -> tuple[Panel, Panel, Panel]:
        """The three panels in the order of their keys."""
        return (self.instances, self.events_panel, self.recoveries)

    @property
    def panel(self) -> Panel:
        """The panel that has the focus, or is about to get it."""
        return self._next_panel or next((panel for panel in self.panels if panel.has_focus_within), self.instances)

    def focus_panel(self, panel: Panel) -> None:
        """Show a panel, zoomed if another one was, and give it the focus."""
        if self.has_class("-zoomed"):
            self.remove_class("-zoom-instances", "-zoom-events", "-zoom-recoveries")
            self.add_class(f"-zoom-{panel.id}")
            self.fit_recoveries()
        on_events = panel is self.events_panel or (panel is self.recoveries and self.has_class("-on-events"))
        self.set_class(on_events, "-on-events")
        self._focus_after_refresh(panel)

    def filter_instances(self, text: str) -> None:
        """Go to the instances and filter them."""
        self.focus_panel(self.instances)
        self.instances.put_filter(text)

    def _focus_after_refresh(self, panel: Panel) -> None:
        """Give a panel the focus once it is on the screen; keys that come before that are already for it."""
        self._next_panel = panel
        self.call_after_refresh(self._focus_table, panel)

    def _focus_table(self, panel: Panel) -> None:
        self._next_panel = None
        if not panel.is_filtering:
            panel.table.focus()

    @property
    def selection(self) -> Selection:
        """The row under the cursor of the focused panel, and what belongs to it."""
        return self.selection_of(self.panel, self.panel.table.model.chosen)

    def selection_of(self, panel: Panel, row: Row | None) -> Selection:
        """Return a row of a panel and what belongs to it."""
        return Selection.of(self.session.view, panel.id or "", row, self._instances, self.reader.events)

    @property
    def marked_recoveries(self) -> tuple[Recovery, ...]:
        """The recoveries of the marked rows of the focused panel."""
        model = self.panel.table.model
        if not model.marked:
            return ()
        marked = (self.selection_of(self.panel, model.rows[key]) for key in model.view if key in model.marked)
        return tuple(row.recovery for row in marked if row.recovery is not None)

    def row_counts(self) -> dict[str, int]:
        """Return how many rows each panel holds, by its label in lower case."""
        return {panel.label.lower(): len(panel.table.model.rows) for panel in self.panels}

    @property
    def has_slipped(self) -> bool:
        """Whether another recovery has just moved under the cursor."""
        own = self.selection.own
        return (
            own is not None and own.recovery_id == self._slipped_to and self.session.clock.now() < self._slipped_until
        )

    def _keep_place_after_veto(self, before: Row | None, place: int) -> None:
        """Leave the cursor where it was when its row was vetoed and went to those that have ended."""
        table = self.recoveries.table
        row = table.model.chosen
        if before and row and row[0] == before[0] and row != before and table.model.cursor != place:
            recovery = by_id(self.session.view, str(row[0])) if self.session.view else None
            if recovery and recovery.state is RecoveryState.VETOED:
                table.move_to(place)

    def _mark_slip(self, before: Recovery | None) -> None:
        own = self.selection.own
        if before and own and before.recovery_id != own.recovery_id:
            self._slipped_to, self._slipped_until = own.recovery_id, self.session.clock.now() + _SLIP

    @property
    def action_context(self) -> ActionContext:
        """What is selected, for the registry of actions."""
        return context_of(
            self.session,
            self.selection,
            failed=bool(self.failed),
            on_events=self.panel is self.events_panel,
            marked=len(self.panel.table.model.marked),
            of_marked=self.marked_recoveries,
        )

    def write_lines(self) -> None:
        """Write header, status, titles and footer, as of the last tick: a row and the alarm say the same time."""
        view, now, width = self.session.view, self._now, self.app.size.width
        problems = health.problems(view, self.failed, now, self.trouble)
        self._status_shown = health.status_fields(view, now) if view else ()
        self._header.put(header(self._heading, view, now, width, failed=bool(self.failed)))
        self._alarm.put(alarm(view, now, width))
        self._alarm.set_class(bool(self._alarm.text), "-shown")
        self._status.put(status(problems, now, width))
        self._status.set_class(bool(problems), "-shown")
        self._pulse.show(wanted=self._shows_market or self._is_calm)
        self._write_keys()
        self._write_titles(view, now)

    @property
    def _shows_market(self) -> bool:
        """Whether a column is shown that needs prices, rates or forecasts."""
        return any(self.instances.table.is_shown(column) for column in OF_THE_MARKET)

    @property
    def _is_calm(self) -> bool:
        """Whether nothing is reclaimed: then the market is asked for early warnings, however wide the screen is."""
        view = self.session.view
        is_over = view is not None and all(recovery.state.is_final for recovery in view.recoveries)
        return is_over and not self._headlines.unsaved

    @on(CommandLine.Entered)
    def _run_command(self, message: CommandLine.Entered) -> None:
        self.panel.table.focus()
        self.app.post_message(CommandEntered(message.text))

    @on(CommandLine.Closed)
    def _leave_command(self) -> None:
        self.panel.table.focus()

    @on(Panel.TitleClicked)
    def _go_to_panel(self, message: Panel.TitleClicked) -> None:
        self.focus_panel(next(panel for panel in self.panels if panel.id == message.panel_id))

    @on(EventReader.Changed)
    def _follow_reader(self) -> None:
        self.write_lines()

    @on(DeskTable.Moved)
    def _follow_cursor(self, message: DeskTable.Moved) -> None:
        if message.table is self.events_panel.table:
            self.reader.load_more()
        self._write_keys()

    def _write_keys(self) -> None:
        keys = filter_footer() if self.panel.is_filtering else footer(self.action_context, self.app.size.width)
        self._footer.put_keys(keys)

    def _write_titles(self, view: DeskView | None, now: datetime) -> None:
        stale = {name: health.stale_title(view, name, now) if view else "" for name in health.SOURCES}
        old = "OLD" if view and (self.failed or self.trouble) else ""
        stale = {name: old or title for name, title in (*stale.items(), ("desk", ""))}
        self._mark_stale_rows(stale)
        self.instances.set_titles(self._headlines.instances, stale["sweep"] or stale["lock"], self._hint())
        self.events_panel.set_titles(
            self._events_title(), stale["queue"], "1 Instances" if self.has_class("-narrow") else ""
        )
        self.recoveries.set_titles(self._headlines.recoveries, stale["desk"])
        any_lock = self._headlines.any_lock
        self._explain_empty(self.instances, health.no_instances(view, self.failed, now))
        self._explain_empty(self.events_panel, health.no_events(view, self.failed, now))
        self._explain_empty(self.recoveries, health.no_recoveries(view, self.failed, now, any_lock=any_lock))

    def _mark_stale_rows(self, stale: Mapping[str, str]) -> None:
        """Show rows of stale sources as such; without the lock poll, no lock seen is not the same as no lock."""
        unknown = frozenset({"lock"} if stale["lock"] else ())
        self.instances.table.set_stale(unknown, stale=bool(stale["sweep"] or stale["lock"]))
        self.recoveries.table.set_stale(frozenset(), stale=bool(stale["desk"]))

    def _hint(self) -> str:
        count = len(self.session.view.events) if self.session.view else 0
        return f"2 Events ({count:,})" if self.has_class("-narrow") and count else ""

    def _explain_empty(self, panel: Panel, reason: str) -> None:
        model = panel.table.model
        filtered = f"No row of {len(model.rows):,} matches {model.filter_text}"
        panel.table.set_placeholder(filtered if model.rows else reason)

    def _events_title(self) -> str:
        newer = self.reader.newer()
        new = f" · +{newer:,} new" if newer else ""
        if self.reader.is_paused:
            return f"paused, p resumes{new}"
        if not self.reader.follows:
            return f"older, g to newest{new}"
        return "searching older events…" if self.reader.is_searching and self._searches else ""

    @property
    def _searches(self) -> bool:
        return bool(self.events_panel.table.model.filter_text)

    def _ask_for_events(self, words: tuple[str, ...], above: int, below: int | None, asker: Widget) -> None:
        named = ids_by_word(words, self.reader.names)

        account = self.session.view.account if self.session.view else ""

        def find(desk: "Desk") -> object:
            return words, events_of(account, partial(desk.find_events, words, named=named), PAGE, above, below)

        self.session.worker.ask(find, asker)

    @on(Panel.Filtered)
    def _follow_filter(self, message: Panel.Filtered) -> None:
        if message.panel is self.events_panel and message.text is not None:
            self.reader.search(message.text)
        self.write_lines()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Show the panel that has the focus, and its keys in the footer."""
        if self.panel is not self.recoveries:
            self.set_class(self.panel is self.events_panel, "-on-events")
        self.write_lines()

    def on_resize(self) -> None:
        """Fit the lines and panels into the new size."""
        self.fit_recoveries()
        self.write_lines()
        self.call_after_refresh(self.write_lines)


def _hidden_columns(view: DeskView | None) -> frozenset[str]:
    """Return the columns of the instances that a person has to choose, or that would be the same in every row."""
    any_replaced = view is not None and bool(replacements(view))
    return OPTIONAL.union(hidden_accounts(view), () if any_replaced else ("now",))
