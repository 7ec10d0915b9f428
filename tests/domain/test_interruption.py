"""What makes one interruption out of many observations."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spottui.domain.interruption import Evidence, Interruption, Observation, first_sight, fuse, same_reclaim

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
        assert same_reclaim(known, sign, closed=False)
        more = fuse(known, sign)
        assert set(known.evidence) <= set(more.evidence)
        assert more.deadline <= known.deadline
        assert more.id == known.id
        known = more
    assert set(known.evidence) == {sign.source for sign in signs}
    assert len(known.evidence) + known.duplicates == len(signs)


@given(st.floats(601, 1e7))
def test_a_lock_that_was_never_seen_gone_is_the_same_reclaim_for_ever(after_s: float) -> None:
    locked = fuse(opened(), seen(Evidence.LOCK))
    for closed in (True, False):
        assert same_reclaim(locked, seen(Evidence.LOCK, after_s), closed=closed)


@given(st.floats(1, 1e6))
def test_a_lock_after_the_fleet_was_seen_unlocked_is_another_reclaim(after_s: float) -> None:
    gone_at = NOON + timedelta(seconds=400)
    locked = replace(fuse(opened(), seen(Evidence.LOCK)), unlocked_at=gone_at)
    assert not same_reclaim(locked, seen(Evidence.LOCK, 400 + after_s), closed=True)


@given(st.floats(361, 1e7))
def test_an_event_dated_after_a_reclaim_is_another(after_s: float) -> None:
    assert not same_reclaim(opened(), seen(Evidence.QUEUE, after_s), closed=False)


@given(st.floats(0, 360), st.sampled_from((Evidence.LOCK, Evidence.ENGINEER)))
def test_a_recovery_that_came_to_nothing_takes_no_new_lock_and_no_new_wish(after_s: float, source: Evidence) -> None:
    drill = opened()
    assert same_reclaim(drill, seen(source, after_s), closed=False)
    assert not same_reclaim(drill, seen(source, after_s), closed=True)
    assert same_reclaim(drill, seen(Evidence.QUEUE, after_s), closed=True)


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
        assert same_reclaim(known, seen(Evidence.QUEUE, after_s), closed=False) is same


def test_a_lock_seen_in_the_moment_of_its_going_is_still_the_old_one() -> None:
    gone_at = NOON + timedelta(seconds=400)
    locked = replace(opened(Evidence.LOCK), unlocked_at=gone_at)
    assert same_reclaim(locked, seen(Evidence.LOCK, 400), closed=False)
    assert not same_reclaim(locked, seen(Evidence.LOCK, 400.001), closed=False)


@pytest.mark.parametrize("source", list(Evidence))
def test_a_recovery_under_way_without_a_lock_takes_every_later_sign(source: Evidence) -> None:
    assert same_reclaim(opened(), seen(source, 1e5), closed=False, acting=True)
    assert not same_reclaim(opened(), seen(source, -361), closed=False, acting=True)


def test_a_recovery_under_way_with_its_lock_takes_no_event_of_another_reclaim() -> None:
    locked = opened(Evidence.LOCK)
    assert not same_reclaim(locked, seen(Evidence.QUEUE, 361), closed=False, acting=True)
