"""The difference between two snapshots of a table, and which cells have just changed."""

from collections.abc import Iterable

import msgspec

from spottui.tables.column import FIRST_CELL, Cell, Rows


class Diff(msgspec.Struct, frozen=True):
    """Rows that are new or changed, and the keys of those that were removed."""

    put: Rows
    gone: frozenset[Cell] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.put or self.gone)


def diff(old: Rows, new: Rows) -> Diff:
    """Return what turns `old` into `new`."""
    if old is new:
        return Diff({})
    put = {key: row for key, row in new.items() if (was := old.get(key)) is not row and was != row}
    return Diff(put, frozenset(old.keys() - new.keys()))


def patch(rows: Rows, change: Diff) -> None:
    """Apply a diff to the rows in place."""
    for key in change.gone:
        rows.pop(key, None)
    rows.update(change.put)


_TICKS = 2
"""The first one can come at once."""


class Changes:
    """The changed columns of each visible row, by index; forgotten at the second tick after the change."""

    def __init__(self) -> None:
        self._columns: dict[Cell, frozenset[int]] = {}
        self._left: dict[Cell, int] = {}

    def of(self, key: Cell) -> frozenset[int]:
        """Return the columns of a row that have just changed."""
        return self._columns.get(key, frozenset())

    def note(self, old: Rows, change: Diff, in_sight: Iterable[Cell]) -> None:
        """Record what a diff will change in visible rows; a new row does not count as a change."""
        for key in in_sight:
            if key in change.put and key in old:
                pairs = zip(old[key][FIRST_CELL:], change.put[key][FIRST_CELL:], strict=True)
                self._columns[key] = frozenset(i for i, (was, is_now) in enumerate(pairs) if was != is_now)
                self._left[key] = _TICKS

    def tick(self) -> dict[Cell, frozenset[int]]:
        """Advance by one tick; return the columns that no longer count as changed, by row."""
        self._left = {key: left - 1 for key, left in self._left.items()}
        over = {key: self._columns[key] for key, left in self._left.items() if not left}
        for key in over:
            del self._columns[key], self._left[key]
        return over
