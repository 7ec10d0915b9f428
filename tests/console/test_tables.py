"""What a person does with the tables: columns, marks, files, themes, and that choices are kept."""

import csv
import json

import pytest
from msgspec.structs import replace

from spottui.console.preferences import Preferences
from spottui.tables.arrangement import Arrangement
from spottui.tables.export import as_csv
from spottui.tables.instances import INSTANCES, instance_row
from tests.console.driving import arrived, press, running, screen, shows, texts, toasts, wait_until
from tests.console.scripted import (
    NOW,
    REGION,
    FrozenClock,
    ScriptedDesk,
    event,
    healthy,
    instance,
    message,
    reclaims,
    view,
)


async def test_columns_are_shown_hidden_and_moved_and_the_choice_is_kept(tmp_path):
    file = tmp_path / "state" / "console.json"
    async with running(size=(160, 40), keep_in=file) as (pilot, _):
        table = pilot.app.main.instances.table
        assert "Address" not in texts(table)[0]
        await press(pilot, "C")
        await shows(pilot, "Columns of Instances")
        titles = [column.title for column in INSTANCES.columns if column.title]
        await press(pilot, *["down"] * titles.index("Address"), "space")
        await wait_until(pilot, lambda: "Address" in texts(table)[0])
        await press(pilot, *["K"] * 20)
        await press(pilot, "down", "down", "space", "escape")
        header = texts(table)[0].split()
        assert header[:2] == ["Address", "Deadline"]
        assert "Instance" not in header
        assert "172.16.3.1 " in texts(table)[1]
    async with running(size=(160, 40), keep_in=file) as (pilot, _):
        assert texts(pilot.app.main.instances.table)[0].split()[:2] == ["Address", "Deadline"]
        await press(pilot, "C", "r", "escape")
        assert texts(pilot.app.main.instances.table)[0].split()[:2] == ["Deadline", "Instance"]


async def test_the_chooser_says_which_column_has_no_room():
    async with running(size=(80, 24)) as (pilot, _):
        titles = [column.title for column in INSTANCES.columns if column.title]
        await press(pilot, "C", *["down"] * titles.index("Owner"), "space")
        await shows(pilot, "[x] Owner              does not fit")


async def test_a_theme_is_kept(tmp_path):
    file = tmp_path / "console.json"
    async with running(keep_in=file) as (pilot, _):
        await press(pilot, "ctrl+p", *"theme: light", "enter")
        await wait_until(pilot, lambda: pilot.app.theme == "spottui-light")
    async with running(keep_in=file) as (pilot, _):
        assert pilot.app.theme == "spottui-light"


@pytest.mark.parametrize("text", ["", "[]", "{", '{"columns": 3}', '{"columns": {"instances": 7}}', '{"theme": 7}'])
def test_a_file_of_choices_that_makes_no_sense_is_as_none(tmp_path, text):
    file = tmp_path / "console.json"
    file.write_text(text)
    assert Preferences.read(file).arrangement("instances") == Arrangement()


async def test_a_choice_that_cannot_be_kept_stops_nobody(tmp_path):
    (tmp_path / "file").write_text("")
    async with running(keep_in=tmp_path / "file" / "console.json") as (pilot, _):
        pilot.app.choose_theme("spottui-light")
        await press(pilot, "C", "space", "escape")
        assert pilot.app._exception is None


async def test_space_marks_and_esc_takes_the_marks_away():
    async with running() as (pilot, _):
        table = pilot.app.main.instances.table
        await press(pilot, "space", "space", "down", "space")
        assert [line[0] for line in texts(table)[1:6]] == ["*", "*", " ", "*", " "]
        await shows(pilot, "3 marked · esc unmarks")
        await press(pilot, "asterisk")
        assert len(table.model.marked) == 26
        await press(pilot, "escape")
        await wait_until(pilot, lambda: not table.model.marked)
        assert texts(table)[1].startswith("!")


@pytest.mark.parametrize("key", ["e", "E"])
async def test_e_writes_what_is_shown_in_full(tmp_path, monkeypatch, key):
    monkeypatch.chdir(tmp_path)
    async with running() as (pilot, _):
        await press(pilot, "slash", *"web-3", "enter", key)
        await wait_until(pilot, lambda: toasts(pilot.app))
        (file,) = tmp_path.iterdir()
        assert toasts(pilot.app) == [f"1 row written to {file}"]
        text = file.read_text()
        (row,) = csv.DictReader(text.splitlines()) if key == "e" else json.loads(text)
        assert row["instance"] == reclaims().instances[0].instance_id
        assert row["deadline"] == "2026-08-23T02:17:04Z"
        assert "address" not in row


