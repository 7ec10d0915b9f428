"""Many reclaims at once, by zone and type: how many will make it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from spottui.domain.forecast import Verdict
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.view import DeskView

SAVED, WILL, TIGHT, WILL_NOT, UNKNOWN, LOST = "saved", "will make it", "tight", "will not", "no forecast", "lost"
OUTLOOKS = (SAVED, WILL, TIGHT, WILL_NOT, LOST, UNKNOWN)

_BY_VERDICT = {Verdict.WILL_MAKE_IT: WILL, Verdict.TIGHT: TIGHT, Verdict.WILL_NOT: WILL_NOT}


@dataclass(frozen=True, slots=True)
class Group:
    """The reclaims of one type in one zone and how they stand; `needs_you` of them wait for a person."""

    zone: str
    instance_type: str
    outlooks: Counter[str]
    needs_you: int

    @property
    def total(self) -> int:
        """How many there are."""
        return self.outlooks.total()

    @property
    def will_make_it(self) -> int:
        """How many are saved or will be in time."""
        return self.outlooks[SAVED] + self.outlooks[WILL]


def storm(view: DeskView, recoveries: Sequence[Recovery]) -> tuple[Group, ...]:
    """Return recoveries by zone and type, the groups that lose most first."""
    place = {(one.region, one.instance_id): (one.zone, one.instance_type) for one in view.instances}
    grouped: dict[tuple[str, str], list[Recovery]] = {}
    for recovery in recoveries:
        grouped.setdefault(place.get((recovery.region, recovery.instance_id), ("", "")), []).append(recovery)
    groups = (_group(zone, kind, members) for (zone, kind), members in grouped.items())
    return tuple(sorted(groups, key=lambda one: (one.will_make_it - one.total, one.zone, one.instance_type)))


def of_now(view: DeskView) -> tuple[Recovery, ...]:
    """Return the recoveries that go on, and those that ended within the last ten minutes."""
    return tuple(
        one
        for one in view.recoveries
        if not one.state.is_final or (one.ended is not None and (view.at - one.ended).total_seconds() < _RECENT_S)
    )


def forecast_of_all(recoveries: Sequence[Recovery]) -> str:
    """Return `7 of 9 will make it`, empty where no recovery has a forecast or an end."""
    outlooks = Counter(outlook(one) for one in recoveries)
    known = outlooks.total() - outlooks[UNKNOWN]
    return f"{outlooks[SAVED] + outlooks[WILL]} of {outlooks.total()} will make it" if known else ""


def outlook(recovery: Recovery) -> str:
    """Return how a recovery stands, one of `OUTLOOKS`."""
    if recovery.state is RecoveryState.RECOVERED:
        return SAVED
    if recovery.state.is_final:
        return LOST
    return _BY_VERDICT[recovery.verdict] if recovery.verdict else UNKNOWN


_RECENT_S = 600.0


def _group(zone: str, kind: str, members: Sequence[Recovery]) -> Group:
    waiting = sum(one.state is RecoveryState.NEEDS_YOU for one in members)
    return Group(zone, kind, Counter(outlook(one) for one in members), waiting)
