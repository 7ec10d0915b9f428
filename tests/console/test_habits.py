"""Sorting by a letter, saved views, commands with their history, themes of one's own, and who drives."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from spottui.cli.common import Wrong
from spottui.cli.console import known_view
from spottui.console.preferences import Preferences, SavedView
from spottui.console.user_themes import ThemeProblem, user_themes
from spottui.domain.background import FleetBackground
from spottui.domain.places import Price
from spottui.domain.view import LiveConsole
from spottui.tables.column import natural
from tests.console.driving import arrived, press, running, screen, shows, toasts, wait_until
from tests.console.scripted import NOW, REGION, ScriptedDesk, instance, reclaims


def names(table):
    return [table.model.rows[key][5] for key in table.model.view]


async def test_letters_sort_a_view_is_saved_and_shown_again_and_a_command_is_recalled(tmp_path):
    keep_in = tmp_path / "console.json"
    async with running(keep_in=keep_in) as (pilot, _):
        main = pilot.app.main
        table = main.instances.table
        by_urgency = names(table)
        await press(pilot, "N")
        assert names(table) == sorted(by_urgency, key=natural)
        await press(pilot, "N")
        assert names(table)[0] == "web-29"
        await press(pilot, "U")
        assert names(table) == by_urgency
        await press(pilot, "A")
        assert "Instances cannot be sorted by state; columns: " in toasts(pilot.app)[0]
        await press(pilot, "slash", *"zone:j", "enter", "Z", "colon", *"save night", "enter")
        await wait_until(pilot, lambda: "spottui --view night" in "".join(toasts(pilot.app)))
        await press(pilot, "escape", "U", "3", "colon", *"view night", "enter")
        await wait_until(pilot, lambda: main.panel is main.instances and table.model.filter_text == "zone:j")
        assert table.model.sort_column == "zone"
        await press(pilot, "colon", *"ev poison", "enter")
        await wait_until(pilot, lambda: main.panel is main.events_panel)
        assert main.events_panel.table.model.filter_text == "poison"
        await press(pilot, "colon", "up", "up", "enter")
        await wait_until(pilot, lambda: main.panel is main.instances)
        assert not table.is_shown("account"), "there is one"
        await press(pilot, "colon", *"account prod", "enter")
        await wait_until(pilot, lambda: "There is one account" in "".join(toasts(pilot.app)))
        await press(pilot, "colon", *"nonsense", "enter")
        await wait_until(pilot, lambda: 'No command "nonsense"; commands: instances' in "".join(toasts(pilot.app)))
        await press(pilot, "slash", *" bogus:foo", "enter")
        await wait_until(
            pilot, lambda: "Filter refused: no column bogus; columns: deadline" in "".join(toasts(pilot.app))
        )
        assert main.instances.is_filtering
        await press(pilot, "escape", "d")
        await shows(pilot, "Spot price of")
    async with running(keep_in=keep_in, view="night") as (pilot, _):
        await wait_until(pilot, lambda: pilot.app.main.instances.table.model.filter_text == "zone:j")
    assert Preferences.read(keep_in).history[-1] == "nonsense"


async def test_a_wide_screen_has_a_pulse_and_the_header_says_who_drives():
    desk = ScriptedDesk(reclaims())
    kind = "ecs.c7.large"
    prices = {(kind, f"{REGION}-{zone}"): Price(0.1, 0.4, "CNY") for zone in "hij"}
    desk.fleet_background = FleetBackground(
        NOW, prices, reclaims=((NOW - timedelta(days=3), REGION),), missing=("interruption rates: Forbidden",)
    )
    mine, other = (LiveConsole(name, f"bastion-{name}", 41, NOW) for name in ("a", "b"))
    async with running(desk, size=(200, 50)) as (pilot, _):
        await shows(pilot, "29 spot")
        await shows(pilot, "spot ¥2.800/h (25% of on-demand), 1 unpriced · last reclaim <1m ago")
        await shows(pilot, "unknown: interruption rates: Forbidden")
        first, *rest = desk.current.recoveries
        desk.show(consoles=(mine, other), own="a", recoveries=(replace(first, driver="b"), *rest))
        await arrived(pilot, desk)
        await shows(pilot, "2 consoles, bastion-b pid 41 drives 1")
        desk.show(recoveries=(replace(first, driver="a"), *(replace(one, driver="b") for one in rest)))
        await shows(pilot, "2 consoles, this one drives 1 of 3")
        pilot.app.main.tick()
        assert desk.looked_around == 1
        elsewhere = replace(instance(40), region="cn-shanghai", zone="cn-shanghai-b")
        desk.show(regions=(REGION, "cn-shanghai"), instances=(*desk.current.instances, elsewhere))
        await wait_until(pilot, lambda: desk.looked_around == 2)
        await pilot.resize_terminal(120, 40)
        await wait_until(pilot, lambda: "last reclaim" not in screen(pilot.app))


def test_a_theme_of_ones_own_is_read_and_a_wrong_one_says_what_is_allowed(tmp_path):
    file = tmp_path / "themes.toml"
    assert user_themes(file) == ()
    file.write_text('[theme.night]\nprimary = "#112233"\n[theme.day]\ndark = false\n')
    night, day = user_themes(file)
    assert (night.name, night.primary, night.dark, day.dark) == ("night", "#112233", True, False)
    for text, said in (
        ('[theme.night]\nprimary = "no colour"\n', "theme.night.primary: a colour such as"),
        ("[theme.night]\nborder = 1\n", "theme.night: unknown key border; allowed are dark, primary"),
        ("[theme.night]\ndark = 1\n", "theme.night.dark: true or false"),
        ("[theme", "themes.toml: "),
    ):
        file.write_text(text)
        with pytest.raises(ThemeProblem, match=said):
            user_themes(file)


def test_an_unknown_view_is_refused_with_those_that_are_saved(tmp_path):
    file = tmp_path / "console.json"
    with pytest.raises(Wrong, match="saved are: none, :save NAME saves one"):
        known_view(file, "night")
    Preferences(file).keep_view("day", SavedView("events"))
    with pytest.raises(Wrong, match="saved are: day"):
        known_view(file, "night")
    assert known_view(file, "day") == "day"
