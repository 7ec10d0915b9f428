"""What the intake commits, what it keeps of what it cannot read, and how many commits that takes."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from spottui.domain.audit import Phase
from spottui.domain.feed import Event, EventKind
from sqlalchemy.exc import OperationalError

from spottui.cloud.messages import Reclaim, Released
from spottui.domain.interruption import Evidence
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.watch.intake import POISON_KEPT
from tests.watch.given import NOON, REGION, HandClock, Taken, event_body, instance, message, release_body

BEIJING = "cn-beijing"
STATE_CHANGE = {"name": "Instance:StateChange", "content": {"resourceId": "i-2", "state": "Deleted"}}


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def taken(tmp_path: Path, clock: HandClock) -> Taken:
    return Taken(tmp_path / "state", clock, (REGION, BEIJING))


def lines(taken: Taken, kind: EventKind) -> list[Event]:
    return [event for event in taken.journal.events.after(0, 100) if event.kind is kind]


def deliver(taken: Taken, *bodies: str, queue: str = REGION) -> None:
    taken.intake.messages(queue, [message(body, taken.clock.now()) for body in bodies])


def test_a_batch_is_one_commit_with_its_evidence_and_its_lines(taken: Taken) -> None:
    before = taken.journal.database.writes
    deliver(taken, event_body("i-1", NOON), event_body("i-2", NOON), "poison", release_body("i-3", NOON))
    assert taken.journal.database.writes == before + 1
    assert [one.instance_id for one in taken.told] == ["i-1", "i-2"]


def test_the_audit_alone_tells_where_a_reclaim_was_seen_from(taken: Taken, clock: HandClock) -> None:
    taken.intake.messages(REGION, [message(event_body("i-1", NOON), NOON)])
    clock.turn(5)
    taken.intake.locks([instance("i-1")])
    taken.intake.locks([instance("i-1")])
    taken.intake.history(REGION, [Reclaim("i-1", REGION, NOON, "delete"), Released("i-1", REGION, NOON)])
    (known,) = taken.all()
    entries = taken.journal.audit.of(known.id)
    assert [(entry.phase, entry.action) for entry in entries] == [
        (Phase.EVIDENCE, name) for name in ("queue", "lock", "backfill", "release")
    ]
    queue, lock, *_ = entries
    assert queue.detail.startswith(f"dated {NOON.isoformat()}, deadline {(NOON + timedelta(minutes=5)).isoformat()}")
    assert ", message message-" in queue.detail
    assert f"dated {clock.now().isoformat()}" in lock.detail
    assert [event.text for event in lines(taken, EventKind.LOCK)] == ["evidence QL, deadline 12:05:00Z"]
    assert [event.text for event in lines(taken, EventKind.DUPLICATE)] == ["seen again (1 more), deadline 12:05:00Z"]
    assert not lines(taken, EventKind.CALL)


def test_the_action_and_the_name_of_the_message_are_kept(taken: Taken) -> None:
    deliver(taken, event_body("i-1", NOON))
    assert taken.all()[0].action == "delete"
    assert "message message-" in lines(taken, EventKind.RECLAIM)[0].text


@pytest.mark.parametrize(
    ("minutes", "dated_by"), [(-10, "event"), (4.9, "event"), (5, "event"), (5.1, "arrival"), (None, "arrival")]
)
def test_an_event_is_dated_by_its_own_time_unless_that_is_none(
    taken: Taken, minutes: float | None, dated_by: str
) -> None:
    at = None if minutes is None else NOON + timedelta(minutes=minutes)
    deliver(taken, event_body("i-1", at))
    expected = at if dated_by == "event" else NOON
    assert taken.all()[0].epoch == int(expected.timestamp())


def test_the_region_of_the_event_counts_and_else_that_of_the_queue(taken: Taken) -> None:
    deliver(taken, event_body("i-1", NOON, regionId=BEIJING), event_body("i-2", NOON, regionId=None))
    assert [taken.all(one)[0].region for one in ("i-1", "i-2")] == [BEIJING, REGION]


def test_the_region_of_a_release_is_found_like_that_of_a_reclaim(taken: Taken) -> None:
    of_here, of_none = release_body("i-1", NOON), event_body("i-2", NOON, **STATE_CHANGE, regionId=None)
    deliver(taken, event_body("i-1", NOON, regionId=REGION), event_body("i-2", NOON), of_here, of_none)
    assert [taken.all(one)[0].released_at for one in ("i-1", "i-2")] == [NOON, NOON]
    deliver(taken, event_body("i-1", NOON, regionId=BEIJING), queue=BEIJING)
    assert {one.region: one.released_at for one in taken.all()} == {REGION: NOON, BEIJING: None}


def test_other_events_are_a_line_each(taken: Taken) -> None:
    deliver(taken, event_body("i-1", NOON, name="Snapshot:CreateSnapshotCompleted"))
    (line,) = lines(taken, EventKind.MESSAGE)
    assert (line.region, line.instance_id, line.text) == (REGION, "i-1", "Snapshot:CreateSnapshotCompleted")


def test_a_region_that_is_not_configured_is_told_and_not_recovered(taken: Taken) -> None:
    deliver(taken, event_body("i-1", NOON, regionId="us-east-1"))
    (line,) = lines(taken, EventKind.MESSAGE)
    assert "reclaim in us-east-1, a region that is not configured" in line.text
    assert (line.region, line.instance_id) == ("us-east-1", "i-1")
    assert not taken.all()


def test_poison_is_kept_with_its_reason_and_the_beginning_of_its_body(taken: Taken) -> None:
    deliver(taken, "no\0 event", "x" * (POISON_KEPT + 1), "y" * POISON_KEPT)
    small, large, fits = lines(taken, EventKind.POISON)
    assert small.text.startswith("neither Base64 nor JSON, message message-")
    assert small.body == "no\N{REPLACEMENT CHARACTER} event"
    assert large.body == "x" * POISON_KEPT + f" … the first {POISON_KEPT} of {POISON_KEPT + 1} characters"
    assert fits.body == "y" * POISON_KEPT


def refuse(taken: Taken, instance_id: str) -> None:
    """Make the journal refuse whatever is of this instance."""
    with taken.journal.database.write() as connection:
        connection.exec_driver_sql(
            f"CREATE TRIGGER refuse BEFORE INSERT ON interruption WHEN NEW.instance_id = '{instance_id}' "
            f"BEGIN SELECT RAISE(ABORT, 'no'); END"
        )


def test_a_message_that_cannot_be_written_is_poison_with_its_body_and_holds_no_other(taken: Taken) -> None:
    refuse(taken, "i-2")
    body = event_body("i-2", NOON)
    deliver(taken, event_body("i-1", NOON), body, event_body("i-3", NOON))
    assert [len(taken.all(one)) for one in ("i-1", "i-2", "i-3")] == [1, 0, 1]
    assert [one.instance_id for one in taken.told] == ["i-1", "i-3"]
    (line,) = lines(taken, EventKind.POISON)
    assert line.text.startswith("not written (IntegrityError), message message-")
    assert line.body == body


@pytest.mark.parametrize("bad_first", [True, False])
def test_of_two_messages_the_good_one_is_never_taken_for_the_bad(taken: Taken, bad_first: bool) -> None:
    refuse(taken, "i-2")
    bodies = [event_body("i-2", NOON), event_body("i-1", NOON)]
    deliver(taken, *(bodies if bad_first else bodies[::-1]))
    assert [len(taken.all(one)) for one in ("i-1", "i-2")] == [1, 0]
    assert [line.body for line in lines(taken, EventKind.POISON)] == [event_body("i-2", NOON)]


def test_a_journal_that_takes_nothing_for_now_makes_no_message_poison(taken: Taken) -> None:
    with taken.journal.database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE audit RENAME TO away")
    with pytest.raises(OperationalError):
        deliver(taken, event_body("i-1", NOON))
    with taken.journal.database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE away RENAME TO audit")
    deliver(taken, event_body("i-1", NOON))
    assert taken.all()
    assert not lines(taken, EventKind.POISON)


def test_whoever_acts_is_told_again_of_what_is_known(taken: Taken) -> None:
    for _ in range(2):
        deliver(taken, event_body("i-1", NOON))
    assert [one.id for one in taken.told] == [taken.all()[0].id] * 2


@pytest.mark.parametrize("release_first", [True, False])
def test_a_release_is_known_whether_it_comes_before_or_after_its_reclaim(taken: Taken, release_first: bool) -> None:
    at = NOON + timedelta(minutes=5)
    bodies = [event_body("i-1", NOON), release_body("i-1", at)]
    for body in bodies[::-1] if release_first else bodies:
        deliver(taken, body)
    (known,) = taken.all()
    assert known.released_at == at
    assert taken.told[-1] == known
    assert len([one for one in lines(taken, EventKind.MESSAGE) if one.text == "Instance:StateChange Deleted"]) == 1
    (line,) = [one for one in lines(taken, EventKind.RECLAIM) if "released" in one.text]
    assert line.text == "released at 12:05:00Z, deadline 12:05:00Z"


def test_the_first_word_of_a_release_stays(taken: Taken) -> None:
    at = NOON + timedelta(minutes=5)
    for later_s in (0, 30):
        deliver(taken, release_body("i-1", at + timedelta(seconds=later_s)))
    deliver(taken, event_body("i-1", NOON))
    deliver(taken, release_body("i-1", at + timedelta(seconds=60)))
    assert taken.all()[0].released_at == at
    assert len(taken.told) == 1


def test_a_release_of_a_recovery_that_is_over_wakes_nobody(taken: Taken) -> None:
    deliver(taken, event_body("i-1", NOON))
    (known,) = taken.all()
    taken.journal.recoveries.change(known.id, NOON, lambda was: _with(was, RecoveryState.RECOVERED))
    taken.told.clear()
    deliver(taken, release_body("i-1", NOON))
    assert taken.told == []
    assert taken.all()[0].released_at == NOON


def test_releases_of_last_week_are_forgotten_at_a_start(taken: Taken, clock: HandClock) -> None:
    deliver(taken, release_body("i-1", NOON), release_body("i-2", NOON + timedelta(seconds=2)))
    clock.turn(timedelta(days=7, seconds=1).total_seconds())
    taken.intake = taken.new_intake()
    deliver(taken, event_body("i-1", NOON), event_body("i-2", NOON))
    assert [taken.all(one)[0].released_at for one in ("i-1", "i-2")] == [None, NOON + timedelta(seconds=2)]


def test_history_without_a_time_says_nothing(taken: Taken) -> None:
    taken.intake.history(REGION, [Reclaim("i-1", REGION, None, ""), Released("i-1", REGION, None)])
    assert not taken.all()


def test_an_engineer_opens_one_and_asks_for_the_same_while_it_runs(taken: Taken, clock: HandClock) -> None:
    first = taken.intake.engineer(REGION, "i-1")
    taken.journal.recoveries.change(first.id, NOON, lambda was: _with(was, RecoveryState.IMAGING))
    clock.turn(3600)
    assert taken.intake.engineer(REGION, "i-1").id == first.id
    assert [one.evidence for one in taken.told] == [(Evidence.ENGINEER,)] * 2


def test_an_engineer_may_ask_twice_in_one_second(taken: Taken) -> None:
    first = taken.intake.engineer(REGION, "i-1")
    taken.journal.recoveries.change(first.id, NOON, lambda was: _with(was, RecoveryState.VETOED))
    assert taken.intake.engineer(REGION, "i-1").epoch == first.epoch + 1


def test_a_lock_after_a_person_has_allowed_it_is_of_the_same_recovery_however_late(
    taken: Taken, clock: HandClock
) -> None:
    deliver(taken, event_body("i-1", NOON))
    (drill,) = taken.all()
    taken.journal.recoveries.change(drill.id, NOON, lambda was: _with(was, RecoveryState.IMAGING))
    clock.turn(1000)
    taken.intake.locks([instance("i-1")])
    assert [one.marks for one in taken.all()] == ["QL"]


def test_a_lock_seen_gone_is_remembered_beside_a_later_drill(taken: Taken, clock: HandClock) -> None:
    """The drill opens an interruption after the one whose lock it was; the second lock is a second reclaim."""
    taken.intake.locks([instance("i-1")])
    clock.turn(370)
    deliver(taken, event_body("i-1", None))
    taken.intake.seen_unlocked(REGION, [instance("i-1", recycling=False)])
    clock.turn(2000)
    taken.intake.seen_unlocked(REGION, [instance("i-1", recycling=False)])
    taken.intake.locks([instance("i-1")])
    assert [one.marks for one in taken.all()] == ["L", "Q", "L"]


def test_a_page_from_before_the_lock_does_not_make_two_of_it(taken: Taken, clock: HandClock) -> None:
    taken.intake.locks([instance("i-1")])
    clock.turn(10)
    taken.intake.seen_unlocked(REGION, [instance("i-1", recycling=False)])
    clock.turn(10)
    taken.intake.locks([instance("i-1")])
    assert [one.marks for one in taken.all()] == ["L"]
    assert taken.all()[0].unlocked_at is None


def test_a_lock_is_seen_gone_only_when_it_is_over_whenever_the_fleet_was_looked_at(
    taken: Taken, clock: HandClock
) -> None:
    taken.intake.locks([instance("i-1")])
    for _ in range(2):
        clock.turn(180)
        taken.intake.seen_unlocked(REGION, [instance("i-1", recycling=False)])
        assert taken.all()[0].unlocked_at is None
    clock.turn(1)
    taken.intake.seen_unlocked(REGION, [instance("i-1", recycling=False)])
    assert taken.all()[0].unlocked_at == clock.now()
    clock.turn(1000)
    taken.intake.locks([instance("i-1")])
    assert [one.marks for one in taken.all()] == ["L", "L"]


def test_a_lock_that_stays_is_its_own_beside_a_later_drill(taken: Taken, clock: HandClock) -> None:
    taken.intake.locks([instance("i-1")])
    clock.turn(370)
    deliver(taken, event_body("i-1", None))
    taken.intake.locks([instance("i-1")])
    assert [one.marks for one in taken.all()] == ["L", "Q"]


def _with(recovery: Recovery, state: RecoveryState) -> Recovery:
    return replace(recovery, state=state)
