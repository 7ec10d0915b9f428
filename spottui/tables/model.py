"""A table as values: all rows, the ones in view in their order, and a cursor that holds on to its row."""

from collections.abc import Callable
from dataclasses import dataclass

from spottui.tables.column import Cell, Row, Rows, Table
from spottui.tables.diff import Diff, patch
from spottui.tables.filter import FilterError, parse


@dataclass(frozen=True, slots=True)
class Change:
    """What a diff did to the view: its rows stand elsewhere now, or only these indexes show something else."""

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
        self.filter_text = ""
        self.filter_error = ""
        self.sort_column = ""
        self.sort_reversed = False
        self._follow = follow
        self._keep: Callable[[Row], bool] | None = None
        self._cursor: Cell | None = None

    @property
    def cursor(self) -> int:
        """The index of the cursor's row in the view; 0 when the view is empty."""
        return 0 if self._cursor is None else self.position.get(self._cursor, 0)

    @property
    def chosen(self) -> Row | None:
        """The cursor's row, or None when the view is empty."""
        return self.rows[self.view[self.cursor]] if self.view else None

    def move_to(self, index: int) -> None:
        """Put the cursor on a row of the view; an index beyond an end means that end."""
        index = min(max(index, 0), len(self.view) - 1)
        free = index < 0 or (self._follow and index == 0)
        self._cursor = None if free else self.view[index]

    def apply(self, change: Diff) -> Change:
        """Take in a diff and say what it did to the view."""
        stays = not change.gone and all(self._stays(row) for row in change.put.values())
        patch(self.rows, change)
        if not stays:
            self._rebuild()
            return Change(rebuilt=True)
        return Change(False, tuple(sorted(self.position[key] for key in change.put if key in self.position)))

    def set_filter(self, text: str) -> bool:
        """Filter by a text; one that cannot be understood leaves the view as it is and says why in `filter_error`."""
        self.filter_text = text
        try:
            self._keep = parse(text, self.table.columns)
        except FilterError as error:
            self.filter_error = str(error)
            return False
        self.filter_error = ""
        self._rebuild()
        return True

    def sort_by(self, column_id: str, *, reverse: bool = False) -> None:
        """Sort by a column, numbers that are zero last; the empty id brings the table's own order back."""
        self.sort_column, self.sort_reversed = column_id, reverse
        self._rebuild()

    def _stays(self, row: Row) -> bool:
        known = self.rows.get(row[0])
        if known is None:
            return self._keep is not None and not self._keep(row)
        shown = row[0] in self.position
        wanted = self._keep is None or self._keep(row)
        return shown is wanted and (not shown or self._rank(known) == self._rank(row))

    def _rank(self, row: Row) -> tuple[Cell, ...]:
        if not self.sort_column:
            return self.table.order(row)
        cell = row[self.table.place(self.sort_column)]
        return (cell.casefold(),) if isinstance(cell, str) else (cell == 0, cell)

    def _rebuild(self) -> None:
        index = self.cursor
        rows = self.rows.values() if self._keep is None else filter(self._keep, self.rows.values())
        ranked = sorted(rows, key=self._rank, reverse=self.sort_reversed)
        self.view = [row[0] for row in ranked]
        self.position = {key: i for i, key in enumerate(self.view)}
        if self._cursor is not None and self._cursor not in self.position:
            self.move_to(index)
