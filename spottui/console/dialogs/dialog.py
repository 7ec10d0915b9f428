"""The frame of every dialog: enter does exactly what is displayed, esc closes it."""

from typing import ClassVar, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from spottui.console.widgets.keys import Key, KeyLine

Answer = TypeVar("Answer")

_LINES_AROUND = 7
"""The border, three lines of head at most, the buttons and the keys."""

WIDE_CELLS = 156
_CELLS_AROUND = 5
"""Of the border, the padding and the scroll bar of the box."""

_HINTS = (Key("", "← →", "choose"), Key("", "↑ ↓ pgup pgdn", "scroll"))


class Dialog(ModalScreen[Answer | None], Generic[Answer]):
    """A title, a head that stays, a text that scrolls, a button that has the focus and one to close it.

    The first button answers what `accept` of the subclass returns; closing answers None.
    """

    AUTO_FOCUS = "#do"
    DO_KEYS, LEAVE_KEYS = "enter", "esc"
    MOST_CELLS: ClassVar[int] = 100
    """How wide the box is at most."""
    KEYS: ClassVar[tuple[Key, ...]] = (Key("enter", "enter", "confirm"), Key("escape", "esc", "close"), *_HINTS)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n", "leave", show=False),
        Binding("q", "quit_key", show=False),
        Binding("down,j", "scroll(1)", show=False),
        Binding("up,k", "scroll(-1)", show=False),
        Binding("pagedown,space,ctrl+d,ctrl+f", "scroll(10)", show=False),
        Binding("pageup,ctrl+u,ctrl+b", "scroll(-10)", show=False),
        Binding("home,g", "scroll(-100000)", show=False),
        Binding("end,G", "scroll(100000)", show=False),
        Binding("left", "app.focus_previous", show=False),
        Binding("right", "app.focus_next", show=False),
    ]

    def __init__(self, title: str, do: str, leave: str = "Close") -> None:
        super().__init__()
        self._title_text = title
        self._do, self._leave = do, leave
        self._head = Static(id="head", markup=False)
        self._text = Static(id="text", markup=False)

    def compose(self) -> ComposeResult:
        """Yield the box with its parts, and its keys, which cover the main screen's footer."""
        keys = KeyLine("keys")
        keys.put_keys(self.KEYS)
        yield keys
        with Vertical(id="box") as box:
            box.border_title = Content(self._title_text)
            box.styles.max_width = self.MOST_CELLS
            yield self._head
            with VerticalScroll(id="scroll", can_focus=False):
                yield self._text
            with Horizontal(id="buttons"):
                yield Button(Content(f"{self._do} ({self.DO_KEYS})"), id="do", variant="primary", compact=True)
                yield Button(Content(f"{self._leave} ({self.LEAVE_KEYS})"), id="leave", compact=True)

    @property
    def room(self) -> int:
        """How many cells a line of the text has."""
        return max(min(self.app.size.width, self.MOST_CELLS) - _CELLS_AROUND, 20)

    def on_mount(self) -> None:
        """Show head and text, and update the head once a second."""
        self.redraw()
        self.set_interval(1.0, self.tick)

    def on_resize(self) -> None:
        """Keep head and buttons visible on a low screen, and fit the lines into the width."""
        self.query_one("#scroll").styles.max_height = max(self.app.size.height - _LINES_AROUND, 3)
        self.redraw()

    def head(self) -> Content:
        """Return what stays in sight while the rest scrolls."""
        return Content("")

    def body(self) -> Content:
        """Return the text that scrolls."""
        return Content("")

    def accept(self) -> Answer | None:
        """Return the answer that the first button gives; None when there is nothing to do yet."""
        raise NotImplementedError

    def tick(self) -> None:
        """Update the head."""
        self._head.update(self.head())

    def redraw(self) -> None:
        """Update head and text."""
        self._head.update(self.head())
        self._text.update(self.body())

    def action_leave(self) -> None:
        """Close without doing anything."""
        self.dismiss(None)

    def action_quit_key(self) -> None:
        """Close the dialog; the quit dialog takes `q` as a yes instead."""
        self.action_leave()

    def action_scroll(self, lines: int) -> None:
        """Scroll the text by so many lines."""
        scroll = self.query_one("#scroll", VerticalScroll)
        scroll.scroll_to(y=scroll.scroll_offset.y + lines, animate=False, immediate=True)

    @on(Button.Pressed, "#do")
    def _do_it(self) -> None:
        answer = self.accept()
        if answer is not None:
            self.dismiss(answer)

    @on(Button.Pressed, "#leave")
    def _leave_it(self) -> None:
        self.dismiss(None)


class Question(Dialog[bool]):
    """A question whose text says what happens with either answer.

    A yes does harm or costs money, so enter, which is easily pressed by mistake, means no.
    """

    AUTO_FOCUS = "#leave"
    DO_KEYS, LEAVE_KEYS = "y", "enter"
    KEYS = (Key("y", "y", "confirm"), Key("escape", "enter esc", "close"), *_HINTS)
    BINDINGS: ClassVar[list[BindingType]] = [Binding("y", "accept", show=False)]

    def __init__(self, title: str, text: Content, do: str, leave: str = "Close") -> None:
        super().__init__(title, do, leave)
        self._body = text

    def body(self) -> Content:
        """Return the question."""
        return self._body

    def accept(self) -> bool | None:
        """Return yes; None while there is nothing to say yes to."""
        return True

    def action_accept(self) -> None:
        """Answer yes, if that is still possible."""
        self._do_it()
