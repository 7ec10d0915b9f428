"""The lines above and below the panels: header, status and footer."""

from datetime import datetime

from textual.content import Content
from textual.widgets import Static

from spottui import actions
from spottui.console.cells import cell_text
from spottui.console.health import SOURCES, Freshness, freshness
from spottui.domain.text import plain
from spottui.domain.view import AutoMode, DeskView
from spottui.tables.moments import age, utc_clock

_TURN_S = 5
"""How long each of several problems stands in the status line."""

Part = tuple[str, str]


class Line(Static):
    """One line that changes often: drawn again only when its text changed, and never laid out again."""

    def __init__(self, line_id: str) -> None:
        super().__init__("", id=line_id, markup=False)
        self._text = Content("")

    def put(self, text: Content) -> None:
        """Show a text."""
        if text != self._text:
            self._text = text
            self.update(text, layout=False)


def header(title: str, view: DeskView | None, now: datetime, width: int, *, failed: bool = False) -> Content:
    """Return the header: where we are, auto-mode, the age of each source, the time; shortened until it fits."""
    clock = utc_clock(now)
    if view is None:
        state = ("NOT STARTED", "bold $error") if failed else ("starting…", "$warning")
        return _spread([(f" {title}", "bold")], [state], clock, width)
    badge = [("  READ-ONLY", "bold $warning")] if view.read_only else []
    badge += [("  starting…", "$warning")] if view.starting else []
    for long_names, place in ((True, _place(view)), (False, _place(view)), (False, _region(view)), (False, "")):
        left = [(f" {title}", "bold"), *badge, (f"  {place}", "")]
        right = [_auto(view.auto), *(_age(freshness(view, name, now), whole=long_names) for name in SOURCES)]
        if _length(left) + _length(right) + 2 * len(right) + len(clock) + 3 <= width:
            break
    return _spread(left, right, clock, width)


def status(problems: tuple[str, ...], now: datetime, width: int) -> Content:
    """Return one problem in one line, each in turn when there are several."""
    if not problems:
        return Content("")
    index = int(now.timestamp()) // _TURN_S % len(problems)
    count = f"({index + 1}/{len(problems)}) " if len(problems) > 1 else ""
    return Content.styled(cell_text(f" ✕ {count}{problems[index]}", width), "bold $error")


def footer(situation: actions.Situation, width: int) -> Content:
    """Return the keys that do something now, as many as fit."""
    chosen = actions.footer(situation, width - 1)
    return _keys([(actions.shown_key(action.keys[0]), action.title, action.danger) for action in chosen])


def filter_footer() -> Content:
    """Return the keys that do something while a filter is typed."""
    return _keys([("enter", "Keep the filter", False), ("esc", "Take it away", False)])


def _keys(named: list[tuple[str, str, bool]]) -> Content:
    parts: list[str | Part] = [" "]
    for key, title, danger in named:
        parts += [(key, "bold $warning" if danger else "bold $accent"), f" {title}  "]
    return Content.assemble(*parts)


def _spread(left: list[Part], right: list[Part], clock: str, width: int) -> Content:
    parts: list[Part] = []
    for text, style in right:
        parts += [(text, style), ("  ", "")]
    parts.append((f" {clock} ", "bold"))
    gap = width - _length(left) - _length(parts)
    if gap < 1:
        left = [(cell_text("".join(text for text, _ in left), max(width - _length(parts) - 1, 0)), "bold")]
        gap = 1
    return Content.assemble(*left, " " * gap, *parts)


def _length(parts: list[Part]) -> int:
    return sum(Content(text).cell_length for text, _ in parts)


def _place(view: DeskView) -> str:
    return f"{plain(view.profile, 40)} · {_region(view)}"


def _region(view: DeskView) -> str:
    first, more = (view.regions[0] if view.regions else "no region"), len(view.regions) - 1
    return f"{plain(first, 40)} +{more}" if more > 0 else plain(first, 40)


def _auto(auto: AutoMode) -> Part:
    count = f"{auto.in_flight}/{auto.max_at_once}"
    if auto.armed:
        return f"AUTO armed {count}", "bold $warning"
    return f"AUTO off {count}", ""


def _age(fresh: Freshness, *, whole: bool) -> Part:
    name = fresh.name if whole else fresh.name[0].upper()
    return f"{name} {age(fresh.age_s)}{'!' if fresh.stale else ''}", "bold $error" if fresh.stale else ""
