"""The statistics as charts, in as many columns as fit; the chart of the days fills the rest of the height."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

import msgspec
from textual.content import Content

from spottui import words
from spottui.console.text.cells import cell_text, column_cells, flow
from spottui.console.text.charts import step_chart
from spottui.domain.billed_resources import LeftoverKind
from spottui.domain.history import Past
from spottui.domain.recovery import RecoveryState
from spottui.domain.savings import Savings
from spottui.domain.text import plain
from spottui.tables.charts import DASH, amount_ticks, bar, columns
from spottui.tables.moments import age, monthly
from spottui.tables.prices import difference, signed
from spottui.tables.statistics import AddedCost, Count, Day, KeptSum, Statistics, prices_over_time, said_last

_LEAST_CELLS = 54
_LATEST_FRAME = 4
"""The title of the latest reclaims, the gaps around them, and the alarm above the page."""
_LATEST_CELLS = (11, 16, 16, 16, 10, 6, 13, 12)
_LOWEST, _HIGHEST = 4, 16
_AROUND = 7
"""Lines of the frame, and of the days' title, axis, failures and gap."""
_DAY_CELLS = (2, 4)
_LABEL_CELLS = 36
_COUNT_CELLS = 8
_SHOWN = 10
_DAYS_OF_A_TICK = 7
_SAVINGS_LINES = 7
_RECOVERED, _FAILED, _OTHER = "$success", "$error", "$accent"
_ENDS = {str(RecoveryState.RECOVERED): _RECOVERED, str(RecoveryState.FAILED): _FAILED}
_FAILED_MARK = "✕"


def charts(stats: Statistics, kept: Content, saved: Content, room: int, height: int) -> Content:
    """Return the page, `room` cells wide; `height` is the terminal's.

    `kept` and `saved` are the sections of `kept_section` and `savings_section`.
    """
    if not stats.total:
        return Content("\n").join([Content("No reclaim in the journal yet."), Content(""), saved, kept])
    bars = _Bars(column_cells(room, _LEAST_CELLS), stats.total)
    forecasts = stats.forecasts
    verdicts = [(f"{verdict} → {end}", count) for (verdict, end), count in forecasts.counts]
    right = f", {forecasts.right:,} of {forecasts.judged:,} right" if forecasts.judged else ""
    sections = [
        bars.section("Outcomes", stats.outcomes),
        _times(stats, bars),
        bars.section(f"Forecast vs outcome{right}", verdicts),
        bars.section("By zone", stats.by_zone),
        bars.section("By type", stats.by_type),
        saved,
        kept,
        _section("Added cost of replacements (planned)", _added(stats.added)),
    ]
    rest = flow(sections, room, _LEAST_CELLS)
    left = height - _AROUND - len(rest.plain.splitlines())
    days = min(max(left, _LOWEST), _HIGHEST)
    return Content("\n").join([_days(stats, room, days), rest, *_latest(stats, room, left - days - _LATEST_FRAME)])


def kept_section(stats: Statistics, listed: Sequence[KeptSum] | None, problem: str, now: datetime) -> Content:
    """Return what is retained and charged: as the cloud has `listed` it, else as far as the journal knows."""
    sums = stats.kept if listed is None else listed
    source = "as listed by the cloud now" if listed is not None else f"from the journal only; {plain(problem, 400)}"
    lines = [_kept(total, now) for total in sums] or [Content("  nothing")]
    lines.append(Content.styled(f"  {source}", "dim"))
    if any(total.unpriced for total in sums):
        lines.append(Content.styled("  set prices in [storage_price] of the configuration", "dim"))
    return _section("Retained by recoveries", lines)


