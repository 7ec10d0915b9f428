"""Textual's driver for a terminal that may send anything, block on writes, or go away.

It needs private parts of Textual, which `tests/console/test_textual.py` names: `LinuxDriver._file`, which the writer
thread writes to, and `LinuxDriver._run_input_thread`, which the keyboard's thread runs, above all.
"""

import logging
import os
import select
import signal
import termios
import threading
from codecs import getincrementaldecoder
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TextIO

from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

from spottui.console.messages import TerminalLost
from spottui.console.screen_buffer import ScreenBuffer

if TYPE_CHECKING:
    from textual.app import App

log = logging.getLogger("spottui.console")

_READ_BYTES = 4096
_TICK_S = 0.1
_WRITE_S = 0.2
# Keyboard protocol, mouse, paste and focus reports off; the cursor, wrapped lines and the shell's own screen back.
_PLAIN = b"\x1b[<u\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?2004l\x1b[?1004l\x1b[?7h\x1b[?25h\x1b[?1049l"


class TerminalDriver(LinuxDriver):
    """Posts `TerminalLost` where Textual's own would print a traceback, stop reading keys or hang."""

    def __init__(self, app: "App[Any]", **given: Any) -> None:
        super().__init__(app, **given)
        self._file: Any = _Output(self._file, self._lose)

    def run_input_thread(self) -> None:
        """Read keys until the driver stops; bytes that are not UTF-8 are replaced, not fatal."""
        parser, decode = XTermParser(self._debug), getincrementaldecoder("utf-8")("replace").decode
        while not self.exit_event.is_set():
            if select.select([self.fileno], [], [], _TICK_S)[0]:
                read = os.read(self.fileno, _READ_BYTES)
                if not read:
                    raise EOFError("its input has ended")
                # Part of a character alone is no text yet, and an empty one would be the parser's end of file.
                if text := decode(read):
                    for event in parser.feed(text):
                        self.process_message(event)
            for event in parser.tick():
                self.process_message(event)

    def _run_input_thread(self) -> None:
        try:
            self.run_input_thread()
        except Exception as error:
            self._lose(error)

    def _lose(self, error: Exception) -> None:
        log.error("the terminal is lost", exc_info=error)
        self._app.post_message(TerminalLost(f"{type(error).__name__}: {error}"))


class _Output:
    """The terminal's file, to which only changes are written: what waits while it is slow is sent as one.

    Once a write fails, all later ones are dropped, so that the writer thread survives: at the end Textual waits for it,
    for ever if it had died.
    """

    def __init__(self, file: TextIO, lose: Callable[[Exception], None]) -> None:
        self._file, self._lose, self._lost = file, lose, False
        self._buffer = ScreenBuffer()
        self.fileno = file.fileno

    def write(self, text: str) -> None:
        self._try(lambda: self._buffer.put(text))

    def flush(self) -> None:
        self._try(self._send)

    def _send(self) -> None:
        self._file.write(self._buffer.take())
        self._file.flush()

    def _try(self, do: Callable[[], object]) -> None:
        if self._lost:
            return
        try:
            do()
        except Exception as error:
            self._lost = True
            self._lose(error)


def terminal_as_it_is() -> Callable[[], None]:
    """Return a function that restores the terminal's present state, from any thread, even if it blocks on writes."""
    descriptor = 0
    modes = termios.tcgetattr(descriptor)

    def give_back() -> None:
        # In the background tcsetattr would stop the process, which is about to end.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
        with suppress(termios.error):
            termios.tcsetattr(descriptor, termios.TCSANOW, modes)
        writing = threading.Thread(target=_write_plain, daemon=True)
        writing.start()
        writing.join(_WRITE_S)

    return give_back


def _write_plain() -> None:
    with suppress(OSError):
        os.write(2, _PLAIN)
