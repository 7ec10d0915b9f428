"""Two pages over all recoveries: the storm that goes on now, and what past reclaims come to."""

from typing import TYPE_CHECKING

from textual import on
from textual.content import Content

from spottui.console.cells import cell_text
from spottui.console.messages import Answered
from spottui.console.page import Page
from spottui.console.statistics_text import charts, kept_section
from spottui.domain.text import plain
from spottui.tables.statistics import KeptSum, Statistics, kept_sums, statistics
from spottui.tables.storm import (
    AFTER,
    LOST,
    NO_ROOM,
    OUTLOOKS,
    SAVED,
    TIGHT,
    WILL,
    WILL_NOT,
    Group,
    forecast_of_all,
    of_now,
    storm,
)

if TYPE_CHECKING:
    from spottui.console.desk import Desk
    from spottui.console.main import MainScreen

_OUTLOOK_STYLES = {
    SAVED: "bold $success",
    WILL: "$success",
    TIGHT: "bold $warning",
    WILL_NOT: "bold $error",
    NO_ROOM: "bold $error",
    AFTER: "$warning",
    LOST: "bold $error",
}


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
        head = Content.styled(
            forecast_of_all(recoveries, view.at) or f"{len(recoveries)} recoveries, no forecast yet", "bold"
        )
        return Content("\n").join([head, Content(""), *(_group(one) for one in storm(view, recoveries))])


class StatisticsPage(Page):
    """What past reclaims come to: the journal is read once, then the cloud is asked what is kept."""

    def __init__(self, main: "MainScreen") -> None:
        super().__init__("Statistics")
        self._main = main
        self._told: Statistics | None = None
        self._kept: tuple[KeptSum, ...] | None = None
        self._problem = "Reading the journal…"

    def on_mount(self) -> None:
        """Ask for the past; it is counted in the thread that reads it."""
        today = self._main.clock.now().date()
        self._main.feed.ask(lambda desk: statistics(desk.past(), desk.storage_price, today), self)

    def text(self) -> Content:
        """Return the charts."""
        if self._told is None:
            return Content(plain(self._problem, 400))
        kept = kept_section(self._told, self._kept, self._problem, self._main.clock.now())
        return charts(self._told, kept, self.room, self.app.size.height)

    @on(Answered)
    def _show(self, message: Answered) -> None:
        self._problem = message.problem
        if isinstance(message.answer, Statistics):
            self._told = message.answer
            self._problem = "asking the cloud what is still there…"
            self._main.feed.ask(_kept_now, self)
        elif isinstance(message.answer, tuple):
            self._kept = message.answer
        self.tick()


def _kept_now(desk: "Desk") -> tuple[KeptSum, ...]:
    return kept_sums((one.kept for one in desk.leftovers()), desk.storage_price)


def _group(one: Group) -> Content:
    said: list[tuple[str, str]] = []
    for outlook, count in sorted(one.outlooks.items(), key=lambda item: OUTLOOKS.index(item[0])):
        said.append((f"  {count} {outlook}", _OUTLOOK_STYLES.get(outlook, "dim")))
    needs = (f"  {one.needs_you} NEED YOU" if one.needs_you else "", "bold $warning")
    where = f"{plain(one.zone, 40) or 'zone not known'} {plain(one.instance_type, 40)}"
    return Content.assemble(cell_text(where, 36), (f" {one.will_make_it:>4} of {one.total:<4}", "bold"), *said, needs)
