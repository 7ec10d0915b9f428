"""What auto-mode may do by itself: who armed it, which recoveries are its business, and their veto windows."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from spottui import words
from spottui.domain.facts import (
    CancelAsked,
    Decided,
    NotArmed,
    Stop,
    Stopped,
)
from spottui.domain.reasons import Why
from spottui.domain.recovery import Decision
from spottui.domain.refusal import Refused
from spottui.domain.settings import Policy
from spottui.recovery.auto_mode_rules import AUTO, Grant
from spottui.words import stopped
from tests.journal.given import plan_of
from tests.recovery.consoles import AT_ONCE, LUNCH, Place


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
    with pytest.raises(Refused, match="remove it, then arm again"):
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
        assert place.lines() == [*lines, f"auto-mode disarmed by its safety limits: {stopped(found)}"]


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


def test_what_another_service_owns_is_left_to_it(place: Place) -> None:
    auto = place.console()
    one = place.reclaim(plan=plan_of(tags={"karpenter.sh/nodepool": "spot"}))
    assert words.reason(place.refusal(auto, one).reason) == (
        "left to its owner, Karpenter spot: press y to recover it anyway"
    )
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
