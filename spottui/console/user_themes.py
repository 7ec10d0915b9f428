"""Themes of a person's own, from a TOML file."""

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

from textual.color import Color, ColorParseError
from textual.theme import Theme

from spottui.console.themes import DARK, LIGHT
from spottui.domain.text import plain

Themes = tuple[Theme, ...]

COLOURS = (
    "primary",
    "secondary",
    "accent",
    "foreground",
    "background",
    "surface",
    "panel",
    "success",
    "warning",
    "error",
)


class ThemeProblem(ValueError):
    """The file of themes is wrong; the text names the file, the key, what was found and what is allowed."""


def user_themes(path: Path) -> Themes:
    """Return the themes of a file, each a table `[theme.NAME]`; none if there is no file.

    A colour that is not given is that of our dark theme, or of the light one with `dark = false`. Raises
    `ThemeProblem`.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8")).get("theme", {})
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as error:
        raise ThemeProblem(f"{path}: {plain(str(error), 200)}") from None
    if not isinstance(tables, dict):
        raise ThemeProblem(f"{path}: theme: tables such as [theme.night] are allowed")
    return tuple(_theme(path, str(name), table) for name, table in tables.items())


def _theme(path: Path, name: str, table: Any) -> Theme:
    where = f"{path}: theme.{plain(name, 40)}"
    if not isinstance(table, dict):
        raise ThemeProblem(f"{where}: a table of colours is allowed, found {plain(repr(table), 40)}")
    for key, value in table.items():
        if key not in (*COLOURS, "dark"):
            raise ThemeProblem(f"{where}: unknown key {plain(key, 40)}; allowed are dark, {', '.join(COLOURS)}")
        if key == "dark" and not isinstance(value, bool):
            raise ThemeProblem(f"{where}.dark: true or false is allowed, found {plain(repr(value), 40)}")
        if key in COLOURS and not _is_colour(value):
            raise ThemeProblem(f'{where}.{key}: a colour such as "#6ea8fe" is allowed, found {plain(repr(value), 40)}')
    base = DARK if table.get("dark", True) else LIGHT
    return replace(base, name=name, **{key: table[key] for key in COLOURS if key in table})


def _is_colour(value: object) -> bool:
    try:
        return isinstance(value, str) and Color.parse(value) is not None
    except ColorParseError:
        return False
