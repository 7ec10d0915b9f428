"""Charts in the colours of the theme: two series over time, and the spot price history of a place."""

import re
from datetime import datetime, timedelta

from textual.content import Content

from spottui.domain.background import Found, PriceHistory
from spottui.domain.text import plain
from spottui.tables.charts import DASH, Points, steps
from spottui.tables.moments import age, hourly

_FAR_BELOW = 5
"""The chart ends at the highest spot price if on-demand costs more than this many times as much."""
_OLD = timedelta(hours=2)


def price_section(answer: Found[PriceHistory], limit: float, now: datetime, width: int, height: int) -> Content:
    """Return the spot price as a chart of `width` cells and `height` lines with its axes, or why there is none.

    `limit` is the instance's own price limit an hour, 0 for none.
    """
    history = answer.value
    if history is None:
        why = f"unknown: {answer.problem}" if answer.problem else "no price for this type in this zone"
        return Content("\n").join(
            [_title("Spot price"), Content.styled(f"  {plain(why, 600)}", "$warning"), Content("")]
        )
    where = f"{plain(history.instance_type, 40)} in {plain(history.zone, 40)}"
    return Content("\n").join(
        [
            _title(f"Spot price of {where}, {plain(history.currency, 8)} per hour"),
            _figures(history, limit, now),
            *_chart(history, now, width, height),
            Content(""),
        ]
    )


def _figures(history: PriceHistory, limit: float, now: datetime) -> Content:
    prices = [price for _, price in history.points]
    since, price = history.points[-1]
    newest = (
        f"  now {hourly(price)}"
        if now - since < _OLD
        else f"  {age((now - since).total_seconds())} ago {hourly(price)}"
    )
    parts = [f" · min {hourly(min(prices))} · max {hourly(max(prices))}"]
    if history.on_demand:
        mark = f"{DASH} " if _is_on_demand_near(history) else ""
        parts.append(f" · {mark}on-demand {hourly(history.on_demand)} (spot is {price / history.on_demand:.0%})")
    if limit:
        parts.append(f" · price limit {hourly(limit)}")
    return Content.assemble((newest, "bold"), *parts)


def _chart(history: PriceHistory, now: datetime, width: int, height: int) -> list[Content]:
    begin, (newest, _) = history.points[0][0], history.points[-1]
    # Ten minutes are less than a cell, and the same chart need not be drawn again.
    lately = now.replace(minute=now.minute // 10 * 10, second=0, microsecond=0)
    end = max(lately, newest, begin + timedelta(hours=1))
    dashed = ((begin, history.on_demand or 0.0),) if _is_on_demand_near(history) else ()
    return step_chart(history.points, dashed, end, max(width - 1, 24), height)


def _is_on_demand_near(history: PriceHistory) -> bool:
    dearest = max(price for _, price in history.points)
    return dearest < (history.on_demand or 0.0) <= _FAR_BELOW * dearest


def _title(text: str) -> Content:
    return Content.styled(text, "bold $accent")


_STYLES = {"solid": "$accent", "dashed": "$warning", "axis": "dim"}
_PARTS = re.compile(rf"(?P<solid>[\u2801-\u28ff]+)|(?P<dashed>{DASH}+)|(?P<axis>[^\u2801-\u28ff{DASH}]+)")


def step_chart(solid: Points, dashed: Points, end: datetime, width: int, height: int) -> list[Content]:
    """Return the lines of a chart of two series, of which the second may be empty; a value holds until the next."""
    return [Content.assemble(*_styled(line)) for line in steps(solid, dashed, end, width, height)]


def _styled(line: str) -> list[tuple[str, str]]:
    return [(part.group(), _STYLES[part.lastgroup or "axis"]) for part in _PARTS.finditer(line)]
