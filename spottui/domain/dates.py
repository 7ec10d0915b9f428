"""Parsing plausible dates in many formats, and the durations of the configuration."""

import math
import re
from datetime import UTC, datetime, timedelta

EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)
"""No reclaim of interest is older than this."""
AHEAD = timedelta(days=1)
"""How far another clock may be ahead of this machine's."""
_MILLISECONDS_FROM = 100_000_000_000
"""A larger epoch is in milliseconds: as seconds this is the year 5138."""


def date_from_outside(value: object, now: datetime | None = None) -> datetime | None:
    """Return a date as aware UTC, or None if it is invalid, has no zone, or is before 2015 or over a day ahead.

    Reads ISO 8601, basic (`20190409T121826.922+0800`, as CloudMonitor writes it) or extended, with and without a
    fraction, `Z` or an offset; and epochs in seconds or milliseconds, as numbers or as text. Never raises.
    """
    try:
        at = _from_epoch(value) if isinstance(value, int | float) else _from_text(value)
        return at if at and is_sane(at, now or datetime.now(UTC)) else None
    except (ValueError, OverflowError, OSError):
        return None


def is_sane(at: datetime, now: datetime) -> bool:
    """Whether a date is plausible: not before 2015, and not more than a day ahead."""
    return at >= EARLIEST and at - now <= AHEAD


def _from_text(value: object) -> datetime | None:
    text = value.strip().upper() if isinstance(value, str) else ""
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return _from_epoch(float(text))
    at = datetime.fromisoformat(text.replace(" +", "+"))
    return at.astimezone(UTC) if at.tzinfo else None


def _from_epoch(value: float) -> datetime | None:
    if isinstance(value, bool) or not math.isfinite(value):
        return None
    return datetime.fromtimestamp(value / 1000 if value >= _MILLISECONDS_FROM else value, UTC)


_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


def seconds_of(duration: str) -> float | None:
    """Return the seconds of a duration such as `30s`, `2m`, `6h` or `1d`; None for anything else, zero included."""
    match = re.fullmatch(r"([1-9][0-9]{0,4})([smhd])", duration)
    return float(match[1]) * _SECONDS[match[2]] if match else None
