"""A journal as it is now, copied: whoever reads the copy neither changes nor holds up the journal itself."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from spottui.journal.database import JournalProblem
from spottui.journal.journal import Journal


def open_copy(path: Path, directory: Path) -> Journal:
    """Copy the journal at `path` into a private directory and open the copy; raises `JournalProblem`."""
    copy = directory / "journal.db"
    os.close(os.open(copy, os.O_RDWR | os.O_CREAT, 0o600))
    try:
        with closing(sqlite3.connect(_read_only(path), uri=True)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
    except sqlite3.Error as error:
        raise JournalProblem(
            f"journal {path}: {error}. Name the journal of the console with `journal` in the configuration."
        ) from None
    return Journal(copy)


def _read_only(path: Path) -> str:
    """One that no process has open is read without a lock: SQLite would leave the files of a lock beside it."""
    at_rest = not path.with_name(f"{path.name}-wal").exists()
    return f"file:{quote(str(path.absolute()))}?mode=ro{'&immutable=1' if at_rest else ''}"
