"""Prices by the hour as short texts, with their currency."""

from spottui.tables.moments import hourly
from spottui.words.market import symbol


def price(per_hour: float | None, currency: str) -> str:
    """Return a price per hour such as `¥0.407/h`, empty if unknown; `currency` is the cloud's code, such as CNY."""
    return "" if per_hour is None else f"{symbol(currency)}{hourly(per_hour)}/h"


def difference(new: float | None, old: float | None, currency: str) -> str:
    """Return how much more or less a new price per hour is, such as `+¥0.04/h`.

    Empty if either is unknown, or if they are the same to a thousandth.
    """
    more = 0.0 if new is None or old is None else round(new - old, 3)
    return signed(more, currency) if more else ""


def signed(per_hour: float, currency: str) -> str:
    """Return what is added to a price per hour, such as `+¥0.040/h`."""
    return f"{'-' if per_hour < 0 else '+'}{price(abs(per_hour), currency)}"
