"""A thread that writes to the log when the screen does not answer, and what it was doing then."""

import asyncio
import logging
import sys
import threading
import traceback
from collections import deque
from dataclasses import dataclass
from time import perf_counter

log = logging.getLogger("spottui.console")

LATE_S = 0.2
EVERY_S = 0.5
_FRAMES = 12
_REMEMBERED = 600


@dataclass(frozen=True, slots=True)
class Lateness:
    """How late an event loop answers, in milliseconds; `of` says what that is made of."""

    p50_ms: float
    p99_ms: float
    most_ms: float
    of: str


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
        self._late_s: deque[float] = deque(maxlen=_REMEMBERED)

    def start(self) -> None:
        """Begin to watch; call it in the loop's own thread."""
        threading.Thread(target=self._watch, name="screen watchdog", daemon=True).start()

    def stop(self) -> None:
        """End soon."""
        self._stop.set()

    @property
    def lateness(self) -> "Lateness":
        """How late the loop has been of late."""
        found = sorted(self._late_s) or [0.0]
        p50, p99 = (1000 * found[int(share * (len(found) - 1))] for share in (0.5, 0.99))
        return Lateness(p50, p99, 1000 * found[-1], f"{len(self._late_s)} times in the last minutes")

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
            self._late_s.append(perf_counter() - asked)

    def _stack(self) -> str:
        frame = sys._current_frames().get(self._loop_thread)
        return "".join(traceback.format_list(traceback.extract_stack(frame)[-_FRAMES:])) if frame else ""
