"""A table as values: all rows, the ordered rows in view, the marked ones, and a cursor that follows its row."""

import msgspec

from spottui.tables.column import Cell, Row, Rows, Table, natural
from spottui.tables.diff import Diff, patch
from spottui.tables.filter import Filter, FilterError, parse, searched_text

Rank = tuple[Cell | tuple[Cell, ...], ...]


class Change(msgspec.Struct, frozen=True):
    """What a diff did to the view: its rows have moved, or only these indexes have changed."""

    rebuilt: bool
    indexes: tuple[int, ...] = ()


class TableModel:
    """The rows of one table, filtered and sorted.

    `view` holds the keys in view in order and `position` the index of each. The cursor stays on its row whatever
    changes; when its row leaves the view it goes to the row that took that place. Until somebody moves it, it is on
    the first row, and with `follow` it is free again whenever it comes back there: new rows then do not push it down.
    """

    def __init__(self, table: Table, *, follow: bool = False) -> None:
        self.table = table
        self.rows: Rows = {}
        self.view: list[Cell] = []
        self.position: dict[Cell, int] = {}
        self.marked: set[Cell] = set()
        self.filter_text = ""
        self.filter_error = ""
        self.sort_column = ""
        self.sort_reversed = False
        self._follow = follow
        self._filter: Filter | None = None
        self._now_s = 0.0
        self._cursor: Cell | None = None
        # What a row is sorted by is worked out once: names are read for their numbers, and there are many of them.
        self._ranks: dict[Cell, Rank] = {}
        self._said: dict[Cell, str] = {}

    @property
    def cursor(self) -> int:
        """The index of the cursor's row in the view; 0 when the view is empty."""
        return 0 if self._cursor is None else self.position.get(self._cursor, 0)

    @property
    def chosen(self) -> Row | None:
        """The cursor's row, or None when the view is empty."""
        return self.rows[self.view[self.cursor]] if self.view else None

    @property
    def meant(self) -> tuple[Row, ...]:
        """The rows that a bulk action applies to: the marked ones in view, or all in view if none is marked."""
        keys = [key for key in self.view if key in self.marked] or self.view
        return tuple(self.rows[key] for key in keys)

    @property
    def filter(self) -> Filter | None:
        """The active filter: the last valid one."""
        return self._filter

    def move_to(self, index: int) -> None:
        """Move the cursor to a row of the view; an index out of range is clamped."""
        index = min(max(index, 0), len(self.view) - 1)
        free = index < 0 or (self._follow and index == 0)
        self._cursor = None if free else self.view[index]

    def apply(self, change: Diff) -> Change:
        """Apply a diff and return what it did to the view."""
        stays = not change.gone and all(self._stays(row) for row in change.put.values())
        patch(self.rows, change)
        self.marked -= change.gone
        for key in (*change.put, *change.gone):
            self._said.pop(key, None)
        for key in change.gone:
            self._ranks.pop(key, None)
        self._ranks.update((key, self._rank(row)) for key, row in change.put.items())
        if not stays:
            self._rebuild()
            return Change(rebuilt=True)
        return Change(False, tuple(sorted(self.position[key] for key in change.put if key in self.position)))

    def set_time(self, now_s: float) -> bool:
        """Set the time, in epoch seconds; return whether that brought rows into view or took any out."""
        self._now_s = now_s
        if self._filter is None or not self._filter.is_timed:
            return False
        before = self.view
        self._rebuild()
        return self.view != before

    def set_filter(self, text: str) -> bool:
        """Filter by a text; an invalid one leaves the view unchanged and sets `filter_error` to the reason."""
        self.filter_text = text
        try:
            self._filter = parse(text, self.table.columns)
        except FilterError as error:
            self.filter_error = str(error)
            return False
        self.filter_error = ""
        self._rebuild()
        return True

    def sort_by(self, column_id: str, *, reverse: bool = False) -> None:
        """Sort by a column, zeros last; the empty id restores the table's own order."""
        self.sort_column, self.sort_reversed = column_id, reverse
        self._ranks = {key: self._rank(row) for key, row in self.rows.items()}
        self._rebuild()

    def mark(self, key: Cell) -> None:
        """Toggle the mark of a row."""
        self.marked ^= {key}

    def mark_others(self) -> None:
        """Invert the marks of the rows in view."""
        self.marked = set(self.view) - self.marked

    def unmark(self) -> bool:
        """Remove all marks; return False if there were none."""
        had = bool(self.marked)
        self.marked = set()
        return had

    def _stays(self, row: Row) -> bool:
        rank = self._ranks.get(row[0])
        if rank is None:
            return not self._keeps(row)
        shown = row[0] in self.position
        return shown is self._keeps(row) and (not shown or rank == self._rank(row))

    def _keeps(self, row: Row) -> bool:
        return self._filter is None or self._filter.keeps(row, self._now_s, self._searched_text(row))

    def _searched_text(self, row: Row) -> str:
        if row is not self.rows.get(row[0]):
            return searched_text(row)
        if row[0] not in self._said:
            self._said[row[0]] = searched_text(row)
        return self._said[row[0]]

    def _rank(self, row: Row) -> Rank:
        if not self.sort_column:
            return self.table.order(row)
        cell = row[self.table.place(self.sort_column)]
        if isinstance(cell, str):
            return (natural(cell), self.table.order(row))
        return ((cell == 0) is not self.sort_reversed, cell, self.table.order(row))

    def _rebuild(self) -> None:
        index = self.cursor
        # Those in view stand in order already, and the sort is quick where only a few are out of it.
        keys = [key for key in self.view if key in self.rows]
        keys += (key for key in self.rows if key not in self.position)
        if self._filter is not None:
            keys = [key for key in keys if self._keeps(self.rows[key])]
        keys.sort(key=self._ranks.__getitem__, reverse=self.sort_reversed)
        self.view = keys
        self.position = dict(zip(keys, range(len(keys)), strict=True))
        if self._cursor is not None and self._cursor not in self.position:
            self.move_to(index)
