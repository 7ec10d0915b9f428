"""The help, made from the registry of actions."""

import textwrap
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input

from spottui.action import Action, Scope, shown_key
from spottui.action_context import ActionContext
from spottui.actions import ACTIONS
from spottui.console.pages.page import CLOSE, COPY, SCROLL, Page
from spottui.console.session import Session
from spottui.console.widgets.footer import named_in_footer
from spottui.console.widgets.keys import Key

_KEY_CELLS = 25
_FRAME_CELLS = 6
_ANY_WIDTH = 10_000

_SIGNS = """
! being reclaimed   ✓ being reclaimed, replacement running
Q queue event   L lock   B CloudMonitor history   E engineer
WILL MAKE IT / TIGHT / WILL NOT   whether the image is ready before the deadline
y+1:50   an image takes 1:50 after y   → zone h, else j   where it launches
STALE, dim   no answer for three intervals; ? is unknown until it answers
CACHED   the fleet as an earlier run saw it   underlined   just changed

Hold shift (option on a Mac) to select text with the mouse."""


class HelpPage(Page):
    """Every key and what it does, first those that do something in `panel` now, and the signs of the tables.

    `/` filters: only keys whose explanation contains all words stay.
    """

    KEYS = (Key("slash", "/", "Filter"), CLOSE, COPY, SCROLL)
    BINDINGS: ClassVar[list[BindingType]] = [Binding("slash", "filter", show=False)]

    def __init__(self, session: Session, panel: str, context: ActionContext) -> None:
        super().__init__(session, "Help")
        self._panel, self._action_context = panel, context
        self._words: tuple[str, ...] = ()

    def compose(self) -> ComposeResult:
        """Yield the text, and the filter's line."""
        yield from super().compose()
        yield Input(placeholder="filter", compact=True, disabled=True)

    def text(self) -> Content:
        """Return the keys of the panel, the others by scope, then the signs."""
        here = [action for action in named_in_footer(self._action_context, _ANY_WIDTH) if self._is_wanted(action)]
        parts = [self._section(f"Here, in {self._panel}", here)]
        for scope in Scope:
            there = [
                action for action in ACTIONS if action.scope is scope and action not in here and self._is_wanted(action)
            ]
            parts.append(self._section(str(scope), there))
        if not self._words:
            parts.append(Content.assemble(("Signs", "bold $accent"), _SIGNS))
        shown = [part for part in parts if part]
        return Content("\n").join(shown) if shown else Content("No key matches.")

    def action_filter(self) -> None:
        """Open the filter's line."""
        line = self.query_one(Input)
        line.disabled = False
        line.add_class("-open")
        line.focus()

    def action_leave(self) -> None:
        """Clear the filter if there is one, else close the page."""
        line = self.query_one(Input)
        if line.value or line.has_focus:
            line.value = ""
            self._close_line()
        else:
            super().action_leave()

    @on(Input.Changed)
    def _narrow(self, event: Input.Changed) -> None:
        self._words = tuple(event.value.casefold().split())
        self.tick()

    @on(Input.Submitted)
    def _close_line(self) -> None:
        line = self.query_one(Input)
        line.disabled = True
        line.set_class(bool(line.value), "-open")
        self.set_focus(None)

    def _is_wanted(self, action: Action) -> bool:
        keys = " ".join(shown_key(key) for key in action.keys)
        explanation = f"{keys} {action.title} {action.help} {action.scope}".casefold()
        return all(word in explanation for word in self._words)

    def _section(self, title: str, actions: list[Action]) -> Content:
        if not actions:
            return Content("")
        lines = [Content.styled(title, "bold $accent"), *map(self._line, actions)]
        return Content("\n").join([*lines, Content("")])

    def _line(self, action: Action) -> Content:
        keys = " ".join(shown_key(key) for key in action.keys)
        off = " (off: read-only)" if action.danger and self._action_context.read_only else ""
        text = f"{action.title}{off}: {action.help}"
        first, *more = textwrap.wrap(text, max(self.app.size.width - _KEY_CELLS - _FRAME_CELLS, 20)) or [""]
        lines = [first, *(" " * _KEY_CELLS + line for line in more)]
        return Content.assemble((f"  {keys}".ljust(_KEY_CELLS), "bold"), "\n".join(lines))
