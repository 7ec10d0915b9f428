"""The dialog in which a person chooses the columns of a table and their order; the table behind it follows at once."""

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from spottui.console.widgets.table import DeskTable
from spottui.tables.arrangement import Arrangement
from spottui.tables.column import Column

_FRAME_LINES = 2
_KEYS = "space shows or hides · J K move it · r reset · esc done"


class ColumnsDialog(ModalScreen[None]):
    """Lists every column that has a title; `keep` is called with each new choice."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,C", "leave", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("up,k", "move(-1)", show=False),
        Binding("space,enter", "flip", show=False),
        Binding("J,shift+down", "shift(1)", show=False),
        Binding("K,shift+up", "shift(-1)", show=False),
        Binding("r", "reset", show=False),
    ]

    def __init__(self, label: str, table: DeskTable, keep: Callable[[Arrangement], None]) -> None:
        super().__init__()
        self._label, self._table, self._keep = label, table, keep
        self._cursor = 0
        self._text = Static(id="columns", markup=False)

    def compose(self) -> ComposeResult:
        """Yield the list."""
        self._text.border_title = Content(f"Columns of {self._label}")
        self._text.border_subtitle = Content(_KEYS)
        yield self._text

    def on_mount(self) -> None:
        """Show the columns."""
        self._show()

    def on_click(self, event: events.Click) -> None:
        """Show or hide the column under the mouse."""
        line = event.screen_y - self._text.content_region.y + self._top
        if 0 <= line < len(self._columns):
            self._cursor = line
            self.action_flip()

    def action_leave(self) -> None:
        """Go back to the table."""
        self.dismiss(None)

    def action_move(self, lines: int) -> None:
        """Go to another column."""
        self._cursor = min(max(self._cursor + lines, 0), len(self._columns) - 1)
        self._show()

    def action_flip(self) -> None:
        """Show or hide the column."""
        column = self._columns[self._cursor]
        self._choose(self._table.arrangement.showing(column.id, shown=not self._table.is_shown(column.id)))

    def action_shift(self, places: int) -> None:
        """Move the column to another place."""
        column, all_columns = self._columns[self._cursor], self._table.model.table.columns
        self._choose(self._table.arrangement.moving(column.id, places, all_columns))
        self._cursor = self._columns.index(column)
        self._show()

    def action_reset(self) -> None:
        """Restore the table's default columns."""
        self._choose(Arrangement())

    @property
    def _columns(self) -> list[Column]:
        columns = self._table.model.table.columns
        return [columns[i] for i in self._table.arrangement.in_order(columns) if columns[i].title]

    @property
    def _room(self) -> int:
        return max(self.app.size.height - _FRAME_LINES, 1)

    @property
    def _top(self) -> int:
        """The first column in sight: where not all have room, the cursor stays in the middle."""
        return min(max(self._cursor - self._room // 2, 0), max(len(self._columns) - self._room, 0))

    def on_resize(self) -> None:
        """Show as many columns as have room."""
        self._show()

    def _choose(self, chosen: Arrangement) -> None:
        self._table.show_columns(chosen)
        self._keep(chosen)
        self._show()

    def _show(self) -> None:
        fitting = {column.id for column in self._table.columns_that_fit}
        lines = []
        for number, column in enumerate(self._columns):
            shown = self._table.is_shown(column.id)
            narrow = "  does not fit" if shown and column.id not in fitting else ""
            style = "reverse" if number == self._cursor else ""
            lines.append(Content.styled(f" [{'x' if shown else ' '}] {column.title:<17}{narrow:<14}", style))
        self._text.update(Content("\n").join(lines[self._top : self._top + self._room]))
