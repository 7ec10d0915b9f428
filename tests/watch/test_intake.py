"""What the intake commits, what it keeps of what it cannot read, and how many commits that takes."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from spottui.cloud import messages
from spottui.cloud.messages import Reclaim
from spottui.cloud.mns import Message
from spottui.domain.facts import (
    CallAnswered,
    LockGone,
    MessageSeen,
    PoisonSeen,
    Released,
    SignSeen,
    StartedAgain,
    StateEntered,
)
from spottui.domain.instance import InstanceStatus
from spottui.domain.interruption import Evidence
from spottui.domain.recovery import RecoveryState
from spottui.journal.store import JournalProblem
from spottui.watch.reading import POISON_KEPT, read
from tests.driving import wait_until
from tests.watch.given import NOON, REGION, HandClock, Taken, event_body, instance, message, release_body

BEIJING = "cn-beijing"
STATE_CHANGE = {"name": "Instance:StateChange", "content": {"resourceId": "i-2", "state": "Deleted"}}


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def taken(tmp_path: Path, clock: HandClock) -> Iterator[Taken]:
    taken = Taken(tmp_path / "state", clock, (REGION, BEIJING))
    yield taken
    taken.journal.close()


def deliver(taken: Taken, *bodies: str, queue: str = REGION) -> None:
    taken.intake.messages(queue, [message(body, taken.clock.now()) for body in bodies])


def test_a_batch_is_one_commit_with_its_evidence_and_its_lines(taken: Taken) -> None:
    committed: list[int] = []
    taken.journal.follow(lambda logged: committed.append(len(logged)))
    deliver(taken, event_body("i-1", NOON), event_body("i-2", NOON), "poison", release_body("i-3", NOON))
    assert committed == [5], "two signs, poison, and the release with its message"
    assert [one.instance_id for one in taken.told] == ["i-1", "i-2"]


def test_the_facts_tell_where_a_reclaim_was_seen_from(taken: Taken, clock: HandClock) -> None:
    taken.intake.messages(REGION, [message(event_body("i-1", NOON), NOON)])
    clock.turn(5)
    taken.intake.locks([instance("i-1")])
    taken.intake.locks([instance("i-1")])
    gone = messages.Released("i-1", REGION, NOON)
    taken.intake.history(REGION, [Reclaim("i-1", REGION, NOON, "delete"), gone])
    (known,) = taken.all()
    queue, lock, again, backfill, release = (one.fact for one in taken.journal.log.of(known.id))
    assert [one.source for one in (queue, lock, again, backfill)] == [
        Evidence.QUEUE, Evidence.LOCK, Evidence.LOCK, Evidence.BACKFILL
    ]  # fmt: skip
    assert (queue.began, queue.deadline) == (NOON, NOON + timedelta(minutes=5))
    assert queue.message_id.startswith("message-")
    assert (lock.began, lock.marks, lock.again) == (clock.now(), "LQ", 0)
    assert (again.marks, again.again) == ("LQ", 1)
    assert release == Released(NOON, NOON + timedelta(minutes=5))


def test_the_action_and_the_message_are_kept(taken: Taken) -> None:
    deliver(taken, event_body("i-1", NOON))
    (sign,) = taken.facts(SignSeen)
    assert taken.all()[0].action == sign.action == "delete"
    assert sign.message_id.startswith("message-")


def test_disks_are_protected_before_anything_is_written_and_not_for_what_is_long_over(taken: Taken) -> None:
    known_then: list[bool] = []
    taken.journal.follow(lambda _logged: known_then.append("i-1" in taken.protected))
    deliver(taken, event_body("i-1", NOON), event_body("i-2", NOON - timedelta(minutes=11)))
    assert known_then == [True]
    assert taken.protected == ["i-1"]


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
    (line,) = taken.journal.log.after(0, 9)
    assert (line.region, line.instance_id, line.recovery_id) == (REGION, "i-1", "")
    assert line.fact.name == "Snapshot:CreateSnapshotCompleted"


def test_a_region_that_is_not_configured_is_told_and_not_recovered(taken: Taken) -> None:
    deliver(taken, event_body("i-1", NOON, regionId="us-east-1"))
    (line,) = taken.journal.log.after(0, 9)
    assert line.fact.unconfigured_region == "us-east-1"
    assert (line.region, line.instance_id) == ("us-east-1", "i-1")
    assert not taken.all()


def test_poison_is_kept_with_its_reason_and_the_beginning_of_its_body(taken: Taken) -> None:
    deliver(taken, "no\0 event", "x" * (POISON_KEPT + 1), "y" * POISON_KEPT)
    small, large, fits = taken.facts(PoisonSeen)
    assert small.why == "neither Base64 nor JSON"
    assert small.message_id.startswith("message-")
    assert small.body == "no\N{REPLACEMENT CHARACTER} event"
    assert (large.body, large.length) == ("x" * POISON_KEPT, POISON_KEPT + 1)
    assert (fits.body, fits.length) == ("y" * POISON_KEPT, POISON_KEPT)


def unwritable() -> Message:
    """What it says is understood, and no database takes it."""
    return replace(message(event_body("i-2", NOON), NOON), message_id="half a pair: \ud800")


def good(instance_id: str) -> Message:
    return message(event_body(instance_id, NOON), NOON)


def test_a_message_that_cannot_be_written_is_poison_with_its_body_and_holds_no_other(taken: Taken) -> None:
    taken.intake.messages(REGION, [good("i-1"), unwritable(), good("i-3")])
    assert [len(taken.all(one)) for one in ("i-1", "i-2", "i-3")] == [1, 0, 1]
    assert [one.instance_id for one in taken.told] == ["i-1", "i-3"]
    (poison,) = taken.facts(PoisonSeen)
    assert (poison.why, poison.body) == ("not written (UnicodeEncodeError)", event_body("i-2", NOON))
    assert poison.message_id == "half a pair: ?"
    assert not taken.journal.writer.problem


@pytest.mark.parametrize("bad_first", [True, False])
def test_of_two_messages_the_good_one_is_never_taken_for_the_bad(taken: Taken, bad_first: bool) -> None:
    both = [unwritable(), good("i-1")]
    taken.intake.messages(REGION, both if bad_first else both[::-1])
    assert [len(taken.all(one)) for one in ("i-1", "i-2")] == [1, 0]
    assert [poison.body for poison in taken.facts(PoisonSeen)] == [event_body("i-2", NOON)]


def test_a_journal_that_is_held_for_now_makes_no_message_poison_and_loses_none(taken: Taken) -> None:
    with closing(sqlite3.connect(taken.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        delivering = threading.Thread(target=deliver, args=(taken, event_body("i-1", NOON)))
        delivering.start()
        wait_until(lambda: taken.journal.writer.problem == "another process holds its lock")
        assert delivering.is_alive(), "the message is not deleted before it is on disk"
        other.execute("ROLLBACK")
    delivering.join(10)
    assert [one.marks for one in taken.all()] == ["Q"]
    assert taken.facts(PoisonSeen) == []
    assert taken.journal.writer.problem == ""


def test_a_journal_that_was_deleted_says_so_and_makes_no_message_poison(taken: Taken) -> None:
    taken.path.unlink()
    with pytest.raises(JournalProblem, match="deleted or replaced"):
        deliver(taken, event_body("i-1", NOON))
    assert taken.told == []


def test_whoever_acts_is_told_again_of_what_is_known(taken: Taken) -> None:
    for _ in range(2):
        deliver(taken, event_body("i-1", NOON))
    assert [one.recovery_id for one in taken.told] == [taken.all()[0].id] * 2


@pytest.mark.parametrize("release_first", [True, False])
def test_a_release_is_known_whether_it_comes_before_or_after_its_reclaim(taken: Taken, release_first: bool) -> None:
    at = NOON + timedelta(minutes=5)
    bodies = [event_body("i-1", NOON), release_body("i-1", at)]
    for body in bodies[::-1] if release_first else bodies:
        deliver(taken, body)
    (known,) = taken.all()
    assert known.released_at == at
    assert taken.told[-1].interruption == known
    assert taken.facts(MessageSeen) == [MessageSeen("Instance:StateChange", "Instance:StateChange Deleted")]
    assert [one.fact for one in taken.journal.log.of(known.id)][-1] == Released(at, known.deadline)


def test_the_first_word_of_a_release_stays(taken: Taken) -> None:
    at = NOON + timedelta(minutes=5)
    for later_s in (0, 30):
        deliver(taken, release_body("i-1", at + timedelta(seconds=later_s)))
    deliver(taken, event_body("i-1", NOON))
    deliver(taken, release_body("i-1", at + timedelta(seconds=60)))
    assert taken.all()[0].released_at == at
    assert len(taken.told) == 1


def test_the_first_word_of_a_release_stays_over_a_restart(taken: Taken) -> None:
    at = NOON + timedelta(minutes=5)
    for later_s in (0, 30):
        deliver(taken, release_body("i-1", at + timedelta(seconds=later_s)))
    taken.restart()
    deliver(taken, event_body("i-1", NOON))
    assert taken.all()[0].released_at == at


def test_a_release_of_a_recovery_that_is_over_wakes_nobody(taken: Taken) -> None:
    deliver(taken, event_body("i-1", NOON))
    (known,) = taken.all()
    taken.enter(known.id, RecoveryState.RECOVERED)
    taken.told.clear()
    deliver(taken, release_body("i-1", NOON))
    assert taken.told == []
    assert taken.all()[0].released_at == NOON


def test_history_without_a_time_says_nothing(taken: Taken) -> None:
    taken.intake.history(REGION, [Reclaim("i-1", REGION, None, ""), messages.Released("i-1", REGION, None)])
    assert taken.journal.log.after(0, 9) == ()


def test_an_engineer_opens_one_and_asks_for_the_same_while_it_runs(taken: Taken, clock: HandClock) -> None:
    first = taken.engineer("i-1")
    taken.enter(first.recovery_id, RecoveryState.IMAGING)
    clock.turn(3600)
    again = taken.engineer("i-1")
    assert again.recovery_id == first.recovery_id
    assert [one.evidence for one in taken.all()] == [(Evidence.ENGINEER,)]


def test_an_engineer_may_ask_twice_in_one_second(taken: Taken) -> None:
    first = taken.engineer("i-1")
    taken.enter(first.recovery_id, RecoveryState.VETOED)
    assert taken.engineer("i-1").interruption.epoch == first.interruption.epoch + 1


def test_a_lock_after_a_person_has_allowed_it_is_of_the_same_recovery_however_late(
    taken: Taken, clock: HandClock
) -> None:
    deliver(taken, event_body("i-1", NOON))
    (drill,) = taken.all()
    taken.enter(drill.id, RecoveryState.IMAGING)
    clock.turn(1000)
    taken.intake.locks([instance("i-1")])
    assert [one.marks for one in taken.all()] == ["LQ"]


def test_a_lock_seen_gone_is_remembered_beside_a_later_drill(taken: Taken, clock: HandClock) -> None:
    """The drill opens an interruption after the one whose lock it was; the second lock is a second reclaim."""
    taken.intake.locks([instance("i-1")])
    taken.enter(taken.all()[0].id, RecoveryState.FAILED)
    clock.turn(370)
    deliver(taken, event_body("i-1", None))
    taken.enter(taken.all()[1].id, RecoveryState.SKIPPED)
    taken.intake.seen_unlocked(REGION, [instance("i-1", recycling=False)])
    clock.turn(2000)
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


def test_a_second_reclaim_a_minute_after_it_was_seen_running_without_its_lock_is_a_new_recovery(
    taken: Taken, clock: HandClock
) -> None:
    taken.intake.locks([instance("i-1")])
    taken.enter(taken.all()[0].id, RecoveryState.FAILED)
    clock.turn(60)
    taken.intake.seen_unlocked(REGION, [instance("i-1", recycling=False)])
    assert taken.all()[0].unlocked_at == clock.now()
    clock.turn(60)
    deliver(taken, event_body("i-1", clock.now()))
    taken.intake.locks([instance("i-1")], clock.now())
    assert [one.marks for one in taken.all()] == ["L", "LQ"]


def test_a_stopped_instance_without_its_lock_may_be_the_end_of_the_notice_until_that_is_over(
    taken: Taken, clock: HandClock
) -> None:
    stopped = replace(instance("i-1", recycling=False), status=InstanceStatus.STOPPED)
    taken.intake.locks([instance("i-1")])
    for _ in range(2):
        clock.turn(180)
        taken.intake.seen_unlocked(REGION, [stopped])
        assert taken.all()[0].unlocked_at is None
    clock.turn(1)
    taken.intake.seen_unlocked(REGION, [stopped])
    assert taken.all()[0].unlocked_at == clock.now()


def test_an_instance_that_was_started_again_and_is_reclaimed_again_is_a_new_recovery(
    taken: Taken, clock: HandClock
) -> None:
    """Within the first deadline, and before anybody has looked at the fleet."""
    taken.intake.locks([instance("i-1")])
    first = taken.all()[0].id
    for fact in (StartedAgain(), LockGone(), StateEntered(RecoveryState.RECOVERED)):
        taken.record(first, fact)
    clock.turn(60)
    assert taken.intake.without_lock(REGION, ["i-1"]) == {"i-1"}
    taken.intake.locks([instance("i-1")])
    assert [one.state for one in taken.recoveries()] == [RecoveryState.RECOVERED, RecoveryState.SUSPECTED]
    assert taken.intake.without_lock(REGION, ["i-1"]) == frozenset()


@pytest.mark.parametrize("wrong_s", [-3600.0, -600.0, 600.0, 3600.0])
def test_a_recovered_instance_has_no_twin_whatever_a_clock_says(taken: Taken, clock: HandClock, wrong_s: float) -> None:
    """A wrong clock dated the event: the lock, and whatever is said afterwards, is of the same recovery."""
    deliver(taken, event_body("i-1", NOON))
    first = taken.all()[0].id
    taken.enter(first, RecoveryState.IMAGING)
    clock.turn(wrong_s)
    taken.intake.locks([instance("i-1")], clock.now())
    taken.record(first, CallAnswered("RunInstances", resources=("i-new",)))
    taken.enter(first, RecoveryState.RECOVERED)
    clock.turn(wrong_s)
    deliver(taken, event_body("i-1", clock.now()), event_body("i-1", None))
    taken.intake.locks([instance("i-1")])
    taken.intake.history(REGION, [Reclaim("i-1", REGION, clock.now(), "delete")])
    assert [one.marks for one in taken.all()] == ["LBQ"]


def test_a_lock_that_stays_is_its_own_beside_a_later_drill(taken: Taken, clock: HandClock) -> None:
    taken.intake.locks([instance("i-1")])
    taken.enter(taken.all()[0].id, RecoveryState.FAILED)
    clock.turn(370)
    deliver(taken, event_body("i-1", None))
    taken.intake.locks([instance("i-1")])
    assert [one.marks for one in taken.all()] == ["L", "Q"]


@pytest.mark.parametrize("age_s", [295, 60, 7200])
@pytest.mark.parametrize("lock_first", [True, False])
def test_a_stale_date_does_not_rule_over_a_fresh_lock(
    taken: Taken, clock: HandClock, age_s: int, lock_first: bool
) -> None:
    """The lock was not there two seconds ago, so nobody's claim makes it older."""
    stale = event_body("i-1", NOON - timedelta(seconds=age_s))
    locks = partial(taken.intake.locks, [instance("i-1")], NOON - timedelta(seconds=2))
    for one in (locks, partial(deliver, taken, stale)) if lock_first else (partial(deliver, taken, stale), locks):
        one()
    (sign,) = [one for one in taken.recoveries() if one.interruption.locked]
    assert NOON + timedelta(seconds=298) <= sign.deadline <= NOON + timedelta(seconds=300)
    assert list(taken.journal.log.unlike_their_facts()) == []


