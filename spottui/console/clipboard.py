"""Copying through the terminal (OSC 52), which works over SSH, and in tmux where that lets it through."""

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.app import App

MOST_BYTES = 75_000
"""What terminals take in one sequence, before base64 makes it a third longer."""

_TMUX_NEEDS = "tmux needs set -g set-clipboard on"


def copy(app: "App[Any]", text: str, what: str) -> None:
    """Copy a text and say what was copied; one that no terminal would take is refused in words."""
    size = len(text.encode())
    if size > MOST_BYTES:
        told = f"{what} is too long for a clipboard: {size // 1000:,} kB, terminals take {MOST_BYTES // 1000}."
        app.notify(told, severity="warning", markup=False)
        return
    app.copy_to_clipboard(text)
    through = f" · {_TMUX_NEEDS}" if "TMUX" in os.environ else ""
    app.notify(f"Copied {what}{through}", markup=False)
