"""A tmux server of a test's own, in which the real program runs."""

import os
import subprocess
import sys

from tests.driving import wait_until

_DEAF = "import signal, subprocess, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); subprocess.run(sys.argv[1:])"
DEAF = f"{sys.executable} -c '{_DEAF}' env --default-signal=HUP"
"""Starts a command as make and sudo do: it waits for what it started and passes no SIGHUP on."""


class Tmux:
    """A tmux server of its own with one window."""

    def __init__(self, socket):
        self._base = ["tmux", "-L", socket, "-f", "/dev/null"]

    def run(self, *arguments, **more):
        done = subprocess.run([*self._base, *arguments], capture_output=True, text=True, check=False, **more)
        return done.stdout

    def start(self, command, environment, size):
        width, height = size
        self.run("new-session", "-d", "-x", str(width), "-y", str(height), command, env=environment)

    def screen(self):
        return self.run("capture-pane", "-p")

    def shows(self, text):
        try:
            wait_until(lambda: text in self.screen(), 40, 0.05)
        except AssertionError:
            raise AssertionError(f"{text!r} is not on the screen:\n{self.screen()}") from None

    def comes_to_show(self, text, within_s=8):
        try:
            return wait_until(lambda: text in self.screen(), within_s, 0.05)
        except AssertionError:
            return False

    def type(self, *keys):
        for key in keys:
            self.run("send-keys", key)

    def attach_and_detach(self):
        """Look at it from a terminal for a moment, as an ssh that breaks."""
        import pty

        pid, master = pty.fork()
        if pid == 0:
            os.execvpe("tmux", [*self._base, "attach"], {**os.environ, "TERM": "xterm-256color"})
        wait_until(lambda: self.run("list-clients"), 10, 0.05)
        os.close(master)
        os.waitpid(pid, 0)
        wait_until(lambda: not self.run("list-clients"), 10, 0.05)


def processes_with(text):
    """The ids of the processes that have a text on their command line."""
    return subprocess.run(["pgrep", "-f", "--", text], capture_output=True, text=True, check=False).stdout.split()
