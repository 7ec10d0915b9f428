"""A command and everything that it started: signalled together, waited for together, killed together.

A shell in front of a worker ends before the worker does, and a worker may make a session of its own. On Linux nothing
of it gets away: this process adopts the orphans of its descendants, and /proc tells who they are.
"""

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

POLL_S = 0.05
_PROC = Path("/proc")
_PR_SET_CHILD_SUBREAPER = 36
_ANY_THAT_ENDED = os.WEXITED | os.WNOHANG | os.WNOWAIT


class Workload:
    """One running command; raises `OSError` when it cannot be started.

    It is over when the command and what is left of its session have ended, and once it was signalled, when all that
    it started has. `kept` are file descriptors that stay open for as long as any of it lives.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], kept: Sequence[int] = ()) -> None:
        _adopt_orphans()
        self._others = frozenset(pid for pid, process in _processes().items() if process.parent == os.getpid())
        self._command = subprocess.Popen(command, start_new_session=True, env=environment, pass_fds=kept)
        self._was_signalled = False
        self._is_over = False

    @property
    def exit_code(self) -> int | None:
        """The command's own, as a shell says it: 128 and the signal's number after a signal; None while it runs."""
        code = self._command.poll()
        return code if code is None or code >= 0 else 128 - code

    @property
    def is_over(self) -> bool:
        """Whether nothing of it is left."""
        self._reap()
        if not self._is_over:
            self._is_over = self._command.poll() is not None and not self._left()
        return self._is_over

    def ends_within(self, seconds: float) -> bool:
        """Wait until it is over; return whether it is."""
        end_at = time.monotonic() + seconds
        while not self.is_over:
            left_s = end_at - time.monotonic()
            if left_s <= 0:
                return False
            self._wait_a_while(left_s)
        return True

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to all of it."""
        self._was_signalled = True
        if self.is_over:
            return
        elsewhere = [pid for pid, process in self._members().items() if process.group != self._command.pid]
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._command.pid, number)
        for pid in elsewhere:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)

    def kill(self) -> None:
        """End it all at once, also what is started meanwhile; return when nothing is left."""
        while not self.is_over:
            self.signal(signal.SIGKILL)
            self.ends_within(POLL_S)

    def _wait_a_while(self, seconds: float) -> None:
        if self._command.returncode is not None:
            time.sleep(min(seconds, POLL_S))
            return
        with suppress(subprocess.TimeoutExpired):
            self._command.wait(seconds)

    def _left(self) -> bool:
        members = self._members()
        if self._was_signalled:
            return bool(members) or (not _PROC.exists() and self._group_exists())
        return any(process.session == self._command.pid for process in members.values())

    def _members(self) -> "dict[int, _Process]":
        """The command's session, the orphans that were adopted, and all their descendants, as far as they run."""
        living = {pid: process for pid, process in _processes().items() if process.is_running}
        pids = {pid for pid, process in living.items() if self._is_root(pid, process)}
        grown = -1
        while grown != len(pids):
            grown = len(pids)
            pids |= {pid for pid, process in living.items() if process.parent in pids}
        return {pid: living[pid] for pid in pids}

    def _is_root(self, pid: int, process: "_Process") -> bool:
        is_adopted = process.parent == os.getpid() and pid not in self._others
        return process.session == self._command.pid or is_adopted

    def _group_exists(self) -> bool:
        try:
            os.killpg(self._command.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def _reap(self) -> None:
        """Bury adopted orphans; the command itself is left to `subprocess`."""
        with suppress(ChildProcessError):
            while ended := os.waitid(os.P_ALL, 0, _ANY_THAT_ENDED):
                if ended.si_pid == self._command.pid or ended.si_pid in self._others:
                    return
                os.waitpid(ended.si_pid, 0)


@dataclass(frozen=True, slots=True)
class _Process:
    state: str
    parent: int
    group: int
    session: int

    @property
    def is_running(self) -> bool:
        return self.state not in ("Z", "X")


def _processes() -> dict[int, _Process]:
    """Return every process by its id, as proc(5) has them; nothing where there is no /proc."""
    if not _PROC.exists():
        return {}
    names = [name for name in os.listdir(_PROC) if name.isdigit()]
    return {int(name): process for name in names if (process := _process(name))}


def _process(name: str) -> _Process | None:
    try:
        said = (_PROC / name / "stat").read_bytes()
    except OSError:
        return None
    # The second field is the command's name in parentheses, which may hold anything.
    state, parent, group, session = said.rpartition(b")")[2].split()[:4]
    return _Process(state.decode(), int(parent), int(group), int(session))


def _adopt_orphans() -> None:
    """Linux only; elsewhere they go to process 1, and only the command's own group is found."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
