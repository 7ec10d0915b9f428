"""Charts made of characters: columns over time, bars, and what a price or a count was in each cell of them."""

from collections.abc import Sequence
from datetime import datetime

BLOCKS = " ▁▂▃▄▅▆▇█"
_EIGHTHS = len(BLOCKS) - 1


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
    return "█" * max(round(min(value / most, 1.0) * cells), 1)


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


def _level(value: float, most: float, height: int) -> int:
    if value <= 0 or most <= 0:
        return 0
    return max(round(min(value / most, 1.0) * height * _EIGHTHS), 1)


def _within(level: int) -> int:
    return min(max(level, 0), _EIGHTHS)
