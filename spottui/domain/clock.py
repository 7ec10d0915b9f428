"""Where the program gets the time from: the machine's clock, or a test's."""

from datetime import UTC, datetime
from typing import Protocol

NOTICE_S = 300.0
"""Seconds between the lock (or the event) and the release; documented as the budget, not as a guarantee."""


class Clock(Protocol):
    """Tells the time; passed in from outside so that a test decides what time it is."""

    def now(self) -> datetime:
        """Return the time as an aware UTC datetime."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the machine's time as an aware UTC datetime."""
        return datetime.now(UTC)
