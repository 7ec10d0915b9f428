"""What the terminal shows, cell by cell, so that over a slow line only the cells that change are sent.

Textual repaints whole widgets, and a page several times while it opens. `ScreenBuffer` reads what Textual writes,
compares it with what the terminal shows, and returns the shortest text that leads to the same picture. It knows the
few sequences that Textual paints with: cursor positions, SGR and text. Any other one is passed on at its place, and
unless it is known to leave the picture as it is, every cell counts as unknown after it.
"""

import re
from collections import defaultdict
from functools import lru_cache
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace
from rich.cells import cell_len, get_character_cell_size

_TOKEN = re.compile(
    r"\x1b\[(?P<y>\d+);(?P<x>\d+)H"
    r"|\x1b\[(?P<sgr>[\d;]*)m"
    r"|(?P<text>[^\x00-\x1f\x7f]+)"
    r"|(?P<line>\n)"
    r"|(?P<sync>\x1b\[\?2026[hl])"
    r"|(?P<harmless>\x07|\x1b\](?:0|2|22|52);[^\x07\x1b]*(?:\x07|\x1b\\))"
    r"|(?P<other>\x1b[\]P][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[[0-?]*[ -/]*[@-~]|\x1b.?|[\x00-\x1f\x7f])"
)
"""`harmless` are the bell, the window's title, the mouse pointer and the clipboard."""
REPAINT = "\x1b[?7l"
"""Switches line wrapping off, which it already is; everything is painted again after it."""

_SYNC_BEGIN, _SYNC_END = "\x1b[?2026h", "\x1b[?2026l"
_SEEN_ON_BLANKS = frozenset({"4", "7", "9", "21", "53"})
"""Underlined, reversed, struck through, doubly underlined, overlined."""
_OFF = {"1": "22", "2": "22", "3": "23", "4": "24", "5": "25", "7": "27", "8": "28", "9": "29", "21": "24", "53": "55"}
"""What turns an attribute off alone."""
_BACK, _MOST_BACK = "\b", 3
_REPEATED_CELLS = 4
"""So many unchanged cells are sent again rather than jumped over, which takes as many bytes."""


class Style(Struct, frozen=True):
    """How a cell is painted, in the codes of SGR; empty is the terminal's own."""

    attributes: tuple[str, ...] = ()
    foreground: str = ""
    background: str = ""

    @property
    def shows_on_blanks(self) -> bool:
        """Whether more of it than its background shows on a blank."""
        return bool(self.attributes) and not _SEEN_ON_BLANKS.isdisjoint(self.attributes)


Cell = tuple[str, Style]

_PLAIN = Style()
_UNKNOWN: Cell = ("", _PLAIN)


class ScreenBuffer:
    """Takes what is written for the terminal, and gives what is to be sent."""

    def __init__(self) -> None:
        self._rows: dict[int, list[Cell]] = {}
        self._changed: dict[int, set[int]] = {}
        self._at: tuple[int, int] | None = None
        self._cursor: tuple[int, int] | None = None
        self._style = _PLAIN
        self._is_synchronised = False
        self._sent: list[str] = []

    def put(self, text: str) -> None:
        """Take what is written."""
        for token in _TOKEN.finditer(text):
            match token.lastgroup:
                case "x":
                    self._at = (int(token["y"]), int(token["x"]))
                case "sgr":
                    self._style = _styled(self._style, token["sgr"])
                case "text":
                    self._paint(token["text"])
                case "line":
                    self._at = None
                case "sync":
                    self._is_synchronised = True
                case kind:
                    self._pass_on(token[0])
                    if kind == "other":
                        self.forget()

    def take(self) -> str:
        """Return what is to be sent since the last time; it ends in the terminal's own style."""
        parts = self._changes()
        if self._at and self._at != self._cursor:
            parts.append(self._move(*self._at))
            self._cursor = self._at
        self._send(parts)
        text = "".join(self._sent)
        self._sent.clear()
        return text

    def forget(self) -> None:
        """Know nothing of the terminal's cells any more, as after a change of its size."""
        self._rows.clear()
        self._changed.clear()
        self._cursor = None

    def _paint(self, text: str) -> None:
        if self._at is None or not _is_one_cell_each(text):
            self._pass_on_cells(text)
            return
        y, x = self._at
        cells = _cells(text, self._style)
        end = x + len(cells)
        row = self._row(y, end)
        before = row[x:end]
        if before != cells:
            changed = self._changed.setdefault(y, set())
            changed.update(at for at, (was, now) in enumerate(zip(before, cells, strict=True), x) if was != now)
            row[x:end] = cells
        self._at = (y, end)

    def _pass_on_cells(self, text: str) -> None:
        """Send text of wide or combined characters as it is: what becomes of its cells is the terminal's to say."""
        move = _position(*self._at) if self._at else ""
        self._pass_on(f"{move}{_change(_PLAIN, self._style)}{text}\x1b[m")
        if self._at is None:
            self.forget()
            return
        y, x = self._at
        end = x + cell_len(text)
        self._row(y, end)[x:end] = [_UNKNOWN] * (end - x)
        self._at, self._cursor = (y, end), None

    def _row(self, y: int, end: int) -> list[Cell]:
        row = self._rows.setdefault(y, [])
        row.extend([_UNKNOWN] * (end - len(row)))
        return row

    def _pass_on(self, text: str) -> None:
        self._send(self._changes())
        self._sent.append(text)

    def _send(self, parts: list[str]) -> None:
        if parts:
            self._sent += [_SYNC_BEGIN, *parts, _SYNC_END] if self._is_synchronised else parts

    def _changes(self) -> list[str]:
        """Return what paints the changed cells, from the terminal's own style back to it."""
        parts, style = list[str](), _PLAIN
        by_style = defaultdict[Style, list[int]](list)
        for y in sorted(self._changed, reverse=True):
            by_style[self._rows[y][min(self._changed[y])][1]].append(y)
        while by_style:
            # A change of style takes more bytes than a move: next is the row that begins most like the last one ended.
            own = min(by_style, key=lambda first: len(_change(style, first)))
            y = by_style[own].pop()
            if not by_style[own]:
                del by_style[own]
            changed = sorted(self._changed[y])
            parts.append(self._move(y, changed[0]))
            style = _paint_cells(self._rows[y], changed, style, parts)
            self._cursor = (y, changed[-1] + 1)
        self._changed.clear()
        return [*parts, _change(style, _PLAIN)] if parts else parts

    def _move(self, y: int, x: int) -> str:
        """Return the shortest sequence that moves the cursor."""
        # Behind the last column of the screen the cursor is not where it was left.
        if self._cursor is None or all(self._cursor[1] >= len(row) for row in self._rows.values()):
            return _position(y, x)
        return min(_position(y, x), _steps(y - self._cursor[0], x - self._cursor[1]), key=len)


