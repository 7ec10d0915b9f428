"""Times, ages, shares and prices as short texts, and back.

What lies ahead is written as `01:50` (`duration`); what is behind us, an age or a time taken, as `1m50s` (`age`).
"""

import re
from datetime import UTC, datetime

from spottui.tables.column import Cell

_BAR_CELLS = 8
_DAYS_FROM_S = 48 * 3600
_AMOUNT = re.compile(r"(-?\d{1,9}(?:\.\d{1,9})?)([smhd%]?)")
_SECONDS = {"": 1.0, "%": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


def epoch(moment: datetime | None) -> int:
    """Return a time as whole epoch seconds, and 0 for none."""
    return 0 if moment is None else int(moment.timestamp())


def countdown(cell: Cell, now_s: float) -> str:
    """Return the time left until an epoch second as `03:42`, `-00:12` when it is past, and `·` for none."""
    if not isinstance(cell, int) or not cell:
        return "·"
    left = cell - int(now_s)
    return f"-{duration(-left)}" if left < 0 else duration(left)


def duration(seconds: float) -> str:
    """Return seconds as `01:40`, or `1:12:30`; never less than none."""
    minutes, left = divmod(max(round(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes:02}:{left:02}"


def when(moment: datetime, now: datetime) -> str:
    """Return how far away a time is, as `in 03:42` or `00:12 ago`."""
    left = epoch(moment) - epoch(now)
    return f"{duration(-left)} ago" if left < 0 else f"in {duration(left)}"


def seconds_left(cell: Cell, now_s: float) -> float | None:
    """Return the seconds until an epoch second, negative when it is past, and None for none."""
    return cell - now_s if isinstance(cell, int) and cell else None


def iso_time(cell: Cell, now_s: float) -> str:
    """Return an epoch second as `2026-08-23T02:17:04Z`, and an empty text for none."""
    return f"{datetime.fromtimestamp(cell, UTC):%Y-%m-%dT%H:%M:%SZ}" if isinstance(cell, int) and cell > 0 else ""


def day_and_minute(cell: Cell, now_s: float) -> str:
    """Return an epoch second as `2026-08-23 02:17Z`, and an empty text for none."""
    whole = iso_time(cell, now_s)
    return f"{whole[:10]} {whole[11:16]}Z" if whole else ""


def number(cell: Cell, now_s: float) -> float | None:
    """Return a cell that is a number, and None where it is not; a negative one stands for none."""
    return cell if isinstance(cell, int) and cell >= 0 else None


def seconds_of(text: str) -> float | None:
    """Return what a person means by `90`, `90s`, `5m`, `1.5h`, `2d` or `60%` as a number; None when it is no amount."""
    match = _AMOUNT.fullmatch(text)
    return float(match[1]) * _SECONDS[match[2]] if match else None


def age(seconds: float | None) -> str:
    """Return an age as `0.4s`, `31s`, `5m10s`, `2h03m` or `12d`, and `-` for none."""
    if seconds is None:
        return "-"
    if seconds < 10:
        return f"{seconds:.1f}s"
    whole = int(seconds)
    if whole < 100:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    if whole < _DAYS_FROM_S:
        return f"{whole // 3600}h{whole % 3600 // 60:02}m"
    return f"{whole // 86_400}d"


def short_age(seconds: float | None) -> str:
    """Return an age in at most three cells as `4s`, `31s`, `22m`, `3h` or `12d`, and `-` for none."""
    if seconds is None:
        return "-"
    for unit, unit_s in (("s", 1), ("m", 60), ("h", 3600)):
        if seconds < 100 * unit_s:
            return f"{int(seconds / unit_s)}{unit}"
    return f"{min(int(seconds / 86_400), 99)}d"


def hourly(amount: float) -> str:
    """Return what something costs an hour with three decimals, as the cloud has them: `0.140`."""
    return f"{amount:,.3f}"


def monthly(amount: float) -> str:
    """Return what something costs a month with two decimals: `12.50`."""
    return f"{amount:,.2f}"


def bar(cell: Cell, now_s: float) -> str:
    """Return a share in percent as `▓▓▓▓▓░░░`; a negative one is no share and shows nothing."""
    if not isinstance(cell, int) or cell < 0:
        return ""
    full = min(cell, 100) * _BAR_CELLS // 100
    return "▓" * full + "░" * (_BAR_CELLS - full)


def utc_clock(moment: datetime) -> str:
    """Return the UTC time of day as `02:13:22`."""
    return f"{moment:%H:%M:%S}"
