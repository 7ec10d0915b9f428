"""Texts cut and padded to the width that they take on a terminal."""

from collections.abc import Container

from rich.cells import cell_len, set_cell_size, split_text

from spottui.tables.column import FIRST_CELL, Row, Table
from spottui.tables.layout import Span

_NOTHING_SEEN, _NOT_KNOWN = "-", "?"


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


def span_text(text: str, span: Span, *, align_right: bool = False) -> str:
    """Return what of a column's text is in sight, exactly as wide as its span."""
    full = cell_text(text, span.whole, align_right=align_right)
    if span.skipped:
        full = split_text(full, span.skipped)[1]
    return full if span.width == span.whole - span.skipped else set_cell_size(full, span.width)


def row_texts(
    table: Table, row: Row, spans: tuple[Span, ...], now_s: float, doubted: Container[str] = ()
) -> tuple[str, ...]:
    """Return the text of each span at a time in epoch seconds; in a `doubted` column nothing seen is not known."""
    texts = []
    for span in spans:
        column = table.columns[span.index]
        text = column.text(row[FIRST_CELL + span.index], now_s, span.whole)
        if text == _NOTHING_SEEN and column.id in doubted:
            text = _NOT_KNOWN
        texts.append(span_text(text, span, align_right=column.align_right))
    return tuple(texts)
