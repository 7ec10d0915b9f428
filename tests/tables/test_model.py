import pytest
from hypothesis import given
from hypothesis import strategies as st

from spottui.tables.column import Column, Table, fit, natural
from spottui.tables.diff import diff, patch
from spottui.tables.filter import FilterError, parse
from spottui.tables.model import TableModel
from spottui.tables.moments import seconds_left

COLUMNS = (
    Column("name", "Name", 4, flexible=True),
    Column("zone", "Zone", 4, drop=1),
    Column("left", "Left", 5, live=True, amount=seconds_left),
)
TABLE = Table(COLUMNS, lambda row: (row[4] == 0, row[4], row[0]))

words = st.text(alphabet="abAB-:! ", max_size=5)
rows = st.dictionaries(st.sampled_from("abcdefghij"), st.tuples(words, words, st.integers(0, 4)), max_size=10).map(
    lambda cells: {key: (key, "", *cell) for key, cell in cells.items()}
)


def filled(model_rows, **more):
    model = TableModel(TABLE, **more)
    model.apply(diff({}, model_rows))
    return model


@given(rows, rows)
def test_a_diff_turns_one_snapshot_into_the_other(old, new):
    patched = dict(old)
    patch(patched, diff(old, new))
    assert patched == new


@given(rows)
def test_nothing_differs_from_itself(same):
    assert not diff(same, dict(same))


@given(rows, rows, words, st.sampled_from(["", "name", "left"]), st.booleans())
def test_a_model_after_a_diff_is_the_model_of_the_new_rows(old, new, text, column, reverse):
    def model(start):
        made = TableModel(TABLE)
        made.set_filter(text)
        made.sort_by(column, reverse=reverse)
        made.apply(diff({}, start))
        return made

    changed = model(old)
    changed.apply(diff(old, new))
    assert set(changed.view) == set(model(new).view)
    assert [changed._rank(new[key]) for key in changed.view] == [changed._rank(new[key]) for key in model(new).view]
    assert changed.position == {key: index for index, key in enumerate(changed.view)}


@given(rows, rows, st.integers(0, 9))
def test_the_cursor_stays_on_its_row_through_any_change_that_keeps_it(old, new, index):
    model = filled(old)
    model.move_to(index)
    before = model.chosen
    model.apply(diff(old, new))
    if before is not None and before[0] in new:
        assert model.chosen[0] == before[0]
    elif new:
        assert model.chosen is not None


def test_the_cursor_goes_to_the_row_that_took_the_place_of_a_lost_one():
    old = {key: (key, "", key, "", 0) for key in "abcd"}
    model = filled(old)
    model.move_to(1)
    model.apply(diff(old, {key: old[key] for key in "acd"}))
    assert model.chosen[0] == "c"


def test_a_cursor_nobody_moved_is_on_the_most_urgent_row():
    old = {"b": ("b", "", "b", "", 0)}
    model = filled(old)
    model.apply(diff(old, {**old, "z": ("z", "", "z", "", 5)}))
    assert model.chosen[0] == "z"


def test_a_following_cursor_is_free_again_at_the_top():
    old = {key: (key, "", key, "", 0) for key in "bcd"}
    model = filled(old, follow=True)
    model.move_to(2)
    model.move_to(0)
    model.apply(diff(old, {"a": ("a", "", "a", "", 0), **old}))
    assert model.chosen[0] == "a"


def test_a_change_within_a_row_names_only_that_row():
    old = {key: (key, "", key, "h", 0) for key in "abcd"}
    model = filled(old)
    change = model.apply(diff(old, {**old, "c": ("c", "", "renamed", "h", 0)}))
    assert (change.rebuilt, change.indexes) == (False, (2,))


def test_a_change_of_order_rebuilds_the_view():
    old = {key: (key, "", key, "h", 0) for key in "abcd"}
    model = filled(old)
    assert model.apply(diff(old, {**old, "c": ("c", "", "c", "h", 7)})).rebuilt
    assert model.view == ["c", "a", "b", "d"]


