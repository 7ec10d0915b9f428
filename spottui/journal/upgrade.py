"""A journal's version: checked at opening; a console that may act carries an earlier one over."""

import sqlite3
from pathlib import Path

import sqlalchemy as sa

from spottui.journal import schema
from spottui.journal.store import JournalProblem, SqliteStore, Store


def check_version(store: Store) -> int:
    """Return a journal's version, this program's where it is new; raises `JournalProblem` where it cannot be read."""
    try:
        with store.read() as connection:
            version = _version(connection)
    except sa.exc.DatabaseError as error:
        raise unreadable(store, error) from None
    if version > schema.SCHEMA_VERSION:
        raise JournalProblem(
            f"journal {store.address}: written by a newer spottui (schema {version}, this one knows "
            f"{schema.SCHEMA_VERSION}). Upgrade spottui, or name another journal."
        )
    if version < schema.SCHEMA_VERSION and store.read_only:
        raise JournalProblem(
            f"journal {store.address}: written by an earlier spottui (schema {version}). Start `spottui` once: it "
            "keeps a copy beside it and upgrades it."
        )
    return version


def prepare(store: SqliteStore, path: Path) -> None:
    """Make the tables of a new journal, or carry an earlier one over; raises `JournalProblem`."""
    version = check_version(store)
    try:
        if version < schema.SCHEMA_VERSION:
            # Only an upgrade needs the code for earlier schemas.
            from spottui.journal.carry_over import carry_over

            carry_over(path)
        make_tables(store)
    except (sa.exc.DatabaseError, sqlite3.DatabaseError) as error:
        raise unreadable(store, error) from None


def make_tables(store: Store) -> None:
    """Create missing tables and their first rows."""
    with store.write() as connection:
        schema.metadata.create_all(connection)
        if connection.execute(sa.select(schema.log_head.c.seq)).scalar() is None:
            connection.execute(schema.log_head.insert().values(id=1, seq=0))
        select = sa.select(schema.meta.c.value).where(schema.meta.c.key == "schema")
        if connection.execute(select).scalar() is None:
            connection.execute(schema.meta.insert().values(key="schema", value=str(schema.SCHEMA_VERSION)))


def unreadable(store: Store, error: Exception) -> JournalProblem:
    """Return in words that a database cannot be used."""
    cause = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
    return JournalProblem(
        f"journal {store.address}: {cause}. Move the file away to start a new journal, or free the disk."
    )


def _version(connection: sa.Connection) -> int:
    if not sa.inspect(connection).has_table(schema.meta.name):
        return schema.SCHEMA_VERSION
    text = connection.execute(sa.select(schema.meta.c.value).where(schema.meta.c.key == "schema")).scalar()
    return schema.SCHEMA_VERSION if text is None else int(text)
