"""What auto-mode may do by itself, counted in the journal, whatever number of consoles there are."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spottui import words
from spottui.domain.facts import (
    AutoAnswered,
    CallAnswered,
    CallBegun,
    CancelAsked,
    Decided,
    DriverChanged,
    Fact,
    LaunchRefused,
    Logged,
    NotArmed,
    Retried,
    Stop,
    Stopped,
)
from spottui.domain.forecast import Forecast
from spottui.domain.instance import SCALING_GROUP_TAG
from spottui.domain.interruption import Evidence
from spottui.domain.plan import Candidate, Plan, Route
from spottui.domain.reasons import Failure, Reason, Why
from spottui.domain.recovery import Decision, Recovery, RecoveryState, Try
from spottui.domain.refusal import Refused
from spottui.domain.settings import Policy
from spottui.domain.view import AutoMode
from spottui.journal import Journal
from spottui.recovery.auto_mode import AutoModeControl
from spottui.recovery.auto_mode_rules import AUTO, Grant, Refusal
from spottui.words import EventKind, stopped
from tests.journal import given as journals
from tests.journal.given import NOON, plan_of, sign

ZONE = "cn-hangzhou-h"
AT_ONCE = Policy(veto_window_s=0, max_at_once=3, max_per_hour=100)
LUNCH = Stopped(Stop.PERSON, "ann")


class Time:
    """The clock of every console of a test, moved by hand."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at

    def pass_s(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class Place:
    """One journal, and what several consoles on it do, each with the journal opened anew as another process has it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.path = directory / "journal.db"
        self.journal = Journal(self.path, acts=True)
        self.time = Time()
        self.journals: dict[AutoModeControl, Journal] = {}
        self._numbers = iter(range(100_000))

    def console(self, policy: Policy = AT_ONCE, *, armed: bool = True, read_only: bool = False) -> AutoModeControl:
        journal = Journal(self.path, read_only=read_only, acts=not read_only)
        journal.follow()
        auto_mode = AutoModeControl(journal, policy, self.time)
        self.journals[auto_mode] = journal
        if not read_only:
            # It has dropped what the dead said: a console that dies now dies later than its start.
            journal.run(lambda _: None)
        if armed:
            auto_mode.arm("--auto", stopped)
        return auto_mode

    def kill(self, auto_mode: AutoModeControl) -> None:
        """Let the console's lock go, as the end of its process does."""
        self.journals[auto_mode].consoles.close()

    def close(self) -> None:
        for journal in (self.journal, *self.journals.values()):
            journal.close()

    def reclaim(self, after_s: float = 0, *, locked: bool = True, plan: Plan | None = None) -> str:
        """Open a recovery with a plan, whose notice came `after_s` after now; return its id."""
        source = Evidence.LOCK if locked else Evidence.QUEUE
        return self.notice(f"i-{next(self._numbers)}", source, after_s, plan)

    def notice(self, instance_id: str, source: Evidence, after_s: float = 0, plan: Plan | None = None) -> str:
        seen = replace(sign(instance_id, source), at=self.time.now() + timedelta(seconds=after_s))
        (recovery_id,) = journals.observe(self.journal, seen, now=self.time.now())
        journals.set_plan(self.journal, recovery_id, plan or plan_of(), self.time.now())
        return recovery_id

    def recovery(self, recovery_id: str, auto_mode: AutoModeControl | None = None) -> Recovery:
        """Return a recovery as a console knows it that has read all that is on disk."""
        journal = self.journals[auto_mode] if auto_mode else self.journal
        journal.run(lambda _: None)
        return journals.known(journal, recovery_id)

    def ask(self, auto_mode: AutoModeControl, recovery_id: str, *, slack_s: float = 200) -> Grant | Refusal:
        """Ask a second after whatever was before, as recoveries do that wait."""
        self.time.pass_s(1)
        return asyncio.run(auto_mode.ask(*self.case(auto_mode, recovery_id, slack_s)))

    def confirm(self, auto_mode: AutoModeControl, recovery_id: str, *, slack_s: float = 200) -> bool:
        return asyncio.run(auto_mode.confirm(*self.case(auto_mode, recovery_id, slack_s)))

    def refusal(self, auto_mode: AutoModeControl, recovery_id: str) -> Refusal:
        answer = self.ask(auto_mode, recovery_id)
        assert isinstance(answer, Refusal), answer
        return answer

    def why(self, auto_mode: AutoModeControl, recovery_id: str) -> Why:
        return self.refusal(auto_mode, recovery_id).reason.why

    def goes(self, auto_mode: AutoModeControl, recovery_id: str) -> bool:
        """Ask, and confirm at once where auto-mode may."""
        return isinstance(self.ask(auto_mode, recovery_id), Grant) and self.confirm(auto_mode, recovery_id)

    def state(self, auto_mode: AutoModeControl) -> AutoMode:
        """Return what a console shows that has read all that is on disk, some seconds later."""
        self.time.pass_s(5)
        if not self.journals[auto_mode].store.read_only:
            self.journals[auto_mode].run(lambda _: None)
        return auto_mode.state()

    def person(self, recovery_id: str, decision: Decision = Decision.CONFIRM) -> None:
        self.record(recovery_id, Decided(decision, "ann@bastion"))

    def record(self, recovery_id: str, *facts: Fact) -> None:
        journals.record(self.journal, recovery_id, *facts, now=self.time.now())

    def end(self, recovery_id: str, state: RecoveryState = RecoveryState.RECOVERED) -> None:
        journals.enter(self.journal, recovery_id, state, self.time.now())

    def log(self) -> list[Logged]:
        return list(self.journal.log.after(0, 10_000))

    def lines(self) -> list[str]:
        return [words.text(one) for one in self.log() if words.event_kind(one.fact) is EventKind.AUTO]

    def case(
        self, auto_mode: AutoModeControl, recovery_id: str, slack_s: float = 200
    ) -> tuple[Recovery, Plan, Forecast]:
        recovery, plan = self.recovery(recovery_id, auto_mode), self.journal.recoveries.plan(recovery_id)
        assert plan
        return recovery, plan, Forecast(recovery.deadline - timedelta(seconds=slack_s), recovery.deadline)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.close()


# Who armed it, and what disarms it.


def test_disarmed_at_start_and_armed_by_somebody(place: Place) -> None:
    auto = place.console(armed=False)
    one = place.reclaim()
    assert place.why(auto, one) is Why.PLAN_READY
    assert not place.confirm(auto, one)
    auto.arm("ann@bastion pts/1", stopped)
    armed_at = place.time.now()
    state = place.state(auto)
    assert (state.armed, state.who, state.since) == (True, "ann@bastion pts/1", armed_at)
    assert place.goes(auto, one)
    assert place.recovery(one).who == AUTO


def test_a_second_console_sees_what_the_first_armed_and_disarms_nothing_by_starting(place: Place) -> None:
    first = place.console()
    second, reader = place.console(armed=False), place.console(armed=False, read_only=True)
    assert place.state(first).armed
    assert place.state(second).armed
    assert place.state(reader).armed
    assert place.goes(second, place.reclaim())


def test_what_a_dead_console_armed_counts_no_more(place: Place) -> None:
    first, second = place.console(), place.console(armed=False)
    place.kill(first)
    assert not place.state(second).armed
    assert place.state(second).stopped == Stopped(Stop.CONSOLE_ENDED)
    assert not place.goes(second, place.reclaim())
    third = place.console(armed=False)
    assert place.state(third).stopped is None, "a fresh start is simply not armed"


def test_a_console_that_armed_too_keeps_it_armed_when_the_other_dies(place: Place) -> None:
    first, second = place.console(), place.console()
    place.kill(first)
    assert place.state(second).armed


def test_a_person_disarms_for_all_and_the_reason_stays(place: Place) -> None:
    first, second = place.console(), place.console()
    second.disarm("ann@bastion", LUNCH)
    for auto in (first, second):
        state = place.state(auto)
        assert (state.armed, state.who, state.stopped) == (False, "ann@bastion", LUNCH)
    assert not place.goes(first, place.reclaim())
    assert place.lines()[-1] == "auto-mode disarmed by ann@bastion"


def test_a_stop_file_disarms_for_good_and_arming_is_refused_while_it_is_there(place: Place) -> None:
    stop_file = place.directory / "stop"
    auto = place.console(replace(AT_ONCE, stop_file=str(stop_file)))
    one = place.reclaim()
    stop_file.touch()
    assert not place.goes(auto, one)
    assert not place.confirm(auto, one)
    with pytest.raises(Refused, match="remove it and arm again"):
        auto.arm("ann", stopped)
    assert place.log()[-1].fact == NotArmed("ann", Stopped(Stop.STOP_FILE, str(stop_file)))
    stop_file.unlink()
    assert not place.state(auto).armed
    auto.arm("ann", stopped)
    assert place.goes(auto, one)


def test_a_stop_file_counts_between_the_grant_and_the_confirmation(place: Place) -> None:
    stop_file = place.directory / "stop"
    auto = place.console(replace(AT_ONCE, stop_file=str(stop_file)))
    one = place.reclaim()
    assert isinstance(place.ask(auto, one), Grant)
    stop_file.symlink_to("nowhere")
    assert not place.confirm(auto, one)
    assert place.recovery(one).decision is Decision.NONE


def test_looking_at_the_state_is_enough_for_the_stop_file_but_a_reader_writes_nothing(place: Place) -> None:
    stop_file = place.directory / "stop"
    policy = replace(AT_ONCE, stop_file=str(stop_file))
    auto, reader = place.console(policy), place.console(policy, armed=False, read_only=True)
    stop_file.touch()
    lines = place.lines()
    assert not place.state(reader).armed
    assert place.lines() == lines
    found = Stopped(Stop.STOP_FILE, str(stop_file))
    for _ in range(2):
        assert place.state(auto).stopped == found
        place.state(auto)
        assert place.lines() == [*lines, f"auto-mode disarmed by the guard: {stopped(found)}"]


# Which recoveries are none of auto-mode's business.


def test_only_what_a_lock_has_confirmed(place: Place) -> None:
    auto = place.console()
    one = place.reclaim(locked=False)
    assert place.why(auto, one) is Why.NO_LOCK_AUTO_STAYS_AWAY
    assert not place.confirm(auto, one)


@pytest.mark.parametrize("decision", [Decision.HOLD, Decision.VETO, Decision.CONFIRM])
def test_what_a_person_said_is_left_alone(place: Place, decision: Decision) -> None:
    auto = place.console()
    one = place.reclaim()
    place.person(one, decision)
    assert not place.goes(auto, one)
    assert place.recovery(one).who == "ann@bastion"


def test_a_person_who_speaks_after_the_grant_wins(place: Place) -> None:
    auto = place.console()
    one, two = place.reclaim(), place.reclaim()
    for recovery_id, word in ((one, Decided(Decision.VETO, "ann")), (two, CancelAsked("ann"))):
        before = place.case(auto, recovery_id)
        assert isinstance(asyncio.run(auto.ask(*before)), Grant)
        place.record(recovery_id, word)
        assert not asyncio.run(auto.confirm(*before))
        assert place.recovery(recovery_id).who != AUTO


def test_nobody_is_confirmed_twice(place: Place) -> None:
    first, second = place.console(), place.console()
    one = place.reclaim()
    first_case, second_case = place.case(first, one), place.case(second, one)
    assert asyncio.run(first.confirm(*first_case))
    assert not asyncio.run(second.confirm(*second_case))
    assert [place.state(one).last_hour for one in (first, second)] == [1, 1]


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
    auto = place.console(replace(AT_ONCE, **policy))
    one = place.reclaim(plan=plan_of(tags=tags))
    if not why:
        assert place.goes(auto, one)
        return
    told = words.reason(place.refusal(auto, one).reason)
    assert why in told
    assert "press y" in told
    assert place.refusal(auto, one).ahead is None, "it stands in nobody's way"
    assert not place.confirm(auto, one)


def test_a_scaling_group_replaces_its_own(place: Place) -> None:
    auto = place.console()
    one = place.reclaim(plan=plan_of(tags={SCALING_GROUP_TAG: "asg-1"}))
    assert place.why(auto, one) is Why.SCALING_GROUP
    assert not place.confirm(auto, one)


# Veto windows.


def test_a_veto_window_runs_to_its_end_and_holds_a_place(place: Place) -> None:
    auto = place.console(Policy(veto_window_s=20, max_at_once=1))
    one, two = place.reclaim(), place.reclaim()
    answer = place.ask(auto, one)
    assert answer == Grant(place.time.now() + timedelta(seconds=20))
    place.time.pass_s(10)
    assert place.ask(auto, one) == answer, "asked again it is still the same window"
    assert not place.confirm(auto, one)
    assert place.why(auto, two) is Why.AT_ONCE
    place.time.pass_s(10)
    assert place.confirm(auto, one)
    assert not place.goes(auto, two)


def test_nobody_is_confirmed_without_having_had_the_window(place: Place) -> None:
    auto = place.console(Policy(veto_window_s=20))
    assert not place.confirm(auto, place.reclaim())


@pytest.mark.parametrize(("slack_s", "window_s"), [(200, 20), (45, 15), (30, 0), (-100, 0)])
def test_the_window_gives_way_as_the_time_runs_out(place: Place, slack_s: float, window_s: float) -> None:
    auto = place.console(Policy(veto_window_s=20))
    answer = place.ask(auto, place.reclaim(), slack_s=slack_s)
    assert answer == Grant(place.time.now() + timedelta(seconds=window_s))


def test_a_window_that_runs_is_cut_short_when_the_forecast_gets_worse(place: Place) -> None:
    auto = place.console(Policy(veto_window_s=20))
    one = place.reclaim()
    place.ask(auto, one)
    assert place.ask(auto, one, slack_s=10) == Grant(place.time.now())
    assert place.confirm(auto, one, slack_s=10)


def test_disarming_ends_the_windows(place: Place) -> None:
    auto = place.console(Policy(veto_window_s=20))
    one = place.reclaim()
    place.ask(auto, one)
    auto.disarm("ann", LUNCH)
    auto.arm("ann", stopped)
    place.time.pass_s(20)
    assert not place.confirm(auto, one), "the window begins anew"


def test_a_window_that_a_person_holds_gives_its_place_back(place: Place) -> None:
    auto = place.console(Policy(veto_window_s=20, max_at_once=1))
    one, two = place.reclaim(), place.reclaim()
    place.ask(auto, one)
    place.person(one, Decision.HOLD)
    assert isinstance(place.ask(auto, two), Grant)


# How many, and who first.


def test_the_nearest_deadline_goes_first_and_the_others_say_so(place: Place) -> None:
    auto = place.console()
    running = [place.reclaim() for _ in range(3)]
    assert all(place.goes(auto, one) for one in running)
    late, middle, soon = place.reclaim(30), place.reclaim(20), place.reclaim(10)
    assert place.refusal(auto, late) == Refusal(Reason(Why.AT_ONCE, amounts=(3,)), ahead=0)
    for one in (middle, soon):
        place.ask(auto, one)
    assert [place.refusal(auto, one).ahead for one in (late, middle, soon)] == [2, 1, 0]
    assert place.state(auto).waiting == 3
    place.end(running[0])
    assert not place.goes(auto, late)
    assert not place.goes(auto, middle)
    assert place.goes(auto, soon)
    place.end(running[1])
    assert not place.goes(auto, late)
    assert place.goes(auto, middle)


def test_one_place_for_each_of_the_nearest(place: Place) -> None:
    auto = place.console()
    running = [place.reclaim() for _ in range(3)]
    assert all(place.goes(auto, one) for one in running)
    waiting = [place.reclaim(number) for number in range(4)]
    for one in waiting:
        place.ask(auto, one)
    for one in running[:2]:
        place.end(one)
    assert [place.goes(auto, one) for one in reversed(waiting)] == [False, False, True, True]


def test_one_that_cannot_go_holds_nobody_up(place: Place) -> None:
    auto = place.console(replace(AT_ONCE, max_at_once=1, deny_tags={"env": "prod"}, max_added_cost_per_hour=1))
    running = place.reclaim()
    assert place.goes(auto, running)
    denied = place.reclaim(1, plan=plan_of(tags={"env": "prod"}))
    dear = place.reclaim(2, plan=plan_of(price=1, new_price=5))
    held, vetoed, unlocked = place.reclaim(3), place.reclaim(4), place.reclaim(5, locked=False)
    over, cancelled = place.reclaim(6), place.reclaim(7)
    for one in (denied, dear, held, vetoed, unlocked, over, cancelled):
        place.ask(auto, one)
    place.person(held, Decision.HOLD)
    place.person(vetoed, Decision.VETO)
    place.end(over, RecoveryState.SKIPPED)
    place.record(cancelled, CancelAsked("ann"))
    last = place.reclaim(100)
    place.ask(auto, last)
    place.end(running)
    assert place.goes(auto, last)


def test_one_whose_console_has_died_holds_nobody_up(place: Place) -> None:
    auto, other = place.console(replace(AT_ONCE, max_at_once=1)), place.console(armed=False)
    running, left, last = place.reclaim(), place.reclaim(1), place.reclaim(2)
    place.record(left, DriverChanged(place.journals[other].consoles.own, 2))
    assert place.goes(auto, running)
    place.ask(auto, left)
    place.ask(auto, last)
    place.end(running)
    assert not place.goes(auto, last)
    place.kill(other)
    assert place.goes(auto, last)


def test_one_in_line_for_long_keeps_its_turn(place: Place) -> None:
    auto = place.console(replace(AT_ONCE, max_at_once=1))
    running, soon, last = place.reclaim(), place.reclaim(1), place.reclaim(2)
    assert place.goes(auto, running)
    for _ in range(50):
        place.ask(auto, soon)
        place.ask(auto, last)
    place.end(running)
    assert not place.goes(auto, last)
    assert place.goes(auto, soon)


def test_what_people_confirm_counts_too(place: Place) -> None:
    auto = place.console(replace(AT_ONCE, max_at_once=1))
    theirs, ours = place.reclaim(), place.reclaim()
    assert isinstance(place.ask(auto, ours), Grant)
    place.person(theirs)
    assert place.state(auto).in_flight == 1
    assert not place.confirm(auto, ours)


def test_of_two_in_their_window_the_nearer_keeps_the_place_that_is_left(place: Place) -> None:
    auto = place.console(Policy(veto_window_s=20, max_at_once=2))
    soon, late, theirs = place.reclaim(), place.reclaim(10), place.reclaim()
    place.ask(auto, soon)
    place.ask(auto, late)
    place.person(theirs)
    place.time.pass_s(20)
    assert place.confirm(auto, soon)
    assert not place.confirm(auto, late)


def test_a_window_that_runs_keeps_its_place_before_a_nearer_deadline(place: Place) -> None:
    auto = place.console(Policy(veto_window_s=20, max_at_once=1))
    late, soon = place.reclaim(10), place.reclaim()
    place.ask(auto, late)
    assert place.why(auto, soon) is Why.AT_ONCE
    place.time.pass_s(20)
    assert place.confirm(auto, late)


def test_no_more_than_so_many_an_hour(place: Place) -> None:
    auto = place.console(replace(AT_ONCE, max_per_hour=2))
    first, second, third = (place.reclaim() for _ in range(3))
    assert place.goes(auto, first)
    place.time.pass_s(600)
    assert place.goes(auto, second)
    place.end(first)
    place.end(second)
    refusal = place.refusal(auto, third)
    assert refusal == Refusal(Reason(Why.PER_HOUR, amounts=(2,), at=NOON + timedelta(hours=1, seconds=1)), ahead=0)
    assert place.state(auto).last_hour == 2
    place.time.pass_s(3000)
    assert place.goes(auto, third)
    place.end(third)
    assert not place.goes(auto, place.reclaim())


def test_those_in_their_window_count_for_the_hour(place: Place) -> None:
    auto = place.console(Policy(veto_window_s=20, max_at_once=5, max_per_hour=1))
    one, two = place.reclaim(), place.reclaim()
    assert isinstance(place.ask(auto, one), Grant)
    assert place.why(auto, two) is Why.PER_HOUR


def test_another_run_that_a_person_began_leaves_the_count_as_it_was(place: Place) -> None:
    auto = place.console()
    one = place.reclaim()
    assert place.goes(auto, one)
    place.end(one, RecoveryState.FAILED)
    place.record(one, Retried(1, "ann"))
    assert place.state(auto).last_hour == 1


# Money.


def test_the_ceiling_is_for_the_sum_of_an_hour(place: Place) -> None:
    auto = place.console(replace(AT_ONCE, max_at_once=9, max_added_cost_per_hour=1))
    dear = plan_of(price=1, new_price=1.5)
    assert place.goes(auto, place.reclaim(plan=dear))
    assert place.goes(auto, place.reclaim(plan=dear))
    assert place.state(auto).added_cost_per_hour == 1
    third = place.reclaim(plan=dear)
    assert place.refusal(auto, third) == Refusal(Reason(Why.COST_CEILING, amounts=(1.5, 1)))
    assert not place.confirm(auto, third)
    assert place.goes(auto, place.reclaim(plan=plan_of(price=1, new_price=0.5))), "what adds nothing goes"
    place.time.pass_s(3600)
    assert place.goes(auto, third)


def test_what_adds_nothing_goes_even_above_the_ceiling(place: Place) -> None:
    rich, poor = (place.console(replace(AT_ONCE, max_added_cost_per_hour=ceiling)) for ceiling in (9, 1))
    assert place.goes(rich, place.reclaim(plan=plan_of(price=1, new_price=6)))
    assert place.goes(poor, place.reclaim(plan=plan_of(price=1, new_price=1)))


def test_one_that_is_over_the_ceiling_alone_waits_for_a_person(place: Place) -> None:
    auto = place.console(replace(AT_ONCE, max_added_cost_per_hour=1))
    assert place.why(auto, place.reclaim(plan=plan_of(price=1, new_price=5))) is Why.COST_CEILING


def test_those_in_their_window_count_for_the_ceiling(place: Place) -> None:
    auto = place.console(Policy(veto_window_s=20, max_at_once=5, max_added_cost_per_hour=1))
    one, two = (place.reclaim(plan=plan_of(price=1, new_price=1.8)) for _ in range(2))
    assert isinstance(place.ask(auto, one), Grant)
    assert place.why(auto, two) is Why.COST_CEILING


def test_under_a_ceiling_nothing_goes_before_its_cost_is_known(place: Place) -> None:
    unknown = replace(plan_of(), surveyed=False)
    auto = place.console(replace(AT_ONCE, max_added_cost_per_hour=1))
    assert place.why(auto, place.reclaim(plan=unknown)) is Why.COST_NOT_KNOWN
    assert place.goes(place.console(), place.reclaim(plan=unknown)), "without a ceiling it does not matter"


# Circuit breakers.


def ended(place: Place, auto: AutoModeControl, *states: RecoveryState) -> None:
    for state in states:
        one = place.reclaim()
        assert place.goes(auto, one)
        place.time.pass_s(1)
        place.end(one, state)


RECOVERED, FAILED = RecoveryState.RECOVERED, RecoveryState.FAILED


def test_failures_in_a_row_disarm_until_somebody_arms_again(place: Place) -> None:
    auto, other = place.console(), place.console()
    ended(place, auto, FAILED, FAILED, FAILED)
    assert not place.goes(other, place.reclaim())
    assert "disarmed by the guard: 3 recoveries" in place.lines()[-1]
    assert not place.state(auto).armed
    tripped = Stopped(Stop.BREAKER, count=3)
    assert [place.state(one).stopped for one in (auto, other)] == [tripped, tripped]
    auto.arm("ann", stopped)
    assert place.state(auto).armed
    ended(place, auto, FAILED, FAILED)
    assert place.state(auto).armed
    ended(place, auto, FAILED)
    assert not place.state(auto).armed


def test_a_success_between_begins_the_row_anew_and_a_no_does_not(place: Place) -> None:
    auto = place.console()
    ended(place, auto, FAILED, FAILED, RECOVERED, FAILED, FAILED)
    assert place.state(auto).armed
    ended(place, auto, RecoveryState.CANCELLED)
    assert place.state(auto).armed
    ended(place, auto, FAILED)
    assert not place.state(auto).armed


def test_what_people_confirmed_does_not_trip_the_breaker(place: Place) -> None:
    auto = place.console(replace(AT_ONCE, deny_tags={"env": ""}))
    ended(place, auto, FAILED, FAILED)
    theirs = place.reclaim(plan=plan_of(tags={"env": "x"}))
    assert not place.goes(auto, theirs)
    place.person(theirs)
    place.time.pass_s(1)
    place.end(theirs, FAILED)
    assert place.state(auto).armed


def test_a_failure_counts_although_a_person_tries_again(place: Place) -> None:
    auto = place.console()
    ended(place, auto, FAILED, FAILED)
    one = place.reclaim()
    assert place.goes(auto, one)
    place.time.pass_s(1)
    place.end(one, FAILED)
    place.record(one, Retried(1, "ann"))
    place.end(one, RECOVERED)
    assert not place.state(auto).armed


def test_the_breaker_trips_between_the_grant_and_the_confirmation(place: Place) -> None:
    auto = place.console(replace(AT_ONCE, max_at_once=9))
    running = [place.reclaim() for _ in range(3)]
    assert all(place.goes(auto, one) for one in running)
    last = place.reclaim()
    assert isinstance(place.ask(auto, last), Grant)
    for one in running:
        place.end(one, FAILED)
    assert not place.confirm(auto, last)


def launched(place: Place, auto: AutoModeControl, zone: str = ZONE) -> tuple[str, str]:
    """Let auto-mode launch into a zone; return the recovery and the replacement."""
    candidate = Candidate("ecs.c7.large", zone, "vsw", "")
    one = place.reclaim(plan=plan_of(candidate))
    assert place.goes(auto, one)
    new_id = f"{one}-new"
    before = Try(("ecs.g7.large", "cn-hangzhou-k", False), "vsw", "m-1", "t0")
    made, after = Try(candidate.place, "vsw", "m-1", "t1"), replace(before, client_token="t2")
    no_stock = Failure("RunInstances", "NoStock", "no stock")
    place.record(
        one,
        CallBegun("RunInstances", "t0", attempt=before),
        LaunchRefused("t0", no_stock),
        CallBegun("RunInstances", "t1", attempt=made),
        CallAnswered("RunInstances", "t1", resources=(new_id,)),
        CallBegun("RunInstances", "t2", attempt=after),
        LaunchRefused("t2", no_stock),
    )
    return one, new_id


def test_a_place_that_takes_its_replacements_back_rests_for_an_hour(place: Place) -> None:
    auto = place.console(replace(AT_ONCE, max_at_once=99, breaker_failures=2))
    there = (Candidate("ecs.c7.large", ZONE, "vsw", ""),)
    for number in range(2):
        one, new_id = launched(place, auto)
        place.end(one)
        place.time.pass_s(600)
        if number:
            assert auto.resting() == {}
        place.notice(new_id, Evidence.LOCK)
        place.time.pass_s(6)
    again = place.reclaim(plan=plan_of(*there))
    told = words.reason(place.refusal(auto, again).reason)
    assert "2 replacements of auto-mode in ecs.c7.large cn-hangzhou-h" in told
    assert not place.confirm(auto, again)
    assert [kind for kind, _ in place.state(auto).resting] == ["ecs.c7.large cn-hangzhou-h"]
    around = place.reclaim(plan=plan_of(*there, Candidate("ecs.c7.large", "cn-hangzhou-i", "vsw", "")))
    assert place.goes(auto, around), "another place is left"
    restart = place.reclaim(plan=replace(plan_of(*there), routes=(Route.RESTART, Route.IMAGE)))
    assert place.goes(auto, restart), "a restart launches nowhere"
    place.time.pass_s(3600)
    assert auto.resting() == {}
    assert place.goes(auto, again)


def test_a_place_where_replacements_fail_rests_too_but_not_for_other_reasons(place: Place) -> None:
    auto = place.console(replace(AT_ONCE, max_at_once=99, breaker_failures=2))
    ended(place, auto, FAILED, RECOVERED)  # nothing was launched
    one, _ = launched(place, auto)
    place.end(one, FAILED)
    two, new_id = launched(place, auto)
    place.end(two)
    place.notice(new_id, Evidence.QUEUE)  # a drill
    place.time.pass_s(6)
    assert auto.resting() == {}
    three, late = launched(place, auto)
    place.end(three)
    place.time.pass_s(3601)
    place.notice(late, Evidence.LOCK)  # it lived for more than an hour
    four, _ = launched(place, auto)
    place.end(four, FAILED)
    place.time.pass_s(6)
    ended(place, auto, RECOVERED)
    assert auto.resting() == {}
    for _ in range(2):
        one, _ = launched(place, auto, "cn-hangzhou-i")
        place.end(one, FAILED)
        ended(place, auto, RECOVERED)
    place.time.pass_s(6)
    assert set(auto.resting()) == {("ecs.c7.large", "cn-hangzhou-i", False)}


# The feed, and storms.


def test_the_feed_tells_what_changes_and_not_what_is_asked_every_second(place: Place) -> None:
    auto = place.console(Policy(veto_window_s=20, max_at_once=1, deny_tags={"env": ""}))
    one, two, denied = place.reclaim(), place.reclaim(1), place.reclaim(plan=plan_of(tags={"env": "x"}))
    for _ in range(15):
        for recovery_id in (one, two, denied):
            place.ask(auto, recovery_id)
    told = place.lines()
    assert told == [
        "auto-mode armed by --auto",
        f"auto-mode: goes on at {NOON + timedelta(seconds=21):%H:%M:%S} UTC unless somebody vetoes",
        "auto-mode: waits: 1 recoveries at once are the limit: press y to go now",
        "auto-mode: its tag env=x keeps auto-mode away (deny_tags): press y to recover it all the same",
    ]
    last = place.journal.log.last(AutoAnswered, denied)
    assert last
    assert last.fact.reason.why is Why.DENY_TAG


def test_asking_again_and_again_does_not_wake_the_screens(place: Place) -> None:
    auto = place.console(replace(AT_ONCE, max_at_once=1))
    one, two = place.reclaim(), place.reclaim(1)
    assert place.goes(auto, one)
    place.ask(auto, two)
    written = len(place.log())
    for _ in range(5):
        place.ask(auto, two)
    assert len(place.log()) == written


def test_a_storm_of_a_hundred_on_two_consoles_never_has_more_than_the_cap(place: Place) -> None:
    consoles = [place.console() for _ in range(2)]
    storm = [place.reclaim(number / 10) for number in range(100)]
    confirmed: list[str] = []
    most = [0]

    def console(auto: AutoModeControl) -> None:
        for recovery_id in storm:
            if place.confirm(auto, recovery_id):
                confirmed.append(recovery_id)
            most[0] = max(most[0], auto.state().in_flight)

    threads = [threading.Thread(target=console, args=(auto,)) for auto in consoles]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(confirmed) == len(set(confirmed)) == 3
    assert [place.recovery(one).who for one in confirmed] == [AUTO] * 3
    assert most[0] == 3
    place.time.pass_s(1)
    rest = [one for one in storm if one not in confirmed]
    place.end(confirmed[0])
    assert [one for one in reversed(rest) if place.confirm(consoles[0], one)] == rest[:1], "the nearest deadline"


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_happens_the_limits_hold(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    place = Place(tmp_path_factory.mktemp("auto-mode"))
    policy = Policy(
        veto_window_s=data.draw(st.sampled_from((0, 3))),
        max_at_once=data.draw(st.integers(1, 3)),
        max_per_hour=data.draw(st.integers(1, 5)),
        max_added_cost_per_hour=1,
    )
    consoles = [place.console(policy), place.console(policy)]
    costs = {
        place.reclaim(n, plan=plan_of(price=1, new_price=1 + cost)): cost for n, cost in enumerate((0, 0.3, 0.6) * 3)
    }
    confirmed: dict[str, datetime] = {}
    for _ in range(data.draw(st.integers(10, 30))):
        one = data.draw(st.sampled_from(sorted(costs)))
        match data.draw(st.sampled_from(("ask", "ask", "ask", "end", "hold", "late", "restart"))):
            case "ask":
                if place.goes(data.draw(st.sampled_from(consoles)), one):
                    confirmed[one] = place.time.now()
            case "end" if one in confirmed:
                place.end(one)
            case "hold" if one not in confirmed:
                place.person(one, Decision.HOLD)
            case "late":
                place.time.pass_s(data.draw(st.sampled_from((5, 1800))))
            case "restart":
                place.kill(consoles[0])
                consoles[0] = place.console(policy)
        hour = [one for one, at in confirmed.items() if at > place.time.now() - timedelta(hours=1)]
        assert place.state(consoles[0]).in_flight <= policy.max_at_once
        assert len(hour) <= policy.max_per_hour
        assert sum(costs[one] for one in hour) <= 1
