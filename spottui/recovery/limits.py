"""The limits of auto-mode, as rules over what the journal says: no clock, no file, nothing but values."""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from spottui.domain.forecast import TIGHT_S, Forecast
from spottui.domain.interruption import Interruption
from spottui.domain.plan import Plan, Route
from spottui.domain.recovery import Decision, Recovery, RecoveryState
from spottui.domain.settings import Policy
from spottui.domain.text import plain
from spottui.journal.guard import Answered, AutoAnswer, Turn

HOUR = timedelta(hours=1)
LINE_REFRESH = timedelta(seconds=10)
"""How often one that is in line says that it still is."""
LINE_STALE = timedelta(seconds=30)
"""One that has not asked for so long keeps nobody behind it waiting."""

Place = tuple[str, str, bool]
"""Instance type, zone, and whether it is on-demand: `Candidate.place`."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Auto-mode may go on when the veto window ends."""

    veto_until: datetime


@dataclass(frozen=True, slots=True)
class Refusal:
    """Auto-mode may not go on; `waits` when it goes by itself once what `why` names has passed, `lift` says how else.

    `ahead` counts those in line that have a nearer deadline, None where only a person or time can help.
    """

    why: str
    lift: str
    waits: bool = False
    ahead: int | None = None

    @property
    def reason(self) -> str:
        """All of it on one line, for people."""
        others = "1 other has" if self.ahead == 1 else f"{self.ahead} others have"
        line = f"; {others} a nearer deadline" if self.ahead else ""
        return f"{self.why}{line}: {self.lift}"


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether auto-mode is armed, by whom and since when, or why not; `tripped` when that is still to be written."""

    armed: bool
    who: str = ""
    since: datetime | None = None
    reason: str = ""
    tripped: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """What the journal said at one moment of all recoveries, the nearest deadline first.

    `held` hold a place and cost `held_cost` more an hour together, `line` waits for one; `last_hour` were confirmed by
    auto-mode and cost `added_cost` more, and when the hour is full, `free_at` is when the next is free.
    """

    at: datetime
    standing: Standing
    in_flight: int
    held: tuple[Turn, ...]
    held_cost: float
    line: tuple[Turn, ...]
    last_hour: int
    added_cost: float
    free_at: datetime | None


@dataclass(frozen=True, slots=True)
class Case:
    """One recovery that asks."""

    recovery: Recovery
    interruption: Interruption
    plan: Plan
    forecast: Forecast
    now: datetime
    known: Answered | None
    resting: Mapping[Place, datetime]

    @property
    def granted(self) -> bool:
        """Whether it holds a place already."""
        return self.known is not None and self.known.answer is AutoAnswer.GRANTED

    @property
    def turn(self) -> Turn:
        """Its place in the line."""
        return self.recovery.deadline, self.recovery.recovery_id


def judge(policy: Policy, look: Look, case: Case) -> Grant | Refusal:
    """Return whether a recovery may go, and when its veto window ends."""
    for rule in (_not_for_auto_mode, _tags, _scaling_group, _places, _cost, _limits):
        refusal = rule(policy, look, case)
        if refusal:
            return refusal
    veto_until = case.now + timedelta(seconds=_window_s(policy.veto_window_s, case.forecast))
    known = case.known.veto_until if case.known else None
    # It never grows, and a forecast that moved by less than a second is not worth a write.
    return Grant(known if known and known < veto_until + timedelta(seconds=1) else veto_until)


def is_asking(look: Look, case: Case) -> bool:
    """Whether the limits are asked at all: auto-mode is armed, a lock has confirmed it, and no person has spoken."""
    recovery = case.recovery
    spoken = recovery.decision is not Decision.NONE or recovery.cancel or recovery.state.is_final
    return look.standing.armed and case.interruption.locked and not spoken


def in_a_row(endings: tuple[RecoveryState, ...], failures: int) -> bool:
    """Whether the newest recoveries, as many as the breaker takes, all failed; 0 is no breaker."""
    return 0 < failures <= len(endings) and all(one is RecoveryState.FAILED for one in endings[:failures])


def resting_places(
    recoveries: tuple[Recovery, ...], reclaimed: Mapping[str, datetime], failures: int
) -> dict[Place, datetime]:
    """Return the places where auto-mode's replacements fail or are reclaimed, and until when each is avoided.

    A replacement counts against its place for an hour from when it failed, or was reclaimed within an hour of the
    notice that it was launched for; `failures` of them close the place. `reclaimed` is by instance id.
    """
    strikes: dict[Place, list[datetime]] = {}
    for recovery in recoveries:
        launches = [one for one in recovery.tries if not one.refused]
        at = _came_to_nothing_at(recovery, reclaimed)
        if launches and at:
            strikes.setdefault(launches[-1].place, []).append(at)
    return {place: sorted(times)[-failures] + HOUR for place, times in strikes.items() if 0 < failures <= len(times)}


def _came_to_nothing_at(recovery: Recovery, reclaimed: Mapping[str, datetime]) -> datetime | None:
    if not recovery.new_instance_id:
        return None
    if recovery.state is RecoveryState.FAILED:
        return recovery.ended
    again = reclaimed.get(recovery.new_instance_id)
    return again if again and again - recovery.started <= HOUR else None


def _not_for_auto_mode(_policy: Policy, look: Look, case: Case) -> Refusal | None:
    if is_asking(look, case):
        return None
    if look.standing.armed and not case.interruption.locked:
        return Refusal("no lock seen, so auto-mode leaves it to you", "press y")
    return Refusal("plan ready", "press y")


def _tags(policy: Policy, _look: Look, case: Case) -> Refusal | None:
    tags = dict(case.plan.spec.instance.tags)
    denied = [key for key, value in policy.deny_tags.items() if key in tags and value in ("", tags[key])]
    if denied:
        tag = plain(f"{denied[0]}={tags[denied[0]]}", 80)
        return Refusal(f"its tag {tag} keeps auto-mode away (deny_tags)", "press y to recover it all the same")
    allowed = [key for key, value in policy.allow_tags.items() if key in tags and value in ("", tags[key])]
    if policy.allow_tags and not allowed:
        wanted = " or ".join(f"{key}={value}" if value else key for key, value in policy.allow_tags.items())
        why = f"it has no tag {wanted}, without which auto-mode stays away (allow_tags)"
        return Refusal(why, "press y to recover it all the same")
    return None


def _scaling_group(_policy: Policy, _look: Look, case: Case) -> Refusal | None:
    if not case.plan.spec.instance.scaling_group:
        return None
    return Refusal("ESS replaces it by itself", "press y to recover it all the same")


def _places(policy: Policy, _look: Look, case: Case) -> Refusal | None:
    places = [one.place for one in case.plan.candidates]
    if case.plan.route is Route.RESTART or not places or not all(one in case.resting for one in places):
        return None
    until = min(case.resting[one] for one in places)
    instance_type, zone, _ = places[0]
    why = (
        f"waits: {policy.breaker_failures} replacements of auto-mode in {instance_type} {zone} failed or were "
        f"reclaimed within an hour; it tries again at {until:%H:%M:%S} UTC"
    )
    return Refusal(why, "press y to go now", waits=True)


def _cost(policy: Policy, look: Look, case: Case) -> Refusal | None:
    ceiling, own = policy.max_added_cost_per_hour, case.plan.added_cost_per_hour
    if ceiling and not case.plan.surveyed:
        return Refusal("waits: its added cost is not known yet, and auto-mode has a ceiling", "press y", waits=True)
    held = look.held_cost - (case.known.added_cost if case.granted and case.known else 0.0)
    total = look.added_cost + held + own
    if not ceiling or own <= 0 or total <= ceiling:
        return None
    why = f"auto-mode would add {total:.2f} an hour to the cost, over its ceiling of {ceiling:g}"
    return Refusal(why, "press y, or raise max_added_cost_per_hour", waits=own <= ceiling)


def _limits(policy: Policy, look: Look, case: Case) -> Refusal | None:
    """One that holds a place keeps it before those with a later deadline; another one stands behind all that hold."""
    held = bisect_left(look.held, case.turn) if case.granted else len(look.held)
    ahead = 0 if case.granted else bisect_left(look.line, case.turn)
    if ahead >= policy.max_at_once - look.in_flight - held:
        why = f"waits: {policy.max_at_once} recoveries at once are the limit"
        return Refusal(why, "press y to go now", waits=True, ahead=ahead)
    if ahead >= policy.max_per_hour - look.last_hour - held:
        free = f", the next is free at {look.free_at:%H:%M:%S} UTC" if look.free_at else ""
        why = f"waits: {policy.max_per_hour} recoveries an hour are the limit{free}"
        return Refusal(why, "press y to go now", waits=True, ahead=ahead)
    return None


def _window_s(veto_window_s: float, forecast: Forecast) -> float:
    """The veto window gives way as slack shrinks, and is none when it is tight."""
    return max(0.0, min(veto_window_s, forecast.slack_s - TIGHT_S))
