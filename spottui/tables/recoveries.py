"""The rows of the recoveries panel: those that go on by their deadline, then those that ended, the last one first."""

from spottui.domain.forecast import Verdict
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.text import plain
from spottui.domain.view import DeskView
from spottui.tables.column import FIRST_CELL, Cell, Column, Row, Rows, Table, Tone
from spottui.tables.instances import is_wish
from spottui.tables.moments import bar, countdown, epoch, iso_time, number, seconds_left

_NO_SHARE = -1
_PLAN_READY, _IMAGE_FIRST = "plan ready: press y", "image, then "

_VERDICT_TONES = {Verdict.WILL_MAKE_IT: Tone.GOOD, Verdict.TIGHT: Tone.WARN, Verdict.WILL_NOT: Tone.ALARM}

_STATE_TONES = {
    RecoveryState.SUSPECTED: Tone.WARN,
    RecoveryState.NEEDS_YOU: Tone.WARN,
    RecoveryState.VETO_WINDOW: Tone.WARN,
    RecoveryState.FAILED: Tone.ALARM,
    RecoveryState.RECOVERED: Tone.GOOD,
}


def _ready(cell: Cell, now_s: float) -> str:
    if not isinstance(cell, int) or not cell:
        return ""
    left = countdown(abs(cell), now_s)
    if left.startswith("-"):
        return "now" if cell > 0 else ""
    return left


def _ready_in(cell: Cell, now_s: float) -> float | None:
    return seconds_left(abs(cell), now_s) if isinstance(cell, int) else None


def _share(cell: Cell, now_s: float) -> str:
    return f"{cell} %" if isinstance(cell, int) and cell >= 0 else ""


def _state_text(cell: Cell, now_s: float) -> str:
    state, _, until = str(cell).rpartition(" ")
    return f"veto {max(int(until) - int(now_s), 0)}s" if state == RecoveryState.VETO_WINDOW else str(cell)


def _verdict_tone(cell: Cell) -> Tone:
    return _VERDICT_TONES[Verdict(str(cell))] if cell else Tone.PLAIN


COLUMNS = (
    Column("deadline", "Deadline", 8, live=True, render=countdown, whole=iso_time, amount=seconds_left, pinned=True),
    Column("name", "Name", 14, pinned=True),
    Column("state", "State", 12, live=True, render=_state_text),
    Column("image", "Image", 8, drop=3, render=bar, whole=_share, amount=number),
    Column("ready", "Ready in", 8, drop=2, live=True, render=_ready, amount=_ready_in),
    Column("verdict", "Verdict", 12, drop=1, tone=_verdict_tone),
    Column("next", "Next", 18, flexible=True),
)
"""The state of a veto window ends with the epoch second at which it does. Ready is the epoch second at which the image
is expected, negative as long as it is not being made: it then says what a yes would bring now."""


def _order(row: Row) -> tuple[Cell, ...]:
    ended = row[-1]
    return (-int(ended), row[0]) if ended else (-_FAR, row[FIRST_CELL] or _FAR, row[0])


_FAR = 1 << 62

RECOVERIES = Table(COLUMNS, _order)


def recovery_rows(view: DeskView) -> Rows:
    """Return the rows of a view by the recovery's id."""
    wishes = {one.id for one in view.interruptions if is_wish(one)}
    return {one.recovery_id: recovery_row(one, wish=one.recovery_id in wishes) for one in view.recoveries}


def recovery_row(recovery: Recovery, *, wish: bool = False) -> Row:
    """Return the row of one recovery; its last cell, which no column shows, is when it ended.

    One that an engineer wished for has no deadline that means anything, and no verdict against it.
    """
    imaging = recovery.state is RecoveryState.IMAGING
    return (
        recovery.recovery_id,
        _STATE_TONES.get(recovery.state, Tone.QUIET if recovery.state.is_final else Tone.PLAIN),
        0 if recovery.state.is_final or wish else epoch(recovery.deadline),
        plain(recovery.name or recovery.instance_id),
        _state(recovery),
        recovery.progress if imaging else _NO_SHARE,
        _ready_of(recovery),
        "" if recovery.state.is_final or wish else str(recovery.verdict or ""),
        plain(_next(recovery)),
        _ended(recovery),
    )


def _state(recovery: Recovery) -> str:
    if recovery.state is RecoveryState.IMAGING:
        return f"imaging {recovery.progress}%" if recovery.progress >= 0 else str(recovery.state)
    if recovery.state is RecoveryState.VETO_WINDOW:
        return f"{recovery.state} {epoch(recovery.veto_until)}"
    if recovery.state is RecoveryState.NEEDS_YOU:
        return "NEEDS YOU"
    return str(recovery.state)


def _ready_of(recovery: Recovery) -> int:
    if recovery.state.waits_for_permission:
        return -epoch(recovery.forecast_at)
    return epoch(recovery.forecast_at) if recovery.state is RecoveryState.IMAGING else 0


def _next(recovery: Recovery) -> str:
    if recovery.state is RecoveryState.RECOVERED:
        return f"now {recovery.new_instance_id}"
    if recovery.state.is_final:
        return recovery.reason
    if recovery.cancel:
        return "stops at the next safe point"
    if recovery.state is RecoveryState.SUSPECTED:
        return recovery.reason or recovery.next_step
    if recovery.state is RecoveryState.NEEDS_YOU:
        why = recovery.reason.removesuffix(_PLAN_READY).rstrip("; ")
        return " · ".join(text for text in (_after("press y", _place(recovery)), why) if text)
    if recovery.state is RecoveryState.VETO_WINDOW:
        return _after("auto", _place(recovery))
    return _in_short(recovery)


def _after(word: str, text: str) -> str:
    return f"{word}: {text}" if text else word


def _place(recovery: Recovery) -> str:
    """Return where the replacement comes first, the zone before the type: `h, then i · c7.large`."""
    text = _in_short(recovery).removeprefix(_IMAGE_FIRST)
    kind, _, zones = text.partition(" in ")
    return f"{zones} · {kind}" if zones else text


def _in_short(recovery: Recovery) -> str:
    return recovery.next_step.replace(f"{recovery.region}-", "").replace("ecs.", "")


def _ended(recovery: Recovery) -> int:
    return max(epoch(recovery.ended), 1) if recovery.state.is_final else 0
