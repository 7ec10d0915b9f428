"""Rows as a file: CSV for a spreadsheet, JSON for a program; every text in full."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence

from spottui.tables.column import Column, Row, Table

_FORMULA = ("=", "+", "@", "-", "\t", "\r")


def as_csv(table: Table, columns: Sequence[Column], rows: Iterable[Row], now_s: float) -> Iterator[str]:
    """Yield a header and a line for each row; what a spreadsheet would run as a formula gets a quote before it."""
    yield _csv_line(column.id for column in columns)
    for record in _records(table, columns, rows, now_s):
        yield _csv_line(f"'{text}" if text.startswith(_FORMULA) and text != "-" else text for text in record.values())


def as_json(table: Table, columns: Sequence[Column], rows: Iterable[Row], now_s: float) -> Iterator[str]:
    """Yield a list of objects, one for each row."""
    begin = "[\n "
    for record in _records(table, columns, rows, now_s):
        yield begin + json.dumps(record, ensure_ascii=False)
        begin = ",\n "
    yield "[]\n" if begin.startswith("[") else "\n]\n"


def _csv_line(texts: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(texts)
    return out.getvalue()


def _records(table: Table, columns: Sequence[Column], rows: Iterable[Row], now_s: float) -> "Iterator[dict[str, str]]":
    places = [(column.id, table.place(column.id), column.whole or column.render) for column in columns]
    for row in rows:
        yield {column_id: text(row[place], now_s).strip() for column_id, place, text in places}
