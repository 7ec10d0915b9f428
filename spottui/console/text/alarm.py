"""The alarm: what wants a person now, how long there is, and what to press, in one line."""

from datetime import datetime

import msgspec
from textual.content import Content

from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.region_key import shown_account
from spottui.domain.text import plain
from spottui.domain.view import AutoMode, DeskView
from spottui.tables.failures import failures
from spottui.tables.moments import countdown, epoch
from spottui.tables.recoveries import FAILED, NEEDS_YOU
from spottui.tables.storm import needs_you

_BETWEEN = " │ "
_NAME_CELLS = 20
_WARNING, _ERROR = "bold $warning", "bold $error"


class _Part(msgspec.Struct, frozen=True):
    """One thing that wants a person; `key` is what to press for it, said where there is room."""

    text: str
    key: str
    style: str

    def said(self, *, whole: bool) -> str:
        return f"{self.text}, {self.key}" if whole and self.key else self.text


def alarm(view: DeskView | None, now: datetime, width: int) -> Content:
    """Return `3 NEED YOU · first web-1 04:45 │ 1 FAILED 02:58 left, t retries │ AUTO off` within `width` cells.

    Empty while nothing wants a person. Where there is no room the keys go first, then auto-mode, then what is last.
    """
    if view is None:
        return Content("")
    own = (_needs_you(view, now), _failed(view, now), _vetoable(view, now), _elsewhere(view, now))
    wanted = [part for part in own if part]
    if not wanted:
        return Content("")
    parts = [*wanted, _auto(view.auto)]
    shorter = [(parts, True), *((parts[:count], False) for count in range(len(parts), 0, -1))]
    lines = [_line(some, whole=whole) for some, whole in shorter]
    return next((line for line in lines if line.cell_length <= width), lines[-1].truncate(width, ellipsis=True))


def _line(parts: list[_Part], *, whole: bool) -> Content:
    return Content.assemble(
        " ", Content(_BETWEEN).join(Content.styled(part.said(whole=whole), part.style) for part in parts)
    )


def _needs_you(view: DeskView, now: datetime) -> _Part | None:
    waiting = [recovery for recovery in view.recoveries if needs_you(recovery)]
    if not waiting:
        return None
    nearest = min(waiting, key=lambda recovery: recovery.deadline)
    first = f"{_name(nearest)} {countdown(epoch(nearest.deadline), now.timestamp())}"
    text = f"{len(waiting)} NEED YOU · first {first}" if len(waiting) > 1 else f"1 {NEEDS_YOU} · {first}"
    return _Part(text, "", _WARNING)


def _failed(view: DeskView, now: datetime) -> _Part | None:
    failed = failures(view)
    if not failed:
        return None
    nearest = min((recovery.deadline for recovery in failed if now < recovery.deadline), default=None)
    left = f" {countdown(epoch(nearest), now.timestamp())} left" if nearest else ""
    return _Part(f"{len(failed)} {FAILED}{left}", _key(view, "t retries"), _ERROR)


def _vetoable(view: DeskView, now: datetime) -> _Part | None:
    windows = [recovery for recovery in view.recoveries if recovery.state is RecoveryState.VETO_WINDOW]
    if not windows:
        return None
    first = min(windows, key=lambda recovery: recovery.veto_until or recovery.deadline)
    left_s = epoch(first.veto_until) - int(now.timestamp()) if first.veto_until else 0
    more = f" and {len(windows) - 1} more" if len(windows) > 1 else ""
    return _Part(f"{_name(first)}{more} in veto window {max(left_s, 0)}s", _key(view, "x vetoes"), _WARNING)


def _elsewhere(view: DeskView, now: datetime) -> _Part | None:
    """What wants a person in the accounts that are not shown is never hidden."""
    wanting = [
        recovery for recovery in view.elsewhere if needs_you(recovery) or recovery.state is RecoveryState.VETO_WINDOW
    ]
    if not wanting:
        return None
    nearest = min(recovery.deadline for recovery in wanting)
    names = ", ".join(plain(name, 20) for name in sorted({shown_account(recovery.region) for recovery in wanting}))
    return _Part(
        f"{len(wanting)} more in {names} {countdown(epoch(nearest), now.timestamp())}",
        ":account all shows them",
        _WARNING,
    )


def _key(view: DeskView, text: str) -> str:
    return "" if view.read_only else text


def _auto(auto: AutoMode) -> _Part:
    return (
        _Part(f"AUTO armed {auto.in_flight}/{auto.max_at_once}", "", _WARNING)
        if auto.armed
        else _Part("AUTO off", "", "")
    )


def _name(recovery: Recovery) -> str:
    return plain(recovery.name or recovery.instance_id, _NAME_CELLS)
