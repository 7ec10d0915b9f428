"""Which processes of one journal live: each holds a file locked, and the lock ends with it, however it ends."""

import fcntl
import os
import secrets
import socket
from pathlib import Path
from typing import IO

_TAKES_OVER = "takes over"


class Claim:
    """A file that this process holds locked while it lives: whoever can lock it knows that its owner is dead."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._directory = directory
        self.executor_id = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        # Locked before it has its name: nobody may find it unlocked and think its owner dead.
        unnamed = directory / f".{self.executor_id}"
        self._file = unnamed.open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        unnamed.rename(directory / self.executor_id)

    def others(self) -> set[str]:
        """Return the executors that have a claim here, dead or alive."""
        return {path.name for path in self._directory.iterdir() if not path.name.startswith(".")}

    def take_over(self) -> None:
        """Say that this process goes on with what another leaves; one that only watches does not."""
        self._file.write(_TAKES_OVER)
        self._file.flush()

    def successors(self) -> int:
        """Return how many other processes live and go on with what this one leaves."""
        alive = (name for name in self.others() - {self.executor_id} if self.is_alive(name))
        return sum(_said(self._directory / name) == _TAKES_OVER for name in alive)

    def of_dead(self, executor_id: str) -> "DeadClaim":
        """Try to take the claim of another executor, for as long as its work is taken over."""
        return DeadClaim(self._directory / executor_id)

    def is_alive(self, executor_id: str) -> bool:
        """Whether an executor holds its claim, this one or another."""
        try:
            with (self._directory / executor_id).open() as file:
                # Shared, so that two who ask at once do not take each other for the owner.
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except FileNotFoundError:
            return False
        return False


def _said(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


class DeadClaim:
    """The claim of another process, held for as long as its work is taken over."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None
        self._dead = False

    def __enter__(self) -> bool:
        """Return whether the owner is dead: it holds no lock, or its claim is gone."""
        try:
            self._file = self._path.open("r+")
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except FileNotFoundError:
            return True
        self._dead = True
        return True

    def __exit__(self, *_: object) -> None:
        if self._dead:
            self._path.unlink(missing_ok=True)
        if self._file:
            self._file.close()
