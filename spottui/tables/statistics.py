"""What past reclaims come to: how many by day, zone and type, how long recoveries took, whether verdicts held."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median, quantiles

from spottui.domain.history import Past
from spottui.domain.recovery import RecoveryState
from spottui.tables.instances import is_wish

DAYS = 14


@dataclass(frozen=True, slots=True)
class Statistics:
    """Counts of reclaims that are no wish of an engineer; times in seconds.

    `by_day` has every day of the last `DAYS`, oldest first. `verdicts` counts (verdict, end), `kept` the things
    of each kind that recoveries made and nobody took away as far as the journal knows.
    """

    total: int
    by_day: tuple[tuple[date, int], ...]
    by_zone: tuple[tuple[str, int], ...]
    by_type: tuple[tuple[str, int], ...]
    outcomes: tuple[tuple[str, int], ...]
    times_s: tuple[float, ...]
    verdicts: tuple[tuple[tuple[str, str], int], ...]
    kept: tuple[tuple[str, int], ...]

    @property
    def median_s(self) -> float | None:
        """The recovery time that half of them stayed below."""
        return median(self.times_s) if self.times_s else None

    @property
    def slow_s(self) -> float | None:
        """The recovery time that nine of ten stayed below."""
        return quantiles(self.times_s, n=10)[8] if len(self.times_s) > 1 else self.median_s


def statistics(past: Sequence[Past], today: date) -> Statistics:
    """Return what past reclaims come to, as of a day in UTC."""
    reclaims = [one for one in past if not is_wish(one.interruption)]
    ended = [one.recovery for one in reclaims if one.recovery.state.is_final]
    recovered = [one for one in ended if one.state is RecoveryState.RECOVERED and one.ended]
    days = Counter(one.interruption.first_seen.date() for one in reclaims)
    return Statistics(
        total=len(reclaims),
        by_day=tuple((day, days[day]) for day in _last_days(today)),
        by_zone=_most(one.zone for one in reclaims),
        by_type=_most(one.instance_type for one in reclaims),
        outcomes=_most(str(one.recovery.state) for one in reclaims),
        times_s=tuple(sorted((one.ended - one.started).total_seconds() for one in recovered if one.ended)),
        verdicts=_pairs((str(one.verdict), str(one.state)) for one in ended if one.verdict),
        kept=_most(made.kind for one in past for made in one.recovery.created),
    )


def _last_days(today: date) -> list[date]:
    return [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]


def _most(names: Iterable[str]) -> tuple[tuple[str, int], ...]:
    counted = Counter(name or "not known" for name in names)
    return tuple(sorted(counted.items(), key=lambda one: (-one[1], one[0])))


def _pairs(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[tuple[str, str], int], ...]:
    return tuple(sorted(Counter(pairs).items()))
