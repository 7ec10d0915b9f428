"""One source's thread: look, note how it went, wait, look again, until it is stopped."""

import logging
import threading
from collections.abc import Callable

from spottui.cloud.errors import CloudError, ErrorKind
from spottui.domain.clock import Clock
from spottui.watch.health import Health, retry_after_s

log = logging.getLogger("spottui.watch")

LOOK_AGAIN_S = 1.0


class Loop(threading.Thread):
    """Runs `look` every `interval_s` seconds; what it raises is the source's health, never the thread's end."""

    def __init__(
        self, source: str, region: str, interval_s: float, look: Callable[[], None], health: Health, clock: Clock
    ) -> None:
        super().__init__(name=f"{source} {region}", daemon=True)
        self._source = source
        self._region = region
        self._interval_s = interval_s
        self._look = look
        self._health = health
        self._clock = clock
        self._wake = threading.Event()
        self._stopped = False
        self._failures = 0

    def run(self) -> None:
        """Look until stopped."""
        while not self._stopped:
            self._wake.clear()
            try:
                wait_s = self._once()
            except Exception:
                log.exception("%s of %s", self._source, self._region)
                wait_s = max(self._interval_s, LOOK_AGAIN_S)
            self._wake.wait(wait_s)

    def nudge(self) -> None:
        """Look again at once."""
        self._wake.set()

    def stop(self) -> None:
        """End after the look that is under way."""
        self._stopped = True
        self._wake.set()

    def _once(self) -> float:
        try:
            self._look()
        except CloudError as error:
            return self._failed(error)
        except Exception as error:
            log.exception("%s of %s", self._source, self._region)
            problem = CloudError(self._source, ErrorKind.BROKEN, message=f"{type(error).__name__}; see the log")
            return self._failed(problem)
        self._failures = 0
        self._health.good(self._source, self._region)
        return self._interval_s

    def _failed(self, error: CloudError) -> float:
        if self._stopped:
            return 0.0
        self._failures += 1
        wait_s = retry_after_s(error, self._failures, self._interval_s, self._clock.now())
        self._health.bad(self._source, self._region, error, wait_s)
        return wait_s
