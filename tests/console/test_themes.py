"""The colours: readable, told apart by every kind of colour vision where a theme promises it, never needed alone."""

import asyncio
from itertools import combinations

import pytest
from textual.color import Color

from spottui.console import themes
from spottui.console.themes import COLOUR_BLIND, HIGH_CONTRAST, SIXTEEN_COLOURS, THEMES
from tests.console.driving import console_over, running, settle
from tests.console.scripted import ScriptedDesk, instance, reclaim, reclaims, view

# Machado, Oliveira and Fernandes 2009, full severity, on linear RGB.
VISIONS = {
    "protanopia": ((0.152, 1.053, -0.205), (0.115, 0.786, 0.099), (-0.004, -0.048, 1.052)),
    "deuteranopia": ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969)),
    "tritanopia": ((1.256, -0.077, -0.179), (-0.078, 0.931, 0.148), (0.005, 0.691, 0.304)),
    "full": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
}


def linear(colour):
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in Color.parse(colour).normalized]


def seen(colour, vision):
    rgb = linear(colour)
    return [min(max(sum(w * c for w, c in zip(row, rgb, strict=True)), 0), 1) for row in VISIONS[vision]]


def lab(rgb):
    rows = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    xyz = [sum(w * c for w, c in zip(row, rgb, strict=True)) for row in rows]
    x, y, z = (
        t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116
        for t in (v / w for v, w in zip(xyz, (0.9505, 1, 1.089), strict=True))
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def contrast(one, other):
    light, dark = sorted(
        (sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear(x), strict=True)) for x in (one, other)),
        reverse=True,
    )
    return (light + 0.05) / (dark + 0.05)


def meanings(theme):
    return {"good": theme.success, "warn": theme.warning, "alarm": theme.error, "plain": theme.foreground}


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_every_text_can_be_read_on_its_background(theme):
    least = 7 if theme is HIGH_CONTRAST else 4.5
    for name, colour in {**meanings(theme), "quiet": theme.secondary, "accent": theme.accent}.items():
        assert contrast(colour, theme.background) >= least, name


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("theme", [COLOUR_BLIND, HIGH_CONTRAST], ids=lambda theme: theme.name)
def test_what_colours_mean_is_told_apart_by_every_kind_of_colour_vision(theme, vision):
    shown = {name: lab(seen(colour, vision)) for name, colour in meanings(theme).items()}
    for one, other in combinations(shown, 2):
        apart = sum((a - b) ** 2 for a, b in zip(shown[one], shown[other], strict=True)) ** 0.5
        assert apart > 20, (one, other, round(apart))


@pytest.mark.parametrize(
    ("term", "colorterm", "theme"),
    [
        ("linux", "", "ansi-dark"),
        ("xterm-16color", "", "ansi-dark"),
        ("xterm", "", "ansi-dark"),
        ("xterm", "truecolor", "spottui-dark"),
        ("tmux-256color", "", "spottui-dark"),
        ("xterm-256color", "truecolor", "spottui-dark"),
    ],
)
def test_a_terminal_of_sixteen_colours_gets_its_own(monkeypatch, term, colorterm, theme):
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("COLORTERM", colorterm)

    async def start():
        app = console_over(ScriptedDesk(view()))
        assert app.theme == theme
        assert (app.theme_choices == SIXTEEN_COLOURS) is (theme == "ansi-dark")

    asyncio.run(start())


def test_a_theme_that_the_terminal_cannot_show_is_kept_for_one_that_can():
    assert themes.choices("standard") == SIXTEEN_COLOURS
    assert themes.choices("256") == tuple(theme.name for theme in THEMES)


@pytest.mark.parametrize("no_color", [False, True])
async def test_without_colours_the_cursor_and_what_rows_mean_still_differ(monkeypatch, no_color):
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    else:
        monkeypatch.setenv("TERM", "linux")
        monkeypatch.delenv("COLORTERM")
    one, two, three = instance(1, recycling=True), instance(2), instance(3)
    desk = ScriptedDesk(view(instances=(one, two, three), interruptions=(reclaim(one),)))
    async with running(desk) as (pilot, _):
        table = pilot.app.main.instances.table
        table.move_to(1)
        await settle(pilot)
        looks = [attributes(table.render_line(y)) for y in range(4)]
        assert len(set(looks if no_color else looks[1:])) == (4 if no_color else 3)
        table.move_to(0)
        await settle(pilot)
        under_cursor = attributes(table.render_line(1))
        assert no_color or (under_cursor == (False, None, None, None, True))  # Bold would be grey on red in a VT.
        table.move_to(1)
        table.set_stale(frozenset(), stale=True)
        assert attributes(table.render_line(3)) not in looks


def attributes(strip):
    style = next(segment.style for segment in strip if segment.style and segment.text.strip())
    return style.bold, style.dim, style.italic, style.underline, style.reverse


async def test_a_theme_is_not_kept_for_having_been_looked_at(tmp_path):
    file = tmp_path / "console.json"
    async with running(ScriptedDesk(reclaims()), keep_in=file) as (pilot, _):
        pilot.app.theme = "spottui-light"
        await pilot.pause()
        assert not file.exists()
