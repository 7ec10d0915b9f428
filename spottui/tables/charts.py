"""Charts made of characters: columns over time, bars, and lines with their axes."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from math import ceil, floor, log10

BLOCKS = " ▁▂▃▄▅▆▇█"
_EIGHTHS = len(BLOCKS) - 1
_STEPS = (1, 2, 5, 10)
_DAY_STEPS = (1, 2, 7, 14, 28)
_TICK_CELLS = 8
"""A date of five cells under an axis, with its gap."""
DASH = "╌"
"""What a dashed line is made of; a solid one is made of Braille dots."""
Points = tuple[tuple[datetime, float], ...]
"""Values with the time since when each of them holds, oldest first."""


def columns(values: Sequence[float | None], most: float, height: int) -> list[str]:
    """Return values as columns of a chart from 0 to `most`, its `height` lines from the top to the bottom.

    One cell is one value: blank for None, and what is above 0 shows at least the lowest block.
    """
    levels = [0 if value is None else _level(value, most, height) for value in values]
    return ["".join(BLOCKS[_within(level - row * _EIGHTHS)] for level in levels) for row in range(height - 1, -1, -1)]


def bar(value: float, most: float, cells: int) -> str:
    """Return a value as a bar, at most `cells` long; what is above 0 shows at least one cell."""
    if value <= 0 or most <= 0:
        return ""
    return "▆" * max(round(min(value / most, 1.0) * cells), 1)


def over_time(
    points: Sequence[tuple[datetime, float]], begin: datetime, end: datetime, cells: int
) -> list[float | None]:
    """Return the highest value in each of `cells` equal spans from begin to end; a value holds until the next.

    `points` are (since, value), oldest first. None before the first.
    """
    step = (end - begin) / cells
    values: list[float | None] = []
    index, held = 0, None
    for cell in range(cells):
        highest = held
        while index < len(points) and points[index][0] < begin + (cell + 1) * step:
            since, held = points[index]
            highest = held if highest is None or since <= begin + cell * step else max(highest, held)
            index += 1
        values.append(highest)
    return values


@lru_cache(maxsize=16)
def steps(solid: Points, dashed: Points, end: datetime, width: int, height: int) -> tuple[str, ...]:
    """Return two series as lines with their axes, on one scale from 0 to the highest value; a value holds until `end`.

    The chart is `width` cells wide and `height` lines high. Days are UTC. A page is made again every second and plotext
    takes some milliseconds, so the newest charts are remembered.
    """
    # Imported here: a start draws no such chart, and the import takes fifty milliseconds.
    import plotext

    begin = solid[0][0]
    top = max(value for _, value in (*solid, *dashed)) or 1.0
    plotext.clear_figure()
    # Else plotext cuts the chart to the size of the terminal.
    plotext.limit_size(False, False)
    plotext.plot_size(width, height)
    plotext.theme("clear")
    for points, marker in ((solid, "braille"), (dashed, DASH)):
        if points:
            plotext.plot(*_corners(points, end), marker=marker)
    plotext.xlim(begin.timestamp(), end.timestamp())
    plotext.ylim(0, top)
    amounts, days = amount_ticks(top, height - 2), day_ticks(begin, end, width // _TICK_CELLS)
    plotext.yticks(amounts, [f"{amount:,.6g}" for amount in amounts])
    plotext.xticks([day.timestamp() for day in days], [f"{day:%m-%d}" for day in days])
    plotext.xaxes(True, False)
    plotext.yaxes(True, False)
    text: str = plotext.uncolorize(plotext.build())
    return tuple(line.rstrip() for line in text.splitlines())


def amount_ticks(top: float, lines: int) -> list[float]:
    """Return round values from 0 to at most `top` for an axis of so many lines, on about three of four lines."""
    least = top / max(lines * 3 // 4 - 1, 1)
    power = 10.0 ** floor(log10(least))
    step = power * next(factor for factor in _STEPS if factor * power >= least * 0.9)
    return [round(number * step, 6) for number in range(floor(top / step * 1.001) + 1)]


def day_ticks(begin: datetime, end: datetime, most: int) -> list[datetime]:
    """Return the beginnings of days in UTC from begin to end, at most `most` of them, the same number of days apart."""
    first = begin.replace(hour=0, minute=0, second=0, microsecond=0)
    days = [first + timedelta(days=number) for number in range((end - first).days + 1)]
    least = ceil(len(days) / max(most, 1))
    return [day for day in days if day >= begin][:: next((step for step in _DAY_STEPS if step >= least), least)]


def _corners(points: Points, end: datetime) -> tuple[list[float], list[float]]:
    """Return the line of a value that holds until the next one: level, and then straight up or down."""
    until = (*(since for since, _ in points[1:]), end)
    times = [at.timestamp() for (since, _), till in zip(points, until, strict=True) for at in (since, till)]
    return times, [value for _, value in points for _ in range(2)]


def _level(value: float, most: float, height: int) -> int:
    if value <= 0 or most <= 0:
        return 0
    return max(round(min(value / most, 1.0) * height * _EIGHTHS), 1)


def _within(level: int) -> int:
    return min(max(level, 0), _EIGHTHS)
