"""Which process holds the write lock of a journal file, for error messages."""

import os
from pathlib import Path

_WRITE_LOCK_BYTE = 120
"""Of the `-shm` file, as SQLite's WAL format has it."""


def holder_of(journal: Path) -> int | None:
    """Return the process that holds the write lock, as Linux lists it; None if there is none or it is unknown."""
    try:
        inode = journal.with_name(f"{journal.name}-shm").stat().st_ino
        locks = Path("/proc/locks").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    for line in locks.splitlines():
        # `1: POSIX  ADVISORY  WRITE 3568 fd:00:2531452 120 120`; the device differs from the one that stat returns.
        fields = line.split()
        if fields[1:4] != ["POSIX", "ADVISORY", "WRITE"] or fields[5].rpartition(":")[2] != str(inode):
            continue
        if int(fields[6]) <= _WRITE_LOCK_BYTE <= float(fields[7].replace("EOF", "inf")):
            return int(fields[4])
    return None


def holder_text(journal: Path) -> str:
    """Return who holds the lock, and what to do about a stopped process."""
    pid = holder_of(journal)
    if pid is None or pid in (0, os.getpid()):
        return "another process holds its lock"
    if _is_stopped(pid):
        return f"process {pid} holds its lock and does not answer: kill -9 {pid} frees it"
    return f"process {pid} holds its lock"


def _is_stopped(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] in ("T", "t")
