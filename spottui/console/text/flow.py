"""Sections of a page in as many columns as the terminal has room for."""

from collections.abc import Sequence

from textual.content import Content

_GAP_CELLS = 3


def column_cells(width: int, least: int) -> int:
    """Return how wide each column is in `width` cells: as many as fit with at least `least` cells."""
    count = max((width + _GAP_CELLS) // (least + _GAP_CELLS), 1)
    return (width - (count - 1) * _GAP_CELLS) // count


def flow(sections: Sequence[Content], width: int, least: int) -> Content:
    """Return sections in columns of at least `least` cells, each put where the column is shortest, in their order.

    In one column nothing is cut or wrapped here.
    """
    cells = column_cells(width, least)
    count = (width + _GAP_CELLS) // (cells + _GAP_CELLS)
    if count < 2:
        return Content("\n").join(sections)
    columns: list[list[Content]] = [[] for _ in range(count)]
    for section in sections:
        shortest = min(columns, key=len)
        shortest += [part for line in section.split("\n", allow_blank=True) for part in line.wrap(cells) or [line]]
    deepest = max(len(column) for column in columns)
    lines = [[column[n] if n < len(column) else Content("") for column in columns] for n in range(deepest)]
    gap = Content(" " * _GAP_CELLS)
    return Content("\n").join(gap.join([part.truncate(cells, pad=True) for part in line]) for line in lines)
