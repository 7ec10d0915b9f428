"""The clock of a replay: past time at any speed, paused, or skipping to the next event."""

import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import msgspec

SLOWEST, FASTEST = 0.1, 100_000.0
_STEP = 2.0
_JUST_AFTER_S = 0.001


class Pace(msgspec.Struct, frozen=True, gc=False):
    """The state of a replay: `speed` is recorded seconds per second; `over` once the end is reached."""

    speed: float
    held: bool = False
    over: bool = False


class Playback:
    """A clock that runs through `moments`, at least one, from the first to the last, and stops there.

    It stays at the first until `start`. Thread-safe. `tick` returns the present seconds.
    """

    def __init__(
        self, moments: Iterable[datetime], speed: float = 1.0, tick: Callable[[], float] = time.monotonic
    ) -> None:
        self._moments = sorted(set(moments))
        self._speed = speed
        self._tick = tick
        self._from = self._moments[0]
        self._going_since: float | None = None
        self._orders = 0
        self._changed = threading.Condition()

    def start(self) -> None:
        """Start the clock."""
        with self._changed:
            self._set(going=True)

    def now(self) -> datetime:
        """Return the recorded time as an aware UTC datetime."""
        with self._changed:
            return self._now()

    @property
    def pace(self) -> Pace:
        """The present state."""
        with self._changed:
            return Pace(self._speed, self._going_since is None, self._now() >= self._moments[-1])

    @property
    def version(self) -> int:
        """Grows with each passed moment and each change of speed."""
        with self._changed:
            return self._version()

    def wait(self, version: int, timeout_s: float) -> None:
        """Return when there is a newer version than this, or after so many seconds."""
        with self._changed:
            if self._version() <= version:
                self._changed.wait(min(self._next_in_s(), timeout_s))

    def hold_or_go_on(self) -> None:
        """Pause or resume."""
        with self._changed:
            self._set(going=self._going_since is None)

    def faster(self) -> None:
        """Double the speed."""
        with self._changed:
            self._set(speed=min(self._speed * _STEP, FASTEST))

    def slower(self) -> None:
        """Halve the speed."""
        with self._changed:
            self._set(speed=max(self._speed / _STEP, SLOWEST))

    def jump(self) -> None:
        """Skip to the next moment."""
        with self._changed:
            ahead = self._ahead()
            self._set(at=ahead[0] if ahead else None)

    def _set(self, *, going: bool | None = None, speed: float | None = None, at: datetime | None = None) -> None:
        goes_on = self._going_since is not None if going is None else going
        self._from = at or self._now()
        self._speed = speed or self._speed
        self._going_since = self._tick() if goes_on else None
        self._orders += 1
        self._changed.notify_all()

    def _now(self) -> datetime:
        if self._going_since is None:
            return self._from
        end = self._moments[-1]
        gone_s = (self._tick() - self._going_since) * self._speed
        return self._from + timedelta(seconds=min(gone_s, (end - self._from).total_seconds()))

    def _ahead(self) -> list[datetime]:
        return self._moments[bisect_right(self._moments, self._now()) :]

    def _version(self) -> int:
        return bisect_right(self._moments, self._now()) + self._orders

    def _next_in_s(self) -> float:
        ahead = self._ahead()
        if self._going_since is None or not ahead:
            return threading.TIMEOUT_MAX
        return (ahead[0] - self._now()).total_seconds() / self._speed + _JUST_AFTER_S
