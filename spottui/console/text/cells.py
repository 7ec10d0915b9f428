"""Texts cut and padded to a width in terminal cells, and sections in columns."""

import re
from collections.abc import Container, Sequence

from rich.cells import cell_len, set_cell_size, split_text
from textual.content import Content

from spottui.tables.column import FIRST_CELL, Row, Table
from spottui.tables.layout import Span

_NOTHING, _UNKNOWN = "-", "?"
_BETWEEN, _CUT = " · ", "…"
_GAP_CELLS = 3
_GAPS = re.compile(r" {2,}")


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


def in_whole_parts(text: str, width: int) -> str:
    """Return as many of the parts of `3 saved · 2 gone` as fit, the first at least, and a `…` for those that do not."""
    parts = text.split(_BETWEEN)
    fits = (_BETWEEN.join([*parts[:count], _CUT]) for count in range(len(parts) - 1, 1, -1))
    whole = (line for line in (text, *fits) if cell_len(line) <= width)
    return next(whole, _BETWEEN.join([parts[0], _CUT]) if len(parts) > 1 else text)


def span_text(text: str, span: Span, *, align_right: bool = False) -> str:
    """Return the visible part of a column's text, exactly as wide as its span."""
    full = cell_text(text, span.whole, align_right=align_right)
    if span.skipped:
        full = split_text(full, span.skipped)[1]
    return full if span.width == span.whole - span.skipped else set_cell_size(full, span.width)


def row_texts(
    table: Table, row: Row, spans: tuple[Span, ...], now_s: float, unknown: Container[str] = ()
) -> tuple[str, ...]:
    """Return the text of each span at a time in epoch seconds; in an `unknown` column `-` becomes `?`."""
    texts = []
    for span in spans:
        column = table.columns[span.index]
        text = column.text(row[FIRST_CELL + span.index], now_s, span.whole)
        if text == _NOTHING and column.id in unknown:
            text = _UNKNOWN
        texts.append(span_text(text, span, align_right=column.align_right))
        if column.spills and len(texts) == len(spans):
            _spill(texts, spans, text)
    return tuple(texts)


def _spill(texts: list[str], spans: tuple[Span, ...], text: str) -> None:
    """Let the last text begin in the blank ones before it; each of those takes the gap behind it, too."""
    first = len(texts) - 1
    while first and texts[first - 1].isspace() and not spans[first - 1].skipped:
        first -= 1
    if first == len(texts) - 1 or spans[-1].skipped:
        return
    widths = [spans[i + 1].left - spans[i].left for i in range(first, len(texts) - 1)]
    rest = cell_text(text, sum(widths) + spans[-1].width)
    for i, width in enumerate(widths, first):
        texts[i], rest = set_cell_size(rest, width), split_text(rest, width)[1]
    texts[-1] = set_cell_size(rest, spans[-1].width)


def hanging(line: Content, width: int, indent: int) -> list[Content]:
    """Return a line wrapped to a width in cells, all but the first part behind an indent."""
    if line.cell_length <= width:
        return [line]
    first = line.wrap(width)[0]
    rest = line[len(first.plain) :]
    more = rest[len(rest.plain) - len(rest.plain.lstrip()) :].wrap(max(width - indent, 1))
    return [first, *(Content.assemble(" " * indent, part) for part in more)]


def _text_begins(line: str, width: int) -> int:
    """Return where the text of a line begins: behind its last gap of two spaces, unless that is far to the right."""
    begins = [match.end() for match in _GAPS.finditer(line)]
    return next((at for at in reversed(begins) if at <= width // 2), 0)


def column_cells(width: int, least: int) -> int:
    """Return how wide each column is in `width` cells: as many as fit with at least `least` cells."""
    count = max((width + _GAP_CELLS) // (least + _GAP_CELLS), 1)
    return (width - (count - 1) * _GAP_CELLS) // count


def flow(sections: Sequence[Content], width: int, least: int) -> Content:
    """Return sections in columns of at least `least` cells; each one goes to the shortest column.

    What is longer than its column goes on below its own text, not below its label.
    """
    cells = column_cells(width, least)
    count = (width + _GAP_CELLS) // (cells + _GAP_CELLS)
    columns: list[list[Content]] = [[] for _ in range(count)]
    for section in sections:
        shortest = min(columns, key=len)
        for line in section.split("\n", allow_blank=True):
            shortest += hanging(line, cells, _text_begins(line.plain, cells))
    if count < 2:
        return Content("\n").join(columns[0])
    deepest = max(len(column) for column in columns)
    lines = [[column[n] if n < len(column) else Content("") for column in columns] for n in range(deepest)]
    gap = Content(" " * _GAP_CELLS)
    return Content("\n").join(gap.join([part.truncate(cells, pad=True) for part in line]) for line in lines)
