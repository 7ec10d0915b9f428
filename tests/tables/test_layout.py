"""Where columns stand, and which cells are news."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from spottui.console.text.cells import span_text
from spottui.tables.column import Column
from spottui.tables.diff import Changes, diff
from spottui.tables.layout import Span, furthest, layout

COLUMNS = (
    Column("mark", "", 1, pinned=True),
    Column("name", "Name", 8, flexible=True, pinned=True),
    Column("type", "Type", 14, drop=2),
    Column("zone", "Zone", 4, drop=1),
    Column("text", "What", 20, flexible=True),
)
ALL = tuple(range(len(COLUMNS)))
WHOLES = {1: 8, 4: 60}


@given(st.integers(0, 200), st.integers(0, 300), st.integers(20, 90))
def test_spans_never_overlap_and_never_leave_the_table(width, aside, whole):
    spans = layout(COLUMNS, ALL, width, aside, {4: whole})
    if aside:
        assert all(span.left + span.width <= width or COLUMNS[span.index].pinned for span in spans)
    for one, after in pairwise(spans):
        assert one.left + one.width + 1 == after.left
        assert 0 <= one.skipped < one.whole
        assert one.width <= one.whole - one.skipped


@given(st.integers(30, 200))
def test_looking_as_far_aside_as_there_is_something_shows_the_end_of_the_last_column(width):
    most = furthest(COLUMNS, ALL, width, WHOLES)
    if most:
        last = layout(COLUMNS, ALL, width, most, WHOLES)[-1]
        assert (last.index, last.skipped + last.width) == (4, 60)
        assert {0, 1} <= {span.index for span in layout(COLUMNS, ALL, width, most, WHOLES)}


def test_what_is_in_sight_in_full_has_nothing_aside():
    assert furthest(COLUMNS, ALL, 200, WHOLES) == 0
    assert furthest(COLUMNS, ALL, 80, WHOLES) > 0


@given(st.text("aß实é ", max_size=40), st.integers(1, 40), st.data())
def test_a_cut_text_is_as_wide_as_its_span(text, whole, data):
    from rich.cells import cell_len

    skipped = data.draw(st.integers(0, whole - 1))
    width = data.draw(st.integers(1, whole - skipped))
    assert cell_len(span_text(text, Span(0, 0, width, whole, skipped))) == width


def test_a_changed_cell_is_news_until_the_second_tick_and_a_new_row_is_none():
    old = {"a": ("a", "", "x", 1), "b": ("b", "", "y", 1)}
    new = {"a": ("a", "", "x", 2), "b": ("b", "", "z", 1), "c": ("c", "", "w", 1)}
    changes = Changes()
    changes.note(old, diff(old, new), ["a", "c"])
    assert (changes.of("a"), changes.of("b"), changes.of("c")) == ({1}, set(), set())
    assert changes.tick() == {}
    assert changes.of("a") == {1}
    assert changes.tick() == {"a": {1}}
    assert changes.of("a") == frozenset()
