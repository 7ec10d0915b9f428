"""What a person chose for the screen, kept between starts."""

import contextlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from spottui.tables.arrangement import Arrangement

_COMMANDS_KEPT = 50


class SavedView(msgspec.Struct, frozen=True):
    """A panel by its id, with a filter, an order and columns; the empty `sort` is the table's own order."""

    panel: str
    filter: str = ""
    sort: str = ""
    is_reversed: bool = False
    columns: Arrangement = msgspec.field(default_factory=Arrangement)


@dataclass
class Preferences:
    """Theme, columns by the panel's id, saved views by name, and commands; only in memory if there is no file.

    A file that cannot be read or written is ignored: it holds nothing worth failing for.
    """

    file: Path | None = None
    theme: str = ""
    arrangements: dict[str, Arrangement] = field(default_factory=dict)
    views: dict[str, SavedView] = field(default_factory=dict)
    history: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, file: Path | None) -> "Preferences":
        """Return what the file holds, empty preferences if it cannot be read."""
        try:
            saved = json.loads(file.read_text(encoding="utf-8-sig")) if file else {}
            columns = {str(panel): _arrangement(chosen) for panel, chosen in saved.get("columns", {}).items()}
            views = {str(name): _view(chosen) for name, chosen in saved.get("views", {}).items()}
            history = [str(command) for command in saved.get("commands", [])]
            return cls(file, str(saved.get("theme", "")), columns, views, history)
        except (OSError, ValueError, AttributeError, TypeError, KeyError):
            return cls(file)

    def arrangement(self, panel: str) -> Arrangement:
        """Return the columns that were chosen for a panel."""
        return self.arrangements.get(panel, Arrangement())

    def keep_theme(self, name: str) -> None:
        """Keep a theme."""
        if name != self.theme:
            self.theme = name
            self._write()

    def keep_columns(self, panel: str, chosen: Arrangement) -> None:
        """Keep the columns of a panel."""
        self.arrangements[panel] = chosen
        self._write()

    def keep_view(self, name: str, view: SavedView) -> None:
        """Keep a view under a name, in place of one that had it."""
        self.views[name] = view
        self._write()

    def drop_view(self, name: str) -> bool:
        """Delete a view; False if there was none of that name."""
        known = self.views.pop(name, None) is not None
        self._write()
        return known

    def keep_command(self, text: str) -> None:
        """Keep a command as the newest one."""
        self.history[:] = [*(command for command in self.history if command != text), text][-_COMMANDS_KEPT:]
        self._write()

    def _write(self) -> None:
        if self.file is None:
            return
        columns = {panel: _plain(chosen) for panel, chosen in self.arrangements.items()}
        views = {
            name: {
                "panel": view.panel,
                "filter": view.filter,
                "sort": view.sort,
                "reversed": view.is_reversed,
                "columns": _plain(view.columns),
            }
            for name, view in self.views.items()
        }
        kept = {"theme": self.theme, "columns": columns, "views": views, "commands": self.history}
        partly = self.file.with_suffix(".part")
        with contextlib.suppress(OSError):
            self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            partly.write_text(json.dumps(kept, indent=1), encoding="utf-8")
            os.replace(partly, self.file)


def _plain(chosen: Arrangement) -> dict[str, list[str]]:
    return {"order": list(chosen.order), "shown": sorted(chosen.shown), "hidden": sorted(chosen.hidden)}


def _view(saved: dict[str, Any]) -> SavedView:
    filter_text, sort = str(saved.get("filter", "")), str(saved.get("sort", ""))
    columns = _arrangement(saved.get("columns", {}))
    return SavedView(str(saved["panel"]), filter_text, sort, bool(saved.get("reversed")), columns)


def _arrangement(saved: dict[str, Any]) -> Arrangement:
    order, shown, hidden = ([str(column) for column in saved.get(key, [])] for key in ("order", "shown", "hidden"))
    return Arrangement(tuple(order), frozenset(shown), frozenset(hidden))
