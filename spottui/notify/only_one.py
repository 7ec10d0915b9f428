"""Of all the consoles of a journal one tells people, or they would be told twice."""

import fcntl
import os
from pathlib import Path
from typing import BinaryIO


class OnlyOne:
    """A lock beside the journal; it falls to another process when its holder ends, however it ends."""

    def __init__(self, journal: Path) -> None:
        self._path = journal.with_name(f"{journal.name}.notify")
        self._file: BinaryIO | None = None

    def is_mine(self) -> bool:
        """Return whether this is the one, taking the lock when it is free."""
        if self._file:
            return True
        file = os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600), "wb")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._file = file
        return True

    def release(self) -> None:
        """Let another be the one."""
        if self._file:
            self._file.close()
            self._file = None
