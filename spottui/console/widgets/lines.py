"""The lines above the panels: header and status."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime

from rich.cells import cell_len
from textual.content import Content
from textual.widgets import Static

from spottui.console.text.auto_mode import auto_mode_text
from spottui.console.text.cells import cell_text
from spottui.console.text.health import Freshness, Problem, freshness, shown_sources
from spottui.domain.text import plain
from spottui.domain.view import AutoMode, DeskView
from spottui.tables.moments import short_age, utc_clock

_TURN_S = 5
"""How long each of several problems is shown in the status line."""

_GAP_CELLS, _ENDS_CELLS = 2, 2
_AGE_CELLS = 4
"""What the age of a source takes: `31s`, or `142m!` where it is stale."""

Part = tuple[str, str]


class Line(Static):
    """One line that changes often, without a new layout."""

    def __init__(self, line_id: str) -> None:
        super().__init__("", id=line_id, markup=False)
        self.text = Content("")

    def put(self, text: Content) -> None:
        """Show a text."""
        if text != self.text:
            self.text = text
            self.update(text, layout=False)


def header(title: str, view: DeskView | None, now: datetime, width: int, *, failed: bool = False) -> Content:
    """Return the header: profile and region, auto-mode, each source's age, the time; shortened until it fits.

    Each age has a fixed width, so that nothing moves with the time.
    """
    clock = f"{utc_clock(now)}Z"
    opening = ("NOT STARTED", "bold $error") if failed else ("starting…", "$warning")
    if view is None:
        return _spread([(f" {title}", "bold")], [opening], clock, width)
    badge = [_badge(view)] if view.read_only else []
    badge += [("  ", ""), opening] if view.starting else []
    fresh = [freshness(view, name, now) for name in shown_sources(view)]
    for place, whole in _SHORTER:
        named = [(f" {title}", "bold")] if "title" in whole else []
        left = [*named, *badge, (f"  {place(view)}", ""), *(_consoles(view) if "consoles" in whole else [])]
        aged = fresh if "ages" in whole else [source for source in fresh if source.stale]
        right = [_auto(view.auto, whole="auto" in whole), *(_age(source, whole="sources" in whole) for source in aged)]
        if _length(left) + _length(right) + len(clock) + _GAP_CELLS + _ENDS_CELLS <= width:
            break
    return _spread(left, right, clock, width)


def status(problems: tuple[Problem, ...], now: datetime, width: int) -> Content:
    """Return one problem in one line, its cause first; several take turns. A note has no sign of a failure."""
    if not problems:
        return Content("")
    index = int(now.timestamp()) // _TURN_S % len(problems)
    problem = problems[index]
    count = f" · problem {index + 1} of {len(problems)}" if len(problems) > 1 else ""
    more = f" · {problem.more}" if problem.more else ""
    room = max(width - len(count) - 4, 1)
    head = problem.head if cell_len(problem.head) <= room else cell_text(problem.head, room)
    if problem.note:
        return Content.styled(cell_text(f" {head}{more}", width), "dim")
    return Content.styled(cell_text(f" ✕ {head}{count}{more}", width), "bold $error")


def _spread(left: list[Part], right: list[Part], clock: str, width: int) -> Content:
    parts: list[Part] = [*right, (f" {clock} ", "bold")]
    gap = width - _length(left) - _length(parts)
    if gap < _GAP_CELLS:
        room = max(width - _length(parts) - _GAP_CELLS, 1)
        left = [(cell_text("".join(text for text, _ in left), room), "bold")]
        gap = _GAP_CELLS
    return Content.assemble(*left, " " * gap, *parts)


def _badge(view: DeskView) -> Part:
    if view.replay is None:
        return "  READ-ONLY", "bold $warning"
    stands = " over" if view.replay.over else " held" if view.replay.held else ""
    return f"  REPLAY ×{view.replay.speed:g}{stands}", "bold $warning"


def _length(parts: list[Part]) -> int:
    return sum(Content(text).cell_length for text, _ in parts)


def _place(view: DeskView) -> str:
    return f"{plain(view.profile, 40)} · {_region(view)}"


def _consoles(view: DeskView) -> list[Part]:
    """Return how many consoles act on this journal, if there are several, and who drives the open recoveries."""
    if len(view.consoles) < 2:
        return []
    driving = Counter(
        recovery.driver for recovery in view.recoveries if recovery.driver and not recovery.state.is_final
    )
    return [(f" · {len(view.consoles)} consoles{_drives(view, driving)}", "")]


def _drives(view: DeskView, driving: Counter[str]) -> str:
    """Return which share this console drives, or who else does all of it."""
    total = driving.total()
    if not total:
        return ""
    if driving[view.own] or len(driving) > 1:
        return f", this one drives {driving[view.own]} of {total}"
    driver = next((console for console in view.consoles if console.id in driving), None)
    return f", {plain(driver.host, 24)} pid {driver.pid} drives {total}" if driver else ""


def _region(view: DeskView) -> str:
    first, more = (view.region_ids[0] if view.regions else "no region"), len(view.region_ids) - 1
    place = f"{plain(first, 40)} +{more}" if more > 0 else plain(first, 40)
    account = f"account {plain(view.account, 32)}" if view.account else f"{len(view.accounts)} accounts"
    return f"{account} · {place}" if view.account or len(view.accounts) > 1 else place


_SHORTER: tuple[tuple[Callable[[DeskView], str], tuple[str, ...]], ...] = (
    (_place, ("title", "ages", "auto", "sources", "consoles")),
    (_place, ("title", "ages", "sources", "consoles")),
    (_place, ("title", "ages", "consoles")),
    (_place, ("title", "ages")),
    (_region, ("title", "ages")),
    (_region, ("ages",)),
    (_region, ()),
)
"""What the header says of the place, and which of its parts there are or are named in full, from the widest to the
narrowest: where we are is said to the last."""


def _auto(auto: AutoMode, *, whole: bool) -> Part:
    return f"{auto_mode_text(auto, whole=whole)}  ", "bold $warning" if auto.armed else ""


def _age(fresh: Freshness, *, whole: bool) -> Part:
    name = fresh.name if whole else fresh.name[0].upper()
    if not fresh.read:
        return (f"{name} not read  " if whole else f"{name} –  "), ""
    age = f"{short_age(fresh.age_s)}{'!' if fresh.stale else ''}"
    return f"{name} {age:<{_AGE_CELLS}} ", "bold $error" if fresh.stale else ""
