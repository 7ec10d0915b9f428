"""The spot price history of a place, with its on-demand price."""

from datetime import datetime, timedelta

from textual.content import Content

from spottui.domain.background import Found, PriceHistory
from spottui.domain.text import plain
from spottui.tables.charts import columns, over_time
from spottui.tables.moments import age, money

_FAR_BELOW = 5
"""The chart ends at the highest spot price if on-demand costs more than this many times as much."""
_OLD = timedelta(hours=2)


def price_section(answer: Found[PriceHistory], limit: float, now: datetime, width: int, height: int) -> Content:
    """Return the spot price as a chart of `width` cells and `height` lines, or why there is none.

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
        f"  now {money(price)}" if now - since < _OLD else f"  {age((now - since).total_seconds())} ago {money(price)}"
    )
    parts = [f" · min {money(min(prices))} · max {money(max(prices))}"]
    if history.on_demand:
        parts.append(f" · on-demand {money(history.on_demand)} (spot is {price / history.on_demand:.0%})")
    if limit:
        parts.append(f" · price limit {money(limit)}")
    return Content.assemble((newest, "bold"), *parts)


def _chart(history: PriceHistory, now: datetime, width: int, height: int) -> list[Content]:
    begin = history.points[0][0]
    end = max(now, begin + timedelta(hours=1))
    dearest, on_demand = max(price for _, price in history.points), history.on_demand or 0.0
    is_near = dearest < on_demand <= _FAR_BELOW * dearest
    top = on_demand if is_near else dearest
    labels = [money(top), *[""] * (height - 2), "0"]
    margin = len(labels[0]) + 3
    cells = max(width - margin - 1, 24)
    drawn = [
        Content.assemble((f"{label:>{margin - 1}} {'┤' if label else '│'}", "dim"), (line, "$accent"))
        for label, line in zip(labels, columns(over_time(history.points, begin, end, cells), top, height), strict=True)
    ]
    if is_near:
        drawn[0] = Content.assemble((f"{labels[0]:>{margin - 1}} ┤", "dim"), ("┄" * cells, "$warning"))
    first = f"{begin:%m-%d %H:%M}" + (" · ┄ on-demand" if is_near else "")
    drawn.append(Content.styled(f"{' ' * margin}{first}{f'{end:%m-%d %H:%M}':>{cells + 1 - len(first)}}", "dim"))
    return drawn


def _title(text: str) -> Content:
    return Content.styled(text, "bold $accent")
