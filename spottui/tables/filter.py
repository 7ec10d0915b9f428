"""The filter language: words over all columns, `field:value` and `field<value` over one, `-` or `!` for "not"."""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

from spottui.tables.column import FIRST_CELL, Column, Row
from spottui.tables.moments import seconds_of
from spottui.tables.natural import natural

_NOT = ("-", "!")
_WORDS = re.compile(r'(?:[^\s"]|"[^"]*"?)+')
_PARTS = re.compile(r"(?P<field>[^\W\d]\w*)(?P<sign><=|>=|<|>|=|:)(?P<value>.*)", re.DOTALL)
_SIGNS: dict[str, Callable[[object, object], bool]] = {
    "<": operator.lt,  # type: ignore[dict-item]
    "<=": operator.le,  # type: ignore[dict-item]
    ">": operator.gt,  # type: ignore[dict-item]
    ">=": operator.ge,  # type: ignore[dict-item]
    "=": operator.eq,
}


class FilterError(ValueError):
    """A filter that cannot be understood; the text says which word and why."""


@dataclass(frozen=True, slots=True)
class Term:
    """One word of a filter.

    What to look for, in which column (None: in all), how (`:` is "holds"), and whether it must be absent.
    """

    value: str
    column: Column | None = None
    cell: int = 0
    sign: str = ":"
    absent: bool = False


@dataclass(frozen=True, slots=True)
class Filter:
    """The words of a filter, all of which must hold of a row. Letter case is ignored."""

    terms: tuple[Term, ...]

    @property
    def is_timed(self) -> bool:
        """Whether a row can come into view or leave it with time alone."""
        return any(term.column is not None and term.column.live and term.sign != ":" for term in self.terms)

    def keeps(self, row: Row, now_s: float) -> bool:
        """Return whether a row stays in view at a time in epoch seconds."""
        return all(_holds(term, row, now_s) is not term.absent for term in self.terms)


def parse(text: str, columns: tuple[Column, ...]) -> Filter | None:
    """Return the filter that a text means, or None when it asks for nothing; raises `FilterError`.

    A field is a column's id or title, or the beginning of one. Quotes hold a value with spaces together. `<` and `>`
    compare numbers and times left (`deadline<5m`), and texts in the order in which people read them.
    """
    terms = tuple(_term(word, columns) for word in _WORDS.findall(text.casefold()))
    return Filter(terms) if terms else None


def _term(word: str, columns: tuple[Column, ...]) -> Term:
    absent = word.startswith(_NOT)
    body = (word[1:] if absent else word).replace('"', "")
    if not body:
        raise FilterError(f"{word} needs a word after it")
    parts = None if word.lstrip("-!").startswith('"') else _PARTS.fullmatch(body)
    if parts is None:
        return Term(body, absent=absent)
    field, sign, value = parts.group("field", "sign", "value")
    if not value:
        raise FilterError(f"{field}{sign} needs a value after it")
    column, cell = _column(field, columns)
    if sign != ":" and column.amount and seconds_of(value) is None:
        raise FilterError(f"{field}{sign}{value}: a number is needed, or a time such as 90s, 5m or 1h")
    return Term(value, column, cell, sign, absent)


def _column(field: str, columns: tuple[Column, ...]) -> tuple[Column, int]:
    for index, column in enumerate(columns):
        if column.id.startswith(field) or (column.title and column.title.casefold().startswith(field)):
            return column, FIRST_CELL + index
    names = ", ".join(column.id for column in columns if column.title)
    raise FilterError(f"no column {field}: there are {names}")


def _holds(term: Term, row: Row, now_s: float) -> bool:
    if term.column is None:
        return any(isinstance(cell, str) and term.value in cell.casefold() for cell in row[FIRST_CELL:])
    cell = row[term.cell]
    if term.sign == ":":
        return isinstance(cell, str) and term.value in cell.casefold()
    if term.column.amount:
        amount = term.column.amount(cell, now_s)
        return amount is not None and _SIGNS[term.sign](amount, seconds_of(term.value))
    return isinstance(cell, str) and cell != "" and _SIGNS[term.sign](natural(cell), natural(term.value))
