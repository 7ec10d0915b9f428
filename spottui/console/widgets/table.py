"""The table widget of every panel, on Textual's line API: only what is on the screen and changed is ever drawn."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from rich.cells import cell_len
from rich.style import Style
from textual import events, on
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from spottui.console.text.cells import row_texts
from spottui.console.widgets.strips import RowState, header_strip, placeholder_strip, row_strip
from spottui.domain.clock import Clock
from spottui.tables.arrangement import Arrangement
from spottui.tables.column import FIRST_CELL, Cell, Column, Row, Table
from spottui.tables.diff import Changes, Diff
from spottui.tables.layout import Span, furthest, layout
from spottui.tables.model import TableModel

_STRIPS_KEPT = 4_000
_HEADER_LINES = 1
_GUTTER_CELLS = 2
_WIDEST_TEXT = 400

_OVERLAYS = ("cursor", "changed", "old")
"""The styles that are combined with the one below."""
_STYLES = ("header", "plain", "alarm", "warn", "good", "quiet", "mark", *_OVERLAYS)

Drawn = tuple[tuple[str, ...], Strip]


class DeskTable(ScrollView, can_focus=True, inherit_bindings=False):
    """Paints a `TableModel`; sends `Moved` when the cursor is on another row.

    The header stays in place, the strip of each drawn row is cached by its key, and `tick` draws again only the
    visible cells whose text changed with the time. `placeholder` is the text while no row is in view.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"table--{name}" for name in _STYLES}

    @dataclass(eq=False)
    class Moved(Message):
        """The cursor is on another row of the table, or its row has changed."""

        table: "DeskTable"

    def __init__(
        self, table: Table, clock: Clock, *, follow: bool = False, hidden: frozenset[str] = frozenset()
    ) -> None:
        super().__init__()
        self.model = TableModel(table, follow=follow)
        self.placeholder = ""
        self.lines_drawn = 0
        self.arrangement = Arrangement()
        self._hidden = hidden
        self._now_s = clock.now().timestamp()
        self._strips: dict[Cell, Drawn] = {}
        self._cursor_drawn: tuple[Cell, tuple[str, ...]] = ("", ())
        self._spans: tuple[Span, ...] = ()
        self._scrolled_cells = 0
        self._full_widths: dict[int, int] = {}
        self._changes = Changes()
        self._stale, self._unknown = False, frozenset[str]()
        self._styles_by_name: dict[str, Style] = {}
        self._gutter = 0

    # For the screen and the handlers.

    def apply(self, change: Diff) -> None:
        """Apply a diff of the rows and draw what it changed."""
        at = self._anchor()
        self._changes.note(self.model.rows, change, self._visible_keys())
        done = self.model.apply(change)
        for key in (*change.put, *change.gone):
            self._strips.pop(key, None)
        if done.rebuilt:
            self._redraw_keeping(at)
        else:
            self._draw_rows(done.indexes)
        if change:
            self.post_message(self.Moved(self))

    def tick(self, now: datetime) -> None:
        """Draw the visible cells whose text has changed with the time."""
        self._now_s = now.timestamp()
        if self.model.set_time(self._now_s):
            self._redraw()
        live = [FIRST_CELL + span.index for span in self._spans if self.model.table.columns[span.index].live]
        for key in self._visible_keys():
            if any(self.model.rows[key][place] for place in live):
                self._draw_changed_cells(self.model.position[key])
        for key, columns in self._changes.tick().items():
            self._strips.pop(key, None)
            if key in self.model.position:
                self._draw_cells(self.model.position[key], columns)

    def hide(self, columns: frozenset[str]) -> None:
        """Hide the columns with these ids, unless a person chose to show them."""
        if columns != self._hidden:
            self._hidden = columns
            self._lay_out()

    def set_stale(self, unknown: frozenset[str], *, stale: bool) -> None:
        """Set whether the rows are stale, and the ids of the columns in which `-` means unknown."""
        if (stale, unknown) != (self._stale, self._unknown):
            self._stale, self._unknown = stale, unknown
            self._strips.clear()
            self.refresh()

    def scroll_sideways(self, halves: int) -> bool:
        """Scroll by half screens to the right, or back; False if there is nothing more on that side."""
        columns, room = self.model.table.columns, self._width - self._gutter
        self._full_widths = {i: self._longest(i) for i, column in enumerate(columns) if column.flexible}
        most = furthest(columns, self._in_view, room, self._full_widths)
        scrolled = min(max(self._scrolled_cells + halves * max(room // 2, 1), 0), most)
        moved, self._scrolled_cells = scrolled != self._scrolled_cells, scrolled
        self._lay_out()
        return moved

    def show_columns(self, arrangement: Arrangement) -> None:
        """Show the columns that a person chose, in that order."""
        self.arrangement = arrangement
        self._lay_out()

    def is_shown(self, column_id: str) -> bool:
        """Whether a column is shown where there is room for it."""
        return any(column.id == column_id for column in self.columns)

    def mark(self) -> None:
        """Mark or unmark the row under the cursor, and move to the next one."""
        if self.model.chosen is not None:
            self.model.mark(self.model.chosen[0])
            self._show_marks()
            self.move(1)

    def mark_others(self) -> None:
        """Mark the rows in view that are not marked, and unmark the others."""
        self.model.mark_others()
        self._show_marks()

    def unmark(self) -> bool:
        """Remove every mark; False if there was none."""
        had = self.model.unmark()
        if had:
            self._show_marks()
        return had

    def set_placeholder(self, placeholder: str) -> None:
        """Set the text of the table while it has no row to show."""
        if placeholder != self.placeholder:
            self.placeholder = placeholder
            if not self.model.view:
                self.refresh()

    def set_filter(self, text: str) -> bool:
        """Filter the rows; False if the text is no valid filter, and the last valid one stays."""
        good = self.model.set_filter(text)
        self._redraw()
        return good

    def sort_by(self, column_id: str, *, reverse: bool = False) -> None:
        """Sort by a column; the empty id restores the table's own order."""
        self.model.sort_by(column_id, reverse=reverse)
        self._redraw()

    def sort_next(self) -> None:
        """Sort by the next column to the right; after the last one comes the table's own order."""
        ids = ["", *(column.id for column in self.columns_that_fit if column.title)]
        here = ids.index(self.model.sort_column) if self.model.sort_column in ids else 0
        self.sort_by(ids[(here + 1) % len(ids)])

    def move(self, lines: int) -> None:
        """Move the cursor by so many rows."""
        self.move_to(self.model.cursor + lines)

    def move_page(self, pages: float) -> None:
        """Move the cursor by so many screens."""
        self.move(round(pages * max(self._body_lines - 1, 1)) or (1 if pages > 0 else -1))

    def move_to(self, index: int) -> None:
        """Put the cursor on a row of the view."""
        before = self.model.cursor
        self.model.move_to(index)
        self._draw_rows((before, self.model.cursor))
        self._scroll_to_cursor()
        self.post_message(self.Moved(self))

    def move_to_key(self, key: Cell) -> None:
        """Put the cursor on the row with this key, if it is in view."""
        if key in self.model.position:
            self.move_to(self.model.position[key])

    # For Textual.

    def render_line(self, y: int) -> Strip:
        """Return one line of the widget: the header, a row, or the placeholder."""
        self.lines_drawn += 1
        if y < _HEADER_LINES:
            return self._header()
        if not self.model.view:
            return placeholder_strip(self.placeholder, y - _HEADER_LINES, self._style("quiet"), self._width)
        index = self.scroll_offset.y + y - _HEADER_LINES
        if index >= len(self.model.view):
            return Strip.blank(self._width, self._style(""))
        return self._row_strip(index)

    def on_resize(self) -> None:
        """Fit the columns into the new width."""
        self._lay_out()
        self._scroll_to_cursor()

    def notify_style_update(self) -> None:
        """Drop what was drawn in the colours of another theme."""
        super().notify_style_update()
        self._styles_by_name.clear()
        self._strips.clear()

    def on_click(self, event: events.Click) -> None:
        """Select the row under the mouse, or sort by the column whose title it is."""
        if event.y < _HEADER_LINES:
            self._sort_at(event.x)
        elif (index := self.scroll_offset.y + event.y - _HEADER_LINES) < len(self.model.view):
            self.move_to(index)

    @on(events.Focus)
    @on(events.Blur)
    def _draw_cursor(self) -> None:
        self._draw_rows((self.model.cursor,))

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that are shown if there is room for them, in their order."""
        return tuple(self.model.table.columns[i] for i in self._in_view)

    @property
    def columns_that_fit(self) -> tuple[Column, ...]:
        """The columns that are on the screen."""
        return tuple(self.model.table.columns[span.index] for span in self._spans)

    # Drawing.

    @property
    def _width(self) -> int:
        return self.scrollable_content_region.width

    @property
    def _body_lines(self) -> int:
        return max(self.size.height - _HEADER_LINES, 1)

    @property
    def _in_view(self) -> tuple[int, ...]:
        return self.arrangement.in_view(self.model.table.columns, self._hidden)

    def _row(self, index: int) -> Row:
        return self.model.rows[self.model.view[index]]

    def _visible_keys(self) -> list[Cell]:
        top = self.scroll_offset.y
        return self.model.view[top : top + self._body_lines]

    def _longest(self, column: int) -> int:
        """Return how many cells a flexible column needs for the visible rows."""
        spec = self.model.table.columns[column]
        rows = (self.model.rows[key] for key in self._visible_keys())
        cells = (cell_len(spec.render(row[FIRST_CELL + column], self._now_s)) for row in rows)
        return min(max([spec.width, *cells]), _WIDEST_TEXT)

    def _lay_out(self) -> None:
        columns, room = self.model.table.columns, self._width - self._gutter
        self._scrolled_cells = min(self._scrolled_cells, furthest(columns, self._in_view, room, self._full_widths))
        self._spans = layout(columns, self._in_view, room, self._scrolled_cells, self._full_widths)
        self._strips.clear()
        self._redraw()

    def _show_marks(self) -> None:
        """Draw the marks in a gutter of their own, which is there only while any row is marked."""
        gutter = _GUTTER_CELLS if self.model.marked else 0
        if gutter != self._gutter:
            self._gutter = gutter
            self._lay_out()
        self._strips.clear()
        self.refresh()
        self.post_message(self.Moved(self))

    def _redraw(self) -> None:
        self._measure()
        self._scroll_to_cursor()

    def _anchor(self) -> tuple[bool, Cell | None]:
        top = self.scroll_offset.y
        seen = top <= self.model.cursor < top + self._body_lines
        return seen, self.model.view[top] if 0 < top < len(self.model.view) else None

    def _redraw_keeping(self, anchor: tuple[bool, Cell | None]) -> None:
        seen, top = anchor
        self._measure()
        if top is not None and top in self.model.position:
            self._scroll(self.model.position[top])
        if seen:
            self._scroll_to_cursor()

    def _measure(self) -> None:
        size = Size(self._width, len(self.model.view) + _HEADER_LINES)
        overflows = size.height > self.container_size.height
        if overflows and self.show_vertical_scrollbar and size.width == self.virtual_size.width:
            # Only the scroll bar changes; setting the reactive would lay out the whole screen.
            self.set_reactive(DeskTable.virtual_size, size)
            self.vertical_scrollbar.window_virtual_size = size.height
            self.scroll_y = self.validate_scroll_y(self.scroll_y)
        else:
            self.virtual_size = size
        self.refresh()

    def _scroll_to_cursor(self) -> None:
        top, cursor = self.scroll_offset.y, self.model.cursor
        if cursor < top:
            self._scroll(cursor)
        elif cursor >= top + self._body_lines:
            self._scroll(cursor - self._body_lines + 1)

    def _scroll(self, y: int) -> None:
        self.scroll_to(y=y, animate=False, immediate=True, force=True)

    def _draw_rows(self, indexes: tuple[int, ...]) -> None:
        top = self.scroll_offset.y
        lines = [index - top for index in indexes if 0 <= index - top < self._body_lines]
        if lines:
            self.refresh(*(Region(0, line + _HEADER_LINES, self._width, 1) for line in lines))

    def _texts(self, row: Row) -> tuple[str, ...]:
        return row_texts(self.model.table, row, self._spans, self._now_s, self._unknown)

    def _draw_changed_cells(self, index: int) -> None:
        row = self._row(index)
        now, drawn = self._texts(row), self._drawn(index, row)
        if drawn is None or len(drawn) != len(now):
            self._draw_rows((index,))
        elif drawn != now:
            pairs = zip(self._spans, drawn, now, strict=True)
            self._draw_cells(index, {span.index for span, was, is_now in pairs if was != is_now})

    def _draw_cells(self, index: int, columns: Iterable[int]) -> None:
        line = index - self.scroll_offset.y
        wanted = frozenset(columns)
        spans = [span for span in self._spans if span.index in wanted]
        if spans and 0 <= line < self._body_lines:
            self.refresh(*(Region(self._gutter + s.left, line + _HEADER_LINES, s.width + 1, 1) for s in spans))

    def _drawn(self, index: int, row: Row) -> tuple[str, ...] | None:
        """Return the texts of a row as they were last drawn, None where they were not."""
        if index == self.model.cursor:
            key, texts = self._cursor_drawn
            return texts if key == row[0] else None
        strip = self._strips.get(row[0])
        return strip[0] if strip else None

    def _row_strip(self, index: int) -> Strip:
        row = self._row(index)
        texts = self._texts(row)
        if index == self.model.cursor:
            self._cursor_drawn = (row[0], texts)
            return self._paint(row, texts, cursor=True)
        if self._drawn(index, row) != texts:
            if len(self._strips) >= _STRIPS_KEPT:
                self._strips.clear()
            self._strips[row[0]] = (texts, self._paint(row, texts))
        return self._strips[row[0]][1]

    def _paint(self, row: Row, texts: tuple[str, ...], *, cursor: bool = False) -> Strip:
        marked = row[0] in self.model.marked
        state = RowState(self._gutter, marked, cursor, self._stale, self._changes.of(row[0]))
        return row_strip(self.model.table, row, self._spans, texts, state, self._style, self._width)

    def _header(self) -> Strip:
        model, style = self.model, self._style("header")
        arrow = "▼" if model.sort_reversed else "▲"
        return header_strip(model.table, self._spans, self._gutter, model.sort_column, arrow, style, self._width)

    def _style(self, name: str) -> Style:
        if name not in self._styles_by_name:
            part = f"table--{name or 'plain'}"
            self._styles_by_name[name] = self.get_component_rich_style(part, partial=name in _OVERLAYS)
        return self._styles_by_name[name]

    def _sort_at(self, x: int) -> None:
        for span in self._spans:
            column, left = self.model.table.columns[span.index], span.left + self._gutter
            if left <= x <= left + span.width and column.title:
                again = self.model.sort_column == column.id
                self.sort_by(column.id, reverse=again and not self.model.sort_reversed)
                return
