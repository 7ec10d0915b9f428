"""A program in a real pseudo-terminal, drained as fast as it writes."""

import fcntl
import os
import pty
import struct
import subprocess
import termios
import threading
import time
from pathlib import Path

from tests.console.emulator import Emulator
from tests.driving import clean_environment, wait_until


class Terminal:
    """Runs a command on a pty of 120 × 40; `output` grows, `stamps` says when which byte was there."""

    def __init__(self, command: list[str], state: Path) -> None:
        self.output = b""
        self._stamps: list[tuple[float, int]] = []
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self._master = master
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env={**clean_environment(state), "TERM": "xterm-256color", "COLORTERM": "truecolor"},
        )
        os.close(slave)
        threading.Thread(target=self._drain, daemon=True).start()

    def seconds_until(self, text: bytes, timeout_s: float = 30) -> float:
        """Return the seconds from the start until this text had been written."""
        end = time.perf_counter() + timeout_s
        while text not in self.output:
            if time.perf_counter() > end or self.process.poll() is not None:
                raise AssertionError(f"{text!r} did not appear; the end of the output: {self.output[-500:]!r}")
            time.sleep(0.001)
        position = self.output.index(text) + len(text)
        return next(at for at, length in self._stamps if length >= position) - self.started

    def wait_for(self, text: str, timeout_s: float = 30) -> None:
        """Wait until this text stands on the screen, of which only the cells that change are written."""
        screen, taken = Emulator(), 0

        def shows() -> bool:
            nonlocal taken
            # What follows the last escape may be the beginning of a sequence.
            end = self.output.rfind(b"\x1b")
            if end > taken:
                screen.feed(self.output[taken:end].decode(errors="replace"))
                taken = end
            return any(text in line for line in screen.lines())

        wait_until(shows, timeout_s, 0.1)

    def send(self, keys: bytes) -> None:
        """Type."""
        os.write(self._master, keys)

    def close(self) -> None:
        """End the program."""
        self.process.kill()
        self.process.wait()

    def _drain(self) -> None:
        while True:
            try:
                data = os.read(self._master, 65536)
            except OSError:
                return
            self.output += data
            self._stamps.append((time.perf_counter(), len(self.output)))
