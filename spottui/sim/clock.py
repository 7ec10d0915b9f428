"""The clock of the simulated cloud: starts at wall time or a given one, may run faster, may be advanced."""

import time
from datetime import UTC, datetime
from functools import lru_cache

_MINUTES_A_DAY, _SECONDS_A_DAY = 1_440, 86_400


class Clock:
    """Simulated time in epoch seconds. At speed 1 and never advanced it is the wall clock."""

    def __init__(self, speed: float = 1.0, start_at: float | None = None) -> None:
        self.speed = speed
        self._sim_origin = time.time() if start_at is None else start_at
        self._wall_origin = time.monotonic()

    def now(self) -> float:
        """Simulated epoch seconds."""
        return self._sim_origin + (time.monotonic() - self._wall_origin) * self.speed

    def set_speed(self, speed: float) -> None:
        """Run `speed` simulated seconds per wall second from now on; 0 stands still."""
        self._rebase(self.now())
        self.speed = speed

    def advance(self, seconds: float) -> None:
        """Jump `seconds` ahead."""
        self._rebase(self.now() + seconds)

    def wall_seconds_until(self, at: float) -> float | None:
        """Wall seconds until simulated time `at`; None if it never comes by itself (speed 0)."""
        left = at - self.now()
        if left <= 0:
            return 0.0
        return left / self.speed if self.speed > 0 else None

    def _rebase(self, sim_now: float) -> None:
        self._sim_origin = sim_now
        self._wall_origin = time.monotonic()


def iso_minutes(at: float) -> str:
    """`2017-12-10T04:04Z`, the resolution of instance times."""
    day, minute = divmod(int(at // 60), _MINUTES_A_DAY)
    return f"{_iso_day(day)}T{minute // 60:02}:{minute % 60:02}Z"


def iso_seconds(at: float) -> str:
    """`2019-11-15T06:07:05Z`, the resolution of image and disk times."""
    day, second = divmod(int(at // 1), _SECONDS_A_DAY)
    return f"{_iso_day(day)}T{second // 3_600:02}:{second // 60 % 60:02}:{second % 60:02}Z"


@lru_cache(1_024)
def _iso_day(day: int) -> str:
    return datetime.fromtimestamp(day * _SECONDS_A_DAY, UTC).strftime("%Y-%m-%d")


def iso_micros(at: float) -> str:
    """The ledger's times, fine enough to measure a reaction by."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def iso_millis(at: float) -> str:
    """`2019-11-15T06:07:05.123Z`, for the ledger and the control side."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
