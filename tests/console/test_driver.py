"""The driver of a terminal that sends anything, and what it uses of Textual that is not public."""

import inspect
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import threading
import time

import pytest
from textual import _xterm_parser
from textual.driver import Driver
from textual.drivers import _writer_thread, linux_driver

from spottui.console.driver import TerminalDriver, _Output
from tests.driving import clean_environment, wait_until

PROGRAM = """
from pathlib import Path
from spottui.cli.console import GOES_ON, show
from spottui.cli.ending import Ending, leave
from spottui.cli.logfile import log_to
from spottui.console.app import SpottuiApp
from spottui.console.driver import TerminalDriver
from tests.console.scripted import FrozenClock, ScriptedDesk, reclaims
{before}
log_to(Path({log!r}))
with Ending(terminal=True) as ending:
    app = SpottuiApp(lambda: ScriptedDesk(reclaims()), clock=FrozenClock(), who="mia", title="spottui",
                     goes_on=GOES_ON, hurry=ending.hurry)
    code = show(app, ending)
leave(code)
"""


class Terminal:
    """A pseudo terminal with a program in it; what it prints is read all the time, until it stalls."""

    def __init__(self, tmp_path, before=""):
        self.log = tmp_path / "spottui.log"
        program = PROGRAM.format(before=before, log=str(self.log))
        self.master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (30, 100))
        os.set_blocking(self.master, True)
        environment = {**clean_environment(tmp_path), "PYTHONPATH": os.getcwd(), "TERM": "xterm-256color"}
        environment = {key: value for key, value in environment.items() if key not in ("COLUMNS", "LINES")}
        self.process = subprocess.Popen(
            [sys.executable, "-c", program], stdin=slave, stdout=slave, stderr=slave, env=environment
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
        wait_until(lambda: text.encode() in self.printed, 20)

    def type(self, keys):
        os.write(self.master, keys)

    def ends(self, within_s=3.0):
        return self.process.wait(within_s)


@pytest.fixture
def terminal(tmp_path):
    started = []

    def start(before=""):
        started.append(Terminal(tmp_path, before))
        started[-1].shows("NEEDS YOU")
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()
        one.reading = False


@pytest.mark.parametrize("garbage", [b"\xff", b"\xc3\x28", b"\x80\x81\xfe", b"\xe4\xb8", bytes(range(128, 256))])
def test_bytes_that_are_no_utf_8_are_keys_that_nobody_knows(terminal, garbage):
    one = terminal()
    one.type(garbage)
    time.sleep(0.3)
    one.type(b"?")
    one.shows("Help")
    assert one.process.poll() is None
    assert b"Traceback" not in one.printed


def test_a_character_in_two_parts_is_one(terminal):
    one = terminal()
    one.type(b"/")
    one.type("宕".encode()[:2])
    time.sleep(0.3)
    one.type("宕".encode()[2:])
    one.shows("宕")


DEAD_KEYBOARD = """
def dead(driver):
    raise KeyError("no such key")
TerminalDriver.run_input_thread = dead
"""


def test_a_dead_keyboard_ends_the_console_and_says_so(tmp_path):
    one = Terminal(tmp_path, DEAD_KEYBOARD)
    try:
        assert one.ends(15) == 1
        one.shows("the terminal is lost (KeyError")
        one.shows("Recoveries go on at the next start.")
        assert b"Traceback" not in one.printed
        assert "KeyError" in one.log.read_text()
    finally:
        one.process.kill()
        one.reading = False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
@pytest.mark.parametrize("keys", [b"", b"?", b"jy", b":"], ids=["main", "help", "plan", "palette"])
def test_a_terminal_that_takes_nothing_does_not_keep_it(terminal, number, keys):
    one = terminal()
    one.type(keys)
    one.reading = False
    for _ in range(40):  # Each is a screen full: more than the terminal and the writer's queue hold.
        one.type(b"\x1b[6~\x1b[5~zz")
        time.sleep(0.02)
    one.process.send_signal(number)
    assert one.ends() == 1


class Broken:
    """A file that fails."""

    def fileno(self):
        return 2

    def write(self, text):
        raise OSError(5, "Input/output error")

    flush = None


def test_the_writer_lives_on_when_its_terminal_fails_and_tells_it_once(caplog):
    lost = []
    writer = _writer_thread.WriterThread(_Output(Broken(), lost.append))
    writer.start()
    for _ in range(3 * _writer_thread.MAX_QUEUED_WRITES):
        writer.write("a frame")
    writer.stop()
    assert [str(error) for error in lost] == ["[Errno 5] Input/output error"]


def test_what_is_used_of_textual_that_is_not_public_is_there():
    source = inspect.getsource(linux_driver.LinuxDriver)
    assert "self._file = sys.__stderr__" in source
    assert "WriterThread(self._file)" in source
    assert "target=self._run_input_thread" in source
    assert "self.run_input_thread()" in source
    assert "XTermParser(self._debug)" in source
    assert "self._app" in inspect.getsource(Driver)
    assert _xterm_parser.XTermParser is linux_driver.XTermParser
    assert "write(text)" in inspect.getsource(_writer_thread.WriterThread.run)
    assert issubclass(TerminalDriver, linux_driver.LinuxDriver)
