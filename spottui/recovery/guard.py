"""The guard of auto-mode: what it may do without a person, and why it does not."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from spottui.domain.clock import Clock
from spottui.domain.forecast import Forecast
from spottui.domain.interruption import Interruption
from spottui.domain.plan import Plan
from spottui.domain.recovery import Recovery
from spottui.domain.refusal import Refused
from spottui.domain.settings import Policy
from spottui.domain.view import AutoMode
from spottui.journal import Journal
from spottui.journal.guard import Answered, Arming, AutoAnswer, Page
from spottui.recovery.claims import Claim
from spottui.recovery.limits import (
    HOUR,
    LINE_REFRESH,
    LINE_STALE,
    Case,
    Grant,
    Look,
    Place,
    Refusal,
    Standing,
    in_a_row,
    is_asking,
    judge,
    resting_places,
)

__all__ = ["AUTO", "Grant", "Guard", "Refusal"]

AUTO = "auto-mode"
"""Who confirmed, when nobody did."""
LOOK_KEPT = timedelta(seconds=0.5)
"""A thousand recoveries that wait ask every second: what they wait for is read this often for all of them."""
PLACES_KEPT = timedelta(seconds=5)
SHOWN_KEPT = timedelta(seconds=5)
"""Without a commit only a stop file, a dead console or the hour that went on change what is shown."""


class Guard:
    """Armed or not, and the limits, the same for every console of one journal. Thread-safe.

    A console's arming counts as long as its process lives. What is granted is counted and written in one transaction;
    between transactions only refusals rely on what was read a moment ago.
    """

    def __init__(self, journal: Journal, policy: Policy, clock: Clock, claim: Claim, *, read_only: bool) -> None:
        self._book = journal.guard
        self._commits = journal.database.commits
        self._policy = policy
        self._clock = clock
        self._claim = claim
        self._read_only = read_only
        self._last_look: Look | None = None
        self._places: tuple[datetime, dict[Place, datetime]] | None = None
        self._shown: tuple[int, datetime, AutoMode] | None = None
        if not read_only:
            self._forget_the_dead()

    @property
    def armed(self) -> bool:
        """Whether it was armed when it was asked last."""
        return self._last_look is None or self._last_look.standing.armed

    def arm(self, who: str) -> None:
        """Let auto-mode confirm by itself; raises `Refused` while there is a stop file."""
        now, stopped = self._clock.now(), self._stop_file()
        with self._book.write() as page:
            page.say(Arming(self._claim.executor_id, not stopped, who, now, stopped))
            page.tell(f"auto-mode is not armed for {who}: {stopped}" if stopped else f"auto-mode armed by {who}", now)
        self._last_look = None
        if stopped:
            raise Refused(f"Auto-mode is not armed: {stopped}.")

    def disarm(self, who: str, reason: str) -> None:
        """Leave every confirmation to people, in every console; `reason` stays on the screen."""
        now = self._clock.now()
        with self._book.write() as page:
            self._disarm(page, who, reason, now)
        self._last_look = None

    def state(self) -> AutoMode:
        """Return whether it is armed, by whom or why not, its limits, and how far they are used."""
        commits, now = self._commits(), self._clock.now()
        if self._shown and self._shown[0] == commits and timedelta(0) <= now - self._shown[1] < SHOWN_KEPT:
            return self._shown[2]
        state = self._state()
        self._shown = commits, now, state
        return state

    def _state(self) -> AutoMode:
        with self._book.read() as page:
            look = self._look(page)
            resting = self._resting(page)
        if look.standing.tripped and not self._read_only:
            self._trip()
        policy, standing = self._policy, look.standing
        return AutoMode(
            armed=standing.armed,
            in_flight=look.in_flight,
            max_at_once=policy.max_at_once,
            max_per_hour=policy.max_per_hour,
            veto_window_s=policy.veto_window_s,
            reason=standing.reason,
            who=standing.who,
            since=standing.since,
            waiting=len(look.line),
            last_hour=look.last_hour,
            added_cost_per_hour=look.added_cost,
            max_added_cost_per_hour=policy.max_added_cost_per_hour,
            resting=tuple((f"{kind} {zone}", until) for (kind, zone, _), until in sorted(resting.items())),
        )

    def ask(self, recovery: Recovery, interruption: Interruption, plan: Plan, forecast: Forecast) -> Grant | Refusal:
        """Say whether auto-mode may recover this now, and when its veto window ends; a window holds a place."""
        with self._book.read() as page:
            case = self._case(page, recovery, interruption, plan, forecast)
            look = self._recent_look(page)
        answer = judge(self._policy, look, case)
        if look.standing.tripped:
            self._trip()
        if self._news(look, case, answer) is None:
            return answer
        with self._book.write() as page:
            case = self._case(page, recovery, interruption, plan, forecast)
            if isinstance(answer, Grant):
                look = self._look(page)
                answer = judge(self._policy, look, case)
            self._note(page, look, case, answer)
        return answer

    def confirm(self, recovery: Recovery, interruption: Interruption, plan: Plan, forecast: Forecast) -> bool:
        """Confirm for auto-mode when the veto window is over; False when something stands against it meanwhile."""
        with self._book.write() as page:
            case = self._case(page, recovery, interruption, plan, forecast)
            look = self._look(page)
            answer = judge(self._policy, look, case)
            goes = isinstance(answer, Grant) and answer.veto_until <= case.now
            if goes:
                page.note(_answered(case, AutoAnswer.CONFIRMED, "", None))
                page.confirm(case.recovery, AUTO, case.now)
            else:
                self._note(page, look, case, answer)
        return goes

    def resting(self) -> dict[Place, datetime]:
        """Return the places where auto-mode's replacements fail, which it leaves out until the time given."""
        with self._book.read() as page:
            return self._resting(page)

    def _case(self, page: Page, recovery: Recovery, interruption: Interruption, plan: Plan, forecast: Forecast) -> Case:
        fresh = page.recovery(recovery.recovery_id) or recovery
        return Case(fresh, interruption, plan, forecast, self._clock.now(), page.answered(fresh), self._resting(page))

    def _recent_look(self, page: Page) -> Look:
        known, now = self._last_look, self._clock.now()
        if known is None or not timedelta(0) <= now - known.at < LOOK_KEPT:
            known = self._last_look = self._look(page)
        return known

    def _look(self, page: Page) -> Look:
        now = self._clock.now()
        held, (last_hour, added_cost) = page.held(), page.confirmed(now - HOUR)
        filled_at = page.nth_newest(self._policy.max_per_hour) if last_hour >= self._policy.max_per_hour > 0 else None
        return Look(
            at=now,
            standing=self._standing(page),
            in_flight=page.in_flight(),
            held=tuple(turn for turn, _ in held),
            held_cost=sum(cost for _, cost in held),
            line=page.line(now - LINE_STALE),
            last_hour=last_hour,
            added_cost=added_cost,
            free_at=filled_at + HOUR if filled_at else None,
        )

    def _standing(self, page: Page) -> Standing:
        said = page.arming()
        if not said:
            return Standing(False)
        armed = [one for one in said if one.armed and self._claim.is_alive(one.executor_id)]
        if not armed:
            last = said[-1]
            reason = "the console that armed it has ended; arm it again" if last.armed else last.reason
            return Standing(False, last.who, last.at, reason)
        first = armed[0]
        reason = self._stop_file() or self._breaker(page, first.at)
        return Standing(not reason, first.who, first.at, reason, tripped=bool(reason))

    def _stop_file(self) -> str:
        stop_file = self._policy.stop_file
        if not stop_file:
            return ""
        try:
            Path(stop_file).lstat()
        except (FileNotFoundError, NotADirectoryError):
            return ""
        except OSError as error:
            return f"the stop file {stop_file} cannot be looked at ({error.strerror}); mend that and arm again"
        return f"the stop file {stop_file} exists; remove it and arm again"

    def _breaker(self, page: Page, armed_at: datetime) -> str:
        failures = self._policy.breaker_failures
        if not in_a_row(page.endings(armed_at, failures), failures):
            return ""
        return f"{failures} recoveries of auto-mode in a row failed; look why, then arm again"

    def _trip(self) -> None:
        """Disarm, unless another console has."""
        with self._book.write() as page:
            standing = self._standing(page)
            if standing.tripped:
                self._disarm(page, "the guard", standing.reason, self._clock.now())
        self._last_look = None

    def _disarm(self, page: Page, who: str, reason: str, now: datetime) -> None:
        page.disarm(who, reason, now)
        page.tell(f"auto-mode disarmed by {who}" + (f": {reason}" if reason else ""), now)

    def _forget_the_dead(self) -> None:
        with self._book.read() as page:
            dead = [one.executor_id for one in page.arming() if not self._claim.is_alive(one.executor_id)]
        if dead:
            with self._book.write() as page:
                page.forget(dead)

    def _resting(self, page: Page) -> dict[Place, datetime]:
        now = self._clock.now()
        if self._places is None or not timedelta(0) <= now - self._places[0] < PLACES_KEPT:
            recoveries = page.recoveries(now - 2 * HOUR)
            reclaimed = page.locked(one.new_instance_id for one in recoveries if one.new_instance_id)
            self._places = now, resting_places(recoveries, reclaimed, self._policy.breaker_failures)
        return {place: until for place, until in self._places[1].items() if until > now}

    def _note(self, page: Page, look: Look, case: Case, answer: Grant | Refusal) -> None:
        new, known = self._news(look, case, answer), case.known
        if new is None:
            return
        page.note(new)
        if known is None or (known.answer, known.why) != (new.answer, new.why):
            page.tell(f"auto-mode: {_said(answer)}", case.now, case.recovery)

    def _news(self, look: Look, case: Case, answer: Grant | Refusal) -> Answered | None:
        """Return the answer when it differs from the last one in what others go by, or in what people read."""
        known = case.known
        if not is_asking(look, case):
            return None
        if isinstance(answer, Grant):
            if not case.granted and answer.veto_until <= case.now:
                return None
            new = _answered(case, AutoAnswer.GRANTED, "", answer.veto_until)
        else:
            kind = AutoAnswer.REFUSED if answer.ahead is None else AutoAnswer.IN_LINE
            new = _answered(case, kind, answer.why, None)
        refresh = new.answer is AutoAnswer.IN_LINE and known and case.now - known.asked_at >= LINE_REFRESH
        same = known and replace(new, at=known.at, asked_at=known.asked_at) == known
        return None if same and not refresh else new


def _answered(case: Case, answer: AutoAnswer, why: str, veto_until: datetime | None) -> Answered:
    recovery, cost = case.recovery, case.plan.added_cost_per_hour
    return Answered(
        recovery.recovery_id, recovery.run, answer, why, case.now, case.now, recovery.deadline, cost, veto_until
    )


def _said(answer: Grant | Refusal) -> str:
    if isinstance(answer, Grant):
        return f"goes on at {answer.veto_until:%H:%M:%S} UTC unless somebody vetoes"
    return f"{answer.why}: {answer.lift}"
