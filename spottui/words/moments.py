"""Times within a sentence."""

from datetime import datetime, timedelta


def clock(moment: datetime | None) -> str:
    """Return `02:17:04`."""
    return f"{moment:%H:%M:%S}" if moment else "an unknown time"


def clock_utc(moment: datetime | None) -> str:
    """Return `02:17:04 UTC`."""
    return f"{clock(moment)} UTC" if moment else clock(None)


def span(seconds: float | None) -> str:
    """Return `0:10:00`."""
    return str(timedelta(seconds=round(seconds or 0)))
