"""A page on which the keys of the registry act on what is shown there, with a cursor where it shows rows."""

from collections.abc import Sequence
from typing import ClassVar

from msgspec.structs import replace
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content

from spottui import actions
from spottui.action_context import ActionContext
from spottui.console.acting import IDS, act, context_of, offered
from spottui.console.pages.page import Page
from spottui.console.selection import Selection, about
from spottui.console.widgets.footer import key_of
from spottui.console.widgets.keys import Key
from spottui.domain.recovery import Recovery, RecoveryState

_ACTING = dict.fromkeys(key for action in actions.ACTIONS if action.id in IDS for key in action.keys)
_WINDOW_KEYS = ("g", "h")
_CURSOR, _NO_CURSOR = "› ", "  "


class ActingPage(Page):
    """A page about recoveries: a key acts on the one that is shown, or on all of the row under the cursor.

    `recoveries` says which these are, `rows` the lines of each row, for a page that has a cursor.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding(key, f"act('{key}')", show=False) for key in _ACTING]

    MAY_SLIP: ClassVar[bool] = False
    """Whether the selected row can change without a key press."""

    cursor: int = 0

    def recoveries(self) -> tuple[Recovery, ...]:
        """Return the recoveries that a key is for."""
        raise NotImplementedError

    def selection(self, key: str = "") -> Selection:
        """Return what a key is for: of several recoveries the most urgent one that the key can act on."""
        view, recoveries = self._session.view, self.recoveries()
        if view is None or not recoveries:
            return Selection()
        first = min(recoveries, key=lambda recovery: (not _suits(recovery, key), recovery.deadline))
        return about(view, first.region, first.instance_id, first)

    def keys(self) -> tuple[Key, ...]:
        """Return the actions that are possible here, then the keys of the page."""
        context = self._found_by_key(self.selection())
        return (*(_key(key_of(action, context)) for action in offered(context)), *self.KEYS)

    def action_act(self, key: str) -> None:
        """Do what a key of the main screen means for what is shown here, or say why not."""
        selection = self.selection(key)
        context = self._found_by_key(selection)
        action, refused = actions.on_key(key, context)
        if refused:
            self.notify(refused, severity="warning", markup=False)
        elif not act(self._session, action, context, selection, self.recoveries(), may_slip=self.MAY_SLIP):
            self.action_scroll(-100_000)

    def rows(self) -> Sequence[Sequence[Content]]:
        """Return the lines of each row, which the cursor stands on; none on a page without a cursor."""
        return ()

    def head(self) -> Sequence[Content]:
        """Return the lines above the rows."""
        return ()

    def action_scroll(self, lines: int) -> None:
        """Move the cursor by so many rows, or scroll where there is none."""
        rows = self.rows()
        if not rows:
            super().action_scroll(lines)
            return
        self.cursor = min(max(self.cursor + lines, 0), len(rows) - 1)
        self.tick()
        self._scroll_to_cursor(rows)

    def with_cursor(self, rows: Sequence[Sequence[Content]]) -> list[Content]:
        """Return the lines of rows with the cursor's sign, its row in bold."""
        lines: list[Content] = []
        for index, row in enumerate(rows):
            is_here = index == self.cursor
            for line in row:
                sign = _CURSOR if is_here and line is row[0] else _NO_CURSOR
                lines.append(Content.assemble((sign, "bold $accent"), line.stylize("bold") if is_here else line))
        return lines

    def _scroll_to_cursor(self, rows: Sequence[Sequence[Content]]) -> None:
        scroll, width = self.query_one("#scroll", VerticalScroll), self.room
        above = [*self.head(), *(line for row in rows[: self.cursor] for line in row)]
        top = sum(max(len(line.wrap(width)), 1) for line in above)
        bottom, height = top + len(rows[self.cursor]), scroll.size.height
        y = scroll.scroll_offset.y
        if self.cursor == 0:
            y = 0
        elif top < y or bottom > y + height:
            y = top if top < y else bottom - height
        scroll.scroll_to(y=y, animate=False, immediate=True)

    def _found_by_key(self, selection: Selection) -> ActionContext:
        """Return what a key finds; several recoveries are as marked ones."""
        several = self.recoveries() if len(self.recoveries()) > 1 else ()
        return context_of(self._session, selection, marked=len(several), of_marked=several)


def _key(key: Key) -> Key:
    """Return a key as it is named here: nothing is marked, all of the row are meant."""
    return replace(key, title=key.title.replace("marked", "these"))


def _suits(recovery: Recovery, key: str) -> bool:
    if key in _WINDOW_KEYS:
        return recovery.state is RecoveryState.VETO_WINDOW
    return recovery.state.came_to_nothing if key == "t" else recovery.state.waits_for_permission
