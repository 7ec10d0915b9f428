"""What a person chose for the screen, kept between starts."""

import contextlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spottui.tables.arrangement import Arrangement


@dataclass
class Preferences:
    """The theme, and the columns of each table by the panel's id; only in memory if there is no file.

    A file that cannot be read or written is ignored: it holds nothing worth failing for.
    """

    file: Path | None = None
    theme: str = ""
    arrangements: dict[str, Arrangement] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path | None) -> "Preferences":
        """Return what the file holds, empty preferences if it cannot be read."""
        try:
            saved = json.loads(file.read_text(encoding="utf-8-sig")) if file else {}
            columns = {str(panel): _arrangement(chosen) for panel, chosen in saved.get("columns", {}).items()}
            return cls(file, str(saved.get("theme", "")), columns)
        except (OSError, ValueError, AttributeError, TypeError):
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

    def _write(self) -> None:
        if self.file is None:
            return
        columns = {panel: _plain(chosen) for panel, chosen in self.arrangements.items()}
        partly = self.file.with_suffix(".part")
        with contextlib.suppress(OSError):
            self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            partly.write_text(json.dumps({"theme": self.theme, "columns": columns}, indent=1), encoding="utf-8")
            os.replace(partly, self.file)


def _plain(chosen: Arrangement) -> dict[str, list[str]]:
    return {"order": list(chosen.order), "shown": sorted(chosen.shown), "hidden": sorted(chosen.hidden)}


def _arrangement(saved: dict[str, Any]) -> Arrangement:
    order, shown, hidden = ([str(column) for column in saved.get(key, [])] for key in ("order", "shown", "hidden"))
    return Arrangement(tuple(order), frozenset(shown), frozenset(hidden))
