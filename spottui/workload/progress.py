"""What became of a guarded workload, in a file that survives the reclaim, and its runs until it is done."""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path

from spottui.workload.guard import Guard


class Outcome(StrEnum):
    """How far a workload came; only `DONE` is not run again."""

    RUNNING = "running"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Progress:
    """The runs of one command; `exit_code` is the last run's, None while it runs or when the machine went away."""

    command: tuple[str, ...]
    runs: int = 0
    outcome: Outcome = Outcome.RUNNING
    exit_code: int | None = None


class ProgressProblem(Exception):
    """The file cannot be used; the text says why."""


class ProgressFile:
    """The progress of one command, replaced as a whole and on disk before it counts."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock_fd = -1

    @property
    def lock(self) -> int:
        """The file descriptor of the lock, while `opened`: for the workload to hold, so that none runs beside it."""
        return self._lock_fd

    @contextmanager
    def opened(self, command: tuple[str, ...]) -> Iterator[Progress]:
        """Give the progress of a command, alone until the block ends; raises `ProgressProblem`.

        Whoever was given the lock keeps it where this process is killed, and gives it back where the block ends.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.with_name(f"{self._path.name}.lock").open("wb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._lock_fd = lock.fileno()
                try:
                    yield self._read(command)
                finally:
                    fcntl.flock(lock, fcntl.LOCK_UN)
        except BlockingIOError:
            raise ProgressProblem(
                f"{self._path}: another guard runs this workload, or processes of a killed guard still run"
            ) from None
        except OSError as error:
            raise ProgressProblem(f"{self._path}: {error.strerror}") from None

    def begin(self, progress: Progress) -> Progress:
        """Write that a run begins."""
        return self._write(replace(progress, runs=progress.runs + 1, outcome=Outcome.RUNNING, exit_code=None))

    def end(self, progress: Progress, outcome: Outcome, exit_code: int) -> Progress:
        """Write how a run ended."""
        return self._write(replace(progress, outcome=outcome, exit_code=exit_code))

    def _read(self, command: tuple[str, ...]) -> Progress:
        try:
            text = self._path.read_text("utf-8-sig")
        except FileNotFoundError:
            return Progress(command)
        except UnicodeDecodeError:
            raise ProgressProblem(f"{self._path}: not a progress file; remove it to start anew") from None
        try:
            stored = json.loads(text)
            progress = Progress(
                tuple(stored["command"]), int(stored["runs"]), Outcome(stored["outcome"]), stored.get("exit_code")
            )
        except (ValueError, KeyError, TypeError):
            raise ProgressProblem(f"{self._path}: not a progress file; remove it to start anew") from None
        if progress.command != command:
            raise ProgressProblem(f"{self._path}: belongs to another command ({' '.join(progress.command)[:80]})")
        return progress

    def _write(self, progress: Progress) -> Progress:
        draft = self._path.with_name(f"{self._path.name}.new")
        with draft.open("w", encoding="utf-8") as file:
            json.dump(asdict(progress), file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)
        return progress


def run_until_done(command: tuple[str, ...], guard: Guard, file: ProgressFile, say: Callable[[str], None]) -> int:
    """Run a command until it is done or the machine goes, and return the exit code of its last run.

    What is done already is not run. Raises `ProgressProblem` where another run may still live or the file is of no
    use, and `OSError` when the command cannot be started.
    """
    with file.opened(command) as progress:
        if progress.outcome is Outcome.DONE:
            say("already done; remove the state file to run it again")
            return 0
        while True:
            progress = file.begin(progress)
            ended = guard.run(command, progress.runs, (file.lock,))
            # After a warning 0 may mean `saved` as well as `finished`: it is run again, and finds nothing to do.
            done = Outcome.FAILED if ended.exit_code else Outcome.DONE
            progress = file.end(progress, Outcome.INTERRUPTED if ended.interrupted else done, ended.exit_code)
            if ended.again_in_s is None:
                return ended.exit_code
            _wait(ended.again_in_s, say)


def _wait(again_in_s: float, say: Callable[[str], None]) -> None:
    if again_in_s == 0:
        say("it was a drill: running the workload again")
        return
    say(f"the reclaim was not confirmed: if this machine still runs in {again_in_s:.0f} s, the workload restarts")
    time.sleep(again_in_s)
    say("this machine still runs: running the workload again")
