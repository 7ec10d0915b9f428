"""Rows as a file: CSV for a spreadsheet, JSON for a program; every text in full."""

import csv
import io
import json
from collections.abc import Sequence

from spottui.tables.column import Column, Row, Table

_FORMULA = ("=", "+", "@", "-", "\t", "\r")


def as_csv(table: Table, columns: Sequence[Column], rows: Sequence[Row], now_s: float) -> str:
    """Return a header and a line for each row; what a spreadsheet would run as a formula gets a quote before it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(column.id for column in columns)
    for record in _records(table, columns, rows, now_s):
        writer.writerow(f"'{text}" if text.startswith(_FORMULA) and text != "-" else text for text in record.values())
    return out.getvalue()


def as_json(table: Table, columns: Sequence[Column], rows: Sequence[Row], now_s: float) -> str:
    """Return a list of objects, one for each row."""
    return json.dumps(list(_records(table, columns, rows, now_s)), ensure_ascii=False, indent=1) + "\n"


def _records(table: Table, columns: Sequence[Column], rows: Sequence[Row], now_s: float) -> "list[dict[str, str]]":
    places = [(column.id, table.place(column.id), column.whole or column.render) for column in columns]
    return [{column_id: text(row[place], now_s).strip() for column_id, place, text in places} for row in rows]
