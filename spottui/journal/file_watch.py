"""Whether a journal's files are still those that were opened: SQLite itself never checks."""

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

EVERY_S = 1.0
_BESIDE = ("-wal", "-shm")


class FileWatch:
    """Watches a journal file and, for a writer, the two files that SQLite keeps next to it."""

    def __init__(self, path: Path, *, writes: bool) -> None:
        self._path = path
        self._watched = [path, *(path.with_name(path.name + ending) for ending in _BESIDE if writes)]
        found = _inode(path)
        self._known = {path: found} if found else {}
        self._next_look = 0.0

    def harm(self) -> str:
        """Return what happened to the files of the open journal, empty if nothing did."""
        for path in self._watched:
            now, before = _inode(path), self._known.get(path)
            if before and now != before:
                return "it was deleted or replaced under this console"
            if now:
                self._known[path] = now
        return self._overwritten() if self._path in self._known else ""

    def _overwritten(self) -> str:
        if time.monotonic() < self._next_look:
            return ""
        self._next_look = time.monotonic() + EVERY_S
        try:
            # Read through SQLite: closing a file handle of our own would drop the locks of its connections.
            # Immutable, so that the file is read and not its write-ahead log.
            with closing(sqlite3.connect(f"{uri(self._path)}?immutable=1", uri=True)) as connection:
                pages = connection.execute("PRAGMA page_count").fetchone()[0]
        except sqlite3.DatabaseError as error:
            # Other differences can occur during a checkpoint: only the first bytes never change.
            is_none = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_NOTADB
            return "it was overwritten under this console" if is_none else ""
        return "" if pages else "it was cut short under this console"


def uri(path: Path) -> str:
    """Return a path as a `file:` URI for SQLite, with all characters escaped."""
    return f"file:{quote(os.fsencode(path.absolute()))}"


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
