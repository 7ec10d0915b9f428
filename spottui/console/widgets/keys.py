"""A line of keys with what they do; a click on one presses it."""

from collections.abc import Sequence

import msgspec
from rich.cells import cell_len
from textual import events
from textual.content import Content

from spottui.console.widgets.lines import Line


class Key(msgspec.Struct, frozen=True):
    """One key: Textual's name of it, how it is shown, and what it does; `danger` marks what acts on the cloud.

    Without a name it is only a text, such as a hint for several keys.
    """

    name: str
    shown: str
    title: str
    danger: bool = False

    @property
    def cells(self) -> int:
        """How many cells it takes with the gap behind it."""
        return cell_len(self.shown) + 1 + cell_len(self.title) + 2


class KeyLine(Line):
    """Shows keys, as many as there are; the mouse presses them."""

    def __init__(self, line_id: str) -> None:
        super().__init__(line_id)
        self._keys: Sequence[Key] = ()

    def put_keys(self, keys: Sequence[Key]) -> None:
        """Show these keys."""
        self._keys = keys
        parts: list[str | tuple[str, str]] = [" "]
        for key in keys:
            parts += [(key.shown, "bold $warning" if key.danger else "bold $accent"), f" {key.title}  "]
        self.put(Content.assemble(*parts))

    def on_click(self, event: events.Click) -> None:
        """Press the key under the mouse."""
        left = 1
        for key in self._keys:
            if left <= event.x < left + key.cells and key.name:
                self.app.simulate_key(key.name)
                return
            left += key.cells
