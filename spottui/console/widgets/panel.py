"""A panel: a table in a border with titles, and a line for its filter."""

from dataclasses import dataclass

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input

from spottui.console.text.cells import cell_text, in_whole_parts
from spottui.console.widgets.table import DeskTable

_FRAME_CELLS = 12
_TITLE_FRAME_CELLS = 4
"""What the border takes of the line of a title, on the inside of its corners."""
_RULE = " ── "


class Panel(Vertical):
    """A table with its border and its filter."""

    @dataclass(eq=False)
    class Filtered(Message):
        """The filter has changed to `text`, or its line was closed, and then `text` is None."""

        panel: "Panel"
        text: str | None = None

    @dataclass(eq=False)
    class TitleClicked(Message):
        """The mouse is on the title of a panel, by its id."""

        panel_id: str

    def __init__(self, label: str, table: DeskTable) -> None:
        super().__init__(id=label.lower())
        self.table = table
        self.label = label
        self._hint = ""
        self._titles = ("", "")

    def compose(self) -> ComposeResult:
        """Yield the table and the filter's line, which is hidden until `open_filter`."""
        yield self.table
        yield Input(placeholder="words, field:value, -not, deadline<5m, ~regex~", compact=True, disabled=True)

    def on_click(self, event: events.Click) -> None:
        """Go to the panel whose title is under the mouse: this one at the top, that of the hint at the bottom."""
        if event.y == 0:
            self.post_message(self.TitleClicked(self.label.lower()))
        elif event.y == self.outer_size.height - 1 and self._hint and self._foot() == self._hint:
            self.post_message(self.TitleClicked(self._hint.split()[1].lower()))

    @property
    def is_filtering(self) -> bool:
        """Whether the person is typing a filter."""
        return self.has_class("-filtering")

    def set_titles(self, text: str, stale: str = "", hint: str = "") -> None:
        """Set the title: label, `stale` and `text`; `hint` is the subtitle while there is no filter."""
        self.set_class(bool(stale), "-stale")
        self._hint = hint
        head = [self.label, *([stale] if stale else [])]
        room = self.size.width - cell_len(_RULE.join([*head, ""])) - _TITLE_FRAME_CELLS
        fitting = in_whole_parts(text, room) if self.size.width else text
        self._write(_RULE.join([*head, *([fitting] if text else [])]), self._foot())

    def open_filter(self) -> None:
        """Open the filter's line."""
        self.add_class("-filtering")
        line = self.query_one(Input)
        line.disabled = False
        # At once: over SSH the keys of a filter come in one burst, and none of them may act.
        line.display = True
        self.screen.set_focus(line)
        if not line.has_focus:
            line.focus()

    def put_filter(self, text: str) -> None:
        """Set the filter as if it had been typed."""
        self.query_one(Input).value = text

    def drop_filter(self) -> bool:
        """Clear the filter; False if there was none."""
        line = self.query_one(Input)
        had = bool(line.value) or self.has_class("-filtering")
        line.value = ""
        self.keep_filter()
        return had

    @on(Input.Changed)
    def _apply_filter(self, event: Input.Changed) -> None:
        event.stop()
        good = self.table.set_filter(event.value)
        self.set_class(not good, "-bad-filter")
        self.set_class(bool(event.value), "-filtered")
        self.post_message(self.Filtered(self, event.value))

    @on(Input.Submitted)
    def _submit_filter(self, event: Input.Submitted) -> None:
        event.stop()
        if self.table.model.filter_error:
            self.app.notify(f"Filter refused: {self.table.model.filter_error}.", severity="warning", markup=False)
        else:
            self.keep_filter()

    def keep_filter(self) -> None:
        """Close the filter's line; the filter stays in force."""
        line = self.query_one(Input)
        if line.has_focus:
            self.table.focus()
        line.disabled = True
        line.display = False
        self.remove_class("-filtering")
        self.post_message(self.Filtered(self))

    def _foot(self) -> str:
        model = self.table.model
        if model.filter_error:
            return f"/ {model.filter_text} ✕ {model.filter_error}"
        marked = [f"{len(model.marked):,} marked"] if model.marked else []
        if model.filter_text:
            counted = " · ".join((f"{len(model.view):,}/{len(model.rows):,}", *marked, "esc clears"))
            room = max(self.size.width - len(counted) - _FRAME_CELLS, _FRAME_CELLS)
            return f"/ {cell_text(model.filter_text, room).rstrip()} · {counted}"
        return " · ".join((*marked, "esc unmarks")) if marked else self._hint

    def _write(self, title: str, foot: str) -> None:
        if (title, foot) != self._titles:
            self._titles = (title, foot)
            self.border_title = Content(title)
            self.border_subtitle = Content(foot)
