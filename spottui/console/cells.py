"""Texts cut and padded to the width that they take on a terminal."""

from rich.cells import cell_len, set_cell_size

from spottui.tables.column import FIRST_CELL, Row, Table


def cell_text(text: str, width: int, *, align_right: bool = False) -> str:
    """Return a text that takes exactly `width` terminal cells, cut with `…` where it is longer."""
    if text.isascii():
        cut = text if len(text) <= width else f"{text[: width - 1]}…"
        return cut.rjust(width) if align_right else cut.ljust(width)
    taken = cell_len(text)
    if taken > width:
        return set_cell_size(text, width - 1) + "…"
    pad = " " * (width - taken)
    return pad + text if align_right else text + pad


def row_texts(table: Table, row: Row, shown: tuple[tuple[int, int], ...], now_s: float) -> tuple[str, ...]:
    """Return the text of each column that is shown, as wide as that column, at a time in epoch seconds.

    `shown` are pairs of a column's index and its width.
    """
    columns = table.columns
    return tuple(
        cell_text(columns[i].render(row[FIRST_CELL + i], now_s), width, align_right=columns[i].align_right)
        for i, width in shown
    )
