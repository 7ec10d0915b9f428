"""Two pages over all recoveries: the current storm, and the statistics of past reclaims."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import msgspec
from rich.cells import cell_len
from textual import on
from textual.content import Content

from spottui.console.messages import Answered
from spottui.console.pages.acting_page import ActingPage
from spottui.console.pages.page import CLOSE, COPY, Page
from spottui.console.session import Session
from spottui.console.text.cells import cell_text
from spottui.console.text.readiness import VERDICT_STYLES
from spottui.console.text.statistics import charts, kept_section, savings_section
from spottui.console.widgets.keys import Key
from spottui.domain.history import Past
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.region_key import shown_account
from spottui.domain.savings import Savings
from spottui.domain.text import plain
from spottui.tables.moments import countdown, epoch
from spottui.tables.statistics import KeptSum, Statistics, kept_sums, statistics
from spottui.tables.storm import Group, forecast_of_all, needs_you, of_now, storm

if TYPE_CHECKING:
    from spottui.console.desk import Desk

_CURSOR_CELLS = 2
_STYLES = {
    **{str(verdict): style for verdict, style in VERDICT_STYLES.items()},
    str(RecoveryState.RECOVERED): "bold $success",
    str(RecoveryState.FAILED): "bold $error",
}


class StormPage(ActingPage):
    """The current recoveries by zone and type; the keys act on those of the row under the cursor."""

    KEYS = (CLOSE, COPY, Key("", "↑ ↓", "Move"))
    MAY_SLIP = True

    def __init__(self, session: Session) -> None:
        super().__init__(session, "Storm: current recoveries by zone and type")
        self._chosen: tuple[str, str] | None = None

    def text(self) -> Content:
        """Return a line for each zone and type."""
        rows = self.rows()
        if not rows:
            return Content("No recovery is open, and none succeeded or failed within the last ten minutes.")
        self._follow_group()
        return Content("\n").join([*self.head(), *self.with_cursor(rows)])

    def head(self) -> list[Content]:
        """Return how many will make it, and the titles of the rows."""
        view, groups = self._session.view, self._groups()
        if view is None or not groups:
            return []
        titles = "  ".join((f"{'Left':>6}", *(column[0] for column in _columns(groups, view.region_ids)), "Verdicts"))
        return [_head(of_now(view), view.at), Content(""), Content.styled(f"{' ' * _CURSOR_CELLS}{titles}", "dim")]

    def rows(self) -> list[list[Content]]:
        """Return a line for each group."""
        view, groups = self._session.view, self._groups()
        if view is None or not groups:
            return []
        (_, *places), (_, *counts) = _columns(groups, view.region_ids)
        lines = (
            _group(group, f"{place}  ", f"{count}  ", view.at)
            for group, place, count in zip(groups, places, counts, strict=True)
        )
        return [[line.truncate(self.room - _CURSOR_CELLS, ellipsis=True)] for line in lines]

    def recoveries(self) -> tuple[Recovery, ...]:
        """Return the recoveries of the row under the cursor."""
        groups = self._groups()
        return groups[min(self.cursor, len(groups) - 1)].recoveries if groups else ()

    def action_scroll(self, lines: int) -> None:
        """Move the cursor to another group, and stay on that one."""
        self._chosen = None
        super().action_scroll(lines)

    def _follow_group(self) -> None:
        """Keep the cursor on its group wherever that stands now."""
        places = [(group.zone, group.instance_type) for group in self._groups()]
        if self._chosen in places:
            self.cursor = places.index(self._chosen)
        self.cursor = min(self.cursor, len(places) - 1)
        self._chosen = places[self.cursor]

    def _groups(self) -> tuple[Group, ...]:
        view = self._session.view
        return storm(view, of_now(view)) if view else ()


class _Figures(msgspec.Struct, frozen=True):
    """What the journal says."""

    statistics: Statistics
    savings: Savings


class StatisticsPage(Page):
    """The statistics of past reclaims; the journal is read once, then the cloud is asked for what is retained."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, "Statistics")
        self._figures: _Figures | None = None
        self._kept: tuple[KeptSum, ...] | None = None
        self._problem = "Reading the journal…"
        self._account = session.view.account if session.view else ""

    def on_mount(self) -> None:
        """Ask for the statistics, which the worker's thread computes."""
        today, past = self._session.clock.now().date(), partial(_past_of, self._account)
        self._session.worker.ask(
            lambda desk: _Figures(statistics(past(desk), desk.storage_price, today), desk.savings(self._account)),
            self,
        )

    def text(self) -> Content:
        """Return the charts."""
        if self._figures is None:
            return Content(plain(self._problem, 400))
        kept = kept_section(self._figures.statistics, self._kept, self._problem, self._session.clock.now())
        saved = savings_section(self._figures.savings, self.room)
        return charts(self._figures.statistics, kept, saved, self.room, self.app.size.height)

    @on(Answered)
    def _show(self, message: Answered) -> None:
        self._problem = message.problem
        if isinstance(message.answer, _Figures):
            self._figures = message.answer
            self._problem = "asking the cloud what is still there…"
            self._session.worker.ask(partial(_kept_now, self._account), self)
        elif isinstance(message.answer, tuple):
            self._kept = message.answer
        self.tick()


def _past_of(account: str, desk: "Desk") -> tuple[Past, ...]:
    return tuple(past for past in desk.past() if account in ("", shown_account(past.interruption.region)))


def _kept_now(account: str, desk: "Desk") -> tuple[KeptSum, ...]:
    left = (leftover for leftover in desk.leftovers() if account in ("", shown_account(leftover.region)))
    return kept_sums((leftover.kept for leftover in left), desk.storage_price)


def _head(recoveries: Sequence[Recovery], now: datetime) -> Content:
    count = len(recoveries)
    title = forecast_of_all(recoveries, now) or f"{count} {'recovery' if count == 1 else 'recoveries'}"
    need_count = sum(needs_you(recovery) for recovery in recoveries)
    queued_count = sum(recovery.is_queued for recovery in recoveries)
    return Content.assemble(
        (title, "bold"),
        (f" · {_need(need_count)}" if need_count else "", "bold $warning"),
        f" · {queued_count} queued" if queued_count else "",
    )


def _columns(groups: Sequence[Group], regions: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Return the places of groups and how many of each make it, each column under its title."""
    places = _padded(["Zone and type", *(_place(group, regions) for group in groups)])
    return places, _padded(["Make it", *(_making_it(group) for group in groups)])


def _place(group: Group, regions: tuple[str, ...]) -> str:
    """Return zone and type; the zone as in the table, by its letter if only one region is watched."""
    zone = group.zone.removeprefix(f"{regions[0]}-") if len(regions) == 1 else group.zone
    return f"{plain(zone, 24) or 'zone unknown'} {plain(group.instance_type, 24)}"


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
