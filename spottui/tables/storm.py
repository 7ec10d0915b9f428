"""Many reclaims at once, by zone and type: how many will make it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from spottui.domain.forecast import Verdict
from spottui.domain.prospect import verdict_of
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.view import DeskView
from spottui.tables.instances import is_wish

NO_FORECAST = "no forecast"
_MAKE_IT = (Verdict.WILL_MAKE_IT, Verdict.IMAGE_READY)


@dataclass(frozen=True, slots=True)
class Group:
    """The reclaims of one type in one zone and how they stand, in the words of the recoveries panel.

    `deadline` is the next one, None when all have ended. `will_make_it` counts those that are saved or will be by
    themselves. `needs_you` are the verdicts of those that wait for a person; `others` the verdicts, or else the
    states, of the rest.
    """

    zone: str
    instance_type: str
    deadline: datetime | None
    will_make_it: int
    total: int
    needs_you: Counter[str]
    others: Counter[str]


def storm(view: DeskView, recoveries: Sequence[Recovery]) -> tuple[Group, ...]:
    """Return recoveries by zone and type, the groups that lose most first."""
    place = {(i.region, i.instance_id): (i.zone, i.instance_type) for i in view.instances}
    grouped: dict[tuple[str, str], list[Recovery]] = {}
    for recovery in recoveries:
        grouped.setdefault(place.get((recovery.region, recovery.instance_id), ("", "")), []).append(recovery)
    groups = (_group(zone, kind, members, view.at) for (zone, kind), members in grouped.items())
    return tuple(sorted(groups, key=lambda group: (group.will_make_it - group.total, group.zone, group.instance_type)))


def of_now(view: DeskView) -> tuple[Recovery, ...]:
    """Return the recoveries of reclaims that go on, and those that ended within the last ten minutes."""
    reclaimed = (recovery for recovery in view.recoveries if not is_wish(recovery.interruption))
    return tuple(recovery for recovery in reclaimed if not recovery.state.is_final or _is_recent(recovery, view.at))


def forecast_of_all(recoveries: Sequence[Recovery], now: datetime) -> str:
    """Return `7 of 9 will make it`, empty where none of them goes on or has ended.

    What waits for a yes makes nothing by itself.
    """
    any_forecast = any(
        not _waits(recovery) and verdict_or_state(recovery, now) != NO_FORECAST for recovery in recoveries
    )
    making_it = sum(_makes_it(recovery, now) for recovery in recoveries)
    return f"{making_it} of {len(recoveries)} will make it" if any_forecast else ""


def verdict_or_state(recovery: Recovery, now: datetime) -> str:
    """Return how a recovery stands now: its verdict; once it has ended, or waits for others, its state."""
    if recovery.state.is_final:
        return str(recovery.state)
    if recovery.is_queued:
        return "queued"
    return str(verdict_of(recovery, now) or NO_FORECAST)


def needs_you(recovery: Recovery) -> bool:
    """Whether it waits for a person."""
    return recovery.state is RecoveryState.NEEDS_YOU and not recovery.is_queued


_RECENT_S = 600.0


def _is_recent(recovery: Recovery, now: datetime) -> bool:
    return recovery.ended is not None and (now - recovery.ended).total_seconds() < _RECENT_S


def _waits(recovery: Recovery) -> bool:
    return recovery.state.waits_for_permission and recovery.state is not RecoveryState.VETO_WINDOW


def _makes_it(recovery: Recovery, now: datetime) -> bool:
    if recovery.state.is_final or _waits(recovery):
        return recovery.state is RecoveryState.RECOVERED
    verdict = verdict_of(recovery, now)
    return verdict in _MAKE_IT and not (verdict is Verdict.IMAGE_READY and now >= recovery.deadline)


def _group(zone: str, kind: str, members: Sequence[Recovery], now: datetime) -> Group:
    return Group(
        zone,
        kind,
        min((recovery.deadline for recovery in members if not recovery.state.is_final), default=None),
        sum(_makes_it(recovery, now) for recovery in members),
        len(members),
        _counted((recovery for recovery in members if needs_you(recovery)), now),
        _counted((recovery for recovery in members if not needs_you(recovery)), now),
    )


def _counted(members: Iterable[Recovery], now: datetime) -> Counter[str]:
    return Counter(verdict_or_state(recovery, now) for recovery in members)
