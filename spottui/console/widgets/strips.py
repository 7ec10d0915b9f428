"""The lines of a table as strips: its header, its rows, and the placeholder of an empty table."""

import textwrap
from collections.abc import Callable

import msgspec
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from spottui.console.text.cells import cell_text
from spottui.tables.column import FIRST_CELL, Row, Table, Tone
from spottui.tables.layout import Span

_MARK = "*"
_DIMMED = (Tone.PLAIN, Tone.GOOD, Tone.QUIET)
"""The tones of stale rows that are dimmed: a reclaim's deadline holds whatever the sources do."""


class RowState(msgspec.Struct, frozen=True):
    """What decides how a row is drawn; `changed` are the indexes of the columns that have just changed."""

    gutter: int = 0
    marked: bool = False
    cursor: bool = False
    stale: bool = False
    changed: frozenset[int] = frozenset()


def row_strip(
    table: Table,
    row: Row,
    spans: tuple[Span, ...],
    texts: tuple[str, ...],
    state: RowState,
    style_of: Callable[[str], Style],
    width: int,
) -> Strip:
    """Return a row as wide as the table; `texts` are those of the spans."""
    tone = Tone(str(row[1]))
    overlay = style_of("cursor") if state.cursor else Style.null()
    if state.stale and tone in _DIMMED:
        overlay = style_of("old") + overlay
    segments: list[Segment] = []
    if state.gutter:
        segments.append(Segment(cell_text(_MARK if state.marked else " ", state.gutter), style_of("mark") + overlay))
    gap = style_of(tone) + overlay
    for span, text in zip(spans, texts, strict=True):
        is_spilled = cell_len(text) > span.width
        own = table.columns[span.index].tone
        style = style_of(own(row[FIRST_CELL + span.index]) or tone) + overlay if own else gap
        if span.index in state.changed:
            stripped = text.rstrip()
            segments.append(Segment(stripped, style + style_of("changed")))
            text = text[len(stripped) :]
        segments.append(Segment(text, gap if is_spilled else style))
        if not is_spilled:
            segments.append(Segment(" ", gap))
    strip = Strip(segments).adjust_cell_length(width, segments[-1].style if segments else None)
    return strip.simplify()


def header_strip(
    table: Table, spans: tuple[Span, ...], gutter: int, sorted_by: str, arrow: str, style: Style, width: int
) -> Strip:
    """Return the titles, with an arrow at the sorted column and `‹` where a column is cut at its left."""
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
    """Return one line of the placeholder, wrapped to the width."""
    wrapped = textwrap.wrap(text, max(width - 2, 10))
    return Strip([Segment(cell_text(f" {wrapped[line]}" if line < len(wrapped) else "", width), style)])
