"""The rules of auto-mode as pure functions of what the journal says: no clock and no file."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import msgspec

from spottui.domain.facts import Stopped
from spottui.domain.forecast import TIGHT_S, Forecast
from spottui.domain.interruption import Interruption
from spottui.domain.owner import owner_of
from spottui.domain.plan import Plan
from spottui.domain.reasons import Reason, Why
from spottui.domain.recovery import AutoAnswer, AutoAsked, Decision, PastRun, Recovery, RecoveryState
from spottui.domain.region_key import account_of
from spottui.domain.settings import Policy
from spottui.domain.text import plain

AUTO = "auto-mode"
"""Who is recorded as the confirmer when auto-mode confirms."""
HOUR = timedelta(hours=1)

Place = tuple[str, str, bool]
"""Instance type, zone, and whether it is on-demand: `Candidate.place`."""
Turn = tuple[datetime, str]
"""A recovery's position in the queue: its deadline, then its id."""


class Grant(msgspec.Struct, frozen=True):
    """Auto-mode may proceed when the veto window ends."""

    veto_until: datetime


class Refusal(msgspec.Struct, frozen=True):
    """Auto-mode may not proceed; `ahead` counts the queued recoveries with a nearer deadline.

    It is None where waiting in the queue does not help.
    """

    reason: Reason
    ahead: int | None = None


class Standing(msgspec.Struct, frozen=True):
    """Whether auto-mode is armed, by whom and since when, or what stopped it.

    `tripped`: the stop is not in the journal yet.
    """

    armed: bool
    who: str = ""
    since: datetime | None = None
    stopped: Stopped | None = None
    tripped: bool = False


class Overview(msgspec.Struct, frozen=True):
    """What the journal said at one moment of all recoveries, the nearest deadline first.

    `held` have a slot and together add `held_cost` per hour; `line` waits for one. `last_hour` were confirmed by
    auto-mode within the hour and add `added_cost`; when the hourly limit is reached, `free_at` is the next free slot.
    """

    at: datetime
    standing: Standing
    in_flight: int = 0
    held: tuple[Turn, ...] = ()
    held_cost: float = 0.0
    line: tuple[Turn, ...] = ()
    last_hour: int = 0
    added_cost: float = 0.0
    free_at: datetime | None = None


class Case(msgspec.Struct, frozen=True):
    """A recovery that asks for permission."""

    recovery: Recovery
    plan: Plan
    forecast: Forecast
    now: datetime
    resting: Mapping[Place, datetime]

    @property
    def interruption(self) -> Interruption:
        """Its reclaim."""
        return self.recovery.interruption

    @property
    def account(self) -> str:
        """The account whose limits hold for it."""
        return account_of(self.recovery.region)

    @property
    def known(self) -> AutoAsked | None:
        """The last answer that it got."""
        return self.recovery.auto

    @property
    def granted(self) -> bool:
        """Whether it already has a slot."""
        return self.known is not None and self.known.answer is AutoAnswer.GRANTED

    @property
    def turn(self) -> Turn:
        """Its position in the queue."""
        return self.recovery.deadline, self.recovery.recovery_id


def judge(policy: Policy, overview: Overview, case: Case) -> Grant | Refusal:
    """Return whether a recovery may proceed, and when its veto window ends."""
    for rule in (_not_for_auto_mode, _tags, _owner, _places, _cost, _limits):
        refusal = rule(policy, overview, case)
        if refusal:
            return refusal
    veto_until = case.now + timedelta(seconds=_window_s(policy.veto_window_s, case.forecast))
    moment = case.known.veto_until if case.known and case.granted else None
    # The window never grows, and a change of less than a second is not written.
    return Grant(moment if moment and moment < veto_until + timedelta(seconds=1) else veto_until)


def is_asking(overview: Overview, case: Case) -> bool:
    """Whether auto-mode decides at all: it is armed, a lock has confirmed the reclaim, and no person has decided."""
    recovery = case.recovery
    spoken = recovery.decision is not Decision.NONE or recovery.cancel or recovery.state.is_final
    return overview.standing.armed and case.interruption.locked and not spoken


def resting_places(
    recoveries: Iterable[Recovery], reclaimed: Mapping[str, datetime], failures: int, now: datetime
) -> dict[Place, datetime]:
    """Return the places where auto-mode's replacements failed or were reclaimed, and until when each is avoided.

    A replacement counts against its place for an hour after it failed or was reclaimed, if that was within an hour of
    the notice that it was launched for; `failures` of them close the place. `reclaimed` is by instance id.
    """
    strikes: dict[Place, list[datetime]] = {}
    for recovery in recoveries:
        launches = [attempt for attempt in recovery.tries if attempt.failure is None]
        at = _came_to_nothing_at(recovery, reclaimed)
        if launches and at and confirmations(recovery):
            strikes.setdefault(launches[-1].place, []).append(at)
    closed = {place: sorted(times)[-failures] + HOUR for place, times in strikes.items() if 0 < failures <= len(times)}
    return {place: until for place, until in closed.items() if until > now}


