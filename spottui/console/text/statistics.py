"""The statistics as charts, in as many columns as fit; the chart of the days fills the rest of the height."""

from collections.abc import Sequence
from datetime import datetime

from textual.content import Content

from spottui.console.text.cells import cell_text, column_cells, flow
from spottui.domain.text import plain
from spottui.tables.charts import bar, columns
from spottui.tables.moments import age, money
from spottui.tables.statistics import AddedCost, Count, KeptSum, Statistics

_LEAST_CELLS = 54
_LOWEST, _HIGHEST = 4, 16
_AROUND = 5
"""Lines of the frame, and of the days' title, axis and gap."""
_DAY_CELLS = (2, 4)
_LABEL_CELLS = 26
_COUNT_CELLS = 8
_SHOWN = 10


def charts(stats: Statistics, kept: Content, room: int, height: int) -> Content:
    """Return the page, `room` cells wide; `height` is the terminal's, `kept` the section of `kept_section`."""
    if not stats.total:
        return Content("\n").join([Content("No reclaim in the journal yet."), Content(""), kept])
    cells = column_cells(room, _LEAST_CELLS)
    verdicts = [(f"{verdict} → {end}", count) for (verdict, end), count in stats.verdicts]
    sections = [
        _bar_chart("Outcomes", stats.outcomes, cells),
        _times(stats, cells),
        _bar_chart("Forecast vs outcome", verdicts, cells),
        _bar_chart("By zone", stats.by_zone, cells),
        _bar_chart("By type", stats.by_type, cells),
        kept,
        _section("Added cost of replacements (planned)", _added(stats.added)),
    ]
    rest = flow(sections, room, _LEAST_CELLS)
    left = height - _AROUND - len(rest.plain.splitlines())
    return Content("\n").join([_days(stats, room, min(max(left, _LOWEST), _HIGHEST)), rest])


def kept_section(stats: Statistics, listed: Sequence[KeptSum] | None, problem: str, now: datetime) -> Content:
    """Return what is retained and charged: as the cloud has `listed` it, else as far as the journal knows."""
    sums = stats.kept if listed is None else listed
    source = "as listed by the cloud now" if listed is not None else f"from the journal only; {plain(problem, 400)}"
    lines = [_kept(total, now) for total in sums] or [Content("  nothing")]
    lines.append(Content.styled(f"  {source}", "dim"))
    if any(total.unpriced for total in sums):
        lines.append(Content.styled("  set prices in [storage_price] of the configuration", "dim"))
    return _section("Retained by recoveries", lines)


def _days(stats: Statistics, room: int, height: int) -> Content:
    most = max(count for _, count in stats.by_day)
    margin = len(f"{most:,}") + 4
    least, most_cells = _DAY_CELLS
    wide = min(max((room - margin) // len(stats.by_day), least), most_cells)
    shown = stats.by_day[-((room - margin) // wide) :]
    counts = [value for _, count in shown for value in (*[count] * (wide - 1), None)]
    labels = [f"{most:,}", *[""] * (height - 2), "0"]
    lines = [
        Content.assemble((f"{label:>{margin - 2}} {'┤' if label else '│'}", "dim"), (line, "$accent"))
        for label, line in zip(labels, columns(counts, max(most, 1), height), strict=True)
    ]
    first, last = f"{shown[0][0]:%m-%d}", f"{shown[-1][0]:%m-%d}"
    lines.append(Content.styled(f"{' ' * margin}{first}{last:>{len(counts) - len(first)}}", "dim"))
    lately = sum(count for _, count in shown)
    reclaims = f"{stats.total:,} reclaim{'' if stats.total == 1 else 's'}"
    return _section(f"{reclaims}, {lately:,} in the last {len(shown)} days, max {most:,} per day", lines)


def _times(stats: Statistics, cells: int) -> Content:
    if not stats.times_s:
        return _section("Recovery time", [Content("  none recovered yet")])
    half, most, longest = age(stats.median_s), age(stats.slow_s), age(stats.times_s[-1])
    percentiles = Content(f"  p50 {half} · p90 {most} · max {longest}")
    return _section(f"Recovery time of {len(stats.times_s):,}", [percentiles, *_bar_lines(stats.histogram, cells)])


def _bar_chart(title: str, counts: Sequence[Count], cells: int) -> Content:
    lines = _bar_lines(counts[:_SHOWN], cells)
    if len(counts) > _SHOWN:
        lines.append(Content.styled(f"  and {len(counts) - _SHOWN} more", "dim"))
    return _section(title, lines or [Content("  none")])


def _bar_lines(counts: Sequence[Count], cells: int) -> list[Content]:
    most = max((count for _, count in counts), default=1)
    label_cells = min(_LABEL_CELLS, max((len(name) for name, _ in counts), default=0))
    room = cells - label_cells - _COUNT_CELLS - 3
    drawn = ((name, bar(count, most, room), count) for name, count in counts)
    return [
        Content.assemble(
            f"  {cell_text(plain(name, 64), label_cells)} ", (f"{line} " if line else "", "$accent"), f"{count:,}"
        )
        for name, line, count in drawn
    ]


def _kept(total: KeptSum, now: datetime) -> Content:
    size = f"{total.gib:,} GiB" + (f", {total.unsized} of unknown size" if total.unsized else "")
    oldest = f", oldest {age((now - total.oldest).total_seconds())}" if total.oldest else ""
    return Content.assemble(
        (f"  {total.count:,} {total.kind}{'' if total.count == 1 else 's'}: {size}{oldest}; ", ""),
        (_price(total), "bold"),
    )


def _price(total: KeptSum) -> str:
    if total.unpriced == total.count:
        return "price unknown"
    rest = f", {total.unpriced} unpriced" if total.unpriced else ""
    return f"at most {money(total.per_month)} per month{rest}"


def _added(added: AddedCost) -> list[Content]:
    if not added.known:
        return [Content("  unknown: no replacement is priced" if added.unknown else "  no replacement yet")]
    total, dearest = money(added.per_hour, sign=True), money(added.most, sign=True)
    lines = [Content(f"  {total} per hour for {added.known:,} in total, max {dearest}")]
    return [*lines, Content(f"  {added.unknown:,} more unpriced")] if added.unknown else lines


def _section(title: str, lines: Sequence[Content]) -> Content:
    return Content("\n").join([Content.styled(title, "bold $accent"), *lines, Content("")])
