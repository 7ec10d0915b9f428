"""Times, ages and shares as short texts."""

from datetime import datetime

from spottui.tables.column import Cell

_BAR_CELLS = 8


def epoch(moment: datetime | None) -> int:
    """Return a time as whole epoch seconds, and 0 for none."""
    return 0 if moment is None else int(moment.timestamp())


def countdown(cell: Cell, now_s: float) -> str:
    """Return the time left until an epoch second as `03:42`, `-00:12` when it is past, and `·` for none."""
    if not isinstance(cell, int) or not cell:
        return "·"
    left = cell - int(now_s)
    minutes, seconds = divmod(abs(left), 60)
    hours, minutes = divmod(minutes, 60)
    clock = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"
    return f"-{clock}" if left < 0 else clock


def age(seconds: float | None) -> str:
    """Return an age as `0.4s`, `31s`, `5m10s` or `2h03m`, and `-` for none."""
    if seconds is None:
        return "-"
    if seconds < 10:
        return f"{seconds:.1f}s"
    whole = int(seconds)
    if whole < 100:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02}m"


def bar(cell: Cell, now_s: float) -> str:
    """Return a share in percent as `▓▓▓▓▓░░░`; a negative one is no share and shows nothing."""
    if not isinstance(cell, int) or cell < 0:
        return ""
    full = min(cell, 100) * _BAR_CELLS // 100
    return "▓" * full + "░" * (_BAR_CELLS - full)


def utc_clock(moment: datetime) -> str:
    """Return the UTC time of day as `02:13:22`."""
    return f"{moment:%H:%M:%S}"
