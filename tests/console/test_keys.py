"""Every key of the registry does something that a person sees, or says in words why not, wherever it is pressed."""

import pytest
from msgspec.structs import replace

from spottui import words
from spottui.action import Scope
from spottui.actions import ACTIONS, refusal
from spottui.console.action_handlers import HANDLERS
from spottui.domain.facts import PoisonSeen
from spottui.tables.events import LEVELS
from tests.console.driving import NARROW, press, running, screen, shows, toasts, wait_until
from tests.console.scripted import NOW, REGION, ScriptedDesk, event, healthy, instance, plan_of, reclaims, view
from tests.console.test_acting import in_veto_window
from tests.console.test_pages import failed


def keys_of(*scopes):
    return sorted({key for one in ACTIONS for key in one.keys if one.scope in scopes and one.id != "quit"})


def seen(app, desk):
    """Everything by which a person, or the desk, could notice a key."""
    main = app.main
    table = main.panel.table
    told = (toasts(app), app.clipboard, desk.commands, desk.looked, desk.plans_asked)
    looks = (screen(app), table.model.cursor, table.scroll_offset, main.panel.id, table.has_focus, app.theme)
    return repr((type(app.screen).__name__, main.reader.is_paused, table.model.marked, told, looks))


async def start_over(pilot, panel):
    app = pilot.app
    while app.screen is not app.main:
        app.pop_screen()
    app.clear_notifications()
    for one in app.main.panels:
        one.drop_filter()
        one.table.unmark()
        one.table.sort_by("")
        one.table.scroll_sideways(-99)
    if app.main.reader.is_paused:
        app.main.reader.pause()
    app.main.remove_class("-zoomed")
    app.main.focus_panel(app.main.panels[panel])
    await pilot.pause()
    app.main.panel.table.move_to(1)
    await pilot.pause()


def full():
    return ScriptedDesk(reclaims())


def test_every_action_has_a_handler():
    assert set(HANDLERS) == {action.id for action in ACTIONS}


WORLDS = [
    (full, 0, keys_of(*Scope)),
    (full, 1, keys_of(Scope.TABLE, Scope.PANEL)),
    (full, 2, keys_of(Scope.TABLE, Scope.RECOVERY)),
    (lambda: in_veto_window()[0], 0, keys_of(Scope.RECOVERY)),
    (lambda: failed()[0], 2, keys_of(Scope.RECOVERY)),
]


