"""One writer: what is committed together, what fails alone, what comes first, and what waits for others."""

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from spottui.domain.facts import Logged, MessageSeen, Retried, StateEntered
from spottui.domain.interruption import Evidence
from spottui.domain.recovery import RecoveryState
from spottui.journal import Journal, schema
from spottui.journal.store import JournalProblem, upsert
from spottui.journal.transaction import Transaction
from spottui.journal.writer import Urgency
from tests.driving import wait_until
from tests.journal.given import NOON, REGION, known, observe, sign


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    with Journal(path) as journal:
        yield journal


@contextmanager
def held_by_another(path: Path) -> Iterator[None]:
    """Another process writes, and does not come to an end."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


class Gate:
    """Holds the writer in a change until it is opened, so that others gather behind it."""

    def __init__(self, journal: Journal) -> None:
        self._open, self._shut = threading.Event(), threading.Event()
        self._future = journal.submit(self._hold)
        assert self._shut.wait(10)

    def open(self) -> None:
        self._open.set()
        self._future.result(10)

    def _hold(self, _transaction: Transaction) -> None:
        self._shut.set()
        assert self._open.wait(10)


def say(journal: Journal, text: str, urgency: Urgency = Urgency.INTENT) -> "Future[None]":
    return journal.submit(lambda transaction: transaction.log(MessageSeen(text), NOON), urgency)


def said(journal: Journal) -> list[str]:
    return [one.fact.name for one in journal.log.after(0, 10_000, (MessageSeen,))]


def rest(transaction: Transaction, zone: str) -> None:
    """Write a row beside the log."""
    row = {"region": REGION, "instance_type": "t", "zone": zone, "on_demand": False, "until": 2e9, "reason": "x"}
    upsert(transaction.connection, schema.cool_down, [row])


def test_all_that_waits_is_one_commit_and_is_told_in_the_order_of_the_log(journal: Journal) -> None:
    told: list[list[Logged]] = []
    journal.follow(lambda logged: told.append(list(logged)))
    gate = Gate(journal)
    futures = [say(journal, str(number)) for number in range(100)]
    gate.open()
    for future in futures:
        future.result(10)
    assert [[one.fact.name for one in batch] for batch in told] == [[str(number) for number in range(100)]]
    assert [one.seq for one in told[0]] == list(range(1, 101))


def test_one_that_raises_fails_alone_and_nothing_of_it_stays(journal: Journal) -> None:
    (recovery_id,) = observe(journal, sign())

    def fails(transaction: Transaction) -> None:
        transaction.log(MessageSeen("never"), NOON)
        transaction.record(recovery_id, StateEntered(RecoveryState.FAILED), NOON)
        rest(transaction, "never")
        raise ValueError("no")

    def sees(transaction: Transaction) -> RecoveryState | None:
        rest(transaction, "after")
        found = transaction.recovery(recovery_id)
        return found and found.state

    gate = Gate(journal)
    before, bad, after = say(journal, "before"), journal.submit(fails), journal.submit(sees)
    last = say(journal, "last")
    gate.open()
    with pytest.raises(ValueError, match="no"):
        bad.result(10)
    assert after.result(10) is RecoveryState.SUSPECTED
    for future in (before, last):
        future.result(10)
    assert said(journal) == ["before", "last"]
    assert [one.seq for one in journal.log.after(0, 99)] == [1, 2, 3], "no number is left out"
    assert {zone for _, zone, _ in journal.cool_downs.resting(REGION, NOON, timedelta(days=36500))} == {"after"}
    assert known(journal, recovery_id).state is RecoveryState.SUSPECTED


def test_what_no_database_takes_fails_alone(journal: Journal) -> None:
    gate = Gate(journal)
    futures = [say(journal, text) for text in ("one", "half a pair: \ud800", "two")]
    gate.open()
    with pytest.raises(UnicodeEncodeError):
        futures[1].result(10)
    futures[2].result(10)
    assert said(journal) == ["one", "two"]
    assert journal.writer.problem == ""


def test_evidence_goes_before_what_is_for_the_eyes_only(journal: Journal) -> None:
    gate = Gate(journal)
    futures = [say(journal, one.name, one) for one in sorted(Urgency, reverse=True)]
    futures.append(say(journal, "EVIDENCE again", Urgency.EVIDENCE))
    gate.open()
    for future in futures:
        future.result(10)
    assert said(journal) == ["EVIDENCE", "EVIDENCE again", "INTENT", "DECISION", "EYES"]


def test_a_change_waits_for_another_process_and_nothing_is_lost(journal: Journal, path: Path) -> None:
    with held_by_another(path):
        futures = [say(journal, str(number)) for number in range(3)]
        wait_until(lambda: journal.writer.problem == "another process holds its lock")
        assert not any(future.done() for future in futures)
    for future in futures:
        future.result(20)
    assert said(journal) == ["0", "1", "2"]
    assert journal.writer.problem == ""


def test_what_could_not_be_begun_in_time_is_not_done_later(journal: Journal, path: Path) -> None:
    with held_by_another(path), pytest.raises(TimeoutError):
        journal.run(lambda transaction: transaction.log(MessageSeen("too late"), NOON), timeout_s=0.3)
    say(journal, "later").result(20)
    assert said(journal) == ["later"]


def test_what_is_submitted_to_a_closed_journal_is_refused_in_words(path: Path) -> None:
    journal = Journal(path)
    last = say(journal, "last")
    journal.close()
    assert last.result(0) is None, "what waited was committed"
    with pytest.raises(JournalProblem, match="closed"):
        say(journal, "after").result(1)


def test_a_journal_that_is_replaced_under_us_takes_nothing_any_more(journal: Journal, path: Path) -> None:
    other = path.with_name("other.db")
    Journal(other).close()
    other.replace(path)
    with pytest.raises(JournalProblem, match="deleted or replaced under this console"):
        say(journal, "into nobody's journal").result(10)
    assert "deleted or replaced" in journal.writer.problem
    with pytest.raises(JournalProblem):
        say(journal, "again").result(1)


@pytest.mark.parametrize("read_only", [False, True])
def test_a_journal_that_is_gone_is_noticed_where_nobody_writes(path: Path, read_only: bool) -> None:
    Journal(path).close()
    with Journal(path, read_only=read_only) as journal:
        journal.follow()
        version = journal.version
        path.unlink()
        wait_until(lambda: "deleted or replaced" in journal.writer.broken, 5)
        assert journal.wait(version, 1) > version, "whoever shows it is woken"


def test_a_listener_that_fails_stops_no_other(journal: Journal) -> None:
    heard: list[str] = []

    def fails(_logged: object) -> None:
        raise RuntimeError

    journal.follow(fails)
    journal.follow(lambda logged: heard.extend(one.fact.name for one in logged))
    say(journal, "told").result(10)
    assert heard == ["told"]


WRITES = """
import sys
from pathlib import Path
from spottui.domain.facts import Retried
from spottui.journal import Journal
from tests.journal.given import NOON
path, recovery_id, who, times = sys.argv[1:]

