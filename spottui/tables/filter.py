"""The filter language: words over all columns, `field:value` and `field<value` over one, `~regex~`, `-` for "not"."""

import operator
import re
from collections.abc import Callable

import msgspec

from spottui.tables.column import FIRST_CELL, Column, Row, natural
from spottui.tables.moments import seconds_of

_NOT = ("-", "!")
_WORDS = re.compile(r'(?:~[^~]*~|[^\s"]|"[^"]*"?)+')
_PATTERN = re.compile(r"~(?P<pattern>[^~]*)~?")
_PARTS = re.compile(r"(?P<field>[^\W\d]\w*)(?P<sign><=|>=|<|>|=|:)(?P<value>.*)", re.DOTALL)
_SIGNS: dict[str, Callable[[object, object], bool]] = {
    "<": operator.lt,  # type: ignore[dict-item]
    "<=": operator.le,  # type: ignore[dict-item]
    ">": operator.gt,  # type: ignore[dict-item]
    ">=": operator.ge,  # type: ignore[dict-item]
    "=": operator.eq,
}


class FilterError(ValueError):
    """An invalid filter; the text names the word and the reason."""


class Term(msgspec.Struct, frozen=True):
    """One word of a filter.

    What to look for, in which column (None: in all), how (`:` is "holds"), and whether it must be absent. With a
    `pattern` that is what must be found.
    """

    value: str
    column: Column | None = None
    cell: int = 0
    sign: str = ":"
    absent: bool = False
    pattern: re.Pattern[str] | None = None


class Filter(msgspec.Struct, frozen=True):
    """The words of a filter, all of which must hold of a row. Letter case is ignored."""

    terms: tuple[Term, ...]

    @property
    def is_timed(self) -> bool:
        """Whether time alone can bring a row into view or take it out."""
        return any(term.column is not None and term.column.live and term.sign != ":" for term in self.terms)

    def keeps(self, row: Row, now_s: float, said: str = "") -> bool:
        """Return whether a row stays in view at a time in epoch seconds; `said` is its `searched_text` if known."""
        return all(_holds(term, row, now_s, said) is not term.absent for term in self.terms)


def parse(text: str, columns: tuple[Column, ...]) -> Filter | None:
    """Return the filter that a text means, or None when it asks for nothing; raises `FilterError`.

    A field is a column's id or title, or the beginning of one. Quotes hold a value with spaces together, `~` before
    and after it makes it a regular expression. `<` and `>` compare numbers and times left (`deadline<5m`), and texts
    in the order in which people read them.
    """
    terms = tuple(_term(word, columns) for word in _WORDS.findall(text))
    return Filter(terms) if terms else None


def searched_text(row: Row) -> str:
    """Return all texts of a row in lower case, one per line: what the words of a filter are searched in."""
    return "\n".join(cell.casefold() for cell in row[FIRST_CELL:] if isinstance(cell, str))


def _term(word: str, columns: tuple[Column, ...]) -> Term:
    absent = word.startswith(_NOT)
    body = word[1:] if absent else word
    parts = None if body.startswith(('"', "~")) else _PARTS.fullmatch(body)
    field, sign, value = parts.group("field", "sign", "value") if parts else ("", ":", body)
    pattern = _pattern(value) if sign in (":", "=") else None
    field, value = field.casefold(), value.replace('"', "").casefold()
    if not value:
        raise FilterError(f"{field}{sign} needs a value after it" if field else f"{word} needs a word after it")
    if not field:
        return Term(value, absent=absent, pattern=pattern)
    column, cell = _column(field, columns)
    if sign != ":" and column.amount and seconds_of(value) is None:
        raise FilterError(f"{field}{sign}{value}: a number is needed, or a time such as 90s, 5m or 1h")
    return Term(value, column, cell, sign, absent, pattern)


def _pattern(value: str) -> re.Pattern[str] | None:
    match = _PATTERN.fullmatch(value)
    if match is None:
        return None
    try:
        return re.compile(match["pattern"], re.IGNORECASE | re.MULTILINE)
    except re.error as error:
        raise FilterError(f"{value} is not a regular expression: {error}") from None


def _column(field: str, columns: tuple[Column, ...]) -> tuple[Column, int]:
    for index, column in enumerate(columns):
        if column.id.startswith(field) or (column.title and column.title.casefold().startswith(field)):
            return column, FIRST_CELL + index
    names = ", ".join(column.id for column in columns if column.title)
    raise FilterError(f"no column {field}; columns: {names}")


def _holds(term: Term, row: Row, now_s: float, said: str) -> bool:
    if term.column is None:
        said = said or searched_text(row)
        return term.pattern.search(said) is not None if term.pattern else term.value in said
    cell = row[term.cell]
    if term.column.amount and term.sign != ":":
        amount = term.column.amount(cell, now_s)
        return amount is not None and _SIGNS[term.sign](amount, seconds_of(term.value))
    if not isinstance(cell, str):
        return False
    if term.pattern:
        return term.pattern.search(cell) is not None
    if term.sign == ":":
        return term.value in cell.casefold()
    return cell != "" and _SIGNS[term.sign](natural(cell), natural(term.value))
