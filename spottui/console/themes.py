"""The themes: every state also has a word or a mark, and nothing depends on distinguishing red from green."""

from textual.theme import Theme

DARK = Theme(
    name="spottui-dark",
    primary="#6ea8fe",
    secondary="#8b9bb4",
    accent="#7fd4ff",
    foreground="#d7dde8",
    background="#10141b",
    surface="#161b24",
    panel="#1f2733",
    success="#5cc8ff",
    warning="#ffc145",
    error="#ff7a59",
    dark=True,
)

LIGHT = Theme(
    name="spottui-light",
    primary="#1f5fbf",
    secondary="#56627a",
    accent="#00639c",
    foreground="#1b2230",
    background="#fbfcfe",
    surface="#f1f4f9",
    panel="#e2e8f1",
    success="#00639c",
    warning="#8a5300",
    error="#b3261e",
    dark=False,
)

# After the palette of Okabe and Ito; a test simulates each kind of colour vision.
COLOUR_BLIND = Theme(
    name="spottui-colour-blind",
    primary="#56b4e9",
    secondary="#a9b4c2",
    accent="#56b4e9",
    foreground="#f2f2f2",
    background="#000000",
    surface="#101214",
    panel="#1d2126",
    success="#56b4e9",
    warning="#f0d000",
    error="#ff8a3d",
    dark=True,
)

HIGH_CONTRAST = Theme(
    name="spottui-high-contrast",
    primary="#00a2ff",
    secondary="#d0d0d0",
    accent="#00ffff",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#303030",
    success="#1fa6ff",
    warning="#ffb703",
    error="#ff5e62",
    dark=True,
)

THEMES = (DARK, LIGHT, HIGH_CONTRAST, COLOUR_BLIND)

SIXTEEN_COLOURS = ("ansi-dark", "ansi-light")
"""Textual's themes of the terminal's own sixteen colours, for terminals that have no more."""

PLAIN_TERMINAL = SIXTEEN_COLOURS[0]
"""The theme under NO_COLOR, whose colours are then left out."""


def choices(color_system: str | None, own: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the names of the themes for a terminal of Rich's colour system, `own` ones last; the first is the default.

    On sixteen colours ours would be rounded to the nearest ones, at worst black on black.
    """
    many = color_system in ("256", "truecolor", "windows")
    return (*(theme.name for theme in THEMES), *own) if many else SIXTEEN_COLOURS
