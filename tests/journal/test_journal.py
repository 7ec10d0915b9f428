"""What the journal keeps, who may read it, and what never overwrites what."""

import stat
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spottui.domain.audit import Entry, Phase
from spottui.domain.feed import EventKind, Line
from spottui.journal.database import JournalProblem

from spottui.domain.interruption import Evidence, Observation
from spottui.domain.recovery import Decision, RecoveryState
from spottui.journal import Journal

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "state" / "journal.db")


def nameless(_region: str, _instance_id: str) -> str:
    return ""


def observe(journal: Journal, *observations: Observation) -> list[str]:
    return [one.id for one in journal.interruptions.record(observations, [], [], nameless, NOON)]


def sign(instance_id: str = "i-1", source: Evidence = Evidence.QUEUE, after_s: float = 0) -> Observation:
    return Observation("cn-hangzhou", instance_id, source, NOON + timedelta(seconds=after_s))


def test_file_and_directory_are_for_their_owner_only(journal: Journal) -> None:
    path = journal.database.path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_an_interruption_and_its_recovery_appear_together_and_survive(journal: Journal) -> None:
    (recovery_id,) = observe(journal, sign())
    journal.close()
    again = Journal(journal.database.path)
    recovery = again.recoveries.get(recovery_id)
    assert recovery is not None
    assert recovery.state is RecoveryState.SUSPECTED
    assert again.interruptions.get(recovery_id) is not None


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_order_and_number_of_signs_is_one_recovery_per_instance(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    journal = Journal(tmp_path_factory.mktemp("j") / "journal.db")
    signs = data.draw(
        st.lists(
            st.builds(sign, st.sampled_from(("i-1", "i-2", "i-3")), st.sampled_from(Evidence), st.floats(0, 240)),
            min_size=1,
            max_size=15,
        )
    )
    cut = data.draw(st.integers(0, len(signs)))
    ids = observe(journal, *signs[:cut]) + observe(journal, *signs[cut:])
    assert len(set(ids)) == len({one.instance_id for one in signs})
    assert len(journal.recoveries.latest(100)) == len(set(ids))
    journal.close()


def test_what_a_person_says_survives_what_the_workflow_writes(journal: Journal) -> None:
    (recovery_id,) = observe(journal, sign())
    assert journal.recoveries.decide(recovery_id, Decision.CONFIRM, "ann@bastion pts/1", NOON)
    journal.recoveries.cancel(recovery_id, "ann", NOON)
    journal.recoveries.change(recovery_id, NOON, lambda known: replace(known, state=RecoveryState.IMAGING))
    found = journal.recoveries.get(recovery_id)
    assert found is not None
    assert (found.decision, found.who, found.cancel) == (Decision.CONFIRM, "ann@bastion pts/1", True)
    assert found.state is RecoveryState.IMAGING


def test_the_feed_says_of_each_decision_which_one_it_was(journal: Journal) -> None:
    (recovery_id,) = observe(journal, sign())
    for decision in (Decision.HOLD, Decision.VETO, Decision.CONFIRM):
        journal.recoveries.decide(recovery_id, decision, "ann", NOON)
    journal.recoveries.cancel(recovery_id, "ann", NOON)
    journal.recoveries.note(recovery_id, "Route", "warm-image first", NOON)
    journal.recoveries.change(recovery_id, NOON, lambda known: replace(known, state=RecoveryState.FAILED))
    journal.recoveries.reopen(recovery_id, Decision.CONFIRM, "ann", NOON)
    told = [str(event.kind) for event in journal.events.after(0, 99)]
    assert told == ["RECLAIM", "HELD", "VETOED", "CONFIRMED", "STOPPED", "DECIDED", "STATE", "RETRIED"]


def test_a_recovery_that_is_over_takes_no_decision(journal: Journal) -> None:
    (recovery_id,) = observe(journal, sign())
    journal.recoveries.change(recovery_id, NOON, lambda known: replace(known, state=RecoveryState.SKIPPED))
    assert journal.recoveries.decide(recovery_id, Decision.CONFIRM, "ann", NOON) is None
    assert not journal.recoveries.cancel(recovery_id, "ann", NOON)


def test_of_two_that_decide_at_once_one_wins(journal: Journal) -> None:
    (recovery_id,) = observe(journal, sign())
    won: list[str] = []

    def decide(who: str) -> None:
        free = journal.recoveries.decide(
            recovery_id, Decision.CONFIRM, who, NOON, only_if=lambda known: known.decision is Decision.NONE
        )
        if free:
            won.append(who)

    threads = [threading.Thread(target=decide, args=(f"who-{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = journal.recoveries.get(recovery_id)
    assert found is not None
    assert won == [found.who]


def test_the_feed_gives_what_is_newer_oldest_first(journal: Journal) -> None:
    for number in range(5):
        journal.events.add(Line(EventKind.MESSAGE, "cn-hangzhou", "", f"line {number}"), NOON)
    first = journal.events.after(0, 3)
    assert [event.text for event in first] == ["line 2", "line 3", "line 4"]
    assert journal.events.after(first[-1].seq, 3) == ()


def test_the_audit_keeps_the_token_from_before_the_call(journal: Journal) -> None:
    (recovery_id,) = observe(journal, sign())
    for entry in (
        Entry(recovery_id, "CreateImage", Phase.INTENT, "tok"),
        Entry(recovery_id, "CreateImage", Phase.RESULT, "tok", "R-1", "m-1"),
    ):
        journal.recoveries.change(recovery_id, NOON, lambda known: known, entry)
    calls = [one for one in journal.audit.of(recovery_id) if one.client_token]
    assert [(one.phase, one.client_token, one.request_id) for one in calls] == [
        (Phase.INTENT, "tok", ""),
        (Phase.RESULT, "tok", "R-1"),
    ]


def test_a_letter_is_kept_once_and_tried_until_told(journal: Journal) -> None:
    for _ in range(2):
        journal.outbox.post("r-1", "needs you", "text", NOON)
    (letter,) = journal.outbox.due("chat", NOON)
    journal.outbox.failed("chat", letter, NOON + timedelta(seconds=5))
    assert journal.outbox.due("chat", NOON) == ()
    assert journal.outbox.due("mail", NOON) == (letter,), "one channel's trouble is not another's"
    (again,) = journal.outbox.due("chat", NOON + timedelta(seconds=5))
    assert again.attempts == 1
    journal.outbox.told("chat", again, NOON)
    assert journal.outbox.due("chat", NOON + timedelta(days=1)) == ()


def test_commits_of_every_connection_are_counted_and_queries_are_none(journal: Journal) -> None:
    other = Journal(journal.database.path)
    seen = [journal.database.commits()]
    observe(journal, sign())
    seen.append(journal.database.commits())
    observe(other, sign("i-2"))
    seen.append(journal.database.commits())
    assert len(set(seen)) == 3
    assert len(journal.recoveries.all()) == 2
    assert journal.database.commits() == seen[-1]


def test_a_journal_of_a_newer_version_is_refused_with_words(journal: Journal) -> None:
    with journal.database.write() as connection:
        connection.exec_driver_sql("update spottui_meta set value = '99' where key = 'schema'")
    journal.close()
    with pytest.raises(JournalProblem, match="newer spottui"):
        Journal(journal.database.path)


def test_a_journal_of_the_version_before_opens_as_it_is(journal: Journal) -> None:
    """What is new in a version is a table of its own: it is made when it is missing."""
    (recovery_id,) = observe(journal, sign())
    with journal.database.write() as connection:
        for table in ("delivery", "launch"):
            connection.exec_driver_sql(f"drop table {table}")
    journal.close()
    again = Journal(journal.database.path)
    assert again.recoveries.get(recovery_id)
    assert len(again.outbox.due("chat", NOON + timedelta(minutes=1))) == 1
    again.close()
