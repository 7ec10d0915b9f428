"""The event feed: follow and pause, older lines from disk, search, and poison in a safe viewer."""

import pytest

from spottui.console.widgets.event_reader import HELD, search_words
from spottui.domain.facts import PoisonSeen, RouteTaken
from spottui.domain.routes import Route
from tests.console.driving import NARROW, WIDE, arrived, press, running, screen, shows, wait_until
from tests.console.scripted import ScriptedDesk, event, instance, message, view


def lines(first, last):
    return tuple(event(seq, message(f"line {seq}"), instance(seq % 9).instance_id) for seq in range(first, last))


def long_feed(many=12_000):
    desk = ScriptedDesk(view(events=lines(many - 1000, many)))
    desk.older = lines(1, many - 1000)
    return desk


async def reading(pilot):
    await press(pilot, "2")
    return pilot.app.main.events_panel.table, pilot.app.main.reader


async def test_new_lines_come_in_at_the_top_until_p_holds_them_still():
    async with running(ScriptedDesk(view(events=lines(1, 40)))) as (pilot, desk):
        table, _ = await reading(pilot)
        desk.show(events=lines(1, 41))
        await shows(pilot, "line 40")
        await press(pilot, "p")
        desk.show(events=lines(1, 45))
        await shows(pilot, "Events ── paused, p resumes · +4 new")
        assert table.model.view[0] == 40
        await press(pilot, "p")
        await shows(pilot, "line 44")
        assert "paused" not in screen(pilot.app)


async def test_what_the_log_has_between_two_lines_is_neither_shown_nor_counted():
    between = event(40, RouteTaken(Route.IMAGE))
    async with running(ScriptedDesk(view(events=(*lines(1, 39), between)))) as (pilot, desk):
        table, _ = await reading(pilot)
        await press(pilot, "p")
        desk.show(events=(*lines(1, 39), between, *lines(90, 93)))
        await shows(pilot, "+3 new")
        await press(pilot, "p")
        await wait_until(pilot, lambda: table.model.view[:4] == [92, 91, 90, 38])


async def test_p_is_for_the_events_alone():
    async with running() as (pilot, _):
        await press(pilot, "p")
        assert not pilot.app.main.reader.is_paused


async def test_older_lines_are_read_from_disk_as_the_cursor_comes_to_them_and_let_go_again():
    desk = long_feed()
    async with running(desk) as (pilot, _):
        table, reader = await reading(pilot)
        seen = set()
        while 1 not in table.model.rows:
            before = len(seen)
            seen.update(table.model.rows)
            await press(pilot, "end")
            await wait_until(pilot, lambda: not reader.is_searching)
            assert len(table.model.rows) <= HELD
            assert len(seen) > before or 1 in table.model.rows
        assert seen | set(table.model.rows) == set(range(1, 12_000))
        await shows(pilot, "older, g to newest · +")
        desk.show(events=lines(11_000, 12_010))
        await arrived(pilot, desk)
        assert 12_009 not in table.model.rows
        await press(pilot, "g")
        await wait_until(pilot, lambda: table.model.view[0] == 12_009)
        assert len(table.model.rows) <= 2 * 1000 + 500


async def test_walking_back_up_brings_the_newer_lines_back():
    async with running(long_feed()) as (pilot, _):
        table, reader = await reading(pilot)
        while 1 not in table.model.rows:
            await press(pilot, "end")
            await wait_until(pilot, lambda: not reader.is_searching)
        while not reader.follows:
            table.move_to(0)
            await wait_until(pilot, lambda: not reader.is_searching)
            await pilot.pause()
        assert table.model.view[0] == 11_999
        numbers = sorted(table.model.rows)
        assert numbers == list(range(numbers[0], 12_000))


async def test_a_search_goes_through_all_of_the_feed_and_its_end_brings_the_newest_back():
    async with running(long_feed()) as (pilot, _):
        table, reader = await reading(pilot)
        await press(pilot, "slash", *'text:"line 77"', "enter")
        await wait_until(pilot, lambda: not reader.is_searching and 77 in table.model.position)
        assert set(table.model.view) == {77, *range(770, 780), *range(7700, 7800)}
        await press(pilot, "escape")
        await wait_until(pilot, lambda: table.model.view[0] == 11_999)
        assert 77 not in table.model.rows


@pytest.mark.parametrize("size", [NARROW, WIDE, (200, 50)])
async def test_a_line_names_its_instance_and_is_found_by_that_name_on_the_disk_too(size):
    desk = ScriptedDesk(view(events=lines(11_000, 12_000)))
    desk.older = lines(9_000, 11_000)
    async with running(desk, size=size) as (pilot, _):
        table, reader = await reading(pilot)
        desk.show(instances=(instance(3, "checkout"),))
        await shows(pilot, "checkout")
        await press(pilot, "slash", *"name:check", "enter", "G")
        await wait_until(pilot, lambda: not reader.is_searching and len(table.model.view) > 112)
        assert {reader.events[seq].instance_id for seq in table.model.view} == {instance(3).instance_id}


async def test_a_search_that_the_disk_cannot_answer_is_a_message():
    desk = long_feed()
    async with running(desk) as (pilot, _):
        _, reader = await reading(pilot)
        desk.refuse = "the journal is locked"
        await press(pilot, "end")
        await wait_until(pilot, lambda: not reader.is_searching)
        assert pilot.app._exception is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("web", ("web",)),
        ("-web line", ("line",)),
        ("event:poison time>02:10", ("poison",)),
        ("zürich", ()),
        ("nocolumn:x", ()),
        ("line ~web.*~", ("line",)),
    ],
)
def test_the_disk_is_asked_only_for_what_it_can_find(text, words):
    assert search_words(text) == words


async def test_the_body_of_poison_is_shown_line_by_line_and_harmless():
    body = '{"a": 1}\n\x1b]8;;http://evil\x07[link=http://evil]x[/link]\n' + "y" * 500
    poison = event(9, PoisonSeen("set aside", body=body))
    async with running(ScriptedDesk(view(events=(poison,)))) as (pilot, _):
        await press(pilot, "2", "enter")
        await shows(pilot, '{"a": 1}')
        assert "�]8;;http://evil�[link=http://evil]x[/link]" in screen(pilot.app)
        assert "\x1b" not in screen(pilot.app)
