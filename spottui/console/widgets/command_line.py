"""The line of `:`: a command by name, with the earlier ones at hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input

from spottui.console.preferences import Preferences


class CommandLine(Input):
    """Hidden until it is opened; enter sends `Entered`, ↑ and ↓ recall earlier commands, esc closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", show=False),
        Binding("up", "recall(-1)", show=False),
        Binding("down", "recall(1)", show=False),
    ]

    @dataclass(eq=False)
    class Entered(Message):
        """A command was entered; the line is closed again."""

        text: str

    @dataclass(eq=False)
    class Closed(Message):
        """The line was closed without a command."""

    def __init__(self, preferences: Preferences) -> None:
        super().__init__(
            placeholder="inst · rec · ev · storm · view NAME · save NAME · help", compact=True, id="command"
        )
        self._preferences = preferences
        self._at = 0

    @property
    def _history(self) -> Sequence[str]:
        return self._preferences.history

    def open(self) -> None:
        """Show the line, empty, with the focus."""
        self.value, self._at = "", len(self._history)
        self.display = True
        self.disabled = False
        self.screen.set_focus(self)

    def action_close(self) -> None:
        """Hide the line."""
        self._hide()
        self.post_message(self.Closed())

    def action_recall(self, step: int) -> None:
        """Show an earlier command, or a later one."""
        self._at = min(max(self._at + step, 0), len(self._history))
        self.value = self._history[self._at] if self._at < len(self._history) else ""
        self.cursor_position = len(self.value)

    async def action_submit(self) -> None:
        """Send the command."""
        text = self.value.strip()
        self._hide()
        self.post_message(self.Entered(text) if text else self.Closed())

    def on_mount(self) -> None:
        """Begin hidden."""
        self._hide()

    def _hide(self) -> None:
        self.display = False
        self.disabled = True
