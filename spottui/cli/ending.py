"""How the process ends: by a signal, with its terminal or normally, within three seconds even if something hangs."""

import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType, TracebackType
from typing import NoReturn, Self

PATIENCE_S = 2.0
"""How long the program may take to end in good order, in seconds."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_TERMINAL = (0, 2)
_CLEARING_S = 0.7
_CLOSING_S = 1.0
_FLUSHING_S = 0.3
_LEFT, _HURRY = 0, 255


class Ending:
    """While its block runs, the first SIGINT, SIGTERM or SIGHUP ends the process; a SIGHUP that nohup ignores does not.

    `ask` is called with the cause, in a separate thread: event loop and main thread may hang in a write to a blocked
    terminal. When the block is not left `PATIENCE_S` later, or there is no `ask`, the process gives up. With
    `terminal`, the process also ends with the terminal of standard input and error, because make or sudo may not pass
    SIGHUP on. Only for the main thread.
    """

    def __init__(self, *, terminal: bool = False) -> None:
        self.ask: Callable[[str], object] | None = None
        self._terminal = _TERMINAL if terminal else ()
        self._owned: list[Callable[[], object]] = []
        self._left = threading.Event()

    def __enter__(self) -> Self:
        self._wakened, self._waking = os.pipe()
        os.set_blocking(self._waking, False)
        # The interpreter writes a signal's number there in the signal handler itself, whatever its threads do.
        self._woken_before = signal.set_wakeup_fd(self._waking, warn_on_full_buffer=False)
        ignored = {signal.SIGHUP} if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else set()
        self._handlers = {number: signal.signal(number, _interrupt) for number in _SIGNALS if number not in ignored}
        self._thread = threading.Thread(target=self._watch, name="ending", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _t: TracebackType | None
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._woken_before)
        self._left.set()
        self._wake(_LEFT)
        self._thread.join()
        os.close(self._wakened)
        os.close(self._waking)

    def owns(self, clear: Callable[[], object]) -> None:
        """Register `clear` to be called before the process gives up, last one first; it must tolerate a second call."""
        self._owned.append(clear)

    def hurry(self) -> None:
        """Leave the block within `PATIENCE_S` from now, or the process gives up."""
        self._wake(_HURRY)

    def _watch(self) -> None:
        why = self._awaited()
        if why is None:
            return
        if why and self.ask:
            with suppress(Exception):
                self.ask(why)
        if (why and not self.ask) or not self._left.wait(PATIENCE_S):
            self._give_up()

    def _awaited(self) -> str | None:
        """Wait for the end and return its cause: empty if it has begun already, None if the block was left."""
        poll = select.poll()
        poll.register(self._wakened, select.POLLIN)
        for descriptor in self._terminal:
            poll.register(descriptor, 0)  # A hang-up is always reported.
        while True:
            ready = dict(poll.poll())
            told = os.read(self._wakened, 512) if self._wakened in ready else b""
            if _LEFT in told:
                return None
            if asked := [number for number in told if number in _SIGNALS]:
                return signal.Signals(asked[0]).name
            if set(ready) - {self._wakened}:
                return "the end of its terminal"
            if _HURRY in told:
                return ""

    def _give_up(self) -> NoReturn:
        backstop = threading.Timer(_CLEARING_S, os._exit, (1,))
        backstop.daemon = True
        with suppress(RuntimeError):  # The machine may have no thread left.
            backstop.start()
        for clear in reversed(self._owned):
            with suppress(Exception):
                clear()
        os._exit(1)

    def _wake(self, number: int) -> None:
        with suppress(OSError):
            os.write(self._waking, bytes([number]))


def leave(code: int) -> NoReturn:
    """End the process at once: SDK calls in progress cannot be stopped; their tokens reveal their effect later."""
    flushing = threading.Thread(target=_flush, daemon=True)
    flushing.start()
    flushing.join(_FLUSHING_S)
    os._exit(code)


def in_time(close: Callable[[], object]) -> None:
    """Close something, waiting at most as long as an ending process may."""
    closing = threading.Thread(target=close, name="close", daemon=True)
    closing.start()
    closing.join(_CLOSING_S)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """Does nothing: without a handler the signal would end the process before its number is read."""


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # The terminal, or its reader, may be gone.
            stream.flush()