def runs(recovery: Recovery) -> tuple[PastRun, ...]:
    """Return the runs of a recovery; the current one counts as ended at its begin."""
    ended = recovery.ended or recovery.started
    return (*recovery.past_runs, PastRun(recovery.run, recovery.state, ended, recovery.who, recovery.auto))


def confirmations(recovery: Recovery) -> tuple[AutoAsked, ...]:
    """Return auto-mode's confirmation of each run that it confirmed."""
    asked = [run.auto for run in recovery.past_runs] + [recovery.auto]
    return tuple(auto_asked for auto_asked in asked if auto_asked and auto_asked.answer is AutoAnswer.CONFIRMED)


def _came_to_nothing_at(recovery: Recovery, reclaimed: Mapping[str, datetime]) -> datetime | None:
    if not recovery.new_instance_id:
        return None
    if recovery.state is RecoveryState.FAILED:
        # A replacement that runs but does not serve says nothing about its place.
        is_served = recovery.reason is None or recovery.reason.why is not Why.NOT_SERVED
        return recovery.ended if is_served else None
    again = reclaimed.get(recovery.new_instance_id)
    return again if again and again - recovery.started <= HOUR else None


def _not_for_auto_mode(_policy: Policy, overview: Overview, case: Case) -> Refusal | None:
    if is_asking(overview, case):
        return None
    if overview.standing.armed and not case.interruption.locked:
        return Refusal(Reason(Why.NO_LOCK_AUTO_STAYS_AWAY))
    return Refusal(Reason(Why.PLAN_READY))


def _tags(policy: Policy, _overview: Overview, case: Case) -> Refusal | None:
    tags = dict(case.plan.spec.instance.tags)
    denied = [key for key, value in policy.deny_tags.items() if key in tags and value in ("", tags[key])]
    if denied:
        return Refusal(Reason(Why.DENY_TAG, detail=plain(f"{denied[0]}={tags[denied[0]]}", 80)))
    allowed = [key for key, value in policy.allow_tags.items() if key in tags and value in ("", tags[key])]
    if policy.allow_tags and not allowed:
        wanted = tuple(f"{key}={value}" if value else key for key, value in policy.allow_tags.items())
        return Refusal(Reason(Why.NO_ALLOW_TAG, resources=wanted))
    return None


def _owner(_policy: Policy, _overview: Overview, case: Case) -> Refusal | None:
    owner = owner_of(case.plan.spec.instance)
    return Refusal(Reason(Why.OWNED, owner.id, owner.kind)) if owner else None


def _places(policy: Policy, _overview: Overview, case: Case) -> Refusal | None:
    places = [candidate.place for candidate in case.plan.candidates]
    if not case.plan.route.traits.launches or not places or not all(place in case.resting for place in places):
        return None
    until = min(case.resting[place] for place in places)
    instance_type, zone, _ = places[0]
    where = f"{instance_type} {zone}"
    return Refusal(Reason(Why.PLACES_REST, count=policy.breaker_failures, detail=where, at=until))


def _cost(policy: Policy, overview: Overview, case: Case) -> Refusal | None:
    ceiling, own = policy.max_added_cost_per_hour, case.plan.added_cost_per_hour
    if ceiling and not case.plan.surveyed:
        return Refusal(Reason(Why.COST_NOT_KNOWN))
    held = overview.held_cost - (case.known.added_cost if case.granted and case.known else 0.0)
    total = overview.added_cost + held + own
    if not ceiling or own <= 0 or total <= ceiling:
        return None
    return Refusal(Reason(Why.COST_CEILING, detail=case.plan.currency, amounts=(round(total, 2), ceiling)))


def _limits(policy: Policy, overview: Overview, case: Case) -> Refusal | None:
    """A recovery with a slot keeps it before those with a later deadline; one without is behind all that have one."""
    held = bisect_left(overview.held, case.turn) if case.granted else len(overview.held)
    ahead = 0 if case.granted else bisect_left(overview.line, case.turn)
    if ahead >= policy.max_at_once - overview.in_flight - held:
        return Refusal(Reason(Why.AT_ONCE, amounts=(policy.max_at_once,)), ahead)
    if ahead >= policy.max_per_hour - overview.last_hour - held:
        return Refusal(Reason(Why.PER_HOUR, amounts=(policy.max_per_hour,), at=overview.free_at), ahead)
    return None


def _window_s(veto_window_s: float, forecast: Forecast) -> float:
    """The veto window shrinks with the slack, and is zero when the forecast is tight."""
    return max(0.0, min(veto_window_s, forecast.slack_s - TIGHT_S))
