"""The position of each column of a table, and which part of it is visible after scrolling sideways."""

from collections.abc import Mapping

import msgspec

from spottui.tables.column import Column, fit


class Span(msgspec.Struct, frozen=True):
    """The cells that a column takes: `width` of them from `left` on.

    Its text is `whole` cells wide, of which the first `skipped` are out of sight.
    """

    index: int
    left: int
    width: int
    whole: int
    skipped: int = 0


def layout(
    columns: tuple[Column, ...],
    shown: tuple[int, ...],
    width: int,
    aside: int = 0,
    wholes: Mapping[int, int] | None = None,
) -> tuple[Span, ...]:
    """Return the columns in sight of those that are `shown`, by their indexes, in `width` cells.

    Looking `aside` by so many cells, the pinned columns stay where they are and all others stand behind them in full,
    `wholes` cells wide where that says so, none dropped.
    """
    if not aside:
        return _fitted(columns, shown, width)
    spans, left = [], 0
    for i in _pinned(columns, shown):
        spans.append(Span(i, left, columns[i].width, columns[i].width))
        left += columns[i].width + 1
    at = left - aside
    for i in _others(columns, shown):
        whole = (wholes or {}).get(i, columns[i].width)
        if at == left + 1:
            at = left  # The gap after a column that is out of sight is out of sight too.
        begin, end = max(at, left), min(at + whole, width)
        if end > begin:
            spans.append(Span(i, begin, end - begin, whole, begin - at))
        at += whole + 1
    return tuple(spans)


def furthest(columns: tuple[Column, ...], shown: tuple[int, ...], width: int, wholes: Mapping[int, int]) -> int:
    """Return how far the table can scroll sideways; 0 if all of it is visible."""
    fitted = _fitted(columns, shown, width)
    if len(fitted) == len(shown) and all(span.whole >= wholes.get(span.index, 0) for span in fitted):
        return 0
    kept = sum(columns[i].width + 1 for i in _pinned(columns, shown))
    rest = sum(wholes.get(i, columns[i].width) + 1 for i in _others(columns, shown)) - 1
    return max(kept + rest - width, 0)


def _fitted(columns: tuple[Column, ...], shown: tuple[int, ...], width: int) -> tuple[Span, ...]:
    spans, left = [], 0
    for place, taken in fit(tuple(columns[i] for i in shown), width):
        spans.append(Span(shown[place], left, taken, taken))
        left += taken + 1
    return tuple(spans)


def _pinned(columns: tuple[Column, ...], shown: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(i for i in shown if columns[i].pinned)


def _others(columns: tuple[Column, ...], shown: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(i for i in shown if not columns[i].pinned)
