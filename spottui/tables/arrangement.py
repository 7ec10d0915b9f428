"""Which columns of a table a person sees, and in which order."""

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from spottui.tables.column import Column


class Arrangement(msgspec.Struct, frozen=True):
    """What a person chose for one table, by the columns' ids; what nobody chose stays as the table has it.

    `order` names columns in their order, the others follow in the table's. `shown` and `hidden` are the columns that
    are shown or hidden whatever the table does by itself.
    """

    order: tuple[str, ...] = ()
    shown: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()

    def in_order(self, columns: tuple[Column, ...]) -> tuple[int, ...]:
        """Return the indexes of all columns in their order."""
        ids = [column.id for column in columns]
        named = [ids.index(column_id) for column_id in dict.fromkeys(self.order) if column_id in ids]
        return (*named, *(i for i in range(len(columns)) if i not in named))

    def in_view(self, columns: tuple[Column, ...], needless: Iterable[str]) -> tuple[int, ...]:
        """Return the indexes of the columns that are shown, in their order; `needless` are hidden unless chosen."""
        gone = (frozenset(needless) - self.shown) | self.hidden
        return tuple(i for i in self.in_order(columns) if columns[i].id not in gone or not columns[i].title)

    def showing(self, column_id: str, *, shown: bool) -> "Arrangement":
        """Return the arrangement with one column shown or hidden."""
        column = frozenset((column_id,))
        if shown:
            return replace(self, shown=self.shown | column, hidden=self.hidden - column)
        return replace(self, shown=self.shown - column, hidden=self.hidden | column)

    def moving(self, column_id: str, places: int, columns: tuple[Column, ...]) -> "Arrangement":
        """Return the arrangement with one column moved by so many places; never before a column without a title."""
        ids = [columns[i].id for i in self.in_order(columns)]
        fixed = sum(not column.title for column in columns)
        at = ids.index(column_id)
        to = min(max(at + places, fixed), len(ids) - 1)
        ids.insert(to, ids.pop(at))
        return replace(self, order=tuple(ids))
