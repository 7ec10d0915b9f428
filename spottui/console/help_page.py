"""The help, made from the registry of actions."""

import textwrap

from textual.content import Content

from spottui.actions import ACTIONS, Action, Scope, shown_key
from spottui.console.page import Page

_KEY_CELLS = 25
_FRAME_CELLS = 6

_SIGNS = """
! being reclaimed   ✓ being reclaimed, but saved: its replacement runs
Q queue event   L lock seen   B from CloudMonitor's history   E the engineer
WILL MAKE IT / TIGHT / WILL NOT   will the image be ready before the deadline

Hold shift (option on a Mac) to select text with the mouse."""


class HelpPage(Page):
    """Every key and what it does, and the signs of the tables."""

    def __init__(self, *, read_only: bool) -> None:
        super().__init__("Help")
        self._read_only = read_only

    def text(self) -> Content:
        """Return the keys by scope, then the signs."""
        parts = [self._scope(scope) for scope in Scope]
        return Content("\n").join([*parts, Content.assemble(("Signs", "bold $accent"), _SIGNS)])

    def _scope(self, scope: Scope) -> Content:
        lines = [Content.styled(str(scope), "bold $accent")]
        lines += [self._line(action) for action in ACTIONS if action.scope is scope]
        return Content("\n").join([*lines, Content("")])

    def _line(self, action: Action) -> Content:
        keys = " ".join(shown_key(key) for key in action.keys)
        off = " (off: read-only)" if action.danger and self._read_only else ""
        text = f"{action.title}{off}: {action.help}"
        first, *more = textwrap.wrap(text, max(self.app.size.width - _KEY_CELLS - _FRAME_CELLS, 20)) or [""]
        lines = [first, *(" " * _KEY_CELLS + line for line in more)]
        return Content.assemble((f"  {keys}".ljust(_KEY_CELLS), "bold"), "\n".join(lines))
