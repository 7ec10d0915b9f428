"""The frame of every page: a text over the main screen that scrolls."""

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from spottui.console.exports import copy
from spottui.console.session import Session
from spottui.console.text.alarm import alarm
from spottui.console.widgets.keys import Key, KeyLine
from spottui.console.widgets.lines import Line

_FRAME_CELLS = 5
"""Border, padding and scroll bar."""


CLOSE, COPY = Key("escape", "esc", "Close"), Key("c", "c", "Copy")
SCROLL = Key("", "↑ ↓ pgup pgdn", "Scroll")


class Page(Screen[None]):
    """A text with a title, made again once a second, under the alarm and above its keys; esc closes it."""

    KEYS: ClassVar[tuple[Key, ...]] = (CLOSE, COPY, SCROLL)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter,question_mark,f1", "leave", show=False),
        Binding("down,j", "scroll(1)", show=False),
        Binding("up,k", "scroll(-1)", show=False),
        Binding("pagedown,space,ctrl+d,ctrl+f", "scroll(15)", show=False),
        Binding("pageup,ctrl+u,ctrl+b", "scroll(-15)", show=False),
        Binding("c", "copy", show=False),
        Binding("home,g", "scroll(-100000)", show=False),
        Binding("end,G", "scroll(100000)", show=False),
    ]

    def __init__(self, session: Session, title: str) -> None:
        super().__init__()
        self._session = session
        self._title_text = title
        self._shown: Content | None = None
        self._text = Static(id="text", markup=False)
        self._alarm, self._key_line = Line("alarm"), KeyLine("footer")

    def compose(self) -> ComposeResult:
        """Yield the alarm, the text in its frame and the keys."""
        yield self._alarm
        with VerticalScroll(id="scroll", can_focus=False) as scroll:
            scroll.border_title = Content(self._title_text)
            yield self._text
        yield self._key_line

    @property
    def room(self) -> int:
        """How many cells a line has inside the frame."""
        return max(self.app.size.width - _FRAME_CELLS, 20)

    def on_mount(self) -> None:
        """Show the text, and update it once a second."""
        self.tick()
        self.set_interval(1.0, self.tick)

    def text(self) -> Content:
        """Return what the page shows."""
        raise NotImplementedError

    def keys(self) -> tuple[Key, ...]:
        """Return the keys to name now."""
        return self.KEYS

    def tick(self) -> None:
        """Show what has changed."""
        self._alarm.put(alarm(self._session.view, self._session.clock.now(), self.app.size.width))
        self._alarm.set_class(bool(self._alarm.text), "-shown")
        self._key_line.put_keys(self.keys())
        text = self.text()
        if text != self._shown:
            self._shown = text
            self._text.update(text)

    def action_copy(self) -> None:
        """Copy the text of the page."""
        copy(self.app, self.text().plain, f"the page {self._title_text}")

    def on_resize(self) -> None:
        """Show the text in its new width at once."""
        self.tick()

    def action_leave(self) -> None:
        """Go back."""
        self.dismiss(None)

    def action_scroll(self, lines: int) -> None:
        """Scroll by so many lines."""
        scroll = self.query_one("#scroll", VerticalScroll)
        scroll.scroll_to(y=scroll.scroll_offset.y + lines, animate=False, immediate=True)


class TextPage(Page):
    """A page whose text comes from a function, called again once a second."""

    def __init__(self, session: Session, title: str, text: Callable[[], Content]) -> None:
        super().__init__(session, title)
        self._make_text = text

    def text(self) -> Content:
        """Return the text as it is now."""
        return self._make_text()
