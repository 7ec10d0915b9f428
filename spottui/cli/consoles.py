"""Which consoles of a journal live: each holds a file of its own locked for as long as its process does."""

import fcntl
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

CLAIMS = "spottui-executors"


@dataclass(frozen=True, slots=True)
class LiveConsole:
    """A console that acts on the journal: the process id on its machine, and since when it runs."""

    pid: int
    since: datetime


def live_consoles(journal: Path) -> tuple[LiveConsole, ...]:
    """Return the consoles that have this journal open and act on it, oldest first; read-only ones are not known."""
    directory = journal.parent / CLAIMS
    claims = (path for path in sorted(directory.glob("*")) if not path.name.startswith("."))
    living = (_console(path) for path in claims if _is_locked(path))
    return tuple(sorted((one for one in living if _has_open(one.pid, journal)), key=lambda one: one.since))


def _is_locked(claim: Path) -> bool:
    try:
        with claim.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _console(claim: Path) -> LiveConsole:
    """A claim is named `HOST-PID-RANDOM` and made when its console starts."""
    pid = claim.name.split("-")[-2:-1]
    since = datetime.fromtimestamp(claim.stat().st_mtime, UTC)
    return LiveConsole(int(pid[0]) if pid and pid[0].isdigit() else 0, since)


def _has_open(pid: int, journal: Path) -> bool:
    """Several journals share one directory; where the process cannot be looked at, it counts."""
    try:
        files = {os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()}
    except OSError:
        return True
    return str(journal.resolve()) in files
