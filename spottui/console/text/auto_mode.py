"""Auto-mode in a few words, for the header and the alarm."""

from spottui.domain.view import AutoMode


def auto_mode_text(auto: AutoMode, *, whole: bool = False) -> str:
    """Return `AUTO armed 2/3`, `AUTO armed, full` above its limit, or `AUTO off`; `whole` says what the numbers are.

    The limit is that of auto-mode: people may confirm more, and while it is off it limits nothing.
    """
    running, limit = auto.in_flight, auto.max_at_once
    if not auto.armed:
        return f"AUTO off · {running} running" if whole else "AUTO off"
    if running > limit:
        return f"AUTO armed, full at {limit} · {running} running" if whole else "AUTO armed, full"
    return f"AUTO armed · {running} running of {limit}" if whole else f"AUTO armed {running}/{limit}"
