"""Which consoles of a journal live: however they end, and whatever other journals lie beside it."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from spottui.journal import Journal, process_locks
from spottui.journal.process_locks import ProcessLocks
from tests.driving import wait_until

LIVES = """
import sys
from pathlib import Path
from spottui.journal.process_locks import ProcessLocks
print(ProcessLocks(Path(sys.argv[1]), acts=True).own, flush=True)
sys.stdin.read()
"""


@contextmanager
def console(journal: Path) -> "Iterator[tuple[subprocess.Popen[str], str]]":
    """A console in a process of its own, and its id."""
    command = [sys.executable, "-c", LIVES, str(journal)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def test_a_console_lives_until_its_process_ends_however_it_ends(path: Path) -> None:
    ours = ProcessLocks(path, acts=True)
    with console(path) as (process, other):
        assert [one.id for one in ours.living()] == [ours.own, other]
        assert ours.is_alive(other)
        assert ours.living()[1].pid == process.pid
        process.kill()
        process.wait()
        assert not ours.is_alive(other)
    assert [one.id for one in ours.living()] == [ours.own]
    ours.close()
    assert not ours.is_alive(ours.own)


def test_one_that_is_stopped_keeps_its_lock_and_does_not_answer(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_locks, "STALE_S", 2.5)
    ours = ProcessLocks(path, acts=True)
    with console(path) as (process, other):
        os.kill(process.pid, signal.SIGSTOP)
        wait_until(lambda: not ours.is_alive(other), 10)
        assert [(one.id, one.answers) for one in ours.living()] == [(ours.own, True), (other, False)]
        os.kill(process.pid, signal.SIGCONT)
        wait_until(lambda: ours.is_alive(other), 10)


def test_who_only_reads_is_none_and_leaves_no_trace(path: Path) -> None:
    reader = ProcessLocks(path, acts=False)
    assert (reader.own, reader.living(), reader.is_alive("")) == ("", (), False)
    assert list(path.parent.iterdir()) == []


def test_consoles_of_another_journal_in_the_same_directory_are_strangers(path: Path) -> None:
    beside = path.with_name("other.db")
    with console(beside) as (process, stranger):
        ours = ProcessLocks(path, acts=True)
        assert [one.id for one in ours.living()] == [ours.own]
        assert not ours.is_alive(stranger)
        process.kill()
        process.wait()
        ProcessLocks(path, acts=True)
        assert [one.name for one in path.with_name("other.db.consoles").iterdir()] == [stranger], "it is not ours"


def test_the_next_console_removes_the_files_of_those_that_have_ended(path: Path) -> None:
    with console(path) as (process, ended), console(path) as (stopped, silent):
        process.kill()
        process.wait()
        os.kill(stopped.pid, signal.SIGSTOP)
        assert files_of(path) == {ended, silent}
        ProcessLocks(path, acts=False)
        assert files_of(path) == {ended, silent}, "who only reads removes nothing"
        ours = ProcessLocks(path, acts=True)
        assert files_of(path) == {ours.own, silent}, "one that is stopped still holds its lock"
        assert ours.is_alive(ours.own)


def files_of(journal: Path) -> set[str]:
    return {path.name for path in journal.with_name(f"{journal.name}.consoles").iterdir()}


def test_one_whose_directory_is_removed_is_back_within_seconds(path: Path) -> None:
    """Or it would be taken for dead, and what it has armed with it, without a word."""
    ours, reader = ProcessLocks(path, acts=True), ProcessLocks(path, acts=False)
    shutil.rmtree(path.with_name(f"{path.name}.consoles"))
    assert ours.is_alive(ours.own)
    wait_until(lambda: reader.is_alive(ours.own), 5)
    assert [one.id for one in reader.living()] == [ours.own]
    ours.close()
    assert not reader.is_alive(ours.own)


def test_an_id_from_the_journal_reaches_no_file_outside(path: Path) -> None:
    ours = ProcessLocks(path, acts=True)
    for name in ("../journal.db", f"../{path.name}.consoles/{ours.own}", "/etc/passwd", "."):
        assert not ours.is_alive(name)


def test_a_file_that_is_no_console_is_none(path: Path) -> None:
    ours = ProcessLocks(path, acts=True)
    path.with_name(f"{path.name}.consoles").joinpath("torn").write_text('{"host": "h", "pid"')
    assert [one.id for one in ours.living()] == [ours.own]


def test_a_journal_that_acts_is_a_console_until_it_is_closed(path: Path) -> None:
    with Journal(path, acts=True) as journal, Journal(path) as command, Journal(path, read_only=True) as reader:
        assert (command.consoles.own, reader.consoles.own) == ("", "")
        assert [one.id for one in reader.consoles.living()] == [journal.consoles.own]
        journal.close()
        assert reader.consoles.living() == ()
