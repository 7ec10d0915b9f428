"""The sources of time: the cloud's, by the dates of its answers, or a test's."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

NOTICE_S = 300.0
"""Seconds between the lock (or the event) and the release; documented as the budget, not as a guarantee."""
_CUT = timedelta(seconds=0.5)
"""A `Date` header is truncated to the second: on average half a second is missing."""
_FARTHEST = timedelta(days=1)
"""Signatures are refused if the clocks differ by more than minutes: a date further off is not trusted."""


class Clock(Protocol):
    """Returns the time; passed in from outside, so that a test can set it."""

    def now(self) -> datetime:
        """Return the time as an aware UTC datetime."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the machine's time as an aware UTC datetime."""
        return datetime.now(UTC)


def _elapsed_s() -> float:
    """Seconds that include sleep of the machine, if the system counts them."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class CloudClock:
    """The cloud's time, by which it dates events and ends instances. Thread-safe.

    It begins with the machine's time, advances by the monotonic clock, and is set by the `Date` of the cloud's answers:
    whatever happens to the machine's clock, a duration is never negative and a deadline is the cloud's. A date further
    from the machine's time than `farthest` is ignored.
    """

    def __init__(
        self, host: Clock | None = None, elapsed_s: Callable[[], float] = _elapsed_s, farthest: timedelta = _FARTHEST
    ) -> None:
        self._elapsed_s = elapsed_s
        self._farthest = farthest
        self._lock = threading.Lock()
        self._origin = (host or SystemClock()).now() - timedelta(seconds=elapsed_s())
        self._is_set = False
        self._doubt: timedelta | None = None

    def now(self) -> datetime:
        """Return the cloud's time as an aware UTC datetime, as far as it is known."""
        return self._origin + timedelta(seconds=self._elapsed_s())

    def heard(self, date: datetime, took_s: float) -> None:
        """Take the `Date` of an answer that has just arrived, `took_s` seconds after the request.

        Only a date that differs by more than its precision sets the clock: the first one, and later two that agree.
        """
        with self._lock:
            off = date - self.now() + _CUT + timedelta(seconds=took_s / 2)
            exact = _CUT + timedelta(seconds=took_s / 2)
            if abs(off) > self._farthest:
                return
            if abs(off) <= exact:
                self._doubt = None
            elif not self._is_set or (self._doubt is not None and abs(self._doubt - off) <= 2 * exact):
                self._origin += off
                self._doubt = None
            else:
                self._doubt = off
            self._is_set = True