@given(st.text(max_size=30))
def test_any_text_is_a_filter_or_a_filter_error(text):
    try:
        keep = parse(text, COLUMNS)
    except FilterError:
        return
    assert keep is None or keep.keeps(("k", "", "name", "h", 3), 0.0) in (True, False)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("web", {"web-1", "web-2"}),
        ("WEB zone:h", {"web-1"}),
        ("zone:i", {"web-2", "etl"}),
        ("-web", {"etl"}),
        ("!zone:i", {"web-1"}),
        ("zo:i -name:web", {"etl"}),
        ("10:3", set()),
        ("  ", {"web-1", "web-2", "etl"}),
        ("zone=h", {"web-1"}),
        ("-zone=h", {"web-2", "etl"}),
        ("name>web-1", {"web-2"}),
        ("name<=web-1", {"web-1", "etl"}),
        ('"web-1"', {"web-1"}),
        ('name:"b-2"', {"web-2"}),
        ('"zone:h"', set()),
        ("left<5m", {"web-1"}),
        ("left>=300", {"web-2"}),
        ("-left<1h", {"etl"}),
        (r"~WEB-\d~", {"web-1", "web-2"}),
        (r"~web-\D", set()),
        ("-~^web~ zone:i", {"etl"}),
        ("name:~^(e|x)t~", {"etl"}),
        ("zone:~^E", set()),
        ("~web 1|e t", set()),
        ('"~web"', set()),
    ],
)
def test_filters(text, kept):
    model = filled({n: (n, "", n, z, s) for n, z, s in (("web-1", "h", 60), ("web-2", "i", 400), ("etl", "i", 0))})
    assert model.set_filter(text)
    assert set(model.view) == kept


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("disk:x", "no column disk"),
        ("zone:", "a value"),
        ("-", "a word"),
        ("left<x", "90s, 5m"),
        ("~(~", "not a regular"),
        ("-name:~[~", "not a regular"),
    ],
)
def test_a_bad_filter_keeps_the_last_good_view_and_says_why(text, says):
    model = filled({n: (n, "", n, "h", 0) for n in ("web", "etl")})
    model.set_filter("web")
    assert not model.set_filter(text)
    assert model.view == ["web"]
    assert says in model.filter_error


def test_numbers_that_are_zero_are_sorted_last():
    model = filled({k: (k, "", k, "", n) for k, n in (("a", 0), ("b", 9), ("c", 3))})
    model.sort_by("left")
    assert model.view == ["c", "b", "a"]


@given(st.integers(1, 300))
def test_columns_that_fit_fill_the_width_or_are_at_their_narrowest(width):
    fitted = fit(COLUMNS, width)
    total = sum(cells for _, cells in fitted) + len(fitted) - 1
    assert total == width or (total > width and [i for i, _ in fitted] == [0, 2])
    assert all(cells >= COLUMNS[i].width for i, cells in fitted)


def test_a_filter_of_a_time_left_follows_the_time():
    model = filled({n: (n, "", n, "h", s) for n, s in (("a", 400), ("b", 700))})
    model.set_filter("left<5m")
    assert model.view == []
    assert model.set_time(101.0)
    assert model.view == ["a"]
    assert not model.set_time(102.0)


def test_names_are_sorted_as_people_read_them():
    names = ["web-10", "web-2", "Web-1", "web-2b", "db", "web-007"]
    assert sorted(names, key=natural) == ["db", "Web-1", "web-2", "web-2b", "web-007", "web-10"]


@given(st.lists(st.sampled_from("abcde"), max_size=8), rows)
def test_marks_are_of_rows_that_are_there(keys, new):
    old = {key: (key, "", key, "", 0) for key in "abcde"}
    model = filled(old)
    for key in keys:
        model.mark(key)
    assert model.marked == {key for key in keys if keys.count(key) % 2}
    model.apply(diff(old, new))
    assert model.marked <= set(new)
    assert [row[0] for row in model.meant] == ([key for key in model.view if key in model.marked] or model.view)


def test_marks_turned_around_are_those_in_view():
    model = filled({key: (key, "", key, "", 0) for key in "abc"})
    model.mark("a")
    model.mark_others()
    assert model.marked == {"b", "c"}
    assert model.unmark()
    assert not model.unmark()


@given(rows, words, st.sampled_from(["name", "left"]))
def test_equal_cells_keep_the_tables_own_order(new, text, column):
    model = filled(new)
    model.set_filter(text)
    model.sort_by(column)
    assert model.view == sorted(model.view, key=lambda key: model._rank(new[key]))
