"""What the journal keeps, who may read it, and what opening it changes."""

import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from spottui.domain.commands import Cancel, Command, Confirm, Hold, Veto
from spottui.domain.facts import (
    AutoAnswered,
    CallAnswered,
    CallBegun,
    CancelAsked,
    Decided,
    Logged,
    MessageSeen,
    PoisonSeen,
    Retried,
    RouteChosen,
)
from spottui.domain.interruption import Evidence
from spottui.domain.reasons import Doing, NextStep, Reason, Why
from spottui.domain.recovery import AutoAnswer, Decision, RecoveryState
from spottui.domain.refusal import Refused
from spottui.domain.routes import Route
from spottui.domain.view import ROWS_SHOWN
from spottui.journal import Journal, deliveries
from spottui.journal.log import LINES_KEPT, drop_old
from spottui.journal.reclaims import EPOCHS
from spottui.journal.recoveries import Recoveries
from spottui.journal.store import JournalProblem, Store
from spottui.journal.transaction import Transaction
from spottui.recovery.decisions import carry_out
from spottui.words import event_kind
from tests.driving import wait_until
from tests.journal.given import ANN, NOON, REGION, confirm, enter, known, observe, plan_of, record, set_plan, sign


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    with Journal(path) as journal:
        yield journal


def test_file_and_directory_are_for_their_owner_only(journal: Journal, path: Path) -> None:
    observe(journal, sign())
    assert {stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir() if one.is_file()} == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_recovery_appears_with_its_first_sign_and_survives(journal: Journal, path: Path) -> None:
    (recovery_id,) = observe(journal, sign())
    set_plan(journal, recovery_id, plan_of())
    before = known(journal, recovery_id)
    assert before.state is RecoveryState.SUSPECTED
    journal.close()
    with Journal(path) as again:
        assert known(again, recovery_id) == before
        assert again.recoveries.plan(recovery_id) == plan_of()
        assert again.recoveries.open() == (before,)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_order_and_number_of_signs_is_one_recovery_per_instance(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    one_sign = st.builds(sign, st.sampled_from(("i-1", "i-2", "i-3")), st.sampled_from(Evidence), st.floats(0, 240))
    signs = data.draw(st.lists(one_sign, min_size=1, max_size=15))
    cut = data.draw(st.integers(0, len(signs)))
    with Journal(tmp_path_factory.mktemp("j") / "journal.db") as journal:
        ids = observe(journal, *signs[:cut]) + observe(journal, *signs[cut:])
        assert len(set(ids)) == len({one.instance_id for one in signs})
        assert {one.recovery_id for one in journal.recoveries.all()} == set(ids)
        assert list(journal.log.unlike_their_facts()) == []


def test_no_open_recovery_is_cut_and_what_is_locked_comes_first_then_the_nearest_deadline(journal: Journal) -> None:
    observe(journal, *(sign(f"i-forged{number:03d}", after_s=-number / 2) for number in range(300)))
    observe(journal, sign("i-late", Evidence.LOCK, 250), sign("i-soon", Evidence.LOCK, 10))
    (ended,) = observe(journal, sign("i-over", Evidence.LOCK))
    enter(journal, ended, RecoveryState.RECOVERED)
    shown = [one.instance_id for one in journal.recoveries.latest(200)]
    assert len(shown) == 302
    assert shown[:4] == ["i-soon", "i-late", "i-forged299", "i-forged298"]
    assert [one.instance_id for one in journal.recoveries.open()] == shown


def test_a_message_about_a_reclaim_before_the_newest_ones_begins_none_of_them_anew(journal: Journal) -> None:
    """Whoever may send messages could have begun a recovery with an id that an old one has."""
    times = [NOON + timedelta(hours=number) for number in range(EPOCHS + 1)]
    for at in times:
        (recovery_id,) = observe(journal, replace(sign(), at=at), now=at)
        enter(journal, recovery_id, RecoveryState.SKIPPED, at)
    before = {each.recovery_id: each for each in journal.recoveries.all()}
    (again,) = observe(journal, sign(), now=times[-1])
    assert len(before) == len(times)
    assert again not in before
    assert all(known(journal, each) == before[each] for each in before)


def test_a_plan_that_another_console_changes_while_it_is_read_is_read_again(journal: Journal) -> None:
    """A route that a person chose there must not be that of the old plan here."""
    (recovery_id,) = observe(journal, sign())
    plan = replace(plan_of(), routes=(Route.IMAGE, Route.KEPT_DISK))
    set_plan(journal, recovery_id, plan)
    reading = Interrupted(journal.store)
    recoveries = Recoveries(reading)

    def change() -> None:
        journal.run(lambda t: say(t, recovery_id, Confirm(plan.digest, Route.KEPT_DISK)))
        with journal.store.read() as connection:
            recoveries.catch_up(connection)

    reading.then = change
    recoveries.plan(recovery_id)
    chosen = recoveries.plan(recovery_id)
    assert chosen
    assert chosen.route is Route.KEPT_DISK


class Interrupted:
    """The store of a console that something happens to between two of its steps: once, after what it reads next."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.then: Callable[[], None] | None = None

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        with self._store.read() as connection:
            yield connection
        then, self.then = self.then, None
        if then:
            then()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def test_what_a_person_says_survives_what_the_recovery_writes(journal: Journal) -> None:
    (recovery_id,) = observe(journal, sign())
    confirm(journal, recovery_id)
    record(journal, recovery_id, CancelAsked(ANN))
    found = enter(journal, recovery_id, RecoveryState.IMAGING)
    assert (found.decision, found.who, found.cancel) == (Decision.CONFIRM, ANN, True)
    assert found.state is RecoveryState.IMAGING


def test_the_feed_says_of_each_decision_which_one_it_was(journal: Journal) -> None:
    (recovery_id,) = observe(journal, sign())
    words = (Decision.HOLD, Decision.VETO, Decision.CONFIRM)
    record(journal, recovery_id, *(Decided(one, ANN) for one in words), CancelAsked(ANN))
    record(journal, recovery_id, RouteChosen(Route.WARM_IMAGE, NextStep(Doing.PLANNED), ANN))
    enter(journal, recovery_id, RecoveryState.FAILED)
    record(journal, recovery_id, Retried(1, ANN))
    told = [str(event_kind(one.fact)) for one in journal.recoveries.feed]
    assert told == ["RECLAIM", "HELD", "VETOED", "CONFIRMED", "STOPPED", "DECIDED", "STATE", "RETRIED"]


def say(transaction: Transaction, recovery_id: str, command: Command, who: str = ANN) -> None:
    carry_out(transaction, recovery_id, command, who, "c", [REGION], NOON)


def test_a_recovery_that_is_over_takes_no_decision(journal: Journal) -> None:
    (recovery_id,) = observe(journal, sign())
    enter(journal, recovery_id, RecoveryState.SKIPPED)
    written = known(journal, recovery_id)
    for command in (Veto(), Hold(), Confirm(""), Cancel()):
        with pytest.raises(Refused):
            journal.run(lambda t, command=command: say(t, recovery_id, command))
    assert known(journal, recovery_id) == written


def test_of_two_that_decide_at_once_one_wins(journal: Journal, path: Path) -> None:
    """Each in a console of its own: nobody's word is overwritten by who had not read it."""
    (recovery_id,) = observe(journal, sign())
    set_plan(journal, recovery_id, plan_of())
    won: list[str] = []

    def decide(who: str) -> None:
        with Journal(path) as own:
            try:
                own.run(lambda t: say(t, recovery_id, Confirm(plan_of().digest), who))
            except Refused:
                return
            won.append(who)

    threads = [threading.Thread(target=decide, args=(f"who-{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_until(lambda: known(journal, recovery_id).decision is Decision.CONFIRM)
    assert won == [known(journal, recovery_id).who]


def test_the_log_gives_what_is_newer_oldest_first_and_of_the_kinds_that_are_wanted(journal: Journal) -> None:
    (recovery_id,) = observe(journal, sign())
    for number in range(5):
        journal.run(lambda t, number=number: t.log(MessageSeen(f"line {number}"), NOON, REGION))
    first = journal.log.after(0, 3)
    assert [one.seq for one in first] == [1, 2, 3]
    assert [one.fact.name for one in journal.log.after(3, 99)] == ["line 2", "line 3", "line 4"]
    assert journal.log.after(6, 3) == ()
    assert len(journal.log.after(0, 99, (MessageSeen,))) == 5
    assert [one.seq for one in journal.log.of(recovery_id)] == [1]
    assert [one.seq for one in journal.log.before(5, 2)] == [3, 4]


def test_the_token_is_there_from_before_the_call(journal: Journal) -> None:
    (recovery_id,) = observe(journal, sign())
    begun = record(journal, recovery_id, CallBegun("CreateImage", "tok"))
    assert begun.unsettled == ("tok",)
    settled = record(journal, recovery_id, CallAnswered("CreateImage", "tok", "R-1", ("m-1",)))
    assert (settled.unsettled, settled.image_id) == ((), "m-1")
    calls = [one.fact for one in journal.log.of(recovery_id)][1:]
    assert calls == [CallBegun("CreateImage", "tok"), CallAnswered("CreateImage", "tok", "R-1", ("m-1",))]


def test_what_another_process_commits_is_seen_and_followed(journal: Journal, path: Path) -> None:
    told: list[Logged] = []
    with Journal(path, read_only=True) as reader:
        reader.follow(told.extend)
        version = reader.version
        (recovery_id,) = observe(journal, sign())
        confirm(journal, recovery_id)
        wait_until(lambda: len(told) == 2)
        assert [one.seq for one in told] == [1, 2]
        assert known(reader, recovery_id) == known(journal, recovery_id)
        assert reader.wait(version, 5) > version


# What is told to channels


def test_a_channel_is_told_of_what_comes_after_it_and_each_fact_until_it_is_taken(journal: Journal) -> None:
    (recovery_id,) = observe(journal, sign())
    for name in ("chat", "mail"):
        journal.run(lambda t, name=name: deliveries.introduce(t, name))
    enter(journal, recovery_id, RecoveryState.NEEDS_YOU)
    (fact,) = journal.log.after(_told_up_to(journal, "chat"), 99)
    for name in ("chat", "mail"):
        for _ in range(2):
            journal.run(lambda t, name=name: deliveries.queue_up(t, name, [fact], fact.seq, NOON))
    (one,) = _due(journal, "chat")
    journal.run(lambda t: deliveries.failed(t, "chat", one, NOON + timedelta(seconds=5)))
    assert _due(journal, "chat") == []
    assert _due(journal, "mail") == [deliveries.Delivery(fact)], "one channel's trouble is not another's"
    (again,) = _due(journal, "chat", 5)
    assert (again.logged, again.attempts) == (fact, 1)
    journal.run(lambda t: deliveries.taken(t, "chat", again))
    assert _due(journal, "chat", 86_400) == []


def _told_up_to(journal: Journal, channel: str) -> int:
    with journal.store.read() as connection:
        return deliveries.queued_up_to(connection, channel)


def _due(journal: Journal, channel: str, after_s: float = 0) -> list[deliveries.Delivery]:
    with journal.store.read() as connection:
        return deliveries.due(connection, channel, NOON + timedelta(seconds=after_s))


# What is dropped in time


def test_old_lines_and_the_facts_of_old_recoveries_are_dropped_and_nothing_that_is_open(journal: Journal) -> None:
    later = NOON + LINES_KEPT + timedelta(days=400)
    old, still_open = observe(journal, sign("i-1"), sign("i-2"))
    set_plan(journal, old, plan_of())
    enter(journal, old, RecoveryState.RECOVERED)
    for fact in (MessageSeen("old"), PoisonSeen("old")):
        journal.run(lambda t, fact=fact: t.log(fact, NOON))
    (young,) = observe(journal, sign("i-3"), now=later)
    journal.run(lambda t: t.log(MessageSeen("young"), later))

    def drop(transaction: Transaction) -> int:
        return drop_old(transaction, later, timedelta(days=400))

    while journal.run(drop):
        pass
    assert journal.log.of(old) == ()
    assert journal.recoveries.plan(old) is None or journal.recoveries.known(old)
    assert len(journal.log.of(still_open)) == len(journal.log.of(young)) == 1
    assert [one.fact.name for one in journal.log.after(0, 99, (MessageSeen,))] == ["young"]
    assert journal.log.after(0, 99, (PoisonSeen,)) == ()
    assert list(journal.log.unlike_their_facts()) == []


# What opening it changes


def test_opening_it_to_read_changes_no_byte_and_waits_for_no_writer(journal: Journal, path: Path) -> None:
    (recovery_id,) = observe(journal, sign())
    record(journal, recovery_id, AutoAnswered(AutoAnswer.REFUSED, Reason(Why.PLAN_READY)))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        before = _bytes(path)
        with Journal(path, read_only=True) as reader:
            assert known(reader, recovery_id) == known(journal, recovery_id)
            assert len(reader.log.of(recovery_id)) == 2
            with pytest.raises(JournalProblem, match="opened to be read"), reader.store.write():
                pass
        assert _bytes(path) == before
        other.execute("ROLLBACK")


def test_a_journal_that_is_not_there_reads_as_an_empty_one_and_is_not_made(path: Path) -> None:
    with Journal(path, read_only=True) as reader:
        assert reader.recoveries.all() == ()
        assert reader.log.after(0, 9) == ()
    assert not path.parent.exists()


@pytest.mark.parametrize("read_only", [True, False])
def test_a_journal_of_a_newer_version_is_refused_with_words_and_left_as_it_is(path: Path, read_only: bool) -> None:
    Journal(path).close()
    _set_version(path, 99)
    before = path.read_bytes()
    with pytest.raises(JournalProblem, match="newer spottui"):
        Journal(path, read_only=read_only)
    assert path.read_bytes() == before


def test_a_journal_of_an_earlier_version_is_not_migrated_by_who_reads(path: Path) -> None:
    Journal(path).close()
    _set_version(path, 2)
    before = path.read_bytes()
    with pytest.raises(JournalProblem, match=r"earlier spottui .*Start `spottui` once"):
        Journal(path, read_only=True)
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir() if "journal.db" not in one.name] == []


def test_a_path_is_a_path_whatever_stands_in_it(tmp_path: Path) -> None:
    """SQLite takes addresses with a query: a question mark in a name must not cut it."""
    path = tmp_path / "what?mode=memory#%41.db"
    with Journal(path) as journal:
        (recovery_id,) = observe(journal, sign())
    assert sorted(one.name for one in tmp_path.glob("*.db")) == [path.name]
    with Journal(path, read_only=True) as journal:
        assert journal.recoveries.get(recovery_id)


def test_what_is_no_journal_is_refused_with_words(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"this is no database" * 100)
    for read_only in (True, False):
        with pytest.raises(JournalProblem, match="not a database"):
            Journal(path, read_only=read_only)


def _bytes(path: Path) -> dict[str, bytes]:
    """The database and its log; the shared index of readers is memory of SQLite's."""
    return {one.name: one.read_bytes() for one in path.parent.iterdir() if one.is_file() and "shm" not in one.name}


def _set_version(path: Path, version: int) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("update spottui_meta set value = ? where key = 'schema'", (str(version),))
        connection.commit()
        connection.execute("pragma wal_checkpoint(truncate)")


def test_after_a_storm_all_that_ended_lately_are_in_memory_again_for_the_limits_of_an_hour(
    journal: Journal, path: Path
) -> None:
    ids = observe(journal, *(sign(f"i-{number:03d}", Evidence.LOCK) for number in range(ROWS_SHOWN + 50)))
    for number, recovery_id in enumerate(ids):
        enter(journal, recovery_id, RecoveryState.RECOVERED, NOON + timedelta(seconds=number))
    with Journal(path, read_only=True) as again:
        lately = {recovery.recovery_id for recovery in again.recoveries.lately()}
    assert lately == set(ids) == {recovery.recovery_id for recovery in journal.recoveries.lately()}
