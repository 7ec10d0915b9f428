"""What makes one interruption out of many observations."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from spottui.domain.interruption import (
    NOTICE,
    Course,
    Evidence,
    Interruption,
    Observation,
    first_sight,
    fuse,
    plausible,
    same_reclaim,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def seen(source: Evidence, after_s: float = 0, **fields: object) -> Observation:
    return Observation("cn-hangzhou", "i-1", source, NOON + timedelta(seconds=after_s), **fields)


def opened(source: Evidence = Evidence.QUEUE) -> Interruption:
    return first_sight(seen(source), NOON)


observations = st.builds(seen, st.sampled_from(Evidence), st.floats(0, 240))


def test_an_event_alone_is_not_confirmed_and_a_lock_confirms_it() -> None:
    event = opened()
    assert not event.confirmed
    assert fuse(event, seen(Evidence.LOCK, 5)).confirmed


def test_back_fill_alone_is_not_confirmed() -> None:
    assert not opened(Evidence.BACKFILL).confirmed


def test_the_deadline_is_five_minutes_after_the_first_sign() -> None:
    assert opened().deadline == NOON + timedelta(seconds=300)


def test_the_termination_time_of_the_metadata_wins_when_it_is_earlier() -> None:
    release = NOON + timedelta(seconds=200)
    assert fuse(opened(), seen(Evidence.LOCK, 5, release_at=release)).deadline == release


@given(st.lists(observations, min_size=1, max_size=12))
def test_evidence_is_never_lost_and_the_deadline_only_comes_nearer(signs: list[Observation]) -> None:
    known = first_sight(signs[0], NOON)
    for sign in signs[1:]:
        assert same_reclaim(known, sign, Course.OPEN)
        more = fuse(known, sign)
        assert set(known.evidence) <= set(more.evidence)
        assert more.deadline <= known.deadline
        assert more.id == known.id
        known = more
    assert set(known.evidence) == {sign.source for sign in signs}
    assert len(known.evidence) + known.duplicates == len(signs)


@given(st.floats(601, 1e7), st.sampled_from(Course))
def test_a_lock_that_was_never_seen_gone_is_the_same_reclaim_for_ever(after_s: float, course: Course) -> None:
    locked = fuse(opened(), seen(Evidence.LOCK))
    assert same_reclaim(locked, seen(Evidence.LOCK, after_s), course)


@given(st.floats(1, 1e6), st.sampled_from(Evidence), st.sampled_from(list(set(Course) - {Course.OPEN})))
def test_after_it_was_seen_without_its_lock_every_later_sign_is_of_another_reclaim(
    after_s: float, source: Evidence, course: Course
) -> None:
    """However soon: a `Stop` instance that was started again may be reclaimed again a minute later."""
    unlocked = replace(fuse(opened(), seen(Evidence.LOCK)), unlocked_at=NOON + timedelta(seconds=60))
    assert not same_reclaim(unlocked, seen(source, 60 + after_s), course)


@given(st.floats(361, 1e7))
def test_an_event_dated_after_a_reclaim_that_came_to_nothing_is_another(after_s: float) -> None:
    for course in (Course.CAME_TO_NOTHING, Course.STOPPED, Course.RESTARTED):
        assert not same_reclaim(opened(), seen(Evidence.QUEUE, after_s), course)


@given(st.floats(0, 360), st.sampled_from((Evidence.LOCK, Evidence.ENGINEER)))
def test_a_recovery_that_came_to_nothing_takes_no_new_lock_and_no_new_wish(after_s: float, source: Evidence) -> None:
    drill = opened()
    assert same_reclaim(drill, seen(source, after_s), Course.OPEN)
    assert not same_reclaim(drill, seen(source, after_s), Course.CAME_TO_NOTHING)
    assert same_reclaim(drill, seen(Evidence.QUEUE, after_s), Course.CAME_TO_NOTHING)


def test_a_persons_no_holds_for_the_lock_of_the_same_reclaim_and_not_for_a_person_who_asks_again() -> None:
    assert same_reclaim(opened(), seen(Evidence.LOCK, 20), Course.STOPPED)
    assert not same_reclaim(opened(), seen(Evidence.ENGINEER, 20), Course.STOPPED)


def test_a_drill_does_not_date_the_real_reclaim_after_it() -> None:
    real = fuse(opened(), seen(Evidence.LOCK, 270))
    assert real.deadline == NOON + timedelta(seconds=300)
    assert real.over_at >= NOON + timedelta(seconds=270 + 300)


def test_a_sign_that_comes_again_may_bring_the_deadline_nearer_and_never_later() -> None:
    known = fuse(opened(), seen(Evidence.QUEUE, -20))
    assert known.deadline == NOON + timedelta(seconds=280)
    assert fuse(known, seen(Evidence.QUEUE, 20)).deadline == known.deadline


def test_it_is_over_a_minute_after_the_latest_that_any_source_gives() -> None:
    known = fuse(fuse(opened(), seen(Evidence.LOCK, 200)), seen(Evidence.BACKFILL, 100))
    assert known.over_at == NOON + timedelta(seconds=200 + 300 + 60)


def test_the_action_is_what_the_first_source_says_that_says_one() -> None:
    known = fuse(opened(), seen(Evidence.BACKFILL, action="stop"))
    assert known.action == "stop"
    assert fuse(known, seen(Evidence.LOCK, action="delete")).action == "stop"


@pytest.mark.parametrize(("after_s", "same"), [(-361, False), (-360, True), (360, True), (361, False)])
def test_an_event_is_of_the_reclaim_that_began_within_six_minutes_of_it(after_s: float, same: bool) -> None:
    for known in (opened(), opened(Evidence.LOCK)):
        assert same_reclaim(known, seen(Evidence.QUEUE, after_s), Course.CAME_TO_NOTHING) is same


def test_a_lock_seen_in_the_moment_of_its_going_is_still_the_old_one() -> None:
    gone_at = NOON + timedelta(seconds=400)
    locked = replace(opened(Evidence.LOCK), unlocked_at=gone_at)
    assert same_reclaim(locked, seen(Evidence.LOCK, 400), Course.CAME_TO_NOTHING)
    assert not same_reclaim(locked, seen(Evidence.LOCK, 400.001), Course.CAME_TO_NOTHING)


@given(st.sampled_from(Evidence), st.floats(-1e6, 1e6), st.sampled_from((Evidence.QUEUE, Evidence.LOCK)))
def test_an_open_recovery_absorbs_every_sign_of_its_instance_whatever_a_clock_says(
    source: Evidence, after_s: float, first: Evidence
) -> None:
    assert same_reclaim(opened(first), seen(source, after_s), Course.OPEN)


@given(st.sampled_from((Evidence.QUEUE, Evidence.LOCK, Evidence.BACKFILL)), st.floats(-1e6, 1e6))
def test_so_does_one_whose_instance_has_a_replacement(source: Evidence, after_s: float) -> None:
    assert same_reclaim(opened(Evidence.LOCK), seen(source, after_s), Course.REPLACED)


claims = st.lists(
    st.builds(seen, st.sampled_from((Evidence.QUEUE, Evidence.BACKFILL)), st.floats(-1e6, 1e6)), max_size=6
)


@given(claims, claims, st.floats(0, 10))
def test_no_message_brings_the_deadline_of_a_fresh_lock_nearer_than_the_last_look_without_it(
    before: list[Observation], after: list[Observation], poll_s: float
) -> None:
    lock = seen(Evidence.LOCK, poll_s, not_before=NOON)
    first, *others = [*before, lock, *after]
    known = first_sight(first, NOON)
    for sign in others:
        known = fuse(known, sign)
    if lock in others or first is lock:
        assert NOON + NOTICE <= known.deadline <= lock.at + NOTICE


def test_an_event_within_the_last_look_dates_a_fresh_lock() -> None:
    lock = seen(Evidence.LOCK, 2, not_before=NOON)
    assert fuse(first_sight(lock, NOON), seen(Evidence.QUEUE, 1)).deadline == NOON + timedelta(seconds=301)
    assert not first_sight(lock, NOON).is_upper_bound
    assert first_sight(seen(Evidence.LOCK), NOON).is_upper_bound
    long_ago = replace(lock, not_before=NOON - timedelta(minutes=4))
    assert first_sight(long_ago, NOON).is_upper_bound, "nobody had looked for minutes"


def test_a_lock_that_is_there_at_the_first_look_is_dated_by_its_message() -> None:
    known = fuse(opened(Evidence.LOCK), seen(Evidence.QUEUE, -200))
    assert known.deadline == NOON + timedelta(seconds=100)


def test_an_old_message_does_not_date_an_open_reclaim() -> None:
    known = fuse(opened(), seen(Evidence.BACKFILL, -7200))
    assert known.deadline == NOON + NOTICE
    assert known.marks == "BQ"


@pytest.mark.parametrize("came", list(permutations(Evidence)))
def test_the_lock_is_the_first_of_the_marks_whatever_came_first(came) -> None:
    known = opened(came[0])
    for source in came[1:]:
        known = fuse(known, seen(source))
    assert known.marks == "LEBQ"


def test_a_lock_after_it_was_seen_without_one_begins_anew() -> None:
    known = replace(opened(Evidence.LOCK), unlocked_at=NOON + timedelta(seconds=100))
    again = fuse(known, seen(Evidence.LOCK, 200, not_before=NOON + timedelta(seconds=198)))
    assert again.unlocked_at is None
    assert again.deadline == NOON + timedelta(seconds=500)
    assert again.over_at == NOON + timedelta(seconds=560)
    assert fuse(again, seen(Evidence.QUEUE, 0)).deadline == NOON + timedelta(seconds=498)


ANY_DATE = st.datetimes(timezones=st.just(UTC))


@given(ANY_DATE, st.none() | ANY_DATE, ANY_DATE, st.sampled_from(Evidence))
def test_no_date_from_outside_reaches_arithmetic(
    at: datetime, release_at: datetime | None, other: datetime, source: Evidence
) -> None:
    known = first_sight(plausible(replace(seen(source), at=at, release_at=release_at), NOON), NOON)
    sign = plausible(seen(Evidence.QUEUE, release_at=other), NOON)
    for course in Course:
        same_reclaim(known, sign, course)
    assert abs(fuse(known, sign).over_at - NOON) < timedelta(days=20_000)
    assert known.epoch <= (NOON + timedelta(days=1)).timestamp()
