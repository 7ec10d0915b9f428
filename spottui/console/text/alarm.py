"""The alarm: what wants a person now, how long there is, and what to press, in one line."""

from datetime import datetime

import msgspec
from textual.content import Content

from spottui.console.text.auto_mode import auto_mode_text
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.region_key import region_in_short, shown_account
from spottui.domain.text import plain
from spottui.domain.view import DeskView
from spottui.tables.failures import failures
from spottui.tables.moments import countdown, epoch
from spottui.tables.recoveries import FAILED, NEEDS_YOU
from spottui.tables.storm import needs_you

_BETWEEN = " │ "
_NAME_CELLS = 20
_WARNING, _ERROR = "bold $warning", "bold $error"


class _Part(msgspec.Struct, frozen=True):
    """One thing that wants a person; where there is room `key` is what to press for it, where there is none `brief`."""

    text: str
    key: str
    style: str
    brief: str = ""

    @property
    def whole(self) -> Content:
        return Content.styled(f"{self.text}, {self.key}" if self.key else self.text, self.style)

    @property
    def short(self) -> Content:
        return Content.styled(self.text, self.style)

    @property
    def shortest(self) -> Content:
        return Content.styled(self.brief or self.text, self.style)


def alarm(view: DeskView | None, now: datetime, width: int) -> Content:
    """Return `3 NEED YOU · first web-1 04:45 │ 1 FAILED · ci-7 02:58 left, t retries │ AUTO off`, in `width` cells.

    Empty while nothing wants a person. Where there is no room the keys go first, then auto-mode, the name of what
    failed, and what is last.
    """
    if view is None:
        return Content("")
    own = (_needs_you(view, now), _failed(view, now), _vetoable(view, now), _elsewhere(view, now))
    wanted = [part for part in own if part]
    if not wanted:
        return Content("")
    parts = [*wanted, _Part(auto_mode_text(view.auto), "", _WARNING if view.auto.armed else "")]
    shorter = (
        [part.whole for part in parts],
        [part.short for part in parts],
        [part.short for part in wanted],
        *([part.shortest for part in wanted[:count]] for count in range(len(wanted), 0, -1)),
    )
    lines = [Content.assemble(" ", Content(_BETWEEN).join(texts)) for texts in shorter]
    return next((line for line in lines if line.cell_length <= width), lines[-1].truncate(width, ellipsis=True))


def _needs_you(view: DeskView, now: datetime) -> _Part | None:
    waiting = [recovery for recovery in view.recoveries if needs_you(recovery)]
    if not waiting:
        return None
    nearest = min(waiting, key=lambda recovery: recovery.deadline)
    first = f"{_name(view, nearest)} {countdown(epoch(nearest.deadline), now.timestamp())}"
    text = f"{len(waiting)} NEED YOU · first {first}" if len(waiting) > 1 else f"1 {NEEDS_YOU} · {first}"
    return _Part(text, "", _WARNING)


def _failed(view: DeskView, now: datetime) -> _Part | None:
    failed = failures(view)
    if not failed:
        return None
    in_time = [recovery for recovery in failed if now < recovery.deadline]
    first = min(in_time, key=lambda recovery: recovery.deadline) if in_time else failed[0]
    left = f" {countdown(epoch(first.deadline), now.timestamp())} left" if in_time else ""
    nearest = f"{'first ' if in_time and len(failed) > 1 else ''}{_name(view, first)}{left}"
    count = f"{len(failed)} {FAILED}"
    return _Part(f"{count} · {nearest}", _key(view, "t retries"), _ERROR, f"{count}{left}")


def _vetoable(view: DeskView, now: datetime) -> _Part | None:
    windows = [recovery for recovery in view.recoveries if recovery.state is RecoveryState.VETO_WINDOW]
    if not windows:
        return None
    first = min(windows, key=lambda recovery: recovery.veto_until or recovery.deadline)
    left_s = epoch(first.veto_until) - int(now.timestamp()) if first.veto_until else 0
    more = f" and {len(windows) - 1} more" if len(windows) > 1 else ""
    return _Part(f"{_name(view, first)}{more} in veto window {max(left_s, 0)}s", _key(view, "x vetoes"), _WARNING)


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


def _name(view: DeskView, recovery: Recovery) -> str:
    """Return the instance's name, with its account and its region where the view has several: `web-1 (prod bj)`."""
    account = shown_account(recovery.region) if len(view.accounts) > 1 and not view.account else ""
    region = region_in_short(recovery.region) if len(view.region_ids) > 1 else ""
    where = " ".join(plain(part, _NAME_CELLS) for part in (account, region) if part)
    name = plain(recovery.name or recovery.instance_id, _NAME_CELLS)
    return f"{name} ({where})" if where else name
