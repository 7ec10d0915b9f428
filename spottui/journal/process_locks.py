"""Which consoles of a journal are alive on this host: each holds a lock on a file, which ends with the process.

There is one directory for each journal. A stopped process keeps its lock, so each one also touches its file every
second; one that has not for `STALE_S` is not responding and drives nothing any more.
"""

import fcntl
import json
import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Protocol

from spottui.domain.view import LiveConsole

log = logging.getLogger("spottui.journal")

BEAT_S = 1.0
STALE_S = 10.0


class Liveness(Protocol):
    """The consoles that act on a journal. `own` is this console's id, as recoveries name their driver, or empty."""

    own: str

    def living(self) -> tuple[LiveConsole, ...]:
        """Return the consoles that act on this journal, including this one and unresponsive ones, oldest first."""
        ...

    def is_alive(self, console: str) -> bool:
        """Whether a console is alive and responding."""
        ...

    def close(self) -> None:
        """Stop being a console."""
        ...


class ProcessLocks:
    """The consoles of one journal file. With `acts` this process is one of them until it ends."""

    def __init__(self, journal: Path, *, acts: bool) -> None:
        self._directory = journal.with_name(f"{journal.name}.consoles")
        self.own = ""
        self._file: IO[str] | None = None
        self._ended = threading.Event()
        self._since = datetime.now(UTC).timestamp()
        if acts:
            self._take_place()

    def living(self) -> tuple[LiveConsole, ...]:
        """Return the consoles that hold their lock, oldest first."""
        consoles = (_console(path) for path in self._files() if is_locked(path))
        return tuple(sorted((console for console in consoles if console), key=lambda console: console.since))

    def is_alive(self, console: str) -> bool:
        """Whether a console holds its lock and touched its file lately; this one is alive until it is closed."""
        if console and console == self.own:
            return not self._ended.is_set()
        path = self._directory / console
        return bool(console) and console == path.name and is_locked(path) and _is_fresh(path)

    def close(self) -> None:
        """Release the lock."""
        self._ended.set()
        if self._file:
            self._file.close()

    def _take_place(self) -> None:
        self.own = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._file = self._locked()
        self._remove_ended()
        threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()

    def _locked(self) -> IO[str]:
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Locked before it gets its name: nobody may find it unlocked and take its owner for dead.
        unnamed = self._directory / f".{self.own}"
        file = unnamed.open("w", encoding="utf-8")
        fcntl.flock(file, fcntl.LOCK_EX)
        json.dump({"host": socket.gethostname(), "pid": os.getpid(), "since": self._since}, file)
        file.flush()
        _touch(unnamed)
        unnamed.rename(self._directory / self.own)
        return file

    def _remove_ended(self) -> None:
        """Remove the files of consoles that have ended: nobody else has one with a name and without its lock."""
        for path in self._files():
            with suppress(OSError), path.open("r+", encoding="utf-8") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()

    def _beat(self) -> None:
        while not self._ended.wait(BEAT_S):
            try:
                _touch(self._directory / self.own)
            except OSError:
                self._come_back()

    def _come_back(self) -> None:
        """Somebody removed the file or its directory: without it nobody can see that this console is alive."""
        with suppress(OSError):
            old, self._file = self._file, self._locked()
            log.warning("%s was removed; this console has created it again", self._directory / self.own)
            if old:
                old.close()
            if self._ended.is_set():
                self._file.close()

    def _files(self) -> Iterator[Path]:
        try:
            yield from (path for path in sorted(self._directory.iterdir()) if not path.name.startswith("."))
        except OSError:
            return


def is_locked(path: Path) -> bool:
    """Return whether a process holds the lock of a file."""
    try:
        with path.open(encoding="utf-8") as file:
            # Shared, so that two concurrent checks do not take each other for the owner.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _touch(path: Path) -> None:
    """The monotonic clock: it cannot be set, stops while the machine sleeps, and is the same for all processes."""
    now = time.monotonic_ns()
    os.utime(path, ns=(now, now))


def _is_fresh(path: Path) -> bool:
    try:
        return time.monotonic_ns() - path.stat().st_mtime_ns < STALE_S * 1e9
    except OSError:
        return False


def _console(path: Path) -> LiveConsole | None:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        since = datetime.fromtimestamp(float(said["since"]), UTC)
        return LiveConsole(path.name, str(said["host"]), int(said["pid"]), since, _is_fresh(path))
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return None
