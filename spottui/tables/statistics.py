"""Statistics of past reclaims: counts by day, zone and type, recovery times, and costs."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from statistics import median

import msgspec

from spottui.domain.billed_resources import BilledResource, LeftoverKind
from spottui.domain.history import Past
from spottui.domain.outcome import nine_of_ten
from spottui.domain.recovery import RecoveryState
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


class Statistics(msgspec.Struct, frozen=True):
    """Counts of reclaims, not of recoveries that only an engineer requested; times in seconds from the first sign.

    `by_day` has every day of the last `DAYS`, oldest first. `verdicts` counts (verdict, end). `kept` is what recoveries
    made and nobody took away, as far as the journal knows.
    """

    total: int
    by_day: tuple[Day, ...]
    by_zone: tuple[Count, ...]
    by_type: tuple[Count, ...]
    outcomes: tuple[Count, ...]
    times_s: tuple[float, ...]
    verdicts: tuple[tuple[tuple[str, str], int], ...]
    kept: tuple[KeptSum, ...]
    added: AddedCost

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
    ended = [reclaim.recovery for reclaim in reclaims if reclaim.recovery.state.is_final]
    ends = Counter((reclaim.interruption.first_seen.date(), reclaim.recovery.state) for reclaim in reclaims)
    times = (reclaim.outcome.recovery_s for reclaim in reclaims)
    verdicts = Counter((str(recovery.verdict), str(recovery.state)) for recovery in ended if recovery.verdict)
    return Statistics(
        total=len(reclaims),
        by_day=tuple(_day(day, ends) for day in _last_days(today)),
        by_zone=_most(reclaim.zone for reclaim in reclaims),
        by_type=_most(reclaim.instance_type for reclaim in reclaims),
        outcomes=_most(str(reclaim.recovery.state) for reclaim in reclaims),
        times_s=tuple(sorted(took for took in times if took is not None)),
        verdicts=tuple(sorted(verdicts.items())),
        kept=kept_sums((kept for reclaim in past for kept in reclaim.outcome.kept), prices),
        added=_added(past),
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
    costs = [outcome.added_per_hour for outcome in recovered]
    priced = [cost for cost in costs if cost is not None]
    return AddedCost(len(priced), len(costs) - len(priced), round(sum(priced), 6), max(priced, default=0.0))


def _day(day: date, ends: Mapping[tuple[date, RecoveryState], int]) -> Day:
    counts = {state: ends.get((day, state), 0) for state in RecoveryState}
    recovered, failed = counts.pop(RecoveryState.RECOVERED), counts.pop(RecoveryState.FAILED)
    return Day(day, recovered, failed, sum(counts.values()))


def _last_days(today: date) -> list[date]:
    return [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]


def _most(names: Iterable[str]) -> tuple[Count, ...]:
    counted = Counter(name or "unknown" for name in names)
    return tuple(sorted(counted.items(), key=lambda count: (-count[1], count[0])))
