"""What says that an instance may be reclaimed soon, before there is any notice: its price, the stock, the rate."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from spottui.domain.dates import seconds_of
from spottui.domain.places import Pair, Price
from spottui.domain.plan import Stock
from spottui.domain.settings import EarlyWarningSettings

RatesSeen = Mapping[Pair, tuple[tuple[datetime, str], ...]]
"""The interruption rates of a type in a zone in the cloud's words, each with the time since when, oldest first."""


class EarlySign(StrEnum):
    """What is watched in calm time."""

    PRICE = "price"
    STOCK = "stock"
    RATE = "rate"


class EarlyWarning(msgspec.Struct, frozen=True, gc=False):
    """One sign, with its figures: `price` and `limit` an hour, the `stock`, or the `rate` and what it `was`."""

    sign: EarlySign
    price: float = 0.0
    limit: float = 0.0
    currency: str = ""
    stock: Stock = Stock.UNKNOWN
    rate: str = ""
    was: str = ""


def early_warnings(
    limit: float,
    price: Price | None,
    stock: Stock,
    rates: Sequence[tuple[datetime, str]],
    settings: EarlyWarningSettings,
) -> tuple[EarlyWarning, ...]:
    """Return the signs of a reclaim soon, for an instance with an hourly price `limit`, 0 for none.

    `rates` are those of its type in its zone, of `rates_within`. What is unknown warns of nothing.
    """
    warnings = []
    if price and is_near(price, limit, settings.price_within_percent):
        warnings.append(EarlyWarning(EarlySign.PRICE, price=price.spot, limit=limit, currency=price.currency))
    if settings.stock and stock in (Stock.LOW, Stock.NONE):
        warnings.append(EarlyWarning(EarlySign.STOCK, stock=stock))
    lowest = min((words for _, words in rates), key=highest_rate, default="")
    if settings.rate_within and lowest and highest_rate(rates[-1][1]) > highest_rate(lowest):
        warnings.append(EarlyWarning(EarlySign.RATE, rate=rates[-1][1], was=lowest))
    return tuple(warnings)


def is_near(price: Price, limit: float, within_percent: float) -> bool:
    """Return whether the price may soon be above the limit; it never is where on-demand costs no more than that."""
    can_rise_above = price.on_demand <= 0 or limit < price.on_demand
    # Prices have at most three decimals, so a percentage of one is inexact.
    is_close = round(price.spot - limit * (1 - within_percent / 100), 6) >= 0
    return limit > 0 and within_percent > 0 and can_rise_above and is_close


def rates_within(seen: RatesSeen, rates: Mapping[Pair, str], now: datetime, within: str) -> RatesSeen:
    """Return the rates seen `within` a duration, with those of now; the one that held when it began is the oldest.

    A place that the cloud does not name now keeps what was seen of it.
    """
    since = now - timedelta(seconds=seconds_of(within) or 0)
    return {pair: _since((*seen.get(pair, ()), *_now(rates, pair, now)), since) for pair in {**seen, **rates}}


def highest_rate(words: str) -> float:
    """Return the highest percentage in the cloud's words `3-5%`; one that is open upwards is above it."""
    numbers = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", words)]
    return max(numbers, default=0.0) + (0.5 if "+" in words or ">" in words else 0.0)


def _now(rates: Mapping[Pair, str], pair: Pair, now: datetime) -> tuple[tuple[datetime, str], ...]:
    return ((now, rates[pair]),) if rates.get(pair) else ()


def _since(rates: tuple[tuple[datetime, str], ...], since: datetime) -> tuple[tuple[datetime, str], ...]:
    """Drop what was over before `since`, and repetitions."""
    changes = [rate for index, rate in enumerate(rates) if index == 0 or rate[1] != rates[index - 1][1]]
    return tuple(
        rate for index, rate in enumerate(changes) if index + 1 == len(changes) or changes[index + 1][0] > since
    )
