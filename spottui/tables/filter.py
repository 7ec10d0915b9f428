"""The filter language: plain words over all columns, `field:value` over one, `-` or `!` in front for "not"."""

from collections.abc import Callable
from dataclasses import dataclass

from spottui.tables.column import FIRST_CELL, Column, Row

_NOT = ("-", "!")


class FilterError(ValueError):
    """A filter that cannot be understood; the text says which word and why."""


@dataclass(frozen=True, slots=True)
class Term:
    """One word of a filter: what to look for, in which cell of a row (0: in all), and whether it must be absent."""

    value: str
    cell: int = 0
    absent: bool = False


def parse(text: str, columns: tuple[Column, ...]) -> Callable[[Row], bool] | None:
    """Return a test of rows, or None when the text asks for nothing; raises `FilterError`.

    All words must hold. Letter case is ignored. A field is a column's id or title, or the beginning of one.
    """
    terms = tuple(_term(word, columns) for word in text.casefold().split())
    return (lambda row: all(_holds(term, row) for term in terms)) if terms else None


def _term(word: str, columns: tuple[Column, ...]) -> Term:
    absent = word.startswith(_NOT)
    body = word[1:] if absent else word
    if not body:
        raise FilterError(f"{word} needs a word after it")
    field, colon, value = body.partition(":")
    if not colon or not field.isidentifier():
        return Term(body, absent=absent)
    if not value:
        raise FilterError(f"{field}: needs a value after the colon")
    return Term(value, _cell_of(field, columns), absent)


def _cell_of(field: str, columns: tuple[Column, ...]) -> int:
    for index, column in enumerate(columns):
        if column.id.startswith(field) or (column.title and column.title.casefold().startswith(field)):
            return FIRST_CELL + index
    names = ", ".join(column.id for column in columns if column.title)
    raise FilterError(f"no column {field}: there are {names}")


def _holds(term: Term, row: Row) -> bool:
    cells = (row[term.cell],) if term.cell else row[FIRST_CELL:]
    found = any(isinstance(cell, str) and term.value in cell.casefold() for cell in cells)
    return found is not term.absent
