"""The driver of a terminal that sends anything, and what it uses of Textual that is not public."""

import inspect
import signal
import time

import pytest
from textual import _xterm_parser
from textual.driver import Driver
from textual.drivers import _writer_thread, linux_driver

from spottui.console.driver import TerminalDriver, _Output
from tests.console.pseudo import Terminal

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


def started(tmp_path, before=""):
    return Terminal(["-c", PROGRAM.format(before=before, log=str(tmp_path / "spottui.log"))], tmp_path)


@pytest.fixture
def terminal(tmp_path):
    one = started(tmp_path)
    one.shows("NEEDS YOU")
    yield one
    one.kill()


GARBAGE = (b"\xff", b"\xc3\x28", b"\x80\x81\xfe", b"\xe4\xb8", bytes(range(128, 256)))


def test_bytes_that_are_no_utf_8_are_keys_that_nobody_knows(terminal):
    for garbage in GARBAGE:
        terminal.type(garbage)
        time.sleep(0.3)
        terminal.type(b"?")
        terminal.shows_anew("Here, in Instances")
        terminal.type(b"\x1b")
        time.sleep(0.3)  # A key that follows at once is read as Alt and that key.
        terminal.shows_anew("NEEDS YOU")
    assert terminal.process.poll() is None
    assert b"Traceback" not in terminal.printed


def test_a_character_in_two_parts_is_one(terminal):
    one = terminal
    one.type(b"/")
    time.sleep(0.3)  # The part of a character comes in a read of its own.
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
    one = started(tmp_path, DEAD_KEYBOARD)
    try:
        assert one.ends(15) == 1
        one.shows("the terminal is lost (KeyError")
        one.shows("Recoveries resume at the next start.")
        assert b"Traceback" not in one.printed
        assert "KeyError" in (tmp_path / "spottui.log").read_text()
    finally:
        one.kill()


BROKEN_SCREEN = """
import threading
from concurrent.futures import ThreadPoolExecutor
def broken(app):
    ThreadPoolExecutor(1).submit(threading.Event().wait)  # A call to the cloud that hangs.
    raise KeyError("a secret")
SpottuiApp.action_save_screen = broken
"""


def test_a_broken_screen_ends_the_console_in_time_and_in_words(tmp_path):
    one = started(tmp_path, BROKEN_SCREEN)
    try:
        one.shows("NEEDS YOU")
        one.type(b"\x13")
        assert one.ends() == 1
        one.shows("the screen failed (KeyError). Recoveries resume at the next start.")
        assert b"Traceback" not in one.printed
        assert b"a secret" not in one.printed
        assert "KeyError" in (tmp_path / "spottui.log").read_text()
    finally:
        one.kill()


@pytest.mark.parametrize(
    ("keys", "number"),
    [
        (b"", signal.SIGTERM),
        (b"", signal.SIGHUP),
        (b"", signal.SIGINT),
        (b"?", signal.SIGTERM),
        (b"jy", signal.SIGHUP),
        (b":", signal.SIGINT),
    ],
    ids=["main TERM", "main HUP", "main INT", "help", "plan", "palette"],
)
def test_a_terminal_that_takes_nothing_does_not_keep_it(terminal, number, keys):
    one = terminal
    one.type(keys)
    one.stall()
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
