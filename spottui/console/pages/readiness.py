"""The readiness board: how each instance would come back if it was reclaimed now, the worst first."""

from typing import ClassVar

from msgspec.structs import replace
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from spottui.console.exports import copy, export
from spottui.console.messages import Answered
from spottui.console.pages.instance import InstancePage
from spottui.console.session import Session
from spottui.console.text import health
from spottui.console.text.alarm import alarm
from spottui.console.widgets.footer import filter_footer
from spottui.console.widgets.keys import Key, KeyLine
from spottui.console.widgets.lines import Line
from spottui.console.widgets.panel import Panel
from spottui.console.widgets.table import DeskTable
from spottui.domain.instance import Instance
from spottui.domain.readiness import FleetReadiness, Readiness
from spottui.domain.region_key import shown_account
from spottui.domain.text import plain
from spottui.domain.view import DeskView
from spottui.tables.column import Cell
from spottui.tables.diff import diff
from spottui.tables.instances import hidden_accounts
from spottui.tables.readiness import READINESS, readiness_rows, readiness_title

_KEYS = (
    Key("escape", "esc", "Close"),
    Key("enter", "enter", "Describe"),
    Key("slash", "/", "Filter"),
    Key("R", "R", "Refresh"),
    Key("s", "s", "Sort"),
    Key("c", "c", "Copy id"),
    Key("e", "e", "Export"),
)


class ReadinessPage(Screen[None]):
    """A table of the spot instances; the cloud is asked for images and snapshots when it opens, and by `R`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", show=False),
        Binding("q,question_mark,f1", "leave", show=False),
        Binding("enter,d", "describe", show=False),
        Binding("slash", "filter", show=False),
        Binding("R", "ask", show=False),
        Binding("s", "sort", show=False),
        Binding("S", "reverse", show=False),
        Binding("U", "by_urgency", show=False),
        Binding("c", "copy", show=False),
        Binding("e", "export('csv')", show=False),
        Binding("E", "export('json')", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("up,k", "move(-1)", show=False),
        Binding("pagedown,ctrl+f", "move_page(1)", show=False),
        Binding("pageup,ctrl+b", "move_page(-1)", show=False),
        Binding("ctrl+d", "move_page(0.5)", show=False),
        Binding("ctrl+u", "move_page(-0.5)", show=False),
        Binding("home,g", "move(-1000000)", show=False),
        Binding("end,G", "move(1000000)", show=False),
        Binding("right", "sideways(1)", show=False),
        Binding("left", "sideways(-1)", show=False),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._fleet: FleetReadiness | None = None
        self._by_key: dict[Cell, Readiness] = {}
        self._problem = ""
        self._alarm, self._key_line = Line("alarm"), KeyLine("footer")
        self._panel = Panel("Readiness", DeskTable(READINESS, session.clock, hidden=hidden_accounts(session.view)))

    def compose(self) -> ComposeResult:
        """Yield the alarm, the table and the keys."""
        yield self._alarm
        yield self._panel
        yield self._key_line

    def on_mount(self) -> None:
        """Ask the desk, and update ages and the alarm once a second."""
        self._panel.table.focus()
        self.action_ask()
        self.tick()
        self.set_interval(1.0, self.tick)

    def tick(self) -> None:
        """Show what has changed with the time."""
        view, now = self._session.view, self._session.clock.now()
        self._panel.table.tick(now)
        self._alarm.put(alarm(view, now, self.app.size.width))
        self._alarm.set_class(bool(self._alarm.text), "-shown")
        self._key_line.put_keys(filter_footer() if self._panel.is_filtering else _KEYS)
        self._write_title()

    def action_ask(self) -> None:
        """Ask the desk anew; what is shown stays until it answers."""
        self._session.worker.ask(lambda desk: desk.readiness(), self)

    def action_describe(self) -> None:
        """Open the page of the selected instance."""
        if instance := self._selected:
            self.app.push_screen(InstancePage(self._session, instance.region, instance.instance_id))
        else:
            self.notify("Nothing is selected.", severity="warning")

    def action_copy(self) -> None:
        """Copy the id of the selected instance."""
        if instance := self._selected:
            copy(self.app, plain(instance.instance_id), plain(instance.instance_id))
        else:
            self.notify("Nothing is selected.", severity="warning")

    def action_export(self, form: str) -> None:
        """Write the rows in view to a file."""
        export(self._session, self._panel, form)

    def action_filter(self) -> None:
        """Open the filter's line."""
        self._panel.open_filter()

    def action_sort(self) -> None:
        """Sort by the next column."""
        self._panel.table.sort_next()

    def action_reverse(self) -> None:
        """Reverse the order."""
        model = self._panel.table.model
        self._panel.table.sort_by(model.sort_column, reverse=not model.sort_reversed)

    def action_by_urgency(self) -> None:
        """Go back to the worst first."""
        self._panel.table.sort_by("")

    def action_move(self, rows: int) -> None:
        """Move the cursor by so many rows."""
        self._panel.table.move(rows)

    def action_move_page(self, pages: float) -> None:
        """Move the cursor by so many screens."""
        self._panel.table.move_page(pages)

    def action_sideways(self, halves: int) -> None:
        """Look further to the right, or back."""
        self._panel.table.scroll_sideways(halves)

    def action_back(self) -> None:
        """Clear the filter; where there is none, close the page."""
        if not self._panel.drop_filter():
            self.action_leave()

    def action_leave(self) -> None:
        """Go back to the main screen."""
        self.dismiss(None)

    def on_resize(self) -> None:
        """Fit the lines into the new width at once."""
        self.tick()

    @property
    def _selected(self) -> Instance | None:
        row = self._panel.table.model.chosen
        return self._by_key[row[0]].spec.instance if row else None

    @on(Panel.Filtered)
    def _follow_filter(self) -> None:
        self.tick()

    @on(Answered)
    def _show(self, message: Answered) -> None:
        self._problem = plain(message.problem, 400)
        if isinstance(message.answer, FleetReadiness):
            self._fleet = _narrowed(message.answer, self._session.view)
            named = self._session.view is not None and bool(self._session.view.accounts)
            rows = readiness_rows(self._fleet, accounts=named)
            self._by_key = dict(zip(rows, self._fleet.instances, strict=True))
            self._panel.table.apply(diff(self._panel.table.model.rows, rows))
        self.tick()

    def _write_title(self) -> None:
        model, missing = self._panel.table.model, self._fleet.missing if self._fleet else ()
        unknown = self._problem or "; ".join(plain(line, 400) for line in missing)
        self._panel.set_titles(
            readiness_title([self._by_key[key] for key in model.view], len(model.rows)) if model.rows else "",
            f"UNKNOWN {unknown}" if unknown and model.rows else "",
        )
        filtered = f"No row of {len(model.rows):,} matches {model.filter_text}"
        self._panel.table.set_placeholder(filtered if model.rows else self._why_empty(unknown))

    def _why_empty(self, unknown: str) -> str:
        view = self._session.view
        if unknown:
            return f"Readiness: unknown. {unknown} · R retries."
        if self._fleet is None:
            return "Asking the cloud for images and snapshots…"
        if view and not view.instances:
            return health.no_instances(view, "", self._session.clock.now())
        return "No disks of spot instances are captured yet: wait for the next sweep, then press R."


def _narrowed(fleet: FleetReadiness, view: DeskView | None) -> FleetReadiness:
    """Return the instances of the account that is shown."""
    account = view.account if view else ""
    own = (readiness for readiness in fleet.instances if account in ("", shown_account(readiness.spec.instance.region)))
    return replace(fleet, instances=tuple(own))
