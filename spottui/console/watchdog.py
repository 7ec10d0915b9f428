"""A thread that writes to the log when the screen does not answer, and what it was doing then."""

import asyncio
import logging
import sys
import threading
import traceback
from time import perf_counter

log = logging.getLogger("spottui.console")

LATE_S = 0.2
EVERY_S = 0.5
_FRAMES = 12


class Watchdog:
    """Asks the event loop twice a second whether it still turns; one that is late by `LATE_S` is in the log.

    The entry holds the seconds and the innermost calls of the loop's thread when it was found late: code and lines,
    no values.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._loop_thread = threading.get_ident()
        self._stop = threading.Event()
        self.stalls = 0

    def start(self) -> None:
        """Begin to watch; call it in the loop's own thread."""
        threading.Thread(target=self._watch, name="screen watchdog", daemon=True).start()

    def stop(self) -> None:
        """End soon."""
        self._stop.set()

    def _watch(self) -> None:
        while not self._stop.wait(EVERY_S):
            turned, asked = threading.Event(), perf_counter()
            try:
                self._loop.call_soon_threadsafe(turned.set)
            except RuntimeError:
                return  # The loop is closed: the program has ended.
            if not turned.wait(LATE_S):
                ran = self._stack()
                turned.wait(60)
                self.stalls += 1
                log.warning("the screen did not answer for %.1f s; it was in:\n%s", perf_counter() - asked, ran)

    def _stack(self) -> str:
        frame = sys._current_frames().get(self._loop_thread)
        return "".join(traceback.format_list(traceback.extract_stack(frame)[-_FRAMES:])) if frame else ""
