"""A pseudo terminal with a program in it."""

import os
import pty
import select
import subprocess
import sys
import termios
import threading
import time

from tests.driving import clean_environment, wait_until


class Terminal:
    """A pseudo terminal with a program in it; what it prints is read all the time, until it stalls."""

    def __init__(self, arguments, state, **more):
        self.master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (30, 100))
        os.set_blocking(self.master, True)
        environment = {**clean_environment(state), "PYTHONPATH": os.getcwd(), "TERM": "xterm-256color"}
        environment |= {"COLUMNS": None, "LINES": None, **more}
        environment = {key: value for key, value in environment.items() if value is not None}
        self.process = subprocess.Popen(
            [sys.executable, *arguments], stdin=slave, stdout=slave, stderr=slave, env=environment
        )
        os.close(slave)
        self.printed = b""
        self.reading = True
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while self.reading:
            if select.select([self.master], [], [], 0.05)[0]:
                try:
                    self.printed += os.read(self.master, 65536)
                except OSError:
                    return

    def shows(self, text):
        wait_until(lambda: text.encode() in self.printed)

    def shows_anew(self, text):
        """As `shows`, of what is on the screen now: it is drawn anew."""

        def drawn():
            self.printed = b""
            self.type(b"\x0c")
            ends = time.monotonic() + 2
            while text.encode() not in self.printed and time.monotonic() < ends:
                time.sleep(0.02)
            return text.encode() in self.printed

        wait_until(drawn)

    def type(self, keys):
        os.write(self.master, keys)

    def stall(self):
        """Read nothing any more, and have more shown than the terminal and the writer's queue hold."""
        self.reading = False
        for _ in range(40):
            self.type(b"\x1b[6~\x1b[5~zz")
            time.sleep(0.02)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.reading = False

    # Three seconds are promised. With eight test processes on two cores one may wait as long for the processor alone.
    def ends(self, within_s=8.0):
        return self.process.wait(within_s)
