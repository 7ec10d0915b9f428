"""How much auto-mode may do, and who goes first, counted in the journal whatever number of consoles there are."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from spottui.domain.facts import (
    CancelAsked,
    DriverChanged,
    Retried,
)
from spottui.domain.reasons import Reason, Why
from spottui.domain.recovery import Decision, RecoveryState
from spottui.domain.settings import Policy
from spottui.recovery.auto_mode_rules import Grant, Refusal
from tests.driving import wait_until
from tests.journal.given import NOON, plan_of
from tests.recovery.consoles import AT_ONCE, Place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.close()


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
    wait_until(lambda: place.goes(auto, last), 5)


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
