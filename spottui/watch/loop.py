"""A source's thread: look, note the result, wait, and repeat until stopped."""

import logging
import threading
import time
from collections.abc import Callable

from spottui.cloud.errors import CloudError, ErrorKind
from spottui.domain.clock import Clock
from spottui.journal.store import JournalAway
from spottui.watch.health import Health, retry_after_s

log = logging.getLogger("spottui.watch")

LOOK_AGAIN_S = 1.0
URGENT_S = 2.0
"""The longest pause while something waits for an observation of the source."""
STUCK_S, STUCK_INTERVALS = 120.0, 20
"""No look takes longer than both together: a long poll takes half a minute, a large sweep several intervals."""


class Loop(threading.Thread):
    """Runs `look` every `interval_s` seconds; an exception becomes the source's health, never the thread's end.

    While `is_urgent` returns true it pauses at most two seconds and does not back off.
    """

    def __init__(
        self,
        source: str,
        region: str,
        interval_s: float,
        poll: Callable[[], None],
        health: Health,
        clock: Clock,
        is_urgent: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__(name=f"{source} {region}", daemon=True)
        self._source = source
        self._region = region
        self._interval_s = interval_s
        self._poll = poll
        self._health = health
        self._clock = clock
        self._is_urgent = is_urgent
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._throttled = False
        self._failures = 0
        self._looking_since: float | None = None
        self._stuck_s = max(STUCK_S, STUCK_INTERVALS * interval_s)

    @property
    def is_live(self) -> bool:
        """Whether its thread runs and does not hang in a look."""
        since = self._looking_since
        return self.is_alive() and (since is None or time.monotonic() - since < self._stuck_s)

    def run(self) -> None:
        """Look until stopped."""
        while not self._stopping.is_set():
            self._wake.clear()
            self._looking_since = time.monotonic()
            try:
                wait_s = self._once()
            except Exception:
                log.exception("%s of %s", self._source, self._region)
                wait_s = max(self._interval_s, LOOK_AGAIN_S)
            self._looking_since = None
            (self._stopping if self._throttled else self._wake).wait(wait_s)

    def nudge(self) -> None:
        """Look again at once, or as soon as a throttled API opens again."""
        self._wake.set()

    def stop(self) -> None:
        """End after the current look."""
        self._stopping.set()
        self._wake.set()

    def _once(self) -> float:
        self._throttled = False
        try:
            self._poll()
        except CloudError as error:
            return self._failed(error)
        except JournalAway as away:
            # The source is fine; the header reports the journal.
            log.warning("%s of %s: %s", self._source, self._region, away)
            return LOOK_AGAIN_S
        except Exception as error:
            log.exception("%s of %s", self._source, self._region)
            problem = CloudError(self._source, ErrorKind.BROKEN, message=f"{type(error).__name__}; see the log")
            return self._failed(problem)
        self._failures = 0
        self._health.good(self._source, self._region)
        return self._pause_s(self._is_urgent())

    def _pause_s(self, urgent: bool) -> float:
        return min(self._interval_s, URGENT_S) if urgent else self._interval_s

    def _failed(self, error: CloudError) -> float:
        if self._stopping.is_set():
            return 0.0
        self._failures += 1
        self._throttled = error.kind is ErrorKind.THROTTLED
        urgent = self._is_urgent()
        wait_s = retry_after_s(error, self._failures, self._pause_s(urgent), self._clock.now(), urgent=urgent)
        self._health.bad(self._source, self._region, error, wait_s)
        return wait_s
