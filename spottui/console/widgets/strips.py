"""The lines of a table as strips: its header, its rows, and what stands there instead of rows."""

import textwrap
from collections.abc import Callable
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from spottui.console.text.cells import cell_text
from spottui.tables.column import FIRST_CELL, Row, Table, Tone
from spottui.tables.layout import Span

_MARK = "*"
_AGED = (Tone.PLAIN, Tone.GOOD, Tone.QUIET)
"""A reclaim's deadline holds whatever the sources do: its row keeps its look."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a row is drawn: `changed` are the columns that show something new, `old` says that none of it is fresh."""

    gutter: int = 0
    marked: bool = False
    cursor: bool = False
    old: bool = False
    changed: frozenset[int] = frozenset()


def row_strip(
    table: Table,
    row: Row,
    spans: tuple[Span, ...],
    texts: tuple[str, ...],
    look: Look,
    style_of: Callable[[str], Style],
    width: int,
) -> Strip:
    """Return a row as wide as the table; `texts` are those of the spans."""
    tone = Tone(str(row[1]))
    over = style_of("cursor") if look.cursor else Style.null()
    if look.old and tone in _AGED:
        over = style_of("old") + over
    segments: list[Segment] = []
    if look.gutter:
        segments.append(Segment(cell_text(_MARK if look.marked else " ", look.gutter), style_of("mark") + over))
    gap = style_of(tone) + over
    for span, text in zip(spans, texts, strict=True):
        own = table.columns[span.index].tone
        style = style_of(own(row[FIRST_CELL + span.index])) + over if own else gap
        if span.index in look.changed:
            said = text.rstrip()
            segments.append(Segment(said, style + style_of("changed")))
            text = text[len(said) :]
        segments += (Segment(text, style), Segment(" ", gap))
    strip = Strip(segments).adjust_cell_length(width, segments[-1].style if segments else None)
    return strip.simplify()


def header_strip(
    table: Table, spans: tuple[Span, ...], gutter: int, sorted_by: str, arrow: str, style: Style, width: int
) -> Strip:
    """Return the titles, with an arrow at the column that is sorted by and `‹` where a column is cut at its left."""
    titles = []
    for span in spans:
        column = table.columns[span.index]
        begin = "‹" if span.skipped else ""
        end = arrow if column.id == sorted_by else ""
        title = column.title[: max(span.width - len(begin) - len(end), 0)]
        titles.append(cell_text(f"{begin}{title}{end}", span.width))
    text = " " * gutter + " ".join(titles)
    return Strip([Segment(text, style)]).adjust_cell_length(width, style)


def placeholder_strip(text: str, line: int, style: Style, width: int) -> Strip:
    """Return one line of the text that stands in an empty table."""
    wrapped = textwrap.wrap(text, max(width - 2, 10))
    return Strip([Segment(cell_text(f" {wrapped[line]}" if line < len(wrapped) else "", width), style)])
