"""A terminal of a few rows: what a text of cursor positions, SGR and characters leaves on it."""

import re

from rich.cells import get_character_cell_size

_PART = re.compile(r"\x1b\[([<>?$\d;]*)([A-Za-z])|\x1b\][^\x07]*\x07|([^\x00-\x07\x09\x0b-\x1f])")
_STEPS = {"A": (-1, 0), "B": (1, 0), "C": (0, 1), "D": (0, -1)}
_TURNED_OFF = {"22": {"1", "2"}, "23": {"3"}, "24": {"4", "21"}, "27": {"7"}, "29": {"9"}}
_BLANK = (" ", (), "", "")


class Emulator:
    """`cells` has the character, attributes and colours of each place that was painted; `at` is the cursor."""

    def __init__(self, columns=10**6):
        self._columns = columns
        self.cells = {}
        self.at = (1, 1)
        self._attributes, self._colours = set(), {"3": "", "4": ""}

    def feed(self, text):
        for part in _PART.finditer(text):
            parameters, final, character = part.groups()
            if character:
                self._put(character)
            elif final == "H":
                self.at = tuple(map(int, parameters.split(";")))
            elif final in _STEPS:
                (down, right), count = _STEPS[final], int(parameters or 1)
                self._step(down * count, right * count)
            elif final == "m":
                self._style(parameters.split(";"))

    def lines(self):
        """The text of each row, from the first to the last that was painted."""
        rows = {}
        for at in sorted(self.cells):
            rows.setdefault(at[0], []).append(self.cells[at][0])
        return ["".join(row) for _, row in sorted(rows.items())]

    def _put(self, character):
        (y, x), width = self.at, get_character_cell_size(character)
        if character == "\n":
            self.at = (y + 1, x)
        elif character == "\b":
            self._step(0, -1)
        elif width == 0:
            at = next(at for at in ((y, x - 1), (y, x - 2)) if self.cells.get(at, _BLANK)[0])
            self.cells[at] = (self.cells[at][0] + character, *self.cells[at][1:])
        else:
            self._break_wide(width)
            look = (tuple(sorted(self._attributes)), self._colours["3"], self._colours["4"])
            if character == " " and "4" not in self._attributes and "7" not in self._attributes:
                look = ((), "", look[2])
            self.cells[y, x] = (character, *look)
            if width == 2:
                self.cells[y, x + 1] = ("", *look)
            self.at = (y, x + width)

    def _step(self, down, right):
        """Move the cursor, which after the last column of a row still stands on it."""
        y, x = self.at
        self.at = (y + down, min(x, self._columns) + right)

    def _break_wide(self, width):
        """Half of a wide character is no character."""
        (y, x), end = self.at, self.at[1] + width
        if self.cells.get((y, x), _BLANK)[0] == "":
            self.cells[y, x - 1] = _BLANK
        if self.cells.get((y, end), _BLANK)[0] == "":
            self.cells[y, end] = _BLANK

    def _style(self, codes):
        while codes:
            code = codes.pop(0)
            if code in {"", "0"}:
                self._attributes, self._colours = set(), {"3": "", "4": ""}
            elif code in {"38", "48"}:
                kind = codes.pop(0)
                count = 3 if kind == "2" else 1
                self._colours[code[0]] = (kind, *codes[:count])
                codes = codes[count:]
            elif code in {"39", "49"}:
                self._colours[code[0]] = ""
            elif code in _TURNED_OFF:
                self._attributes -= _TURNED_OFF[code]
            elif len(code) == 2:
                self._colours[code[0]] = code
            else:
                self._attributes.add(code)
