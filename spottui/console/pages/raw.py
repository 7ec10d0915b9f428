"""All that is known of a chosen row as JSON, in which every character outside ASCII stands by its number."""

import json
from collections.abc import Callable
from datetime import datetime

import msgspec
from textual.content import Content

from spottui.console.choice import Choice, interruption_of
from spottui.console.pages.page import Page
from spottui.domain.text import plain
from spottui.domain.view import DeskView

_LINE_CHARACTERS = 65_536


class RawPage(Page):
    """Follows a row; `look` returns its JSON as it is now."""

    KEYS = "esc leaves · c copies it · ↑ ↓ pgup pgdn scroll"

    def __init__(self, title: str, look: Callable[[], str]) -> None:
        super().__init__(title)
        self._look = look

    def text(self) -> Content:
        """Return the JSON as it is now."""
        return Content("\n".join(plain(line, _LINE_CHARACTERS) for line in self._look().splitlines()))


def raw(choice: Choice, view: DeskView | None) -> str:
    """Return what the desk holds of a row: the event, or the instance, with its interruption and its recovery."""
    reclaim = interruption_of(view, choice.region, choice.resource_id) if view and choice.event is None else None
    parts = {"event": choice.event, "instance": choice.instance, "interruption": reclaim, "recovery": choice.recovery}
    known = {name: part for name, part in parts.items() if part is not None}
    return json.dumps(msgspec.to_builtins(known, builtin_types=(datetime,)), indent=2, default=datetime.isoformat)
