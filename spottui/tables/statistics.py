"""Statistics of past reclaims: counts by day, zone and type, recovery times, and costs."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from statistics import median

import msgspec

from spottui.domain.billed_resources import BilledResource, LeftoverKind
from spottui.domain.forecast import Verdict
from spottui.domain.history import Past
from spottui.domain.outcome import has_image_in_time, nine_of_ten
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.savings import Savings
from spottui.tables.charts import Points

DAYS = 60
_MINUTES = (0, 1, 2, 3, 4, 5, 10)

Count = tuple[str, int]


class Day(msgspec.Struct, frozen=True):
    """The reclaims of a day in UTC by what became of them; `others` are open, vetoed, skipped or cancelled."""

    day: date
    recovered: int = 0
    failed: int = 0
    others: int = 0

    @property
    def total(self) -> int:
        """All reclaims of the day."""
        return self.recovered + self.failed + self.others


class KeptSum(msgspec.Struct, frozen=True):
    """The kept things of one kind: how many, their GiB as far as it is known, and the oldest.

    `unsized` of them have no known size. `per_month` is what those with a known price cost at most, `unpriced` how many
    have none.
    """

    kind: LeftoverKind
    count: int
    gib: int
    unsized: int
    oldest: datetime | None
    per_month: float
    unpriced: int


class AddedCost(msgspec.Struct, frozen=True):
    """What replacements cost an hour beyond the old instances: of `known` ones together, and of the dearest."""

    known: int
    unknown: int
    per_hour: float
    most: float
    currency: str = ""


class Forecasts(msgspec.Struct, frozen=True):
    """What was said last of each image, and what came of it; `right` of `judged` forecasts were right.

    Right is a forecast about the image, not the recovery: that it is ready before the reclaim, or is not. A tight one
    is neither. `counts` are of (what was said, end), those of `IMAGE READY` and `DATA KEPT` without a forecast too.
    """

    counts: tuple[tuple[tuple[str, str], int], ...]
    right: int
    judged: int


class Statistics(msgspec.Struct, frozen=True):
    """Counts of reclaims, not of recoveries that only an engineer requested; times in seconds from the first sign.

    `by_day` has every day of the last `DAYS`, oldest first. `kept` is what recoveries made and nobody took away, as far
    as the journal knows. `latest` are the reclaims, newest first.
    """

    total: int
    by_day: tuple[Day, ...]
    by_zone: tuple[Count, ...]
    by_type: tuple[Count, ...]
    outcomes: tuple[Count, ...]
    times_s: tuple[float, ...]
    forecasts: Forecasts
    kept: tuple[KeptSum, ...]
    added: AddedCost
    latest: tuple[Past, ...] = ()

    @property
    def median_s(self) -> float | None:
        """The recovery time that half of them stayed below."""
        return median(self.times_s) if self.times_s else None

    @property
    def slow_s(self) -> float | None:
        """The recovery time that nine of ten did not exceed."""
        return nine_of_ten(self.times_s)

    @property
    def histogram(self) -> tuple[Count, ...]:
        """How many recoveries took how long, by minutes up to the five of a notice, and longer."""
        spans = [(f"{low} to {high} min", low * 60, high * 60) for low, high in pairwise(_MINUTES)]
        counts = [(name, sum(low <= took < high for took in self.times_s)) for name, low, high in spans]
        last = _MINUTES[-1]
        return (*counts, (f"over {last} min", sum(took >= last * 60 for took in self.times_s)))


def statistics(past: Sequence[Past], prices: Mapping[str, float], today: date) -> Statistics:
    """Return the statistics of past reclaims as of a day in UTC; prices are those of storage (`per_month`)."""
    reclaims = [reclaim for reclaim in past if not reclaim.interruption.is_manual]
    ends = Counter((reclaim.interruption.first_seen.date(), reclaim.recovery.state) for reclaim in reclaims)
    times = (reclaim.outcome.recovery_s for reclaim in reclaims)
    return Statistics(
        total=len(reclaims),
        by_day=tuple(_day(day, ends) for day in _last_days(today)),
        by_zone=_most(reclaim.zone for reclaim in reclaims),
        by_type=_most(reclaim.instance_type for reclaim in reclaims),
        outcomes=_most(str(reclaim.recovery.state) for reclaim in reclaims),
        times_s=tuple(sorted(took for took in times if took is not None)),
        forecasts=_forecasts([reclaim.recovery for reclaim in reclaims if reclaim.recovery.state.is_final]),
        kept=kept_sums((kept for reclaim in past for kept in reclaim.outcome.kept), prices),
        added=_added(past),
        latest=tuple(sorted(reclaims, key=lambda reclaim: reclaim.interruption.first_seen, reverse=True)),
    )


def kept_sums(kept: Iterable[BilledResource], prices: Mapping[str, float]) -> tuple[KeptSum, ...]:
    """Return what is retained, summed by kind and priced as configured."""
    resources = list(kept)
    by_kind = ((kind, [resource for resource in resources if resource.kind is kind]) for kind in LeftoverKind)
    return tuple(_sum(kind, of_kind, prices) for kind, of_kind in by_kind if of_kind)


def prices_over_time(savings: Savings) -> tuple[Points, Points]:
    """Return what a priced instance cost an hour on average, day by day, and what it would have cost on-demand."""
    priced = [(datetime.combine(day, time(), UTC), cost) for day, cost in savings.by_day if cost.hours]
    spot = tuple((day, cost.spot / cost.hours) for day, cost in priced)
    return spot, tuple((day, cost.on_demand / cost.hours) for day, cost in priced)


def _sum(kind: LeftoverKind, resources: Sequence[BilledResource], prices: Mapping[str, float]) -> KeptSum:
    costs = [resource.per_month(prices) for resource in resources]
    return KeptSum(
        kind=kind,
        count=len(resources),
        gib=sum(resource.gib or 0 for resource in resources),
        unsized=sum(resource.gib is None for resource in resources),
        oldest=min((resource.since for resource in resources if resource.since), default=None),
        per_month=sum(cost for cost in costs if cost is not None),
        unpriced=costs.count(None),
    )


def _added(past: Iterable[Past]) -> AddedCost:
    recovered = (reclaim.outcome for reclaim in past if reclaim.recovery.state is RecoveryState.RECOVERED)
    costs = [(outcome.added_per_hour, outcome.currency) for outcome in recovered]
    priced = [cost for cost, _ in costs if cost is not None]
    currency = next((currency for _, currency in costs if currency), "")
    return AddedCost(len(priced), len(costs) - len(priced), round(sum(priced), 6), max(priced, default=0.0), currency)


def said_last(recovery: Recovery) -> str:
    """Return what the screen said last of its image, without a forecast too; empty where it said nothing."""
    if recovery.verdict:
        return str(recovery.verdict)
    if recovery.route.traits.serves_at_once:
        return str(Verdict.IMAGE_READY)
    return str(Verdict.DATA_KEPT) if recovery.route.traits.waits_for_release else ""


def _forecasts(ended: Sequence[Recovery]) -> Forecasts:
    counts = Counter((said_last(recovery), _end(recovery)) for recovery in ended if said_last(recovery))
    judged = [one for one in ended if one.state in _ENDS and one.verdict in _PROMISES]
    right = sum(has_image_in_time(one) is _PROMISES[one.verdict] for one in judged if one.verdict)
    return Forecasts(tuple(sorted(counts.items())), right, len(judged))


def _end(recovery: Recovery) -> str:
    """Return how a recovery ended, and what of that the forecast of its image did not speak of."""
    if recovery.state is RecoveryState.FAILED and has_image_in_time(recovery):
        return f"{recovery.state}, image ready"
    is_other_route = recovery.verdict and recovery.state is RecoveryState.RECOVERED and not has_image_in_time(recovery)
    return f"{recovery.state} by {recovery.route}" if is_other_route else str(recovery.state)


_ENDS = (RecoveryState.RECOVERED, RecoveryState.FAILED)
_PROMISES = {Verdict.WILL_MAKE_IT: True, Verdict.WILL_NOT: False}
"""Whether a forecast promises an image in time."""


def _day(day: date, ends: Mapping[tuple[date, RecoveryState], int]) -> Day:
    counts = {state: ends.get((day, state), 0) for state in RecoveryState}
    recovered, failed = counts.pop(RecoveryState.RECOVERED), counts.pop(RecoveryState.FAILED)
    return Day(day, recovered, failed, sum(counts.values()))


def _last_days(today: date) -> list[date]:
    return [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]


def _most(names: Iterable[str]) -> tuple[Count, ...]:
    counted = Counter(name or "unknown" for name in names)
    return tuple(sorted(counted.items(), key=lambda count: (-count[1], count[0])))