@pytest.mark.parametrize(
    ("world", "panel", "keys"), WORLDS, ids=["instances", "events", "recoveries", "veto window", "failed"]
)
async def test_no_key_is_silent(world, panel, keys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    desk = world()
    silent = []
    async with running(desk, size=NARROW) as (pilot, _):
        for key in keys:
            await start_over(pilot, panel)
            before = seen(pilot.app, desk)
            await press(pilot, key)
            try:
                await wait_until(pilot, lambda before=before: seen(pilot.app, desk) != before, timeout_s=1)
            except AssertionError:
                silent.append(key)
    # Who is in the panel already goes nowhere; nor does g where there is one row; what is drawn anew looks the same.
    assert set(silent) <= {str(panel + 1), "ctrl+l", *("g" if world is WORLDS[-1][0] else "")}


ACTING_KEYS = {key for action in ACTIONS if action.danger for key in action.keys}


@pytest.mark.parametrize(
    ("world", "panel", "keys"),
    [
        (full, 0, keys_of(*Scope)),
        (lambda: in_veto_window()[0], 2, sorted(ACTING_KEYS)),
        (lambda: failed()[0], 2, sorted(ACTING_KEYS)),
    ],
    ids=["every key", "veto window", "failed"],
)
async def test_a_read_only_console_says_for_each_key_that_acts_why_it_does_not(
    world, panel, keys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    desk = world()
    desk.show(read_only=True)
    async with running(desk, size=NARROW) as (pilot, _):
        for key in keys:
            await start_over(pilot, panel)
            acts = {action.id for action in ACTIONS if key in action.keys} & possible(pilot.app)
            await press(pilot, key)
            said = [text for text in toasts(pilot.app) if "read-only. Start it without --read-only to act" in text]
            assert bool(said) == bool(acts or key in ACTING_KEYS - {"g"}), key
            assert desk.commands == []
            assert desk.plans_asked == 0


def possible(app):
    """The actions that change something, of those that could be done here were the console not read-only."""
    context = replace(app.main.action_context, read_only=False)
    return {action.id for action in ACTIONS if action.danger and not refusal(action, context)}


async def test_capital_r_asks_every_source_now():
    async with running() as (pilot, desk):
        await press(pilot, "R")
        await wait_until(pilot, lambda: toasts(pilot.app) == ["Refreshing every source"])
        assert desk.looked == 1


async def test_capital_r_is_for_read_only_consoles_too():
    async with running(ScriptedDesk(reclaims(read_only=True))) as (pilot, desk):
        await press(pilot, "R")
        await wait_until(pilot, lambda: desk.looked == 1)


async def test_capital_d_shows_what_helps_to_find_a_fault(tmp_path):
    paths = {"log": tmp_path / "spottui.log", "journal": tmp_path / "j.db"}
    async with running(size=(160, 60), paths=paths) as (pilot, _):
        await press(pilot, "D")
        await shows(pilot, "latency")
        await wait_until(pilot, lambda: "(0 times" not in screen(pilot.app))
        for text in ("textual", "8.2.8", "xterm-256color", "160×60", "truecolor", "p99", "watch", "sweep cn-hangzhou"):
            assert text in screen(pilot.app)
        assert str(tmp_path / "spottui.log") in screen(pilot.app)
        await press(pilot, "c")
        assert "p99" in pilot.app.clipboard
        await press(pilot, "escape")
        assert pilot.app.screen is pilot.app.main


async def test_v_shows_what_is_known_as_json_and_capital_y_copies_it():
    name = "web\u202e\U0001f469"
    desk = ScriptedDesk(view(instances=(instance(1, name),)))
    async with running(desk, size=(120, 50)) as (pilot, _):
        await press(pilot, "Y")
        assert toasts(pilot.app)[0].startswith("Copied i-bp10001fmxazb4p0001 as JSON, ")
        assert r"web\u202e\ud83d\udc69" in pilot.app.clipboard
        await press(pilot, "v")
        await shows(pilot, r'"name": "web\u202e\ud83d\udc69",')
        desk.show(instances=(instance(1, "other"),))
        await wait_until(pilot, lambda: pilot.app.session.view.version == desk.current.version)
        pilot.app.screen.tick()
        await shows(pilot, '"name": "other",')


async def test_the_json_of_a_reclaimed_instance_holds_its_reclaim_and_its_recovery():
    async with running() as (pilot, _):
        await press(pilot, "Y")
        for text in ('"interruption"', '"recovery"', '"epoch"', '"m-bp7ab3kd9xw1"', '"imaging"'):
            assert text in pilot.app.clipboard


async def test_what_no_terminal_takes_is_not_copied():
    first = reclaims()
    poison = event(95, PoisonSeen("not JSON", body="x" * 80_000))
    async with running(ScriptedDesk(replace(first, events=(poison,)))) as (pilot, _):
        await press(pilot, "2", "Y")
        assert "too long for a clipboard: 80 kB, terminals take 75." in toasts(pilot.app)[0]
        assert pilot.app.clipboard == ""


async def test_o_goes_from_an_event_to_its_instance_and_on_to_its_recovery():
    async with running(size=NARROW) as (pilot, _):
        main = pilot.app.main
        await press(pilot, "1", "slash", *"web-29", "enter", "2", *["down"] * 4)
        assert words.event_kind(main.selection.event.fact) is words.EventKind.LOCK
        await press(pilot, "o")
        await wait_until(pilot, lambda: main.panel is main.instances and main.selection.instance is not None)
        assert main.selection.instance.name == "web-3"
        await press(pilot, "o")
        await wait_until(pilot, lambda: main.panel is main.recoveries)
        assert main.selection.recovery.name == "web-3"
        await press(pilot, "1", "end", "o")
        assert toasts(pilot.app) == ["This instance has no recovery."]


async def test_o_says_when_an_instance_is_gone():
    desk, _ = failed()
    desk.show(instances=())
    async with running(desk) as (pilot, _):
        await press(pilot, "3", "o")
        assert "is not in the fleet" in toasts(pilot.app)[0]


async def test_l_goes_through_the_levels_of_the_events():
    async with running() as (pilot, _):
        table = pilot.app.main.events_panel.table
        await press(pilot, "2", "l")
        kinds = ({row[3] for row in map(table.model.rows.get, table.model.view)} for _ in LEVELS)
        assert next(kinds) == {"RECLAIM", "LOCK", "POISON"}
        await shows(pilot, "… · 4/7 · esc clears")
        await press(pilot, "l")
        assert next(kinds) == {"STATE", "CALL"}
        await press(pilot, "l")
        assert len(table.model.view) == 7


async def test_l_is_for_the_events_alone():
    async with running() as (pilot, _):
        await press(pilot, "l")
        assert "Only the events have levels" in toasts(pilot.app)[0]


async def test_tab_goes_round_the_panels_and_keeps_the_filter_that_is_typed():
    async with running(size=NARROW) as (pilot, _):
        main = pilot.app.main
        await press(pilot, "slash", *"web", "tab")
        await wait_until(pilot, lambda: main.panel is main.events_panel)
        assert not main.instances.is_filtering
        assert main.instances.table.model.filter_text == "web"
        await press(pilot, "tab")
        await wait_until(pilot, lambda: main.panel is main.recoveries)
        await press(pilot, "tab")
        await wait_until(pilot, lambda: main.panel is main.instances)
        await press(pilot, "shift+tab")
        await wait_until(pilot, lambda: main.panel is main.recoveries)


async def test_half_pages_are_half():
    desk = ScriptedDesk(view(instances=tuple(instance(n) for n in range(200))))
    async with running(desk) as (pilot, _):
        table = pilot.app.main.instances.table
        await press(pilot, "pagedown")
        page = table.model.cursor
        await press(pilot, "home", "ctrl+d")
        assert abs(2 * table.model.cursor - page) <= 1
        await press(pilot, "ctrl+u")
        assert table.model.cursor == 0


async def test_the_help_begins_with_the_keys_of_the_panel_and_is_filtered_by_words():
    async with running(size=NARROW) as (pilot, _):
        await press(pilot, "2", "question_mark")
        await shows(pilot, "Here, in Events")
        assert "Pause: Pause the events" in screen(pilot.app)
        await press(pilot, "slash", *"clipboard osc")
        await shows(pilot, "Copy id: Copy the selected row")
        assert "Pause" not in screen(pilot.app)
        await press(pilot, *"zzz")
        await shows(pilot, "No key matches.")
        await press(pilot, "escape")
        await shows(pilot, "Here, in Events")
        await press(pilot, "end")
        await shows(pilot, "Hold shift")
        await press(pilot, "escape")
        assert pilot.app.screen is pilot.app.main


async def test_ctrl_z_is_refused_while_something_would_stand_still():
    async with running() as (pilot, _):
        await press(pilot, "ctrl+z")
        assert "Not while a recovery is open" in toasts(pilot.app)[0]


async def test_the_palette_filters_by_region_and_tries_themes_on():
    both = (REGION, "cn-beijing")
    there = instance(2, "api-1", region="cn-beijing")
    desk = ScriptedDesk(view(regions=both, instances=(instance(1), there), sources=healthy(regions=both)))
    async with running(desk) as (pilot, _):
        await press(pilot, "ctrl+p", *"filter: region cn-bei", "enter")
        await wait_until(pilot, lambda: len(pilot.app.main.instances.table.model.view) == 1)
        await press(pilot, "ctrl+p", *"theme: light")
        await wait_until(pilot, lambda: pilot.app.theme == "spottui-light")
        await press(pilot, "escape")
        await wait_until(pilot, lambda: pilot.app.theme == "spottui-dark")


async def test_the_palette_filters_what_is_being_reclaimed():
    async with running() as (pilot, _):
        await press(pilot, "ctrl+p", *"being reclaimed", "enter")
        await wait_until(pilot, lambda: len(pilot.app.main.instances.table.model.view) == 3)


async def test_ctrl_s_writes_the_screen_whichever_it_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    async with running() as (pilot, desk):
        await press(pilot, "j", "y")
        await shows(pilot, plan_of(desk.current.instances[1]).digest)
        await press(pilot, "ctrl+s")
        await wait_until(pilot, lambda: toasts(pilot.app))
        picture, text = sorted(tmp_path.iterdir())
        assert toasts(pilot.app) == [f"Screen saved to {picture} and .txt"]
        assert picture.name == f"spottui-screen-{NOW:%Y%m%dT%H%M%SZ}.svg"
        assert picture.read_text().startswith("<svg")
        assert "Recover etl-7" in text.read_text()
