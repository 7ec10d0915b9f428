"""`spottui` in a process that is forked from one which has imported it: most of what a start costs are its imports.

That the program starts and ends well as an interpreter of its own is tested where the process itself is looked at
(tests/cli/test_ending.py, test_bare_machine.py, test_sd_notify.py) and by the chaos runs, which fork nothing.
"""

import multiprocessing
import os
import signal
import subprocess
from collections.abc import Sequence
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from threading import Timer
from typing import IO, Any

from tests import driving, forked_program

OURS = ("spottui",)
IMPORTED = (
    "spottui.cli.guard",
    "spottui.cli.headless",
    "spottui.cli.recover",
    "spottui.cli.rooms",
    "spottui.cli.status",
)
"""Once, before the forks: what a console and its commands import."""
_FORKING = multiprocessing.get_context("forkserver")


def get_ready() -> None:
    """Start what forks before any test changes the environment: an SDK reads some of it when it is imported."""
    _FORKING.set_forkserver_preload([*IMPORTED, forked_program.__name__])
    forkserver.ensure_running()


def forked(
    arguments: Sequence[str],
    environment: dict[str, str],
    output: int | IO[Any] = subprocess.PIPE,
    errors: int = subprocess.PIPE,
    program: tuple[str, ...] = OURS,
) -> "Forked | subprocess.Popen[str]":
    """As `driving.in_an_interpreter`, which starts another program than ours, and ours when an SDK shall find keys."""
    if program == OURS and not any(name.startswith("ALIBABA_CLOUD_") for name in environment):
        return Forked(arguments, environment, output, errors)
    return driving.in_an_interpreter(arguments, environment, output, errors, program)


class Forked:
    """What tests use of `subprocess.Popen`, for `spottui` with these arguments."""

    def __init__(
        self, arguments: Sequence[str], environment: dict[str, str], output: int | IO[Any], errors: int
    ) -> None:
        self.stdout, to_output = _pipe(output)
        self.stderr, to_errors = (None, to_output) if errors == subprocess.STDOUT else _pipe(errors)
        self._process = _FORKING.Process(
            target=forked_program.run, args=(arguments, environment, os.getcwd(), to_output, to_errors), daemon=True
        )
        self._process.start()
        to_output.close()
        to_errors.close()
        assert self._process.pid
        self.pid = self._process.pid

    def __enter__(self) -> "Forked":
        return self

    def __exit__(self, problem: type[BaseException] | None, *_: object) -> None:
        if problem:
            self.kill()
        self.wait()
        for stream in (self.stdout, self.stderr):
            if stream:
                stream.close()

    @property
    def returncode(self) -> int | None:
        """The exit code, negative by a signal; None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """As `returncode`."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code; raises `subprocess.TimeoutExpired`."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("spottui", timeout or 0)
        return self._process.exitcode

    def communicate(self, timeout: float) -> tuple[str, None]:
        """Return all that it says when it has ended; it is killed when it does not in time."""
        late = Timer(timeout, self.kill)
        late.start()
        assert self.stdout
        said = self.stdout.read()
        self.wait()
        late.cancel()
        return said, None

    def kill(self) -> None:
        """kill -9."""
        self.send_signal(signal.SIGKILL)

    def send_signal(self, number: int) -> None:
        """Send a signal while it runs."""
        if self.poll() is None:
            os.kill(self.pid, number)


def _pipe(to: int | IO[Any]) -> tuple[IO[str] | None, Connection]:
    """Return where to read what is written, unless it goes to a file, and where it is written."""
    if not isinstance(to, int):
        return None, Connection(os.dup(to.fileno()))
    reading, writing = multiprocessing.Pipe(duplex=False)
    return os.fdopen(os.dup(reading.fileno()), encoding="utf-8"), writing
