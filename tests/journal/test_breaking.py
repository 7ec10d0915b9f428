"""A journal that breaks under its console: nobody waits for it, its place is free, and what happened is said."""

import itertools
import os
import random
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path

import pytest

from spottui.domain.facts import Decided
from spottui.domain.recovery import Decision
from spottui.journal import Journal, file_watch
from spottui.journal.file_watch import FileWatch
from spottui.journal.process_locks import ProcessLocks
from spottui.journal.store import JournalProblem
from tests.driving import wait_until
from tests.journal.given import ANN, observe, record, sign
from tests.journal.writing import said, say

WITHIN_S = 3.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    with Journal(path, acts=True) as journal:
        journal.run(lambda t: say(t, "before"))
        yield journal


def deleted(path: Path) -> None:
    path.unlink()


def replaced(path: Path) -> None:
    other = path.with_name("other.db")
    Journal(other).close()
    other.replace(path)


def overwritten(path: Path) -> None:
    path.write_bytes(random.Random(7).randbytes(40_000))


def overwritten_in_place(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"garbage" * 700)


def emptied(path: Path) -> None:
    os.truncate(path, 0)


def without_its_log(path: Path) -> None:
    path.with_name(f"{path.name}-wal").unlink()


def without_its_index(path: Path) -> None:
    path.with_name(f"{path.name}-shm").unlink()


HARMS = {
    deleted: "it was deleted or replaced under this console",
    replaced: "it was deleted or replaced under this console",
    overwritten: "it was overwritten under this console",
    overwritten_in_place: "it was overwritten under this console",
    emptied: "it was cut short under this console",
    without_its_log: "it was deleted or replaced under this console",
    without_its_index: "it was deleted or replaced under this console",
}


@pytest.mark.parametrize("harm", HARMS)
def test_it_is_noticed_though_nobody_writes_and_its_place_is_free(
    journal: Journal, path: Path, harm: Callable[[Path], None]
) -> None:
    version = journal.version
    assert len(ProcessLocks(path, acts=False).living()) == 1
    harm(path)
    wait_until(lambda: journal.writer.broken, WITHIN_S)
    assert journal.writer.broken == f"journal {path}: {HARMS[harm]}"
    wait_until(lambda: ProcessLocks(path, acts=False).living() == (), WITHIN_S)
    assert journal.wait(version, WITHIN_S) > version, "who looks on is woken"
    with pytest.raises(JournalProblem, match="under this console"):
        journal.run(lambda t: say(t, "after"), timeout_s=1)


@pytest.mark.parametrize("harm", [deleted, overwritten])
def test_who_only_reads_notices_too(journal: Journal, path: Path, harm: Callable[[Path], None]) -> None:
    with Journal(path, read_only=True) as reader:
        reader.follow()
        harm(path)
        wait_until(lambda: reader.writer.broken, WITHIN_S)


def test_a_journal_that_nobody_harms_is_never_taken_for_broken(journal: Journal, path: Path) -> None:
    """Others open and close it, read it, carry its log back into it and make it smaller."""
    for number in range(20):
        with Journal(path) as other, Journal(path, read_only=True):
            other.run(lambda t, number=number: say(t, f"{number}" * 2000))  # type: ignore[misc]
            with other.store.write() as connection:
                connection.connection.driver_connection.execute("END")
                connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                connection.connection.driver_connection.execute("VACUUM")
                connection.connection.driver_connection.execute("BEGIN")
    journal.run(lambda t: say(t, "still here"))
    assert journal.writer.broken == ""
    assert said(journal)[-1] == "still here"


def test_nor_is_one_that_is_looked_at_while_its_log_is_written_back(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its pages are of two moments then."""
    monkeypatch.setattr(file_watch, "EVERY_S", 0.0)
    watch, ends = FileWatch(path, writes=False), threading.Event()

    def write_back() -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            for number in itertools.count():
                connection.execute(f"CREATE TABLE t{number} AS SELECT zeroblob(200000) AS x")
                if number > 3:
                    connection.execute(f"DROP TABLE t{number - 4}")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                connection.execute("VACUUM")
                if ends.is_set():
                    return

    writing = threading.Thread(target=write_back)
    writing.start()
    wait_until(lambda: path.exists() and path.stat().st_size)
    try:
        assert {watch.harm() for _ in range(3000)} == {""}
    finally:
        ends.set()
        writing.join()


@pytest.mark.parametrize("breaks", [True, False], ids=["breaks", "is closed"])
def test_of_what_is_said_while_it_ends_nothing_stays_unanswered(path: Path, breaks: bool) -> None:
    """Each is on disk or refused, whichever came first."""
    for _ in range(10):
        journal = Journal(path)
        futures: list[Future[None]] = []
        threads = [threading.Thread(target=speak, args=(journal, futures)) for _ in range(4)]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(futures) > 100)  # noqa: B023
        path.unlink() if breaks else journal.close()
        for thread in threads:
            thread.join()
        journal.close()
        assert all(future.done() for future in futures)


def speak(journal: Journal, futures: "list[Future[None]]") -> None:
    """Speak until nothing is taken any more."""
    while True:
        burst = [journal.submit(lambda t: say(t, "?")) for _ in range(10)]
        futures += burst
        if isinstance(burst[-1].exception(10), JournalProblem):
            return


def test_what_is_said_to_one_that_was_opened_to_read_is_refused(journal: Journal, path: Path) -> None:
    with Journal(path, read_only=True) as reader:
        reader.follow()
        with pytest.raises(JournalProblem, match="opened to be read"):
            reader.run(lambda t: say(t, "never"), timeout_s=1)
        assert reader.writer.broken == ""


def test_numbers_that_were_given_again_after_a_failover_are_no_news(path: Path, journal: Journal) -> None:
    """A replica lacked the last facts, and another console has written others under their numbers and beyond."""
    with closing(sqlite3.connect(path)) as connection, connection:
        (head,) = connection.execute("SELECT seq FROM log_head").fetchone()
    for text in ("lost", "lost too"):
        journal.run(lambda t, text=text: say(t, text))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM fact WHERE seq > ?", (head,))
        connection.execute("UPDATE log_head SET seq = ?", (head,))
    with Journal(path, acts=True) as other:
        for _ in range(3):
            record(other, observe(other, sign("i-other"))[0], Decided(Decision.CONFIRM, ANN))
    with pytest.raises(JournalProblem, match="earlier state"):
        journal.run(lambda t: say(t, "after"))
    assert journal.writer.broken