def another_run(transaction):
    known = transaction.recovery(recovery_id)
    transaction.record(recovery_id, Retried(known.run + 1, who), NOON)

with Journal(Path(path)) as journal:
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(int(times)):
        journal.run(another_run)
    print(journal.recoveries.get(recovery_id).run, len(list(journal.log.unlike_their_facts())), flush=True)
"""


def test_two_processes_number_the_log_without_gaps_and_see_each_other(path: Path) -> None:
    """Each change is made of what the other process has committed, or the runs would not count up one by one."""
    with Journal(path) as journal:
        (recovery_id,) = observe(journal, sign(source=Evidence.LOCK))
        writers = [_writer(path, recovery_id, name) for name in ("ann", "bo")]
        for one in writers:
            assert one.stdin
            one.stdin.write("go\n")
            one.stdin.flush()
        ended = [one.communicate(timeout=60)[0].split() for one in writers]
        assert [one.returncode for one in writers] == [0, 0]
        assert max(int(run) for run, _ in ended) == 200
        assert {unlike for _, unlike in ended} == {"0"}
        wait_until(lambda: known(journal, recovery_id).run == 200)
        facts = journal.log.of(recovery_id)
        assert [one.seq for one in facts] == list(range(1, 202))
        assert [one.fact.run for one in facts[1:]] == list(range(1, 201))
        assert {one.fact.who for one in facts[1:]} == {"ann", "bo"}
        in_memory = known(journal, recovery_id)
        assert list(journal.log.unlike_their_facts()) == []
    with Journal(path, read_only=True) as again:
        assert known(again, recovery_id) == in_memory


def _writer(path: Path, recovery_id: str, name: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", WRITES, str(path), recovery_id, name, "100"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


def test_who_opens_it_while_another_writes_misses_nothing(journal: Journal, path: Path) -> None:
    """What is committed between the looks of an opening is in its memory too, or caught up with."""
    (recovery_id,) = observe(journal, sign())
    ends = threading.Event()

    def write() -> None:
        while not ends.is_set():
            journal.run(lambda t: t.record(recovery_id, Retried(1, "ann"), NOON))

    writing = threading.Thread(target=write)
    writing.start()
    with ExitStack() as stack:
        opened = [stack.enter_context(Journal(path)) for _ in range(40)]
        ends.set()
        writing.join()
        for one in opened:
            one.run(lambda _: None)
        disk = journal.log.of(recovery_id)
        for one in opened:
            assert len(known(one, recovery_id).past_runs) == len(disk) - 1
            assert [line.seq for line in one.recoveries.feed] == [line.seq for line in disk][-1000:]
