"""The difference of two snapshots of a table."""

import msgspec

from spottui.tables.column import Cell, Rows


class Diff(msgspec.Struct, frozen=True):
    """Rows that are new or not the same any more, and the keys of those that are gone."""

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
