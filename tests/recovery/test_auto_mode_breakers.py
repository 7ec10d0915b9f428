"""What stops auto-mode by itself, what it writes of itself, and that its limits hold whatever happens."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from spottui import words
from spottui.domain.facts import (
    AutoAnswered,
    CallAnswered,
    CallBegun,
    LaunchRefused,
    Retried,
    Stop,
    Stopped,
)
from spottui.domain.interruption import Evidence
from spottui.domain.plan import Candidate
from spottui.domain.reasons import Failure, Why
from spottui.domain.recovery import Decision, RecoveryState, Try
from spottui.domain.routes import Route
from spottui.domain.settings import Policy
from spottui.recovery.auto_mode import AutoModeControl
from spottui.recovery.auto_mode_rules import AUTO, Grant
from spottui.words import stopped
from tests.journal.given import NOON, plan_of
from tests.recovery.consoles import AT_ONCE, ZONE, Place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.close()


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
    assert "disarmed by its safety limits: 3 auto-mode recoveries" in place.lines()[-1]
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
    assert "2 auto-mode replacements in ecs.c7.large cn-hangzhou-h" in told
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
        f"auto-mode: proceeds at {NOON + timedelta(seconds=21):%H:%M:%S} UTC unless vetoed",
        "auto-mode: queued: limit of 1 recoveries at once: press y to start now",
        "auto-mode: its tag env=x excludes it from auto-mode (deny_tags): press y to recover it anyway",
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
