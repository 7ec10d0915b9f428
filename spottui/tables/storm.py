"""Many reclaims at once, by zone and type: how many will make it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from spottui.domain.forecast import Verdict
from spottui.domain.prospect import verdict_of
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.view import DeskView

SAVED, WILL, TIGHT, WILL_NOT, UNKNOWN, LOST = "saved", "will make it", "tight", "will not", "no forecast", "lost"
WAITS, NO_ROOM, AFTER = "waits for a yes", "no room", "after the deadline"
OUTLOOKS = (SAVED, WILL, TIGHT, WILL_NOT, NO_ROOM, LOST, WAITS, AFTER, UNKNOWN)

_BY_VERDICT = {
    Verdict.WILL_MAKE_IT: WILL,
    Verdict.IMAGE_READY: WILL,
    Verdict.TIGHT: TIGHT,
    Verdict.WILL_NOT: WILL_NOT,
    Verdict.NO_ROOM: NO_ROOM,
    Verdict.DATA_KEPT: AFTER,
}


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
    groups = (_group(zone, kind, members, view.at) for (zone, kind), members in grouped.items())
    return tuple(sorted(groups, key=lambda one: (one.will_make_it - one.total, one.zone, one.instance_type)))


def of_now(view: DeskView) -> tuple[Recovery, ...]:
    """Return the recoveries that go on, and those that ended within the last ten minutes."""
    return tuple(
        one
        for one in view.recoveries
        if not one.state.is_final or (one.ended is not None and (view.at - one.ended).total_seconds() < _RECENT_S)
    )


def forecast_of_all(recoveries: Sequence[Recovery], now: datetime) -> str:
    """Return `7 of 9 will make it`, empty where none of them goes on or has ended.

    What waits for a yes makes nothing by itself.
    """
    outlooks = Counter(outlook(one, now) for one in recoveries)
    known = outlooks.total() - outlooks[UNKNOWN] - outlooks[WAITS]
    return f"{outlooks[SAVED] + outlooks[WILL]} of {outlooks.total()} will make it" if known else ""


def outlook(recovery: Recovery, now: datetime) -> str:
    """Return how a recovery stands now, one of `OUTLOOKS`."""
    if recovery.state is RecoveryState.RECOVERED:
        return SAVED
    if recovery.state.is_final:
        return LOST
    if recovery.state.waits_for_permission and recovery.state is not RecoveryState.VETO_WINDOW:
        return WAITS
    verdict = verdict_of(recovery, now)
    if verdict is Verdict.IMAGE_READY and now >= recovery.deadline:
        return AFTER
    return _BY_VERDICT.get(verdict, UNKNOWN) if verdict else UNKNOWN


_RECENT_S = 600.0


def _group(zone: str, kind: str, members: Sequence[Recovery], now: datetime) -> Group:
    waiting = sum(one.state is RecoveryState.NEEDS_YOU and not one.is_queued for one in members)
    return Group(zone, kind, Counter(outlook(one, now) for one in members), waiting)
