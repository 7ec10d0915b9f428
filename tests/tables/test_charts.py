"""Charts are what their numbers are: pure, so that thousands of them are looked at."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.content import Content

from spottui.console.text.statistics import charts
from spottui.domain.billed_resources import BilledResource, LeftoverKind
from spottui.tables.charts import BLOCKS, DASH, amount_ticks, bar, columns, day_ticks, over_time, steps
from spottui.tables.moments import hourly, monthly
from spottui.tables.prices import signed
from spottui.tables.statistics import AddedCost, Day, Forecasts, Statistics, kept_sums, statistics

NOON = datetime(2026, 8, 23, 12, tzinfo=UTC)
AMOUNTS = st.floats(0, 1e6, allow_nan=False)


@given(st.lists(st.none() | AMOUNTS, max_size=30), AMOUNTS, st.integers(1, 12))
def test_a_column_is_filled_from_the_bottom_as_high_as_its_value(values, most, height):
    lines = columns(values, most, height)
    assert [len(line) for line in lines] == [len(values)] * height
    for index, value in enumerate(values):
        column = [line[index] for line in reversed(lines)]
        eighths = [BLOCKS.index(cell) for cell in column]
        assert eighths == sorted(eighths, reverse=True)
        assert sum(0 < one < 8 for one in eighths) <= 1
        if value and most:
            assert sum(eighths) == max(round(min(value / most, 1) * height * 8), 1)
        else:
            assert sum(eighths) == 0


@given(AMOUNTS, AMOUNTS, st.integers(1, 100))
def test_a_bar_is_no_longer_than_its_room_and_shows_the_smallest_value(value, most, cells):
    drawn = bar(value, most, cells)
    assert len(drawn) <= cells
    assert bool(drawn) == (value > 0 and most > 0)


@given(st.lists(st.tuples(st.integers(0, 10_000), AMOUNTS), min_size=1, max_size=20), st.integers(1, 50))
def test_each_cell_has_the_highest_value_that_held_in_its_span(moments, cells):
    points = [(NOON + timedelta(seconds=second), value) for second, value in sorted(moments)]
    begin, end = NOON, NOON + timedelta(seconds=10_001)
    drawn = over_time(points, begin, end, cells)
    assert len(drawn) == cells
    step = (end - begin) / cells
    for index, value in enumerate(drawn):
        since, until = begin + index * step, begin + (index + 1) * step
        inside = [price for at, price in points if since < at < until]
        before = [price for at, price in points if at <= since]
        assert value == max([*inside, *before[-1:]], default=None)
    assert max(value for value in drawn if value is not None) == max(value for _, value in points)


@given(st.floats(0.001, 1e6), st.integers(2, 40))
def test_ticks_of_an_axis_are_round_evenly_apart_and_have_room(top, lines):
    ticks = amount_ticks(top, lines)
    assert ticks[0] == 0
    assert ticks[-1] <= top * 1.001
    assert len(ticks) <= lines
    gaps = [after - before for before, after in pairwise(ticks)]
    assert all(gap == pytest.approx(gaps[0], rel=1e-3, abs=2e-6) for gap in gaps)


@given(st.integers(0, 100 * 86_400), st.integers(1, 30))
def test_days_under_an_axis_are_midnights_that_have_room(seconds, most):
    ticks = day_ticks(NOON, NOON + timedelta(seconds=seconds), most)
    assert len(ticks) <= most
    assert all((day.hour, day.minute) == (0, 0) and NOON <= day <= NOON + timedelta(seconds=seconds) for day in ticks)


@pytest.mark.parametrize("size", [(40, 6), (76, 6), (196, 12)])
def test_lines_have_the_size_that_is_asked_for_and_one_scale(size):
    prices = tuple((NOON + timedelta(hours=hour), 0.1 + hour % 5 / 100) for hour in range(168))
    drawn = steps(prices, ((NOON, 0.4),), NOON + timedelta(days=7), *size)
    assert len(drawn) == size[1]
    assert max(map(len, drawn)) == size[0]
    assert DASH in drawn[0]
    assert drawn[0].startswith("0.4┤")
    dotted = [number for number, line in enumerate(drawn) if re.search("[\u2801-\u28ff]", line)]
    assert dotted[0] >= (size[1] - 2) // 2
    assert drawn[-1].split()[0] == "08-24"


def test_a_price_has_three_decimals_by_the_hour_and_two_by_the_month():
    assert [hourly(one) for one in (0.142, 0.1, 3, 1234.5678, 0)] == ["0.142", "0.100", "3.000", "1,234.568", "0.000"]
    assert [signed(one, "CNY") for one in (0.02, -0.008, 0)] == ["+¥0.020/h", "-¥0.008/h", "+¥0.000/h"]
    assert [monthly(one) for one in (4, 1234.567)] == ["4.00", "1,234.57"]


OF_STORAGE = [kind for kind in LeftoverKind if kind is not LeftoverKind.EIP]
SIZES = st.lists(st.tuples(st.sampled_from(OF_STORAGE), st.none() | st.integers(1, 500)), max_size=20)


@given(SIZES, st.sampled_from([{}, {"snapshot": 0.5}, {"snapshot": 0.5, "cloud_essd": 1.0}]))
def test_what_is_kept_is_counted_once_and_priced_only_where_size_and_price_are_known(things, prices):
    kept = [
        BilledResource(kind, "x", gib, "cloud_essd" if kind is LeftoverKind.DISK else "snapshot")
        for kind, gib in things
    ]
    sums = kept_sums(kept, prices)
    assert sum(one.count for one in sums) == len(kept)
    assert sum(one.gib for one in sums) == sum(one.gib or 0 for one in kept)
    known = [one for one in kept if one.gib is not None and one.priced_as in prices]
    assert sum(one.unpriced for one in sums) == len(kept) - len(known)
    assert sum(one.per_month for one in sums) == sum(one.gib * prices[one.priced_as] for one in known)


def test_nothing_is_nothing():
    told = statistics((), {}, NOON.date())
    assert (told.total, told.kept, told.median_s, told.slow_s) == (0, (), None, None)
    assert (told.added.known, told.added.unknown) == (0, 0)
    assert sum(count for _, count in told.histogram) == 0


@pytest.mark.parametrize("count", [10, 100, 1000, 1234567])
@pytest.mark.parametrize("room", [36, 58, 78, 118, 198])
def test_no_number_of_the_statistics_is_cut_at_any_width(count, room):
    names = ("recovered", "failed", "需要你处理的很长名字" * 4, "n" * 80)
    counts = tuple((name, count + n) for n, name in enumerate(names))
    days = tuple(Day(NOON.date() - timedelta(days=back), recovered=count) for back in range(59, -1, -1))
    forecasts = Forecasts(((("WILL MAKE IT", "recovered"), count + 4),), 0, 0)
    told = Statistics(count, days, counts, counts, counts, (60.0,) * 9, forecasts, (), AddedCost(0, 0, 0, 0))
    numbers = re.findall(r"[\d,]+", charts(told, Content(""), Content(""), room, 40).plain)
    assert {f"{count + n:,}" for n in range(5)} <= set(numbers)
