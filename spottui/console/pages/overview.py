"""Two pages over all recoveries: the storm that goes on now, and what past reclaims come to."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual import on
from textual.content import Content

from spottui.console.messages import Answered
from spottui.console.pages.page import Page
from spottui.console.text.cells import cell_text
from spottui.console.text.readiness import VERDICT_STYLES
from spottui.console.text.statistics import charts, kept_section
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.text import plain
from spottui.tables.moments import countdown, epoch
from spottui.tables.statistics import KeptSum, Statistics, kept_sums, statistics
from spottui.tables.storm import Group, forecast_of_all, needs_you, of_now, storm

if TYPE_CHECKING:
    from spottui.console.desk import Desk
    from spottui.console.main_screen import MainScreen

_COUNT_CELLS = 10
_STYLES = {
    **{str(verdict): style for verdict, style in VERDICT_STYLES.items()},
    str(RecoveryState.RECOVERED): "bold $success",
    str(RecoveryState.FAILED): "bold $error",
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
        lines = [_head(recoveries, view.at), Content("")]
        groups = storm(view, recoveries)
        places = [_place(one, view.regions) for one in groups]
        widest = max(map(cell_len, places))
        for one, place in zip(groups, places, strict=True):
            lines.append(_group(one, cell_text(place, widest), view.at).truncate(self.room, ellipsis=True))
        return Content("\n").join(lines)


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


def _head(recoveries: Sequence[Recovery], now: datetime) -> Content:
    count = len(recoveries)
    said = forecast_of_all(recoveries, now) or f"{count} {'recovery' if count == 1 else 'recoveries'}"
    needy = sum(needs_you(one) for one in recoveries)
    return Content.assemble((said, "bold"), (f" · {_need(needy)}" if needy else "", "bold $warning"))


def _place(one: Group, regions: tuple[str, ...]) -> str:
    """The zone as the table has it: its letter where there is one region."""
    zone = one.zone.removeprefix(f"{regions[0]}-") if len(regions) == 1 else one.zone
    return f"{plain(zone, 24) or 'zone not known'} {plain(one.instance_type, 24)}"


def _group(one: Group, place: str, now: datetime) -> Content:
    """The next deadline, the place, how many make it, and what is said of them: first of those that need a person."""
    left = countdown(epoch(one.deadline), now.timestamp())
    parts: list[tuple[str, str]] = [
        (f"{left:>6}  {place}  ", ""),
        (cell_text(f"{one.will_make_it} of {one.total}", _COUNT_CELLS), "bold"),
    ]
    if needy := one.needs_you.total():
        parts += [(f"{_need(needy)}: ", "bold $warning"), *_counts(one.needs_you, needy)]
        parts.append(("; " if one.outlooks else "", ""))
    return Content.assemble(*parts, *_counts(one.outlooks, one.total))


def _need(count: int) -> str:
    return f"{count} NEED{'S' if count == 1 else ''} YOU"


def _counts(outlooks: Counter[str], of: int) -> list[tuple[str, str]]:
    """Return the worst first: `2 WILL NOT, 3 WILL MAKE IT`; where all have one, that alone."""
    ranks = list(_STYLES)
    ordered = sorted(outlooks.items(), key=lambda item: -ranks.index(item[0]) if item[0] in ranks else 1)
    said = [(word if count == of else f"{count} {word}", _STYLES.get(word, "dim")) for word, count in ordered]
    return [part for one in said for part in (one, (", ", ""))][:-1]
