"""A copy of a journal file that consoles are writing to, by SQLite's online backup."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from spottui.journal.file_watch import uri
from spottui.journal.store import JournalProblem


def back_up(journal: Path, to: Path) -> int:
    """Copy a journal as it is at one moment, and return the bytes of the copy; raises `JournalProblem`.

    The copy is one file, readable only by its owner, and gets its name once it is complete. An existing file is not
    replaced.
    """
    if not journal.is_file():
        raise JournalProblem(f"journal {journal}: there is no such file.")
    draft = to.with_name(f".{to.name}.{os.getpid()}")
    try:
        if to.exists():
            raise JournalProblem(f"{to} already exists. Name another file.")
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        _copy(journal, draft)
        draft.rename(to)
    except OSError as error:
        raise JournalProblem(f"{to}: {error.strerror}. Name another file.") from None
    except sqlite3.DatabaseError as error:
        raise JournalProblem(f"journal {journal}: {error}. No backup was written.") from None
    finally:
        draft.unlink(missing_ok=True)
    return to.stat().st_size


def _copy(journal: Path, draft: Path) -> None:
    with (
        closing(sqlite3.connect(f"{uri(journal)}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(draft, isolation_level=None)) as copy,
    ):
        source.backup(copy)
        # Without a write-ahead log it is one file; the first console that opens it creates a new log.
        copy.execute("PRAGMA journal_mode=DELETE")
        verdict = copy.execute("PRAGMA quick_check").fetchone()[0]
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
