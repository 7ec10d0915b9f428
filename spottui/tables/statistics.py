"""What past reclaims come to: how many by day, zone and type, how long recoveries took, what they cost."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from statistics import median

from spottui.domain.history import Past
from spottui.domain.leftover import Kept, LeftoverKind
from spottui.domain.outcome import nine_of_ten
from spottui.domain.recovery import RecoveryState

DAYS = 60
_MINUTES = (0, 1, 2, 3, 4, 5, 10)

Count = tuple[str, int]


@dataclass(frozen=True, slots=True)
class KeptSum:
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


@dataclass(frozen=True, slots=True)
class AddedCost:
    """What replacements cost an hour beyond the old instances: of `known` ones together, and of the dearest."""

    known: int
    unknown: int
    per_hour: float
    most: float


@dataclass(frozen=True, slots=True)
class Statistics:
    """Counts of reclaims that are no wish of an engineer; times in seconds, from the first sign to the replacement.

    `by_day` has every day of the last `DAYS`, oldest first. `verdicts` counts (verdict, end). `kept` is what recoveries
    made and nobody took away, as far as the journal knows.
    """

    total: int
    by_day: tuple[tuple[date, int], ...]
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
    """Return what past reclaims come to, as of a day in UTC; prices are those of storage (`Kept.per_month`)."""
    reclaims = [one for one in past if not one.interruption.is_wish]
    ended = [one.recovery for one in reclaims if one.recovery.state.is_final]
    days = Counter(one.interruption.first_seen.date() for one in reclaims)
    times = (one.outcome.recovery_s for one in reclaims)
    return Statistics(
        total=len(reclaims),
        by_day=tuple((day, days[day]) for day in _last_days(today)),
        by_zone=_most(one.zone for one in reclaims),
        by_type=_most(one.instance_type for one in reclaims),
        outcomes=_most(str(one.recovery.state) for one in reclaims),
        times_s=tuple(sorted(took for took in times if took is not None)),
        verdicts=_pairs((str(one.verdict), str(one.state)) for one in ended if one.verdict),
        kept=kept_sums((kept for one in past for kept in one.outcome.kept), prices),
        added=_added(past),
    )


def kept_sums(kept: Iterable[Kept], prices: Mapping[str, float]) -> tuple[KeptSum, ...]:
    """Return the kept things by kind, priced as the configuration says."""
    things = list(kept)
    of_kind = ((kind, [one for one in things if one.kind is kind]) for kind in LeftoverKind)
    return tuple(_sum(kind, found, prices) for kind, found in of_kind if found)


def _sum(kind: LeftoverKind, found: Sequence[Kept], prices: Mapping[str, float]) -> KeptSum:
    costs = [one.per_month(prices) for one in found]
    return KeptSum(
        kind=kind,
        count=len(found),
        gib=sum(one.gib or 0 for one in found),
        unsized=sum(one.gib is None for one in found),
        oldest=min((one.since for one in found if one.since), default=None),
        per_month=sum(cost for cost in costs if cost is not None),
        unpriced=costs.count(None),
    )


def _added(past: Iterable[Past]) -> AddedCost:
    found = [one.outcome.added_per_hour for one in past if one.recovery.state is RecoveryState.RECOVERED]
    known = [added for added in found if added is not None]
    return AddedCost(len(known), len(found) - len(known), round(sum(known), 6), max(known, default=0.0))


def _last_days(today: date) -> list[date]:
    return [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]


def _most(names: Iterable[str]) -> tuple[Count, ...]:
    counted = Counter(name or "not known" for name in names)
    return tuple(sorted(counted.items(), key=lambda one: (-one[1], one[0])))


def _pairs(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[tuple[str, str], int], ...]:
    return tuple(sorted(Counter(pairs).items()))
