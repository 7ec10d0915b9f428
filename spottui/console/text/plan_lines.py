"""The lines of a plan: what stays, what may change, what is lost."""

from textual.content import Content

from spottui.console.text.cells import cell_text
from spottui.domain.text import plain

Line = list[tuple[str, str]]

_LABEL_CELLS = 16
LABEL_END = 4 + _LABEL_CELLS
"""Where the text of a line begins, behind its sign and label."""


def change(label: str, old: str, new: str, *, same: bool | None = None) -> Line:
    """Return a line for a thing that may change; it stays if `same`, by default if old and new are equal."""
    is_same = old == new if same is None else same
    if is_same:
        return [("  = ", ""), (cell_text(label, _LABEL_CELLS), "dim"), (plain(new, 400), "")]
    return [
        ("  ~ ", "bold $warning"),
        (cell_text(label, _LABEL_CELLS), "dim"),
        (f"{plain(old)} → ", ""),
        (plain(new), "bold $warning"),
    ]


def lost(label: str, old: str, new: str) -> Line:
    """Return a line for what is lost, and what replaces it."""
    return [
        ("  ✕ ", "bold $error"),
        (cell_text(label, _LABEL_CELLS), "dim"),
        (f"{plain(old)} → ", ""),
        (plain(new), "bold $error"),
    ]


def joined(lines: list[Line]) -> Content:
    """Return lines as one text."""
    return Content("\n").join(Content.assemble(*line) for line in lines)
