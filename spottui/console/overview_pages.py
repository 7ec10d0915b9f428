"""Two pages over all recoveries: the storm that goes on now, and what past reclaims come to."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import on
from textual.content import Content

from spottui.console.cells import cell_text
from spottui.console.messages import Answered
from spottui.console.page import Page
from spottui.domain.text import plain
from spottui.tables.moments import age
from spottui.tables.statistics import Statistics, statistics
from spottui.tables.storm import LOST, SAVED, TIGHT, WILL, WILL_NOT, Group, forecast_of_all, of_now, storm

if TYPE_CHECKING:
    from spottui.console.main import MainScreen

_OUTLOOK_STYLES = {
    SAVED: "bold $success",
    WILL: "$success",
    TIGHT: "bold $warning",
    WILL_NOT: "bold $error",
    LOST: "bold $error",
}
_BLOCKS = " ▁▂▃▄▅▆▇█"
_BAR_CELLS, _LABEL_CELLS = 32, 26
_SHOWN = 10

Count = tuple[str, int]


class StormPage(Page):
    """The recoveries of now by zone and type; follows what the desk shows."""

    def __init__(self, main: "MainScreen") -> None:
        super().__init__("Storm: the recoveries of now, by zone and type")
        self._main = main

    def text(self) -> Content:
        """Return a line for each zone and type."""
        view = self._main.view
        recoveries = of_now(view) if view else ()
        if view is None or not recoveries:
            return Content("No recovery is open, and none ended within the last ten minutes.")
        head = Content.styled(forecast_of_all(recoveries) or f"{len(recoveries)} recoveries, no forecast yet", "bold")
        return Content("\n").join([head, Content(""), *(_group(one) for one in storm(view, recoveries))])


class StatisticsPage(Page):
    """What past reclaims come to; the journal is read once, when the page opens."""

    def __init__(self, main: "MainScreen") -> None:
        super().__init__("Statistics")
        self._main = main
        self._told: Statistics | None = None
        self._problem = "Reading the journal…"

    def on_mount(self) -> None:
        """Ask for the past; it is counted in the thread that reads it."""
        today = self._main.clock.now().date()
        self._main.feed.ask(lambda desk: statistics(desk.past(), today), self)

    def text(self) -> Content:
        """Return the charts."""
        return charts(self._told) if self._told else Content(plain(self._problem, 400))

    @on(Answered)
    def _show(self, message: Answered) -> None:
        self._problem = message.problem
        if isinstance(message.answer, Statistics):
            self._told = message.answer
        self.tick()


def charts(told: Statistics) -> Content:
    """Return the counts as bars, and the times."""
    if not told.total:
        return Content("The journal knows of no reclaim yet.")
    first, last = told.by_day[0][0], told.by_day[-1][0]
    days = [count for _, count in told.by_day]
    verdicts = [(f"{verdict} → {end}", count) for (verdict, end), count in told.verdicts]
    return Content("\n").join(
        [
            _title(f"{told.total:,} reclaims"),
            Content.assemble(
                "  ", (_sparkline(days), "$accent"), f"  {first:%m-%d} … {last:%m-%d}, at most {max(days)} a day"
            ),
            Content(""),
            *_bars("What became of them", told.outcomes),
            *_bars("By zone", told.by_zone),
            *_bars("By type", told.by_type),
            _title("Recovery time"),
            Content(f"  {_times(told)}"),
            Content(""),
            *_bars("The last verdict against the end", verdicts),
            *_bars("Made or kept by recoveries, as far as the journal knows", told.kept),
        ]
    )


def _times(told: Statistics) -> str:
    if not told.times_s:
        return "none is recovered yet"
    half, most = age(told.median_s), age(told.slow_s)
    return f"half within {half}, nine of ten within {most}, the longest {age(told.times_s[-1])} ({len(told.times_s)})"


def _bars(title: str, counts: Sequence[Count]) -> list[Content]:
    most = max((count for _, count in counts), default=1)
    lines = [_title(title)]
    for name, count in counts[:_SHOWN]:
        bar = "█" * max(round(count / most * _BAR_CELLS), 1)
        lines.append(
            Content.assemble(f"  {cell_text(plain(name, 64), _LABEL_CELLS)} ", (bar, "$accent"), f" {count:,}")
        )
    if len(counts) > _SHOWN:
        lines.append(Content.styled(f"  and {len(counts) - _SHOWN} more", "dim"))
    return [*(lines if counts else [*lines, Content("  none")]), Content("")]


def _sparkline(counts: Sequence[int]) -> str:
    most = max(counts) or 1
    return "".join(_BLOCKS[-(-count * (len(_BLOCKS) - 1) // most)] * 2 for count in counts)


def _title(text: str) -> Content:
    return Content.styled(text, "bold $accent")


def _group(one: Group) -> Content:
    said: list[tuple[str, str]] = []
    for outlook, count in one.outlooks.items():
        said.append((f"  {count} {outlook}", _OUTLOOK_STYLES.get(outlook, "dim")))
    needs = (f"  {one.needs_you} NEED YOU" if one.needs_you else "", "bold $warning")
    where = f"{plain(one.zone, 40) or 'zone not known'} {plain(one.instance_type, 40)}"
    return Content.assemble(cell_text(where, 36), (f" {one.will_make_it:>4} of {one.total:<4}", "bold"), *said, needs)
