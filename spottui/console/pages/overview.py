"""Two pages over all recoveries: the current storm, and the statistics of past reclaims."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual import on
from textual.content import Content

from spottui.console.messages import Answered
from spottui.console.pages.page import Page
from spottui.console.session import Session
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

_STYLES = {
    **{str(verdict): style for verdict, style in VERDICT_STYLES.items()},
    str(RecoveryState.RECOVERED): "bold $success",
    str(RecoveryState.FAILED): "bold $error",
}


class StormPage(Page):
    """The current recoveries by zone and type; follows the view."""

    def __init__(self, session: Session) -> None:
        super().__init__("Storm: the recoveries of now, by zone and type")
        self._session = session

    def text(self) -> Content:
        """Return a line for each zone and type."""
        view = self._session.view
        recoveries = of_now(view) if view else ()
        if view is None or not recoveries:
            return Content("No recovery is open, and none succeeded or failed within the last ten minutes.")
        lines = [_head(recoveries, view.at), Content("")]
        groups = storm(view, recoveries)
        places = [_place(group, view.regions) for group in groups]
        counts = [_making_it(group) for group in groups]
        for group, place, count in zip(groups, _padded(places), _padded(counts), strict=True):
            lines.append(_group(group, f"{place}  ", f"{count}  ", view.at).truncate(self.room, ellipsis=True))
        return Content("\n").join(lines)


class StatisticsPage(Page):
    """The statistics of past reclaims; the journal is read once, then the cloud is asked for what is retained."""

    def __init__(self, session: Session) -> None:
        super().__init__("Statistics")
        self._session = session
        self._statistics: Statistics | None = None
        self._kept: tuple[KeptSum, ...] | None = None
        self._problem = "Reading the journal…"

    def on_mount(self) -> None:
        """Ask for the statistics, which the worker's thread computes."""
        today = self._session.clock.now().date()
        self._session.worker.ask(lambda desk: statistics(desk.past(), desk.storage_price, today), self)

    def text(self) -> Content:
        """Return the charts."""
        if self._statistics is None:
            return Content(plain(self._problem, 400))
        kept = kept_section(self._statistics, self._kept, self._problem, self._session.clock.now())
        return charts(self._statistics, kept, self.room, self.app.size.height)

    @on(Answered)
    def _show(self, message: Answered) -> None:
        self._problem = message.problem
        if isinstance(message.answer, Statistics):
            self._statistics = message.answer
            self._problem = "asking the cloud what is still there…"
            self._session.worker.ask(_kept_now, self)
        elif isinstance(message.answer, tuple):
            self._kept = message.answer
        self.tick()


def _kept_now(desk: "Desk") -> tuple[KeptSum, ...]:
    return kept_sums((leftover.kept for leftover in desk.leftovers()), desk.storage_price)


def _head(recoveries: Sequence[Recovery], now: datetime) -> Content:
    count = len(recoveries)
    title = forecast_of_all(recoveries, now) or f"{count} {'recovery' if count == 1 else 'recoveries'}"
    need_count = sum(needs_you(recovery) for recovery in recoveries)
    return Content.assemble((title, "bold"), (f" · {_need(need_count)}" if need_count else "", "bold $warning"))


def _place(group: Group, regions: tuple[str, ...]) -> str:
    """Return zone and type; the zone as in the table, by its letter if only one region is watched."""
    zone = group.zone.removeprefix(f"{regions[0]}-") if len(regions) == 1 else group.zone
    return f"{plain(zone, 24) or 'zone not known'} {plain(group.instance_type, 24)}"


def _making_it(group: Group) -> str:
    """Return how many make it; for those that wait for a person the verdicts say what would come of a yes."""
    counted = group.total - group.waits
    return f"{group.will_make_it} of {counted}" if counted else ""


def _padded(texts: Sequence[str]) -> list[str]:
    widest = max(map(cell_len, texts))
    return [cell_text(text, widest) for text in texts]


def _group(group: Group, place: str, count: str, now: datetime) -> Content:
    """Return a line: next deadline, place, how many make it, verdicts, those that need a person first."""
    left = countdown(epoch(group.deadline), now.timestamp())
    parts: list[tuple[str, str]] = [
        (f"{left:>6}  {place}", ""),
        (count, "bold"),
    ]
    if need_count := group.needs_you.total():
        parts += [(f"{_need(need_count)}: ", "bold $warning"), *_counts(group.needs_you, need_count)]
        parts.append(("; " if group.others else "", ""))
    return Content.assemble(*parts, *_counts(group.others, group.total))


def _need(count: int) -> str:
    return f"{count} NEED{'S' if count == 1 else ''} YOU"


def _counts(verdicts: Counter[str], of: int) -> list[tuple[str, str]]:
    """Return the worst verdict first, `2 WILL NOT, 3 WILL MAKE IT`; without a count if all have the same."""
    ranks = list(_STYLES)
    ordered = sorted(verdicts.items(), key=lambda item: -ranks.index(item[0]) if item[0] in ranks else 1)
    counts = [(word if count == of else f"{count} {word}", _STYLES.get(word, "dim")) for word, count in ordered]
    return [part for count_text in counts for part in (count_text, (", ", ""))][:-1]