@pytest.mark.parametrize("date", ["00010101T000000.000+0000", "99991231T235959.999+0000", "19700101T000000Z", "soon"])
def test_a_date_that_cannot_be_true_holds_no_later_message(taken: Taken, date: str) -> None:
    deliver(taken, event_body("i-1", None, eventTime=date), event_body("i-1", NOON))
    taken.intake.history(REGION, [Reclaim("i-1", REGION, datetime.min.replace(tzinfo=UTC), "")])
    taken.intake.history(REGION, [Reclaim("i-1", REGION, datetime.max.replace(tzinfo=UTC), "")])
    taken.intake.history(REGION, [Reclaim("i-1", REGION, NOON, "")])
    assert [(one.marks, one.deadline) for one in taken.all()] == [("BQ", NOON + timedelta(minutes=5))]
    assert taken.facts(PoisonSeen) == []


@pytest.mark.parametrize(
    ("queue_region", "named", "taken_in"),
    [
        (REGION, REGION, [REGION]),
        (REGION, f"{REGION}@prod", [REGION]),
        (REGION, "cn-beijing", []),
        (f"{REGION}@prod", REGION, [f"{REGION}@prod"]),
        (f"{REGION}@prod", "cn-beijing", ["cn-beijing@prod"]),
        (f"{REGION}@prod", "", [f"{REGION}@prod"]),
    ],
)
def test_a_message_speaks_of_the_account_of_its_queue_whatever_it_names(
    queue_region: str, named: str, taken_in: list[str]
) -> None:
    body = event_body("i-1", NOON, regionId=named)
    reading = read(message(body, NOON), queue_region, (REGION, f"{REGION}@prod", "cn-beijing@prod"), "", NOON)
    assert [one.region for one in reading.reclaims] == taken_in
