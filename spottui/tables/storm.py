"""Many reclaims at once, by zone and type: how many will make it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from spottui.domain.forecast import Verdict
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.verdicts import verdict_of
from spottui.domain.view import DeskView

NO_FORECAST = "no forecast"
_MAKE_IT = (Verdict.WILL_MAKE_IT, Verdict.IMAGE_READY)


class Group(msgspec.Struct, frozen=True):
    """The reclaims of one type in one zone and how they stand, in the words of the recoveries panel.

    `deadline` is the next one, None when all have ended. `will_make_it` counts those that are saved or will be by
    themselves, `waits` those that wait for a yes. `needs_you` are the verdicts of those that wait for a person;
    `others` the verdicts, or else the states, of the rest. `recoveries` are its members.
    """

    zone: str
    instance_type: str
    deadline: datetime | None
    will_make_it: int
    waits: int
    total: int
    needs_you: Counter[str]
    others: Counter[str]
    recoveries: tuple[Recovery, ...] = ()


def storm(view: DeskView, recoveries: Sequence[Recovery]) -> tuple[Group, ...]:
    """Return recoveries by zone and type, the groups that lose most first."""
    place = {(each.region, each.instance_id): (each.zone, each.instance_type) for each in (*view.gone, *view.instances)}
    grouped: dict[tuple[str, str], list[Recovery]] = {}
    for recovery in recoveries:
        grouped.setdefault(place.get((recovery.region, recovery.instance_id), ("", "")), []).append(recovery)
    groups = (_group(zone, kind, members, view.at) for (zone, kind), members in grouped.items())
    return tuple(sorted(groups, key=lambda group: (group.will_make_it - group.total, group.zone, group.instance_type)))


def of_now(view: DeskView) -> tuple[Recovery, ...]:
    """Return the recoveries whose reclaim is in progress, and those that succeeded or failed in the last ten minutes.

    Withdrawn, vetoed and cancelled ones are left out: they cannot make it.
    """
    reclaimed = (recovery for recovery in view.recoveries if not recovery.interruption.is_manual)
    return tuple(recovery for recovery in reclaimed if not recovery.state.is_final or _is_recent(recovery, view.at))


def forecast_of_all(recoveries: Sequence[Recovery], now: datetime) -> str:
    """Return `4 recovered · 7 of 9 make it`; the forecast counts as in `will_make_it`."""
    recovered = sum(recovery.state is RecoveryState.RECOVERED for recovery in recoveries)
    parts = (f"{recovered} recovered" if recovered else "", will_make_it(recoveries, now))
    return " · ".join(part for part in parts if part)


def will_make_it(recoveries: Sequence[Recovery], now: datetime) -> str:
    """Return `7 of 9 make it · 2 data kept`, empty if no forecast is known.

    Only recoveries that have not ended and need no yes are counted. `data kept` are those whose instance is lost, but
    not its data.
    """
    going = [recovery for recovery in recoveries if not recovery.state.is_final and not _waits(recovery)]
    is_known = any(verdict_or_state(recovery, now) != NO_FORECAST for recovery in going)
    if not is_known:
        return ""
    kept = sum(verdict_of(recovery, now) is Verdict.DATA_KEPT for recovery in going)
    if kept == len(going):
        return f"{kept} data kept"
    count = sum(_makes_it(recovery, now) for recovery in going)
    makes_it = f"{count} of {len(going)} make{'s' * (count == 1)} it"
    return f"{makes_it} · {kept} data kept" if kept else makes_it


def verdict_or_state(recovery: Recovery, now: datetime) -> str:
    """Return the verdict of a recovery, or its state once it has ended or while it is queued."""
    if recovery.state.is_final:
        return str(recovery.state)
    if recovery.is_queued:
        return "queued"
    return str(verdict_of(recovery, now) or NO_FORECAST)


def needs_you(recovery: Recovery) -> bool:
    """Whether it waits for a person."""
    return recovery.state is RecoveryState.NEEDS_YOU and not recovery.is_queued


_RECENT_S = 600.0
_ENDS = (RecoveryState.RECOVERED, RecoveryState.FAILED)


def _is_recent(recovery: Recovery, now: datetime) -> bool:
    ended = recovery.ended if recovery.state in _ENDS else None
    return ended is not None and (now - ended).total_seconds() < _RECENT_S


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
        sum(_waits(recovery) for recovery in members),
        len(members),
        _counted((recovery for recovery in members if needs_you(recovery)), now),
        _counted((recovery for recovery in members if not needs_you(recovery)), now),
        tuple(members),
    )


def _counted(members: Iterable[Recovery], now: datetime) -> Counter[str]:
    return Counter(verdict_or_state(recovery, now) for recovery in members)
