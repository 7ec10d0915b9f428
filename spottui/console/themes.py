"""The colours: state is always a word or a mark too, and no pair of red and green carries a meaning."""

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

PLAIN_TERMINAL = "ansi-dark"
"""Textual's theme of the terminal's own colours, for NO_COLOR."""
