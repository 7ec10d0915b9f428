"""What a person does with the tables: columns, marks, files, themes, and that choices are kept."""

import csv
import json

import pytest

from spottui.console.kept import Kept
from spottui.tables.arrangement import Arrangement
from spottui.tables.export import as_csv
from spottui.tables.instances import INSTANCES, instance_row
from tests.console.driving import arrived, press, running, shows, toasts, wait_until
from tests.console.scripted import NOW, ScriptedDesk, instance, reclaims, view


async def test_columns_are_shown_hidden_and_moved_and_the_choice_is_kept(tmp_path):
    file = tmp_path / "state" / "console.json"
    async with running(size=(160, 40), keep_in=file) as (pilot, _):
        table = pilot.app.main.instances.table
        assert "Address" not in table.visible_texts[0]
        await press(pilot, "C")
        await shows(pilot, "Columns of Instances")
        titles = [column.title for column in INSTANCES.columns if column.title]
        await press(pilot, *["down"] * titles.index("Address"), "space")
        await wait_until(pilot, lambda: "Address" in table.visible_texts[0])
        await press(pilot, *["K"] * 20)
        await press(pilot, "down", "down", "space", "escape")
        header = table.visible_texts[0].split()
        assert header[:2] == ["Address", "Deadline"]
        assert "Instance" not in header
        assert "172.16.3.1 " in table.visible_texts[1]
    async with running(size=(160, 40), keep_in=file) as (pilot, _):
        assert pilot.app.main.instances.table.visible_texts[0].split()[:2] == ["Address", "Deadline"]
        await press(pilot, "C", "r", "escape")
        assert pilot.app.main.instances.table.visible_texts[0].split()[:2] == ["Deadline", "Instance"]


async def test_the_chooser_says_which_column_has_no_room():
    async with running(size=(80, 24)) as (pilot, _):
        await press(pilot, "C", *["down"] * 20, "space")
        await shows(pilot, "[x] Tags        no room now")


async def test_a_theme_is_kept(tmp_path):
    file = tmp_path / "console.json"
    async with running(keep_in=file) as (pilot, _):
        await press(pilot, "colon", *"theme: light", "enter")
        await wait_until(pilot, lambda: pilot.app.theme == "spottui-light")
    async with running(keep_in=file) as (pilot, _):
        assert pilot.app.theme == "spottui-light"


@pytest.mark.parametrize("text", ["", "[]", "{", '{"columns": 3}', '{"columns": {"instances": 7}}', '{"theme": 7}'])
def test_a_file_of_choices_that_makes_no_sense_is_as_none(tmp_path, text):
    file = tmp_path / "console.json"
    file.write_text(text)
    assert Kept.read(file).arrangement("instances") == Arrangement()


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
        assert [line[0] for line in table.visible_texts[1:6]] == ["*", "*", " ", "*", " "]
        await shows(pilot, "3 marked · esc unmarks")
        await press(pilot, "asterisk")
        assert len(table.model.marked) == 26
        await press(pilot, "escape")
        await wait_until(pilot, lambda: not table.model.marked)
        assert table.visible_texts[1].startswith("!")


@pytest.mark.parametrize("key", ["e", "E"])
async def test_e_writes_what_is_shown_in_full(tmp_path, monkeypatch, key):
    monkeypatch.chdir(tmp_path)
    async with running() as (pilot, _):
        await press(pilot, "slash", *"web-3", "enter", key)
        await wait_until(pilot, lambda: toasts(pilot.app))
        (file,) = tmp_path.iterdir()
        assert toasts(pilot.app) == [f"1 row is in {file}"]
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
        await wait_until(pilot, lambda: "is there already" in toasts(pilot.app)[0])


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
        pilot.app.main.clock.go(30)
        pilot.app.main.tick()
        await wait_until(pilot, lambda: len(table.model.view) == 2)


async def test_marks_of_rows_that_go_are_gone():
    async with running(ScriptedDesk(view(instances=(instance(1), instance(2))))) as (pilot, desk):
        await press(pilot, "space")
        desk.show(instances=desk.current.instances[1:])
        await arrived(pilot, desk)
        assert not pilot.app.main.instances.table.model.marked