def savings_section(savings: Savings, room: int) -> Content:
    """Return what spot saved, with a chart of what an instance cost an hour."""
    lines = [Content(f"  {words.saved(savings)}")]
    spot, on_demand = prices_over_time(savings)
    if len(spot) > 1:
        currency = f"{plain(savings.currency, 8)} " if savings.currency else ""
        lines.append(Content.styled(f"  {currency}per instance hour: spot, {DASH} on-demand", "dim"))
        lines += step_chart(spot, on_demand, savings.until, column_cells(room, _LEAST_CELLS) - 1, _SAVINGS_LINES)
    return _section(f"Saved against on-demand, last {(savings.until - savings.since).days} days", lines)


def _days(stats: Statistics, room: int, height: int) -> Content:
    most = max(max(day.total for day in stats.by_day), 1)
    ticks = {
        round(amount / most * height): f"{amount:,.0f}" for amount in amount_ticks(most, height) if amount % 1 == 0
    }
    margin = len(f"{most:,}") + 2
    least, most_cells = _DAY_CELLS
    wide = min(max((room - margin) // len(stats.by_day), least), most_cells)
    shown = stats.by_day[-((room - margin) // wide) :]
    counts = [value for day in shown for value in (*[day.total] * (wide - 1), None)]
    lines = []
    for row, line in zip(range(height, 0, -1), columns(counts, most, height), strict=True):
        axis = (f"{ticks.get(row, ''):>{margin - 1}}{'┤' if row in ticks else '│'}", "dim")
        styles = [_style(day, row, most / height) for day in shown for _ in range(wide)]
        lines.append(Content.assemble(axis, *_runs(line, styles)))
    lately = sum(day.total for day in shown)
    reclaims = f"{stats.total:,} reclaim{'' if stats.total == 1 else 's'}"
    mark = f", {_FAILED_MARK} days with a failure" if any(day.failed for day in shown) else ""
    title = f"{reclaims}, {lately:,} in the last {len(shown)} days, max {most:,} per day{mark}"
    return _section(title, [*lines, *_day_axis(shown, wide, margin)])


def _day_axis(shown: Sequence[Day], wide: int, margin: int) -> list[Content]:
    """Return the axis with a tick for each week from the last day back, the dates, and the days with a failure."""
    marks = ["─"] * (len(shown) * wide)
    dates = [" "] * len(marks)
    for index in range(len(shown) - 1, -1, -_DAYS_OF_A_TICK):
        at, text = index * wide, f"{shown[index].day:%m-%d}"
        marks[at] = "┬"
        begin = min(at, len(dates) - len(text))
        dates[begin : begin + len(text)] = text
    lines = [
        Content.styled(f"{'0':>{margin - 1}}└{''.join(marks)}", "dim"),
        Content.styled(f"{' ' * margin}{''.join(dates)}".rstrip(), "dim"),
    ]
    failed = "".join(f"{_FAILED_MARK if day.failed else '':<{wide}}" for day in shown).rstrip()
    return [*lines, Content.styled(f"{' ' * margin}{failed}", _FAILED)] if failed else lines


def _style(day: Day, row: int, per_row: float) -> str:
    """Return the colour of a row of a day's column: failed at the bottom, at least one cell of it, recovered on top."""
    value = (row - 0.5) * per_row
    if day.failed and (row == 1 or value <= day.failed):
        return _FAILED
    return _OTHER if value <= day.failed + day.others else _RECOVERED


def _runs(line: str, styles: Sequence[str]) -> list[tuple[str, str]]:
    """Return a line as parts of one style each."""
    cells = zip(line, styles, strict=True)
    return [("".join(cell for cell, _ in part), style) for style, part in groupby(cells, key=lambda cell: cell[1])]


def _times(stats: Statistics, bars: "_Bars") -> Content:
    if not stats.times_s:
        return _section("Recovery time", [Content("  none recovered yet")])
    half, most, longest = age(stats.median_s), age(stats.slow_s), age(stats.times_s[-1])
    percentiles = Content(f"  p50 {half} · p90 {most} · max {longest}")
    return _section(f"Recovery time of {len(stats.times_s):,}", [percentiles, *bars.lines(stats.histogram)])


class _Bars(msgspec.Struct, frozen=True):
    """Bars on one scale for all sections, so that their lengths can be compared: `most` takes the whole width."""

    cells: int
    most: int

    def section(self, title: str, counts: Sequence[Count]) -> Content:
        """Return the largest counts under a title."""
        lines = self.lines(counts[:_SHOWN])
        if len(counts) > _SHOWN:
            lines.append(Content.styled(f"  and {len(counts) - _SHOWN} more", "dim"))
        return _section(title, lines or [Content("  none")])

    def lines(self, counts: Sequence[Count]) -> list[Content]:
        """Return a line for each count, with its number behind the bar."""
        label_cells = min(_LABEL_CELLS, max((len(name) for name, _ in counts), default=0))
        room = self.cells - label_cells - _COUNT_CELLS - 3
        drawn = ((name, bar(count, self.most, room), count) for name, count in counts)
        return [
            Content.assemble(
                f"  {cell_text(plain(name, 64), label_cells)} ",
                (f"{line} " if line else "", _colour(name)),
                f"{count:,}",
            )
            for name, line, count in drawn
        ]


def _colour(name: str) -> str:
    """Return the colour of a bar: that of the outcome which its name ends with, if any."""
    return next((style for end, style in _ENDS.items() if name.rpartition("→ ")[2].startswith(end)), _OTHER)


def _latest(stats: Statistics, room: int, height: int) -> list[Content]:
    """Return the newest reclaims, as many as there are lines left for; none where there is room for less than two."""
    if height < 2:
        return []
    lines = [_reclaim(past).truncate(room, ellipsis=True) for past in stats.latest[:height]]
    return [_section("Latest reclaims", lines)]


def _reclaim(past: Past) -> Content:
    """Return when an instance was reclaimed, what and where it was, how it ended, what was forecast, and why."""
    recovery, made = past.recovery, past.outcome
    texts = (
        f"{recovery.started:%m-%d %H:%M}",
        plain(recovery.name or recovery.instance_id, 64),
        plain(past.instance_type, 64),
        plain(past.zone, 64),
        str(recovery.state),
        age(made.recovery_s) if made.recovery_s is not None else "",
        said_last(recovery),
        difference(made.new_per_hour, made.old_per_hour, made.currency),
    )
    cells = (cell_text(text, width) for text, width in zip(texts, _LATEST_CELLS, strict=True))
    why = "" if recovery.state is RecoveryState.RECOVERED else words.reason(recovery.reason, recovery.region)
    return Content.assemble("  ", (" ".join(cells), _ENDS.get(str(recovery.state), "")), f" {why}")


def _kept(total: KeptSum, now: datetime) -> Content:
    size = "" if total.kind is LeftoverKind.EIP else f"{total.gib:,} GiB"
    unsized = f"{total.unsized} of unknown size" if total.unsized else ""
    oldest = f"oldest {age((now - total.oldest).total_seconds())}" if total.oldest else ""
    known = ", ".join(filter(None, (size, unsized, oldest)))
    return Content.assemble(
        (f"  {total.count:,} {total.kind}{'' if total.count == 1 else 's'}: {known}; ", ""),
        (_price(total), "bold"),
    )


def _price(total: KeptSum) -> str:
    if total.unpriced == total.count:
        return "price unknown"
    rest = f", {total.unpriced} unpriced" if total.unpriced else ""
    return f"at most {monthly(total.per_month)} per month{rest}"


def _added(added: AddedCost) -> list[Content]:
    if not added.known:
        return [Content("  unknown: no replacement is priced" if added.unknown else "  no replacement yet")]
    total, dearest = (signed(amount, added.currency) for amount in (added.per_hour, added.most))
    lines = [Content(f"  {total} in total for {added.known:,}, max {dearest}")]
    return [*lines, Content(f"  {added.unknown:,} more unpriced")] if added.unknown else lines


def _section(title: str, lines: Sequence[Content]) -> Content:
    return Content("\n").join([Content.styled(title, "bold $accent"), *lines, Content("")])