def _paint_cells(row: list[Cell], changed: list[int], style: Style, parts: list[str]) -> Style:
    """Append what paints these cells of a row after `style`, and return the style of the last one."""
    for before, x in pairwise((changed[0] - 1, *changed)):
        gap = row[before + 1 : x]
        if len(gap) > _REPEATED_CELLS or any(not text or _painted(style, text, own) != style for text, own in gap):
            parts.append(f"\x1b[{len(gap)}C")
            gap = []
        for text, own in (*gap, row[x]):
            wanted = _painted(style, text, own)
            parts.append(_change(style, wanted) + text)
            style = wanted
    return style


def _position(y: int, x: int) -> str:
    return f"\x1b[{y};{x}H"


def _steps(down: int, right: int) -> str:
    """Return the sequence that moves the cursor by so many cells."""
    return f"{_step(down, 'B', 'A')}{_BACK * -right if -_MOST_BACK <= right < 0 else _step(right, 'C', 'D')}"


def _step(cells: int, ahead: str, back: str) -> str:
    count = "" if abs(cells) == 1 else abs(cells)
    return f"\x1b[{count}{ahead if cells > 0 else back}" if cells else ""


def _painted(style: Style, text: str, own: Style) -> Style:
    """Return the style to paint a cell in after `style`; on a blank, what does not show there stays as it is."""
    if text == " " and not own.attributes and not style.shows_on_blanks:
        return style if own.background == style.background else replace(style, background=own.background)
    return own


def _cells(text: str, style: Style) -> list[Cell]:
    blank = style if style.shows_on_blanks else Style(background=style.background)
    if blank == style or " " not in text:
        return [(character, style) for character in text]
    return [(character, blank if character == " " else style) for character in text]


@lru_cache(4096)
def _is_one_cell_each(text: str) -> bool:
    return text.isascii() or all(get_character_cell_size(character) == 1 for character in text)


@lru_cache(4096)
def _styled(style: Style, sgr: str) -> Style:
    """Return a style after an SGR sequence with these codes."""
    codes = sgr.split(";")
    while codes:
        code = codes.pop(0)
        length = {"2": 4, "5": 2}.get(codes[0], 0) if code in {"38", "48"} and codes else 0
        style = _with(style, int(code or 0), ";".join([code or "0", *codes[:length]]))
        codes = codes[length:]
    return style


def _with(style: Style, code: int, colour: str) -> Style:
    if code == 0:
        return _PLAIN
    if code in {39, 49}:
        colour = ""
    if 30 <= code <= 39 or 90 <= code <= 97:
        return replace(style, foreground=colour)
    if 40 <= code <= 49 or 100 <= code <= 107:
        return replace(style, background=colour)
    return style if colour in style.attributes else replace(style, attributes=(*style.attributes, colour))


@lru_cache(4096)
def _change(was: Style, style: Style) -> str:
    """Return the SGR sequence that leads from one style to another."""
    if style in (was, _PLAIN):
        return "" if style == was else "\x1b[m"
    anew = _codes(_PLAIN, style, ["0", *style.attributes])
    gone = [attribute for attribute in was.attributes if attribute not in style.attributes]
    if any(attribute not in _OFF for attribute in gone):
        return anew
    off = {_OFF[attribute] for attribute in gone}
    on = [each for each in style.attributes if each not in was.attributes or _OFF.get(each) in off]
    return min(_codes(was, style, [*sorted(off), *on]), anew, key=len)


def _codes(was: Style, style: Style, attributes: list[str]) -> str:
    """Return the SGR sequence with these codes of attributes, and the colours that are others than before."""
    codes = [*attributes]
    if was.foreground != style.foreground:
        codes.append(style.foreground or "39")
    if was.background != style.background:
        codes.append(style.background or "49")
    return f"\x1b[{';'.join(codes)}m" if codes else ""
