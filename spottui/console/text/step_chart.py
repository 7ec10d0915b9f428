"""Two series over time as one chart in the colours of the theme."""

import re
from datetime import datetime

from textual.content import Content

from spottui.tables.charts import DASH, Points, steps

_STYLES = {"solid": "$accent", "dashed": "$warning", "axis": "dim"}
_PARTS = re.compile(rf"(?P<solid>[\u2801-\u28ff]+)|(?P<dashed>{DASH}+)|(?P<axis>[^\u2801-\u28ff{DASH}]+)")


def step_chart(solid: Points, dashed: Points, end: datetime, width: int, height: int) -> list[Content]:
    """Return the lines of a chart of two series, of which the second may be empty; a value holds until the next."""
    return [Content.assemble(*_styled(line)) for line in steps(solid, dashed, end, width, height)]


def _styled(line: str) -> list[tuple[str, str]]:
    return [(part.group(), _STYLES[part.lastgroup or "axis"]) for part in _PARTS.finditer(line)]
