"""Auto-mode: whether it is armed, and what it may do on its own; shared by all consoles of a journal."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from msgspec import structs

from spottui.domain.clock import Clock
from spottui.domain.facts import Armed, AutoAnswered, Decided, Disarmed, Logged, NotArmed, Stop, Stopped
from spottui.domain.forecast import Forecast
from spottui.domain.plan import Plan
from spottui.domain.reasons import Reason, Why
from spottui.domain.recovery import AutoAnswer, AutoAsked, Decision, Recovery
from spottui.domain.refusal import Refused
from spottui.domain.settings import Settings
from spottui.domain.view import AutoMode, in_all
from spottui.journal import Journal
from spottui.journal.arming import Arming, armings, disarm, forget, record_arming
from spottui.journal.store import JournalAway
from spottui.journal.transaction import Transaction
from spottui.journal.writer import Urgency
from spottui.recovery.arrivals import arrival
from spottui.recovery.auto_mode_rules import (
    AUTO,
    Case,
    Grant,
    Overview,
    Place,
    Refusal,
    Standing,
    is_asking,
    judge,
    resting_places,
)
from spottui.recovery.auto_mode_tally import Tallies

T = TypeVar("T")

LOOK_KEPT = timedelta(seconds=0.5)
"""How often the limits are counted for all waiting recoveries: in a storm a thousand of them ask every second."""
PLACES_KEPT = timedelta(seconds=5)
SHOWN_KEPT = timedelta(seconds=5)
"""Between facts the state changes only by a stop file, a dead console or the passing hour."""
PATIENCE_S = 10.0
ALIVE_KEPT_S = 0.5


class AutoModeControl:
    """Armed or not, and the limits. Thread-safe.

    A console's arming counts as long as its process lives. A grant is counted and written in one transaction, so that
    the limits hold over all consoles; only refusals may rely on a count from a moment ago.
    """

    def __init__(self, journal: Journal, settings: Settings, clock: Clock) -> None:
        self._journal = journal
        self._settings = settings
        self._policy = settings.policy
        self._policies = {name: settings.policy_of(name) for name in ("", *settings.accounts)}
        self._clock = clock
        self._consoles = journal.consoles
        self._last_overviews: dict[str, Overview] = {}
        self._places: tuple[datetime, dict[Place, datetime]] | None = None
        self._shown: tuple[int, datetime, AutoMode] | None = None
        self._living: dict[str, tuple[float, bool]] = {}
        self._tallies = Tallies(journal.recoveries.lately())
        self._counted: tuple[Transaction, int] | None = None
        self._armings: tuple[Transaction, tuple[Arming, ...]] | None = None
        journal.follow(self._follow)
        if journal.consoles.own:
            journal.submit(self._forget_dead, Urgency.DECISION)

    @property
    def armed(self) -> bool:
        """Whether it was armed at the last check."""
        overviews = list(self._last_overviews.values())
        return not overviews or max(overviews, key=lambda overview: overview.at).standing.armed

    def arm(self, who: str, stopped_message: Callable[[Stopped], str]) -> None:
        """Let auto-mode confirm by itself; raises `Refused`, with `stopped_message`, while there is a stop file."""
        now, stopped = self._clock.now(), self._stop_file()

        def write(transaction: Transaction) -> None:
            console, self._armings = self._consoles.own, None
            record_arming(transaction.connection, Arming(console, stopped is None, who, now, stopped))
            transaction.log(NotArmed(who, stopped) if stopped else Armed(who, console), now)

        self._journal.run(write, Urgency.DECISION, PATIENCE_S)
        self._last_overviews = {}
        if stopped:
            raise Refused(f"Auto-mode is not armed: {stopped_message(stopped)}.")

    def disarm(self, who: str, stopped: Stopped | None) -> None:
        """Leave every confirmation to people, in every console; the reason stays on the screen."""
        now = self._clock.now()
        self._journal.run(
            lambda transaction: self._disarm(transaction, who, stopped, now), Urgency.DECISION, PATIENCE_S
        )
        self._last_overviews = {}

    def state(self) -> AutoMode:
        """Return whether it is armed, by whom or why not, its limits, and how far they are used."""
        seen, now = self._journal.recoveries.seq, self._clock.now()
        if self._shown and self._shown[0] == seen and timedelta(0) <= now - self._shown[1] < SHOWN_KEPT:
            return self._shown[2]
        try:
            state = self._state(now)
        except JournalAway:
            if self._shown is None:
                raise
            return self._shown[2]
        self._shown = seen, now, state
        return state

    async def ask(self, recovery: Recovery, plan: Plan, forecast: Forecast) -> Grant | Refusal:
        """Say whether auto-mode may recover this now, and when its veto window ends; a window holds a place."""
        now = self._clock.now()
        case = Case(recovery, plan, forecast, now, self._resting_at(now))
        overview = self._recent_overview(case.account, now)
        answer = self._judge(overview, case)
        if overview.standing.tripped:
            await arrival(self._journal.submit(self._trip, Urgency.DECISION))
            self._last_overviews = {}
        if _news(overview, case, answer) is None:
            return answer
        write = self._answer_again if isinstance(answer, Grant) else self._note_again
        return await self._write(write, case)

    async def confirm(self, recovery: Recovery, plan: Plan, forecast: Forecast) -> bool:
        """Confirm for auto-mode when the veto window is over; False if a rule forbids it by then."""
        now = self._clock.now()
        case = Case(recovery, plan, forecast, now, self._resting_at(now))
        answer = await self._write(self._confirm, case)
        return answer is None

    def resting(self) -> dict[Place, datetime]:
        """Return the places that auto-mode avoids because replacements failed there, and until when."""
        return self._resting_at(self._clock.now())

    async def _write(self, write: Callable[[Transaction, Case], T], case: Case) -> T:
        def run(transaction: Transaction) -> T:
            fresh = transaction.recovery(case.recovery.recovery_id) or case.recovery
            return write(transaction, Case(fresh, case.plan, case.forecast, case.now, case.resting))

        return await arrival(self._journal.submit(run, Urgency.DECISION))

    def _judge(self, overview: Overview, case: Case) -> Grant | Refusal:
        return judge(self._policies.get(case.account, self._policy), overview, case)

    def _answer_again(self, transaction: Transaction, case: Case) -> Grant | Refusal:
        """Grants rely only on what is true within the transaction."""
        overview = self._overview_in(transaction, case.account, case.now)
        answer = self._judge(overview, case)
        _note(transaction, overview, case, answer)
        return answer

    def _note_again(self, transaction: Transaction, case: Case) -> Grant | Refusal:
        overview = self._recent_overview(case.account, case.now)
        answer = self._judge(overview, case)
        if isinstance(answer, Grant):
            return self._answer_again(transaction, case)
        _note(transaction, overview, case, answer)
        return answer

    def _confirm(self, transaction: Transaction, case: Case) -> Grant | Refusal | None:
        overview = self._overview_in(transaction, case.account, case.now)
        answer = self._judge(overview, case)
        if not isinstance(answer, Grant) or answer.veto_until > case.now:
            _note(transaction, overview, case, answer)
            return answer
        recovery_id, cost = case.recovery.recovery_id, case.plan.added_cost_per_hour
        confirmed = AutoAnswered(AutoAnswer.CONFIRMED, Reason(Why.PLAN_READY), cost)
        transaction.record(recovery_id, confirmed, case.now)
        transaction.record(recovery_id, Decided(Decision.CONFIRM, AUTO, case.plan.digest), case.now)
        return None

    def _state(self, now: datetime) -> AutoMode:
        said = self._read_armings()
        by_account = tuple((name, self._state_of(name, said, now)) for name in self._settings.account_names or ("",))
        return in_all(by_account)

    def _state_of(self, account: str, said: tuple[Arming, ...], now: datetime) -> AutoMode:
        overview = self._overview(account, said, now)
        if overview.standing.tripped and not self._journal.store.read_only:
            self._journal.submit(self._trip, Urgency.DECISION)
        policy, standing = self._policies.get(account, self._policy), overview.standing
        return AutoMode(
            armed=standing.armed,
            in_flight=overview.in_flight,
            max_at_once=policy.max_at_once,
            max_per_hour=policy.max_per_hour,
            veto_window_s=policy.veto_window_s,
            stopped=standing.stopped,
            who=standing.who,
            since=standing.since,
            waiting=len(overview.line),
            last_hour=overview.last_hour,
            added_cost_per_hour=overview.added_cost,
            max_added_cost_per_hour=policy.max_added_cost_per_hour,
            resting=tuple(
                (f"{kind} {zone}", until) for (kind, zone, _), until in sorted(self._resting_at(now).items())
            ),
        )

    def _recent_overview(self, account: str, now: datetime) -> Overview:
        overview = self._last_overviews.get(account)
        if overview is not None and timedelta(0) <= now - overview.at < LOOK_KEPT:
            return overview
        try:
            overview = self._last_overviews[account] = self._overview(account, self._read_armings(), now)
        except JournalAway:
            if overview is None:
                raise
        return overview

    def _follow(self, logged: Sequence[Logged]) -> None:
        """Count what was committed; runs in the writer's thread."""
        self._counted = self._armings = None
        for recovery_id in {entry.recovery_id for entry in logged}:
            recovery = self._journal.recoveries.known(recovery_id)
            if recovery:
                self._tallies.put(recovery)

    def _overview_in(self, transaction: Transaction, account: str, now: datetime) -> Overview:
        """Return the counts, including earlier changes of the same transaction."""
        counted = self._counted
        if counted and counted[0] is not transaction:
            # The last count was made in a transaction that was never committed.
            counted, self._tallies = None, Tallies(self._journal.recoveries.lately())
        seen = counted[1] if counted else 0
        for recovery in transaction.changed_since(seen):
            self._tallies.put(recovery)
        self._counted = transaction, transaction.done
        if self._armings is None or self._armings[0] is not transaction:
            self._armings = transaction, armings(transaction.connection)
        return self._overview(account, self._armings[1], now)

    def _read_armings(self) -> tuple[Arming, ...]:
        with self._journal.store.read() as connection:
            return armings(connection)

    def _overview(self, account: str, said: tuple[Arming, ...], now: datetime) -> Overview:
        policy = self._policies.get(account, self._policy)
        return self._tallies.of(account).overview(self._standing(said), policy, now, self._is_alive)

    def _is_alive(self, console: str) -> bool:
        """Check the file at most every so often: in a storm a thousand recoveries ask each second."""
        now = time.monotonic()
        last = self._living.get(console)
        if last is None or now - last[0] > ALIVE_KEPT_S:
            last = self._living[console] = now, self._consoles.is_alive(console)
        return last[1]

    def _standing(self, said: tuple[Arming, ...]) -> Standing:
        if not said:
            return Standing(False)
        armed = [arming for arming in said if arming.armed and self._is_alive(arming.console)]
        if not armed:
            last = said[-1]
            stopped = Stopped(Stop.CONSOLE_ENDED) if last.armed else last.stopped
            return Standing(False, last.who, last.at, stopped)
        first = armed[0]
        stopped = self._stop_file() or self._breaker(first.at)
        return Standing(stopped is None, first.who, first.at, stopped, tripped=stopped is not None)

    def _stop_file(self) -> Stopped | None:
        stop_file = self._policy.stop_file
        if not stop_file:
            return None
        try:
            Path(stop_file).lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            return Stopped(Stop.STOP_FILE_UNREADABLE, stop_file, error.strerror or "")
        return Stopped(Stop.STOP_FILE, stop_file)

    def _breaker(self, armed_at: datetime) -> Stopped | None:
        failures = self._policy.breaker_failures
        if not 0 < failures <= self._tallies.failures_in_a_row(armed_at):
            return None
        return Stopped(Stop.BREAKER, count=failures)

    def _trip(self, transaction: Transaction) -> None:
        """Disarm, unless another console has."""
        now = self._clock.now()
        overview = self._overview_in(transaction, "", now)
        if overview.standing.tripped:
            self._disarm(transaction, "", overview.standing.stopped, now)
        self._forget_dead(transaction)

    def _forget_dead(self, transaction: Transaction) -> None:
        """A console that starts now ignores the arming of consoles that have ended."""
        said = armings(transaction.connection)
        forget(
            transaction.connection, [arming.console for arming in said if not self._consoles.is_alive(arming.console)]
        )

    def _disarm(self, transaction: Transaction, who: str, stopped: Stopped | None, now: datetime) -> None:
        """Recoveries in a veto window or in the queue lose their place."""
        self._armings = None
        disarm(transaction.connection, who, stopped, now)
        transaction.log(Disarmed(who, stopped), now)
        for recovery in transaction.lately():
            if (
                recovery.auto
                and recovery.auto.answer in (AutoAnswer.GRANTED, AutoAnswer.IN_LINE)
                and not recovery.state.is_final
            ):
                withdrawn = AutoAnswered(AutoAnswer.REFUSED, Reason(Why.PLAN_READY), recovery.auto.added_cost)
                transaction.record(recovery.recovery_id, withdrawn, now)

    def _resting_at(self, now: datetime) -> dict[Place, datetime]:
        if self._places is None or not timedelta(0) <= now - self._places[0] < PLACES_KEPT:
            recoveries = self._journal.recoveries.lately()
            reclaimed = {
                recovery.instance_id: recovery.started for recovery in recoveries if recovery.interruption.locked
            }
            self._places = now, resting_places(recoveries, reclaimed, self._policy.breaker_failures, now)
        return {place: until for place, until in self._places[1].items() if until > now}


def _note(transaction: Transaction, overview: Overview, case: Case, answer: Grant | Refusal) -> None:
    new = _news(overview, case, answer)
    if new is not None:
        transaction.record(case.recovery.recovery_id, new, case.now)


def _news(overview: Overview, case: Case, answer: Grant | Refusal) -> AutoAnswered | None:
    """Return the answer if it differs from the last one in a field that is used or shown, else None."""
    if not is_asking(overview, case):
        return None
    cost = case.plan.added_cost_per_hour
    if isinstance(answer, Grant):
        if not case.granted and answer.veto_until <= case.now:
            return None
        new = AutoAnswered(AutoAnswer.GRANTED, Reason(Why.VETO_WINDOW), cost, answer.veto_until)
    else:
        kind = AutoAnswer.REFUSED if answer.ahead is None else AutoAnswer.IN_LINE
        new = AutoAnswered(kind, answer.reason, cost)
    auto_asked = case.known
    if auto_asked is None or _key_of(new) != _key_of(auto_asked):
        return new
    return None if new.added_cost == auto_asked.added_cost else structs.replace(new, again=True)


def _key_of(asked: AutoAnswered | AutoAsked) -> tuple[object, ...]:
    return asked.answer, asked.reason, asked.veto_until
