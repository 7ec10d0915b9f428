"""What a column of a table is, what a row is made of, and in what order people read names."""

import re
from collections.abc import Callable
from enum import StrEnum

import msgspec

Cell = str | int
"""A text, or a number that `Column.render` turns into text: epoch seconds of a deadline, a share in percent."""

Row = tuple[Cell, ...]
"""A key, a `Tone`, one cell for each column of the table, and further cells that only the default order reads."""

Rows = dict[Cell, Row]
"""All rows of a table by their key."""

FIRST_CELL = 2
"""The index in a row of the first column's cell."""


class Tone(StrEnum):
    """What a row or a cell means to the reader; the screen derives its colour from it."""

    PLAIN = ""
    ALARM = "alarm"
    WARN = "warn"
    GOOD = "good"
    QUIET = "quiet"


def as_text(cell: Cell, now_s: float) -> str:
    """Return the cell unchanged, as text."""
    return str(cell)


class Column(msgspec.Struct, frozen=True):
    """One column: its width in terminal cells, and how a cell becomes text at a time in epoch seconds.

    A flexible column takes the width that the others leave, and is never narrower than `width`. A column with a
    `drop` above zero gives way when the table is too narrow, the highest first. `live` says that the text changes
    with time alone. `whole` is the text where there is room for all of it, as in a file. `amount` is the number that
    a filter compares with: the seconds left for a moment, None where a cell stands for no number. A `pinned` column
    stays in sight when a person looks sideways: it says which row it is. In a table narrower than `wide` cells there
    is no such column; where so many are to spare it is `full` cells wide and shows the `whole` text.
    The text of one that `spills` begins in the blank cells before it. An `optional` one is hidden until somebody wants
    it.
    """

    id: str
    title: str
    width: int
    flexible: bool = False
    align_right: bool = False
    drop: int = 0
    live: bool = False
    render: Callable[[Cell, float], str] = as_text
    tone: Callable[[Cell], Tone] | None = None
    whole: Callable[[Cell, float], str] | None = None
    amount: Callable[[Cell, float], float | None] | None = None
    pinned: bool = False
    wide: int = 0
    full: int = 0
    spills: bool = False
    optional: bool = False

    def text(self, cell: Cell, now_s: float, width: int) -> str:
        """Return a cell's text for a column that is `width` cells wide."""
        in_full = self.whole is not None and self.full and width >= self.full
        return self.whole(cell, now_s) if self.whole and in_full else self.render(cell, now_s)


class Table(msgspec.Struct, frozen=True):
    """The columns of a table, and the default order of its rows."""

    columns: tuple[Column, ...]
    order: Callable[[Row], tuple[Cell, ...]]

    def place(self, column_id: str) -> int:
        """Return the index of a column's cell in a row; ValueError when there is no such column."""
        return FIRST_CELL + [column.id for column in self.columns].index(column_id)


_TO_SPARE = 6


def fit(columns: tuple[Column, ...], width: int) -> tuple[tuple[int, int], ...]:
    """Return `(column's index, its width)` for the columns that fit into `width` cells, one cell apart.

    Columns are dropped by their `drop` until the rest fits; what is left over goes to those that can show more, then to
    the flexible ones.
    """
    kept = [i for i, column in enumerate(columns) if column.wide <= width]
    while (spare := width - sum(columns[i].width + 1 for i in kept) + 1) < 0:
        weakest = max(kept, key=lambda i: columns[i].drop)
        if not columns[weakest].drop:
            break
        kept.remove(weakest)
    extra: dict[int, int] = {}
    for i in kept:
        if spare - (more := max(columns[i].full - columns[i].width, 0)) >= _TO_SPARE and more:
            extra[i] = more
            spare -= more
    flexible = [i for i in kept if columns[i].flexible]
    share, rest = divmod(max(spare, 0), len(flexible) or 1)
    extra |= {i: share + (rest if i == flexible[-1] else 0) for i in flexible}
    return tuple((i, columns[i].width + extra.get(i, 0)) for i in kept)


_DIGITS = re.compile(r"[0-9]+")
_AS_WIDE = 12


def natural(text: str) -> str:
    """Return what sorts as people read: letter case does not count, and a number counts by its value."""
    return _DIGITS.sub(_padded, text.casefold())


def _padded(digits: re.Match[str]) -> str:
    return digits.group().lstrip("0").rjust(_AS_WIDE, "0")