async def test_e_writes_only_marked_rows_and_says_when_it_cannot(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    async with running() as (pilot, _):
        await press(pilot, "space", "space", "e")
        await wait_until(pilot, lambda: toasts(pilot.app))
        (file,) = tmp_path.iterdir()
        assert len(file.read_text().splitlines()) == 3
        await press(pilot, "e")
        await wait_until(pilot, lambda: "already exists" in toasts(pilot.app)[0])


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1+2", "@SUM(A1)"])
def test_a_name_is_no_formula_in_a_spreadsheet(name):
    columns = INSTANCES.columns[:4]
    lines = as_csv(INSTANCES, columns, [instance_row(instance(1, name), None)], NOW.timestamp())
    assert next(csv.DictReader(lines))["name"] == f"'{name}"


async def test_a_filter_by_the_time_left_follows_the_clock():
    async with running() as (pilot, _):
        await press(pilot, "slash", *"deadline<4m", "enter")
        table = pilot.app.main.instances.table
        await wait_until(pilot, lambda: len(table.model.view) == 1)
        pilot.app.session.clock.go(30)
        pilot.app.main.tick()
        await wait_until(pilot, lambda: len(table.model.view) == 2)


async def test_marks_of_rows_that_go_are_gone():
    async with running(ScriptedDesk(view(instances=(instance(1), instance(2))))) as (pilot, desk):
        await press(pilot, "space")
        desk.show(instances=desk.current.instances[1:])
        await arrived(pilot, desk)
        assert not pilot.app.main.instances.table.model.marked


async def test_rows_that_come_and_go_leave_neither_a_hole_nor_a_row_out_of_reach():
    fleet = tuple(instance(number) for number in range(400))
    async with running(ScriptedDesk(view(instances=fleet))) as (pilot, desk):
        table = pilot.app.main.instances.table
        await press(pilot, "end")
        await wait_until(pilot, lambda: "web-399" in texts(table)[-1])
        desk.show(instances=fleet[:200])
        await wait_until(pilot, lambda: "web-199" in texts(table)[-1])
        assert table.vertical_scrollbar.window_virtual_size == 201
        desk.show(instances=fleet[:300])
        await wait_until(pilot, lambda: len(table.model.view) == 300)
        await press(pilot, "end")
        await wait_until(pilot, lambda: "web-299" in texts(table)[-1])


def styles_of(strip):
    return [(segment.text.strip(), segment.style) for segment in strip if segment.text.strip()]


async def test_a_cell_that_changed_is_underlined_for_a_moment_and_only_it_is_drawn_again():
    async with running(drawn=True) as (pilot, desk):
        table = pilot.app.main.instances.table
        first, *rest = desk.current.instances
        desk.show(instances=(replace(first, instance_type="ecs.c8.large"), *rest))
        await shows(pilot, "ecs.c8.large")
        news = [text for text, style in styles_of(table.render_line(1)) if style.underline]
        assert news == ["ecs.c8.large"]
        assert not [text for text, style in styles_of(table.render_line(2)) if style.underline]
        for _ in range(2):
            pilot.app.main.tick()
        await pilot.pause()
        before = table.lines_drawn
        assert not [text for text, style in styles_of(table.render_line(1)) if style.underline]
        pilot.app.main.tick()
        await pilot.pause()
        assert table.lines_drawn - before <= 1


async def test_rows_of_a_silent_source_are_dim_and_a_lock_nobody_looks_for_is_a_question():
    clock = FrozenClock()
    async with running(clock=clock) as (pilot, desk):
        table = pilot.app.main.instances.table
        assert not any(style.dim for _, style in styles_of(table.render_line(4)))
        clock.go(20)
        pilot.app.main.tick()
        await shows(pilot, "STALE 22s")
        assert all(style.dim for _, style in styles_of(table.render_line(5)))
        assert not any(style.dim for _, style in styles_of(table.render_line(2)))
        assert texts(table)[5].rstrip().endswith("?")
        assert "Recycling" in texts(table)[1]
        desk.show(sources=healthy(clock.now()))
        await arrived(pilot, desk)
        assert not any(style.dim for _, style in styles_of(table.render_line(5)))
        assert texts(table)[5].rstrip().endswith("-")


async def test_a_fleet_of_an_earlier_run_says_so_until_the_first_sweep():
    first = reclaims()
    unasked = tuple(replace(one, last_ok=None) for one in first.sources)
    async with running(ScriptedDesk(replace(first, sources=unasked, unswept=(REGION,)))) as (pilot, desk):
        await shows(pilot, "Instances ── CACHED ── 29 spot")
        desk.show(unswept=())
        await arrived(pilot, desk)
        assert "EARLIER" not in screen(pilot.app), "the first sweep has listed them, and reads their details still"


async def test_what_cannot_be_read_any_more_is_called_old_in_every_panel():
    async with running() as (pilot, _):
        pilot.app.main.show_trouble("OSError: database is locked")
        await pilot.pause()
        for title in ("Instances ── OLD", "Events ── OLD", "Recoveries ── OLD"):
            assert title in screen(pilot.app)
        pilot.app.main.tick()
        assert all(style.dim for _, style in styles_of(pilot.app.main.instances.table.render_line(5)))


async def test_right_shows_what_has_no_room_half_a_screen_at_a_time_and_keeps_it_while_lines_come():
    long = " ".join(f"word{n}" for n in range(25))
    lines = tuple(event(n, message(f"{long} end{n}"), instance(n).instance_id) for n in range(1, 9))
    async with running(ScriptedDesk(view(events=lines)), size=(80, 24)) as (pilot, desk):
        table = pilot.app.main.events_panel.table
        await press(pilot, "2")
        assert "end8" not in screen(pilot.app)
        seen = set()
        while "end8" not in screen(pilot.app):
            await press(pilot, "right")
            line = texts(table)[1]
            assert line.startswith("02:11:50 MESSAGE   i-bp10…0008")
            assert line not in seen
            seen.add(line)
        assert "‹" in texts(table)[0]
        await press(pilot, "right")
        assert "Nothing more to the right" in toasts(pilot.app)[0]
        desk.show(events=(*lines, event(9, message(f"{long} end9"), "i-9")))
        await shows(pilot, "end9")
        await press(pilot, *["left"] * len(seen))
        assert "word0" in texts(table)[1]
        await press(pilot, "left")
        assert "Nothing more to the left" in toasts(pilot.app)[0]


async def test_right_brings_the_columns_that_80_cells_have_no_room_for_and_keeps_the_name():
    async with running(size=(60, 24)) as (pilot, _):
        table = pilot.app.main.instances.table
        assert "Type" not in texts(table)[0]
        await press(pilot, "right")
        assert "Type" in texts(table)[0]
        assert "web-3" in texts(table)[1]
        await pilot.click(table, offset=(texts(table)[0].index("Type"), 0))
        assert table.model.sort_column == "type"
        await pilot.resize_terminal(160, 24)
        await wait_until(pilot, lambda: "Type" in texts(table)[0] and "‹" not in texts(table)[0])


@pytest.mark.parametrize("key", ["e", "E"])
async def test_e_on_the_events_writes_all_that_match_from_the_disk(tmp_path, monkeypatch, key):
    monkeypatch.chdir(tmp_path)
    desk = ScriptedDesk(view(events=lines_of(2000, 3000)))
    desk.older = lines_of(1, 2000)
    async with running(desk) as (pilot, _):
        told = []
        await press(pilot, "2", "slash", *"~line [12]?5$~", "enter", key)
        await wait_until(pilot, lambda: told or told.extend(toasts(pilot.app)))
        (file,) = tmp_path.iterdir()
        text = file.read_text()
        rows = list(csv.DictReader(text.splitlines())) if key == "e" else json.loads(text)
        assert [row["text"] for row in rows] == ["line 25", "line 15", "line 5"]
        assert told == [f"3 rows written to {file}"]


async def test_a_file_that_cannot_be_finished_is_not_left_half_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    async with running() as (pilot, desk):
        desk.refuse = "the journal is locked"
        await press(pilot, "2", "e")
        await wait_until(pilot, lambda: desk.refuse in toasts(pilot.app))
        assert list(tmp_path.iterdir()) == []


def lines_of(first, last):
    return tuple(event(seq, message(f"line {seq}"), instance(seq % 9).instance_id) for seq in range(first, last))
