"""Tables and statements of SQLite that a process of the tests compiles once: SQLAlchemy does for each journal.

They open thousands, and two thirds of what each costs are that.
"""

from functools import cache
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.util import LRUCache


def compile_once() -> None:
    """Let all engines of this process share what was compiled; those of PostgreSQL find only their own."""
    statements: Any = LRUCache(1000)
    Engine._compiled_cache = property(lambda _: statements, lambda *_: None)  # type: ignore[assignment]
    SQLiteDialect.__eq__ = lambda one, other: type(one) is type(other)  # type: ignore[method-assign, assignment]
    SQLiteDialect.__hash__ = lambda one: hash(type(one))  # type: ignore[method-assign, assignment]
    for kind in (CreateTable, CreateIndex):
        kind.compile = _once(kind.compile)  # type: ignore[method-assign]


def _once(compile_it: Any) -> Any:
    @cache
    def compiled(element: Any, dialect: Any, make: Any) -> Any:
        return compile_it(make(element), dialect=dialect)

    def compile_for(create: Any, dialect: Any, **_: Any) -> Any:
        return compiled(create.element, dialect, type(create))

    return compile_for
