"""What is said of a recovery's future: never better than what is known, and never better than it was a moment ago."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from spottui.domain.forecast import Verdict
from spottui.domain.interruption import Evidence, Interruption
from spottui.domain.places import sold_out
from spottui.domain.plan import Candidate, Stock
from spottui.domain.reasons import Doing, Failure, NextStep
from spottui.domain.recovery import Created, Recovery, RecoveryState
from spottui.domain.routes import Route
from spottui.domain.verdicts import image_expected, verdict_of, verdict_text

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DEADLINE = NOON + timedelta(seconds=300)
RECLAIM = Interruption("cn-hangzhou", "i-1", 1, NOON, DEADLINE, (Evidence.LOCK,))
WAITING = Recovery(RECLAIM, "web-1", RecoveryState.NEEDS_YOU, image_s=100.0)
REFUSED = Failure("CreateImage", "Forbidden.RAM", "permission")
RELEASE = NextStep(Doing.AWAIT_RELEASE, at=DEADLINE, count=1)
GOING = [state for state in RecoveryState if not state.is_final]
_WORSE = (Verdict.WILL_MAKE_IT, Verdict.TIGHT, Verdict.WILL_NOT)

seconds = st.floats(0, 2000)
recoveries = st.builds(
    lambda state, route, image_s, no_room, trouble, forecast_s, kept: replace(
        WAITING,
        state=state,
        route=route,
        image_s=image_s,
        no_room=no_room,
        trouble=trouble,
        forecast_at=None if forecast_s is None else NOON + timedelta(seconds=forecast_s),
        created=(Created("kept disk", "d-1"),) if kept else (),
        verdict=Verdict.WILL_MAKE_IT,
    ),
    st.sampled_from(GOING),
    st.sampled_from(Route),
    st.none() | seconds,
    st.booleans(),
    st.sampled_from((None, REFUSED)),
    st.none() | seconds,
    st.booleans(),
)


def after(gone_s: float) -> datetime:
    return NOON + timedelta(seconds=gone_s)


@given(st.floats(1, 1000), seconds, seconds)
def test_the_verdict_of_one_that_waits_only_gets_worse_with_time(image_s: float, first_s: float, more_s: float) -> None:
    waiting = replace(WAITING, image_s=image_s)
    said = [verdict_of(waiting, after(gone_s)) for gone_s in (first_s, first_s + more_s)]
    ranks = [_WORSE.index(one) for one in said if one]
    assert ranks == sorted(ranks)
    assert len(ranks) == 2


@pytest.mark.parametrize(
    ("gone_s", "verdict"), [(0, Verdict.WILL_MAKE_IT), (171, Verdict.TIGHT), (201, Verdict.WILL_NOT)]
)
def test_it_is_now_and_what_an_image_takes_against_the_deadline(gone_s: float, verdict: Verdict) -> None:
    assert verdict_of(WAITING, after(gone_s)) is verdict


@given(recoveries, seconds)
def test_it_will_make_it_only_by_an_image_that_comes_in_time_with_a_place_to_run(
    known: Recovery, gone_s: float
) -> None:
    now = after(gone_s)
    if verdict_of(known, now) is Verdict.WILL_MAKE_IT:
        expected = image_expected(known, now)
        assert known.route is Route.IMAGE
        assert not known.no_room
        assert not known.trouble or known.imaging_since
        assert expected is None or expected < DEADLINE
    assert verdict_of(known, now) is None or verdict_text(known, now)


@given(recoveries, seconds)
def test_no_image_is_expected_in_the_past(known: Recovery, gone_s: float) -> None:
    expected = image_expected(known, after(gone_s))
    assert expected is None or expected >= after(gone_s)


@given(recoveries, st.floats(300.001, 2000))
def test_after_the_deadline_nothing_will_be_in_time_any_more(known: Recovery, gone_s: float) -> None:
    known = replace(known, verdict=None)
    assert verdict_of(known, after(gone_s)) not in (Verdict.WILL_MAKE_IT, Verdict.TIGHT)


def test_a_veto_window_that_ends_late_is_part_of_the_forecast() -> None:
    window = replace(WAITING, state=RecoveryState.VETO_WINDOW, veto_until=NOON + timedelta(seconds=190))
    assert verdict_of(WAITING, NOON) is Verdict.WILL_MAKE_IT
    assert verdict_of(window, NOON) is Verdict.TIGHT


def test_kept_disks_are_promised_only_when_they_are_kept() -> None:
    by_disks = replace(WAITING, route=Route.KEPT_DISK)
    assert verdict_of(by_disks, NOON) is Verdict.WILL_NOT
    kept = replace(by_disks, created=(Created("kept disk", "d-1"),))
    assert verdict_of(kept, NOON) is Verdict.DATA_KEPT
    released = replace(kept, state=RecoveryState.IMAGING, next_step=RELEASE, forecast_at=NOON)
    assert verdict_of(released, after(400)) is Verdict.DATA_KEPT
    assert image_expected(released, NOON) is None


def test_where_no_place_has_room_that_is_said_beside_the_image() -> None:
    full = replace(WAITING, no_room=True)
    assert verdict_of(full, NOON) is Verdict.NO_ROOM
    assert verdict_text(full, NOON) == "NO ROOM · image WILL MAKE IT"
    assert verdict_of(full, after(250)) is Verdict.WILL_NOT
    launching = replace(full, state=RecoveryState.LAUNCHING)
    assert verdict_text(launching, NOON) == "NO ROOM · image ready"
    assert verdict_of(replace(full, route=Route.RESTART), NOON) is Verdict.DATA_KEPT


@pytest.mark.parametrize("trouble", [{"trouble": REFUSED}, {"unseen_since": NOON}])
def test_what_was_refused_or_is_not_seen_is_not_known_unless_it_is_too_late_anyway(trouble: dict[str, object]) -> None:
    imaging = replace(WAITING, state=RecoveryState.IMAGING, **trouble)  # type: ignore[arg-type]
    assert verdict_of(imaging, NOON) is Verdict.NOT_KNOWN
    assert verdict_of(imaging, after(250)) is Verdict.WILL_NOT


def test_of_one_that_ended_the_last_forecast_stays() -> None:
    ended = replace(WAITING, state=RecoveryState.FAILED, verdict=Verdict.TIGHT, no_room=True)
    assert verdict_of(ended, after(900)) is Verdict.TIGHT


def test_a_place_that_a_dry_run_refuses_for_stock_is_not_called_in_stock() -> None:
    one = Candidate("t", "z", "vsw", "same type; in stock, interrupted 0-3%", stock=Stock.GOOD)
    assert sold_out(one) == replace(one, stock=Stock.NONE, reason="same type; sold out, interrupted 0-3%")
