"""What spot instances cost in a period and what they would have cost on-demand, by the prices that were recorded."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import msgspec

GOOD_FOR = timedelta(hours=24)
"""A recorded price holds until the next one, but at most this long; then the price is unknown."""
_HOUR_S = 3600.0
Place = tuple[str, str]
"""Instance type and zone."""


class PlacePrice(msgspec.Struct, frozen=True, gc=False):
    """What an instance type costs an hour in a zone, as spot and on-demand."""

    instance_type: str
    zone: str
    spot: float
    on_demand: float


class PricesAt(msgspec.Struct, frozen=True, gc=False):
    """Prices that were recorded at a time; `currency` is the cloud's code, such as CNY, empty if unknown."""

    at: datetime
    prices: tuple[PlacePrice, ...]
    currency: str = ""


class Run(msgspec.Struct, frozen=True, gc=False):
    """The time in which a spot instance is known to have run."""

    instance_type: str
    zone: str
    began: datetime
    ended: datetime


class Cost(msgspec.Struct, frozen=True, gc=False):
    """What spot instances cost in so many priced instance `hours`, and what these would have cost on-demand."""

    spot: float = 0.0
    on_demand: float = 0.0
    hours: float = 0.0

    def __add__(self, other: "Cost") -> "Cost":
        """Return both together."""
        return Cost(self.spot + other.spot, self.on_demand + other.on_demand, self.hours + other.hours)

    def __sub__(self, other: "Cost") -> "Cost":
        """Return what this is more than the other."""
        return Cost(self.spot - other.spot, self.on_demand - other.on_demand, self.hours - other.hours)

    def __mul__(self, factor: float) -> "Cost":
        """Return so many times this cost."""
        return Cost(self.spot * factor, self.on_demand * factor, self.hours * factor)


class Savings(msgspec.Struct, frozen=True, gc=False):
    """What spot saved against on-demand between two times, in `currency`.

    `by_day` has the cost of each day in UTC, oldest first, the first and the last one perhaps in part. It counts the
    priced instance hours only; `unpriced_h` are those of which no price was recorded, and nothing is assumed of them.
    """

    since: datetime
    until: datetime
    currency: str = ""
    by_day: tuple[tuple[date, Cost], ...] = ()
    unpriced_h: float = 0.0

    @property
    def total(self) -> Cost:
        """The cost of the whole period."""
        return sum((cost for _, cost in self.by_day), Cost())

    @property
    def saved(self) -> float:
        """What on-demand would have cost more; negative if spot was dearer."""
        return self.total.on_demand - self.total.spot

    @property
    def share(self) -> float | None:
        """What was saved as a share of the on-demand cost, None if nothing is priced."""
        return self.saved / self.total.on_demand if self.total.on_demand else None


def savings(runs: Iterable[Run], recorded: Iterable[PricesAt], since: datetime, until: datetime) -> Savings:
    """Return what the runs saved between two times; prices in another currency than the newest one are left out."""
    prices_at = sorted(recorded, key=lambda prices: prices.at)
    currency = next((prices.currency for prices in reversed(prices_at) if prices.currency), "")
    curves, edges = _curves(prices for prices in prices_at if prices.currency in ("", currency)), _edges(since, until)
    nothing, by_day, hours = _Curve(()), defaultdict[date, Cost](Cost), 0.0
    for (place, began, ended), count in _pieces(runs, edges).items():
        curve = curves.get(place, nothing)
        by_day[began.date()] += (curve.until(ended) - curve.until(began)) * count
        hours += _hours(began, ended) * count
    days = tuple((edge.date(), by_day[edge.date()]) for edge in edges[:-1])
    priced_h = sum(cost.hours for _, cost in days)
    return Savings(since, until, currency, days, max(hours - priced_h, 0.0))


class _Curve:
    """What one instance costs at a place since the first recorded price, as a sum that grows evenly between times."""

    def __init__(self, priced: Sequence[tuple[datetime, PlacePrice]]) -> None:
        self._times: list[datetime] = []
        self._sums: list[Cost] = []
        self._per_hour: list[Cost] = []
        for index, (at, price) in enumerate(priced):
            self._turn(at, Cost(price.spot, price.on_demand, 1.0))
            if index + 1 == len(priced) or priced[index + 1][0] - at > GOOD_FOR:
                self._turn(at + GOOD_FOR, Cost())

    def until(self, at: datetime) -> Cost:
        """Return the cost until a time."""
        index = bisect_right(self._times, at) - 1
        if index < 0:
            return Cost()
        return self._sums[index] + self._per_hour[index] * _hours(self._times[index], at)

    def _turn(self, at: datetime, per_hour: Cost) -> None:
        self._sums.append(self.until(at))
        self._times.append(at)
        self._per_hour.append(per_hour)


def _pieces(runs: Iterable[Run], edges: Sequence[datetime]) -> Counter[tuple[Place, datetime, datetime]]:
    """Return the parts of the runs within each day and how often each occurs: most instances run for whole days."""
    pieces: Counter[tuple[Place, datetime, datetime]] = Counter()
    for run in runs:
        began, ended = max(run.began, edges[0]), min(run.ended, edges[-1])
        if began < ended:
            cuts = (began, *(edge for edge in edges if began < edge < ended), ended)
            pieces.update(((run.instance_type, run.zone), *piece) for piece in pairwise(cuts))
    return pieces


def _curves(recorded: Iterable[PricesAt]) -> dict[Place, _Curve]:
    priced = defaultdict[Place, list[tuple[datetime, PlacePrice]]](list)
    for prices in recorded:
        for price in prices.prices:
            priced[price.instance_type, price.zone].append((prices.at, price))
    return {place: _Curve(of_place) for place, of_place in priced.items()}


def _edges(since: datetime, until: datetime) -> list[datetime]:
    """Return the period's begin, the midnights in it, and its end."""
    days = range(1, (until.date() - since.date()).days + 1)
    midnights = (datetime.combine(since.date() + timedelta(days=day), time(), UTC) for day in days)
    return [since, *(midnight for midnight in midnights if midnight < until), until]


def _hours(began: datetime, ended: datetime) -> float:
    return (ended - began).total_seconds() / _HOUR_S
