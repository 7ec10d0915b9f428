"""A thread that logs when the event loop does not answer, and what it was doing then."""

import asyncio
import logging
import sys
import threading
import traceback
from collections import deque
from time import perf_counter

import msgspec

log = logging.getLogger("spottui.console")

LATE_S = 0.2
EVERY_S = 0.5
_FRAMES = 12
_REMEMBERED = 600


class Lateness(msgspec.Struct, frozen=True):
    """How late the event loop answers, in milliseconds; `of` says over what."""

    p50_ms: float
    p99_ms: float
    most_ms: float
    of: str


class Watchdog:
    """Calls into the event loop twice a second; an answer later than `LATE_S` is logged.

    The entry has the delay in seconds and the innermost frames of the loop's thread when it was late: code and line
    numbers, no values.
    """

    def __init__(self) -> None:
        self._stop = threading.Event()
        self.stalls = 0
        self._late_s: deque[float] = deque(maxlen=_REMEMBERED)

    def start(self) -> None:
        """Begin to watch the running loop; call it in the loop's own thread."""
        watched = (asyncio.get_running_loop(), threading.get_ident())
        threading.Thread(target=self._watch, args=watched, name="screen watchdog", daemon=True).start()

    def stop(self) -> None:
        """Stop watching, within `EVERY_S`."""
        self._stop.set()

    @property
    def lateness(self) -> "Lateness":
        """How late the loop answered in the last minutes."""
        late_s = sorted(self._late_s) or [0.0]
        p50, p99 = (1000 * late_s[int(share * (len(late_s) - 1))] for share in (0.5, 0.99))
        return Lateness(p50, p99, 1000 * late_s[-1], f"{len(self._late_s)} times in the last minutes")

    def _watch(self, loop: asyncio.AbstractEventLoop, loop_thread: int) -> None:
        while not self._stop.wait(EVERY_S):
            turned, asked = threading.Event(), perf_counter()
            try:
                loop.call_soon_threadsafe(turned.set)
            except RuntimeError:
                return  # The loop is closed: the program has ended.
            if not turned.wait(LATE_S):
                ran = _stack(loop_thread)
                turned.wait(60)
                self.stalls += 1
                log.warning("the screen did not answer for %.1f s; it was in:\n%s", perf_counter() - asked, ran)
            self._late_s.append(perf_counter() - asked)


def _stack(thread: int) -> str:
    frame = sys._current_frames().get(thread)
    try:
        return "".join(traceback.format_list(traceback.extract_stack(frame)[-_FRAMES:])) if frame else ""
    except AttributeError:
        return ""  # The thread runs on while its frames are read: one of them was another's by then.
