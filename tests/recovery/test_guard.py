"""What auto-mode may do by itself, counted in the journal, whatever number of consoles there are."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spottui.domain.feed import EventKind
from spottui.recovery.claims import Claim
from spottui.recovery.guard import AUTO, Grant, Guard, Refusal

from spottui.domain.forecast import Forecast
from spottui.domain.instance import SCALING_GROUP_TAG, Instance, InstanceStatus
from spottui.domain.interruption import Evidence, Observation
from spottui.domain.launch_spec import LaunchSpec
from spottui.domain.plan import Candidate, Plan, Route
from spottui.domain.recovery import Decision, Recovery, RecoveryState, Try
from spottui.domain.refusal import Refused
from spottui.domain.settings import Policy
from spottui.journal import Journal

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
REGION, ZONE = "cn-hangzhou", "cn-hangzhou-h"
AT_ONCE = Policy(veto_window_s=0, max_at_once=3, max_per_hour=100)


class Time:
    """The clock of every console of a test, moved by hand."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at

    def pass_s(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class Place:
    """One journal, and what several consoles on it do."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.journal = Journal(directory / "journal.db")
        self.time = Time()
        self.claims: dict[Guard, Claim] = {}
        self._numbers = iter(range(100_000))

    def console(self, policy: Policy = AT_ONCE, *, armed: bool = True, read_only: bool = False) -> Guard:
        claim = Claim(self.directory / "claims")
        guard = Guard(self.journal, policy, self.time, claim, read_only=read_only)
        self.claims[guard] = claim
        if armed:
            guard.arm("--auto")
        return guard

    def kill(self, guard: Guard) -> None:
        self.claims[guard]._file.close()

    def reclaim(self, after_s: float = 0, *, locked: bool = True, plan: Plan | None = None) -> str:
        """Open an interruption with a plan, whose notice came `after_s` after now; return the recovery's id."""
        source = Evidence.LOCK if locked else Evidence.QUEUE
        at = self.time.now() + timedelta(seconds=after_s)
        return self.notice(f"i-{next(self._numbers)}", source, at, plan)

    def notice(self, instance_id: str, source: Evidence, at: datetime, plan: Plan | None = None) -> str:
        seen = Observation(REGION, instance_id, source, at)
        (one,) = self.journal.interruptions.record([seen], [], [], lambda *_: "", self.time.now())
        self.journal.recoveries.set_plan(one.id, plan or plan_of(), self.time.now())
        return one.id

    def recovery(self, recovery_id: str) -> Recovery:
        found = self.journal.recoveries.get(recovery_id)
        assert found
        return found

    def ask(self, guard: Guard, recovery_id: str, *, slack_s: float = 200) -> Grant | Refusal:
        """Ask a second after whatever was before, as recoveries do that wait."""
        self.time.pass_s(1)
        return guard.ask(*self._asked(recovery_id, slack_s))

    def confirm(self, guard: Guard, recovery_id: str, *, slack_s: float = 200) -> bool:
        return guard.confirm(*self._asked(recovery_id, slack_s))

    def reason(self, guard: Guard, recovery_id: str) -> str:
        answer = self.ask(guard, recovery_id)
        assert isinstance(answer, Refusal), answer
        return answer.reason

    def waits(self, guard: Guard, recovery_id: str) -> bool:
        answer = self.ask(guard, recovery_id)
        assert isinstance(answer, Refusal), answer
        return answer.waits

    def goes(self, guard: Guard, recovery_id: str) -> bool:
        """Ask, and confirm at once where auto-mode may."""
        return isinstance(self.ask(guard, recovery_id), Grant) and self.confirm(guard, recovery_id)

    def person(self, recovery_id: str, decision: Decision = Decision.CONFIRM) -> None:
        assert self.journal.recoveries.decide(recovery_id, decision, "ann@bastion", self.time.now())

    def change(self, recovery_id: str, **new: object) -> None:
        changed = lambda known: replace(known, **new)  # noqa: E731
        self.journal.recoveries.change(recovery_id, self.time.now(), changed)

    def end(self, recovery_id: str, state: RecoveryState = RecoveryState.RECOVERED) -> None:
        self.change(recovery_id, state=state)

    def lines(self) -> list[str]:
        events = self.journal.events.after(0, 10_000)
        return [event.text for event in events if event.kind is EventKind.AUTO]

    def _asked(self, recovery_id: str, slack_s: float) -> tuple[Recovery, object, Plan, Forecast]:
        interruption, plan = self.journal.interruptions.get(recovery_id), self.journal.recoveries.plan(recovery_id)
        assert interruption
        assert plan
        deadline = interruption.deadline
        return self.recovery(recovery_id), interruption, plan, Forecast(deadline - timedelta(seconds=slack_s), deadline)


def plan_of(
    *places: Candidate, tags: dict[str, str] | None = None, price: float | None = None, new_price: float | None = None
) -> Plan:
    instance = Instance(
        REGION, "i-1", "web-1", "ecs.c7.large", ZONE, InstanceStatus.RUNNING, "SpotAsPriceGo", True,
        tags=tuple((tags or {}).items()),
    )  # fmt: skip
    spec = LaunchSpec(instance, "vsw-h", ("sg-1",), ())
    home = Candidate(instance.instance_type, ZONE, "vsw-h", "same", price_per_hour=new_price)
    return Plan((Route.IMAGE,), spec, places or (home,), "image", surveyed=True, price_per_hour=price)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


# Who armed it, and what disarms it.


def test_disarmed_at_start_and_armed_by_somebody(place: Place) -> None:
    guard = place.console(armed=False)
    one = place.reclaim()
    assert place.reason(guard, one) == "plan ready: press y"
    assert not place.confirm(guard, one)
    guard.arm("ann@bastion pts/1")
    state = guard.state()
    assert (state.armed, state.who, state.since) == (True, "ann@bastion pts/1", place.time.now())
    assert place.goes(guard, one)
    assert place.recovery(one).who == AUTO


def test_a_second_console_sees_what_the_first_armed_and_disarms_nothing_by_starting(place: Place) -> None:
    first = place.console()
    second, reader = place.console(armed=False), place.console(armed=False, read_only=True)
    assert first.state().armed
    assert second.state().armed
    assert reader.state().armed
    assert place.goes(second, place.reclaim())


def test_what_a_dead_console_armed_counts_no_more(place: Place) -> None:
    first, second = place.console(), place.console(armed=False)
    place.kill(first)
    assert not second.state().armed
    assert "has ended" in second.state().reason
    assert not place.goes(second, place.reclaim())
    third = place.console(armed=False)
    assert third.state().reason == "", "a fresh start is simply not armed"


def test_a_console_that_armed_too_keeps_it_armed_when_the_other_dies(place: Place) -> None:
    first, second = place.console(), place.console()
    place.kill(first)
    assert second.state().armed


def test_a_person_disarms_for_all_and_the_reason_stays(place: Place) -> None:
    first, second = place.console(), place.console()
    second.disarm("ann@bastion", "lunch")
    for guard in (first, second):
        assert (guard.state().armed, guard.state().who, guard.state().reason) == (False, "ann@bastion", "lunch")
    assert not place.goes(first, place.reclaim())
    assert place.lines()[-1] == "auto-mode disarmed by ann@bastion: lunch"


def test_a_stop_file_disarms_for_good_and_arming_is_refused_while_it_is_there(place: Place) -> None:
    stop_file = place.directory / "stop"
    guard = place.console(replace(AT_ONCE, stop_file=str(stop_file)))
    one = place.reclaim()
    stop_file.touch()
    assert not place.goes(guard, one)
    assert not place.confirm(guard, one)
    with pytest.raises(Refused, match="remove it and arm again"):
        guard.arm("ann")
    stop_file.unlink()
    assert not guard.state().armed
    guard.arm("ann")
    assert place.goes(guard, one)


def test_a_stop_file_counts_between_the_grant_and_the_confirmation(place: Place) -> None:
    stop_file = place.directory / "stop"
    guard = place.console(replace(AT_ONCE, stop_file=str(stop_file)))
    one = place.reclaim()
    assert isinstance(place.ask(guard, one), Grant)
    stop_file.symlink_to("nowhere")
    assert not place.confirm(guard, one)
    assert place.recovery(one).decision is Decision.NONE


def test_looking_at_the_state_is_enough_for_the_stop_file_but_a_reader_writes_nothing(place: Place) -> None:
    stop_file = place.directory / "stop"
    policy = replace(AT_ONCE, stop_file=str(stop_file))
    guard, reader = place.console(policy), place.console(policy, armed=False, read_only=True)
    stop_file.touch()
    lines = place.lines()
    assert not reader.state().armed
    assert place.lines() == lines
    assert "stop file" in guard.state().reason
    assert len(place.lines()) == len(lines) + 1
    guard.state()
    assert len(place.lines()) == len(lines) + 1


# Which recoveries are none of auto-mode's business.


def test_only_what_a_lock_has_confirmed(place: Place) -> None:
    guard = place.console()
    one = place.reclaim(locked=False)
    assert place.reason(guard, one) == "no lock seen, so auto-mode leaves it to you: press y"
    assert not place.confirm(guard, one)


@pytest.mark.parametrize("decision", [Decision.HOLD, Decision.VETO, Decision.CONFIRM])
def test_what_a_person_said_is_left_alone(place: Place, decision: Decision) -> None:
    guard = place.console()
    one = place.reclaim()
    place.person(one, decision)
    assert not place.goes(guard, one)
    assert place.recovery(one).who == "ann@bastion"


def test_a_person_who_speaks_after_the_grant_wins(place: Place) -> None:
    guard = place.console()
    one, two = place.reclaim(), place.reclaim()
    before = place._asked(one, 200)
    assert isinstance(guard.ask(*before), Grant)
    place.person(one, Decision.VETO)
    assert not guard.confirm(*before)
    before = place._asked(two, 200)
    place.journal.recoveries.cancel(two, "ann", place.time.now())
    assert not guard.confirm(*before)


def test_nobody_is_confirmed_twice(place: Place) -> None:
    first, second = place.console(), place.console()
    one = place.reclaim()
    asked = place._asked(one, 200)
    assert first.confirm(*asked)
    assert not second.confirm(*asked)
    assert first.state().last_hour == 1


@pytest.mark.parametrize(
    ("policy", "tags", "why"),
    [
        ({"deny_tags": {"env": "prod"}}, {"env": "prod"}, "env=prod"),
        ({"deny_tags": {"env": "prod"}}, {"env": "dev"}, ""),
        ({"deny_tags": {"pet": ""}}, {"pet": "\x1b[31mrex"}, "pet=�[31mrex"),
        ({"allow_tags": {"auto": "yes"}}, {"auto": "yes"}, ""),
        ({"allow_tags": {"auto": "yes"}}, {"auto": "no"}, "auto=yes"),
        ({"allow_tags": {"auto": "yes", "env": ""}}, {}, "auto=yes or env"),
        ({"allow_tags": {"auto": "yes", "env": ""}}, {"env": "x"}, ""),
        ({"allow_tags": {"auto": ""}, "deny_tags": {"auto": "never"}}, {"auto": "never"}, "auto=never"),
    ],
)
def test_tags_allow_and_deny(place: Place, policy: dict[str, object], tags: dict[str, str], why: str) -> None:
    guard = place.console(replace(AT_ONCE, **policy))
    one = place.reclaim(plan=plan_of(tags=tags))
    if not why:
        assert place.goes(guard, one)
        return
    assert why in place.reason(guard, one)
    assert "press y" in place.reason(guard, one)
    assert not place.waits(guard, one)
    assert not place.confirm(guard, one)


def test_a_scaling_group_replaces_its_own(place: Place) -> None:
    guard = place.console()
    one = place.reclaim(plan=plan_of(tags={SCALING_GROUP_TAG: "asg-1"}))
    assert place.reason(guard, one) == "ESS replaces it by itself: press y to recover it all the same"
    assert not place.confirm(guard, one)


# Veto windows.


def test_a_veto_window_runs_to_its_end_and_holds_a_place(place: Place) -> None:
    guard = place.console(Policy(veto_window_s=20, max_at_once=1))
    one, two = place.reclaim(), place.reclaim()
    answer = place.ask(guard, one)
    assert answer == Grant(place.time.now() + timedelta(seconds=20))
    place.time.pass_s(10)
    assert place.ask(guard, one) == answer, "asked again it is still the same window"
    assert not place.confirm(guard, one)
    assert "1 recoveries at once" in place.reason(guard, two)
    place.time.pass_s(10)
    assert place.confirm(guard, one)
    assert not place.goes(guard, two)


def test_nobody_is_confirmed_without_having_had_the_window(place: Place) -> None:
    guard = place.console(Policy(veto_window_s=20))
    assert not place.confirm(guard, place.reclaim())


@pytest.mark.parametrize(("slack_s", "window_s"), [(200, 20), (45, 15), (30, 0), (-100, 0)])
def test_the_window_gives_way_as_the_time_runs_out(place: Place, slack_s: float, window_s: float) -> None:
    guard = place.console(Policy(veto_window_s=20))
    answer = place.ask(guard, place.reclaim(), slack_s=slack_s)
    assert answer == Grant(place.time.now() + timedelta(seconds=window_s))


def test_a_window_that_runs_is_cut_short_when_the_forecast_gets_worse(place: Place) -> None:
    guard = place.console(Policy(veto_window_s=20))
    one = place.reclaim()
    place.ask(guard, one)
    assert place.ask(guard, one, slack_s=10) == Grant(place.time.now())
    assert place.confirm(guard, one, slack_s=10)


def test_disarming_ends_the_windows(place: Place) -> None:
    guard = place.console(Policy(veto_window_s=20))
    one = place.reclaim()
    place.ask(guard, one)
    guard.disarm("ann", "")
    guard.arm("ann")
    place.time.pass_s(20)
    assert not place.confirm(guard, one), "the window begins anew"


def test_a_window_that_a_person_holds_gives_its_place_back(place: Place) -> None:
    guard = place.console(Policy(veto_window_s=20, max_at_once=1))
    one, two = place.reclaim(), place.reclaim()
    place.ask(guard, one)
    place.person(one, Decision.HOLD)
    assert isinstance(place.ask(guard, two), Grant)


# How many, and who first.


def test_the_nearest_deadline_goes_first_and_the_others_say_so(place: Place) -> None:
    guard = place.console()
    running = [place.reclaim() for _ in range(3)]
    assert all(place.goes(guard, one) for one in running)
    late, middle, soon = place.reclaim(30), place.reclaim(20), place.reclaim(10)
    assert place.reason(guard, late) == "waits: 3 recoveries at once are the limit: press y to go now"
    for one in (middle, soon):
        place.ask(guard, one)
    limit = "waits: 3 recoveries at once are the limit"
    assert place.reason(guard, late) == f"{limit}; 2 others have a nearer deadline: press y to go now"
    assert place.reason(guard, middle) == f"{limit}; 1 other has a nearer deadline: press y to go now"
    assert place.waits(guard, late)
    assert guard.state().waiting == 3
    place.end(running[0])
    assert not place.goes(guard, late)
    assert not place.goes(guard, middle)
    assert place.goes(guard, soon)
    place.end(running[1])
    assert not place.goes(guard, late)
    assert place.goes(guard, middle)


def test_one_place_for_each_of_the_nearest(place: Place) -> None:
    guard = place.console()
    running = [place.reclaim() for _ in range(3)]
    assert all(place.goes(guard, one) for one in running)
    waiting = [place.reclaim(number) for number in range(4)]
    for one in waiting:
        place.ask(guard, one)
    for one in running[:2]:
        place.end(one)
    assert [place.goes(guard, one) for one in reversed(waiting)] == [False, False, True, True]


def test_one_that_cannot_go_holds_nobody_up(place: Place) -> None:
    guard = place.console(replace(AT_ONCE, max_at_once=1, deny_tags={"env": "prod"}, max_added_cost_per_hour=1))
    running = place.reclaim()
    assert place.goes(guard, running)
    denied = place.reclaim(1, plan=plan_of(tags={"env": "prod"}))
    dear = place.reclaim(2, plan=plan_of(price=1, new_price=5))
    held, vetoed, unlocked = place.reclaim(3), place.reclaim(4), place.reclaim(5, locked=False)
    over, cancelled = place.reclaim(6), place.reclaim(7)
    for one in (denied, dear, held, vetoed, unlocked, over, cancelled):
        place.ask(guard, one)
    place.person(held, Decision.HOLD)
    place.person(vetoed, Decision.VETO)
    place.end(over, RecoveryState.SKIPPED)
    place.journal.recoveries.cancel(cancelled, "ann", place.time.now())
    last = place.reclaim(100)
    place.ask(guard, last)
    place.end(running)
    assert place.goes(guard, last)


def test_one_that_no_console_asks_for_any_more_holds_nobody_up(place: Place) -> None:
    guard = place.console(replace(AT_ONCE, max_at_once=1))
    running, left, last = place.reclaim(), place.reclaim(1), place.reclaim(2)
    assert place.goes(guard, running)
    place.ask(guard, left)
    place.ask(guard, last)
    place.end(running)
    assert not place.goes(guard, last)
    place.time.pass_s(30)
    assert place.goes(guard, last)


def test_one_in_line_for_long_keeps_its_turn(place: Place) -> None:
    guard = place.console(replace(AT_ONCE, max_at_once=1))
    running, soon, last = place.reclaim(), place.reclaim(1), place.reclaim(2)
    assert place.goes(guard, running)
    for _ in range(50):
        place.ask(guard, soon)
        place.ask(guard, last)
    place.end(running)
    assert not place.goes(guard, last)
    assert place.goes(guard, soon)


def test_what_people_confirm_counts_too(place: Place) -> None:
    guard = place.console(replace(AT_ONCE, max_at_once=1))
    theirs, ours = place.reclaim(), place.reclaim()
    assert isinstance(place.ask(guard, ours), Grant)
    place.person(theirs)
    assert guard.state().in_flight == 1
    assert not place.confirm(guard, ours)


def test_of_two_in_their_window_the_nearer_keeps_the_place_that_is_left(place: Place) -> None:
    guard = place.console(Policy(veto_window_s=20, max_at_once=2))
    soon, late, theirs = place.reclaim(), place.reclaim(10), place.reclaim()
    place.ask(guard, soon)
    place.ask(guard, late)
    place.person(theirs)
    place.time.pass_s(20)
    assert place.confirm(guard, soon)
    assert not place.confirm(guard, late)


def test_a_window_that_runs_keeps_its_place_before_a_nearer_deadline(place: Place) -> None:
    guard = place.console(Policy(veto_window_s=20, max_at_once=1))
    late, soon = place.reclaim(10), place.reclaim()
    place.ask(guard, late)
    assert "1 recoveries at once" in place.reason(guard, soon)
    place.time.pass_s(20)
    assert place.confirm(guard, late)


def test_no_more_than_so_many_an_hour(place: Place) -> None:
    guard = place.console(replace(AT_ONCE, max_per_hour=2))
    first, second, third = (place.reclaim() for _ in range(3))
    assert place.goes(guard, first)
    place.time.pass_s(600)
    assert place.goes(guard, second)
    place.end(first)
    place.end(second)
    assert "waits: 2 recoveries an hour are the limit, the next is free at 13:00:01 UTC" in place.reason(guard, third)
    assert guard.state().last_hour == 2
    place.time.pass_s(3000)
    assert place.goes(guard, third)
    place.end(third)
    assert not place.goes(guard, place.reclaim())


def test_those_in_their_window_count_for_the_hour(place: Place) -> None:
    guard = place.console(Policy(veto_window_s=20, max_at_once=5, max_per_hour=1))
    one, two = place.reclaim(), place.reclaim()
    assert isinstance(place.ask(guard, one), Grant)
    assert "1 recoveries an hour" in place.reason(guard, two)


def test_another_run_that_a_person_began_leaves_the_count_as_it_was(place: Place) -> None:
    guard = place.console()
    one = place.reclaim()
    assert place.goes(guard, one)
    place.end(one, RecoveryState.FAILED)
    place.journal.recoveries.reopen(one, Decision.CONFIRM, "ann", place.time.now())
    assert guard.state().last_hour == 1


# Money.


def test_the_ceiling_is_for_the_sum_of_an_hour(place: Place) -> None:
    guard = place.console(replace(AT_ONCE, max_at_once=9, max_added_cost_per_hour=1))
    dear = plan_of(price=1, new_price=1.5)
    assert place.goes(guard, place.reclaim(plan=dear))
    assert place.goes(guard, place.reclaim(plan=dear))
    assert guard.state().added_cost_per_hour == 1
    third = place.reclaim(plan=dear)
    assert "1.50 an hour" in place.reason(guard, third)
    assert "max_added_cost_per_hour" in place.reason(guard, third)
    assert place.waits(guard, third)
    assert not place.confirm(guard, third)
    assert place.goes(guard, place.reclaim(plan=plan_of(price=1, new_price=0.5))), "what adds nothing goes"
    place.time.pass_s(3600)
    assert place.goes(guard, third)


def test_what_adds_nothing_goes_even_above_the_ceiling(place: Place) -> None:
    rich, poor = (place.console(replace(AT_ONCE, max_added_cost_per_hour=ceiling)) for ceiling in (9, 1))
    assert place.goes(rich, place.reclaim(plan=plan_of(price=1, new_price=6)))
    assert place.goes(poor, place.reclaim(plan=plan_of(price=1, new_price=1)))


def test_one_that_is_over_the_ceiling_alone_waits_for_a_person(place: Place) -> None:
    guard = place.console(replace(AT_ONCE, max_added_cost_per_hour=1))
    assert not place.waits(guard, place.reclaim(plan=plan_of(price=1, new_price=5)))


def test_those_in_their_window_count_for_the_ceiling(place: Place) -> None:
    guard = place.console(Policy(veto_window_s=20, max_at_once=5, max_added_cost_per_hour=1))
    one, two = (place.reclaim(plan=plan_of(price=1, new_price=1.8)) for _ in range(2))
    assert isinstance(place.ask(guard, one), Grant)
    assert "ceiling" in place.reason(guard, two)


def test_under_a_ceiling_nothing_goes_before_its_cost_is_known(place: Place) -> None:
    unknown = replace(plan_of(), surveyed=False)
    guard = place.console(replace(AT_ONCE, max_added_cost_per_hour=1))
    assert place.waits(guard, place.reclaim(plan=unknown))
    assert place.goes(place.console(), place.reclaim(plan=unknown)), "without a ceiling it does not matter"


# Circuit breakers.


def ended(place: Place, guard: Guard, *states: RecoveryState) -> None:
    for state in states:
        one = place.reclaim()
        assert place.goes(guard, one)
        place.time.pass_s(1)
        place.end(one, state)


RECOVERED, FAILED = RecoveryState.RECOVERED, RecoveryState.FAILED


def test_failures_in_a_row_disarm_until_somebody_arms_again(place: Place) -> None:
    guard, other = place.console(), place.console()
    ended(place, guard, FAILED, FAILED, FAILED)
    assert not place.goes(other, place.reclaim())
    assert "disarmed by the guard: 3 recoveries" in place.lines()[-1]
    assert not guard.state().armed
    assert guard.state().reason == "3 recoveries of auto-mode in a row failed; look why, then arm again"
    assert other.state().reason == guard.state().reason
    guard.arm("ann")
    assert guard.state().armed
    ended(place, guard, FAILED, FAILED)
    assert guard.state().armed
    ended(place, guard, FAILED)
    assert not guard.state().armed


def test_a_success_between_begins_the_row_anew_and_a_no_does_not(place: Place) -> None:
    guard = place.console()
    ended(place, guard, FAILED, FAILED, RECOVERED, FAILED, FAILED)
    assert guard.state().armed
    ended(place, guard, RecoveryState.CANCELLED)
    assert guard.state().armed
    ended(place, guard, FAILED)
    assert not guard.state().armed


def test_what_people_confirmed_does_not_trip_the_breaker(place: Place) -> None:
    guard = place.console(replace(AT_ONCE, deny_tags={"env": ""}))
    ended(place, guard, FAILED, FAILED)
    theirs = place.reclaim(plan=plan_of(tags={"env": "x"}))
    assert not place.goes(guard, theirs)
    place.person(theirs)
    place.time.pass_s(1)
    place.end(theirs, FAILED)
    assert guard.state().armed


def test_a_failure_counts_although_a_person_tries_again(place: Place) -> None:
    guard = place.console()
    ended(place, guard, FAILED, FAILED)
    one = place.reclaim()
    assert place.goes(guard, one)
    place.time.pass_s(1)
    place.end(one, FAILED)
    place.journal.recoveries.reopen(one, Decision.CONFIRM, "ann", place.time.now())
    place.end(one, RECOVERED)
    assert not guard.state().armed


def test_the_breaker_trips_between_the_grant_and_the_confirmation(place: Place) -> None:
    guard = place.console(replace(AT_ONCE, max_at_once=9))
    running = [place.reclaim() for _ in range(3)]
    assert all(place.goes(guard, one) for one in running)
    last = place.reclaim()
    assert isinstance(place.ask(guard, last), Grant)
    for one in running:
        place.end(one, FAILED)
    assert not place.confirm(guard, last)


def launched(place: Place, guard: Guard, zone: str = ZONE) -> tuple[str, str]:
    """Let auto-mode launch into a zone; return the recovery and the replacement."""
    candidate = Candidate("ecs.c7.large", zone, "vsw", "")
    one = place.reclaim(plan=plan_of(candidate))
    assert place.goes(guard, one)
    new_id = f"{one}-new"
    before = Try(("ecs.g7.large", "cn-hangzhou-k", False), "vsw", "m-1", "t0")
    after = replace(before, client_token="t2", refused="no stock")
    place.change(one, new_instance_id=new_id, tries=(before, Try(candidate.place, "vsw", "m-1", "t1"), after))
    return one, new_id


def test_a_place_that_takes_its_replacements_back_rests_for_an_hour(place: Place) -> None:
    guard = place.console(replace(AT_ONCE, max_at_once=99, breaker_failures=2))
    there = (Candidate("ecs.c7.large", ZONE, "vsw", ""),)
    for number in range(2):
        one, new_id = launched(place, guard)
        place.end(one)
        place.time.pass_s(600)
        if number:
            assert guard.resting() == {}
        place.notice(new_id, Evidence.LOCK, place.time.now())
        place.time.pass_s(6)
    again = place.reclaim(plan=plan_of(*there))
    assert "2 replacements of auto-mode in ecs.c7.large cn-hangzhou-h" in place.reason(guard, again)
    assert place.waits(guard, again)
    assert not place.confirm(guard, again)
    assert [kind for kind, _ in guard.state().resting] == ["ecs.c7.large cn-hangzhou-h"]
    around = place.reclaim(plan=plan_of(*there, Candidate("ecs.c7.large", "cn-hangzhou-i", "vsw", "")))
    assert place.goes(guard, around), "another place is left"
    restart = place.reclaim(plan=replace(plan_of(*there), routes=(Route.RESTART, Route.IMAGE)))
    assert place.goes(guard, restart), "a restart launches nowhere"
    place.time.pass_s(3600)
    assert guard.resting() == {}
    assert place.goes(guard, again)


def test_a_place_where_replacements_fail_rests_too_but_not_for_other_reasons(place: Place) -> None:
    guard = place.console(replace(AT_ONCE, max_at_once=99, breaker_failures=2))
    ended(place, guard, FAILED, RECOVERED)  # nothing was launched
    one, _ = launched(place, guard)
    place.end(one, FAILED)
    two, new_id = launched(place, guard)
    place.end(two)
    place.notice(new_id, Evidence.QUEUE, place.time.now())  # a drill
    place.time.pass_s(6)
    assert guard.resting() == {}
    three, late = launched(place, guard)
    place.end(three)
    place.time.pass_s(3601)
    place.notice(late, Evidence.LOCK, place.time.now())  # it lived for more than an hour
    four, _ = launched(place, guard)
    place.end(four, FAILED)
    place.time.pass_s(6)
    ended(place, guard, RECOVERED)
    assert guard.resting() == {}
    for _ in range(2):
        one, _ = launched(place, guard, "cn-hangzhou-i")
        place.end(one, FAILED)
        ended(place, guard, RECOVERED)
    place.time.pass_s(6)
    assert set(guard.resting()) == {("ecs.c7.large", "cn-hangzhou-i", False)}


# The feed, and storms.


def test_the_feed_tells_what_changes_and_not_what_is_asked_every_second(place: Place) -> None:
    guard = place.console(Policy(veto_window_s=20, max_at_once=1, deny_tags={"env": ""}))
    one, two, denied = place.reclaim(), place.reclaim(1), place.reclaim(plan=plan_of(tags={"env": "x"}))
    for _ in range(15):
        for recovery_id in (one, two, denied):
            place.ask(guard, recovery_id)
    told = place.lines()
    assert told == [
        "auto-mode armed by --auto",
        f"auto-mode: goes on at {NOON + timedelta(seconds=21):%H:%M:%S} UTC unless somebody vetoes",
        "auto-mode: waits: 1 recoveries at once are the limit: press y to go now",
        "auto-mode: its tag env=x keeps auto-mode away (deny_tags): press y to recover it all the same",
    ]
    assert "keeps auto-mode away" in place.journal.audit.of(denied)[-1].detail


def test_asking_again_and_again_does_not_wake_the_screens(place: Place) -> None:
    guard = place.console(replace(AT_ONCE, max_at_once=1))
    one, two = place.reclaim(), place.reclaim(1)
    assert place.goes(guard, one)
    place.ask(guard, two)
    writes = place.journal.database.writes
    for _ in range(5):
        place.ask(guard, two)
    assert place.journal.database.writes == writes


def test_a_storm_of_a_hundred_on_two_consoles_never_has_more_than_the_cap(place: Place) -> None:
    guards = [place.console() for _ in range(2)]
    storm = [place.reclaim(number / 10) for number in range(100)]
    confirmed: list[str] = []
    most = [0]

    def console(guard: Guard) -> None:
        for recovery_id in storm:
            if guard.confirm(*place._asked(recovery_id, 200)):
                confirmed.append(recovery_id)
            most[0] = max(most[0], guard.state().in_flight)

    threads = [threading.Thread(target=console, args=(guard,)) for guard in guards]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(confirmed) == len(set(confirmed)) == 3
    assert most[0] == 3
    place.time.pass_s(1)
    rest = [one for one in storm if one not in confirmed]
    place.end(confirmed[0])
    assert [one for one in reversed(rest) if place.confirm(guards[0], one)] == rest[:1], "the nearest deadline"


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_happens_the_limits_hold(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    place = Place(tmp_path_factory.mktemp("guard"))
    policy = Policy(
        veto_window_s=data.draw(st.sampled_from((0, 3))),
        max_at_once=data.draw(st.integers(1, 3)),
        max_per_hour=data.draw(st.integers(1, 5)),
        max_added_cost_per_hour=1,
    )
    guards = [place.console(policy), place.console(policy)]
    costs = {
        place.reclaim(n, plan=plan_of(price=1, new_price=1 + cost)): cost for n, cost in enumerate((0, 0.3, 0.6) * 3)
    }
    confirmed: dict[str, datetime] = {}
    for _ in range(data.draw(st.integers(10, 30))):
        one = data.draw(st.sampled_from(sorted(costs)))
        match data.draw(st.sampled_from(("ask", "ask", "ask", "end", "hold", "late", "restart"))):
            case "ask":
                if place.goes(data.draw(st.sampled_from(guards)), one):
                    confirmed[one] = place.time.now()
            case "end" if one in confirmed:
                place.end(one)
            case "hold" if one not in confirmed:
                place.person(one, Decision.HOLD)
            case "late":
                place.time.pass_s(data.draw(st.sampled_from((5, 1800))))
            case "restart":
                place.kill(guards[0])
                guards[0] = place.console(policy)
        hour = [one for one, at in confirmed.items() if at > place.time.now() - timedelta(hours=1)]
        assert guards[0].state().in_flight <= policy.max_at_once
        assert len(hour) <= policy.max_per_hour
        assert sum(costs[one] for one in hour) <= 1
