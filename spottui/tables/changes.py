"""Which cells have changed a moment ago, so that a person sees what moved."""

from collections.abc import Iterable

from spottui.tables.column import FIRST_CELL, Cell, Rows
from spottui.tables.diff import Diff

_TICKS = 2
"""The first one can come at once."""


class Changes:
    """The changed columns of each row in sight, by their indexes, until the second tick after."""

    def __init__(self) -> None:
        self._columns: dict[Cell, frozenset[int]] = {}
        self._left: dict[Cell, int] = {}

    def of(self, key: Cell) -> frozenset[int]:
        """Return the columns of a row that show something else than a moment ago."""
        return self._columns.get(key, frozenset())

    def note(self, old: Rows, change: Diff, in_sight: Iterable[Cell]) -> None:
        """Note what a diff is about to change in rows that are in sight; a row that is new is no change."""
        for key in in_sight:
            if key in change.put and key in old:
                pairs = zip(old[key][FIRST_CELL:], change.put[key][FIRST_CELL:], strict=True)
                self._columns[key] = frozenset(i for i, (was, is_now) in enumerate(pairs) if was != is_now)
                self._left[key] = _TICKS

    def tick(self) -> dict[Cell, frozenset[int]]:
        """Let a moment pass; return the columns that are no news any more, by their rows."""
        self._left = {key: left - 1 for key, left in self._left.items()}
        over = {key: self._columns[key] for key, left in self._left.items() if not left}
        for key in over:
            del self._columns[key], self._left[key]
        return over
