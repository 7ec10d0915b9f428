"""The rows of the recoveries panel: those that go on by their deadline, then those that ended, the last one first."""

from spottui.domain.forecast import Verdict
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.text import plain
from spottui.domain.view import DeskView
from spottui.tables.column import FIRST_CELL, Cell, Column, Row, Rows, Table, Tone
from spottui.tables.moments import bar, countdown, epoch

_NO_SHARE = -1

_VERDICT_TONES = {Verdict.WILL_MAKE_IT: Tone.GOOD, Verdict.TIGHT: Tone.WARN, Verdict.WILL_NOT: Tone.ALARM}

_STATE_TONES = {
    RecoveryState.SUSPECTED: Tone.WARN,
    RecoveryState.NEEDS_YOU: Tone.WARN,
    RecoveryState.VETO_WINDOW: Tone.WARN,
    RecoveryState.FAILED: Tone.ALARM,
    RecoveryState.RECOVERED: Tone.GOOD,
}


def _timer(cell: Cell, now_s: float) -> str:
    if not isinstance(cell, int) or not cell:
        return ""
    left = countdown(abs(cell), now_s)
    word = "ready" if cell > 0 else "go in"
    return f"{word} now" if left.startswith("-") else f"{word} {left}"


def _verdict_tone(cell: Cell) -> Tone:
    return _VERDICT_TONES[Verdict(str(cell))] if cell else Tone.PLAIN


COLUMNS = (
    Column("deadline", "Deadline", 8, live=True, render=countdown),
    Column("name", "Name", 14),
    Column("state", "State", 12),
    Column("image", "Image", 8, drop=2, render=bar),
    Column("timer", "Timer", 11, drop=1, live=True, render=_timer),
    Column("verdict", "Verdict", 12, tone=_verdict_tone),
    Column("next", "Next", 16, flexible=True),
)
"""The timer is the epoch second at which the image is expected, or, negative, at which a veto window ends."""


def _order(row: Row) -> tuple[Cell, ...]:
    ended = row[-1]
    return (-int(ended), row[0]) if ended else (-_FAR, row[FIRST_CELL], row[0])


_FAR = 1 << 62

RECOVERIES = Table(COLUMNS, _order)


def recovery_rows(view: DeskView) -> Rows:
    """Return the rows of a view by the recovery's id."""
    return {recovery.recovery_id: recovery_row(recovery) for recovery in view.recoveries}


def recovery_row(recovery: Recovery) -> Row:
    """Return the row of one recovery; its last cell, which no column shows, is when it ended."""
    imaging = recovery.state is RecoveryState.IMAGING
    return (
        recovery.recovery_id,
        _STATE_TONES.get(recovery.state, Tone.QUIET if recovery.state.is_final else Tone.PLAIN),
        0 if recovery.state.is_final else epoch(recovery.deadline),
        plain(recovery.name or recovery.instance_id),
        _state(recovery),
        recovery.progress if imaging else _NO_SHARE,
        _timer_of(recovery),
        "" if recovery.state.is_final else str(recovery.verdict or ""),
        plain(_next(recovery)),
        _ended(recovery),
    )


def _state(recovery: Recovery) -> str:
    if recovery.state is RecoveryState.IMAGING:
        return f"imaging {recovery.progress}%"
    if recovery.state is RecoveryState.NEEDS_YOU:
        return "NEEDS YOU"
    return str(recovery.state)


def _timer_of(recovery: Recovery) -> int:
    if recovery.state is RecoveryState.VETO_WINDOW:
        return -epoch(recovery.veto_until)
    return epoch(recovery.forecast_at) if recovery.state is RecoveryState.IMAGING else 0


def _next(recovery: Recovery) -> str:
    if recovery.state is RecoveryState.RECOVERED:
        return f"now {recovery.new_instance_id}"
    if recovery.state.is_final:
        return recovery.reason
    if recovery.cancel:
        return "stops at the next safe point"
    if recovery.state is RecoveryState.NEEDS_YOU:
        return ": ".join(text for text in (recovery.reason, recovery.next_step or "press y") if text)
    return recovery.next_step


def _ended(recovery: Recovery) -> int:
    return max(epoch(recovery.ended), 1) if recovery.state.is_final else 0
