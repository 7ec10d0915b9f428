"""Times up to which something is known to be complete, by name."""

from datetime import datetime

import sqlalchemy as sa

from spottui.journal import schema
from spottui.journal.encoding import moment, stamp
from spottui.journal.store import Store, upsert
from spottui.journal.transaction import Transaction
from spottui.journal.writer import Urgency, Writer


class Watermarks:
    """Reads and writes watermarks; a missing one is None."""

    def __init__(self, store: Store, writer: Writer | None) -> None:
        self._store = store
        self._writer = writer

    def get(self, name: str) -> datetime | None:
        """Return a watermark."""
        query = sa.select(schema.watermark.c.at).where(schema.watermark.c.name == name)
        with self._store.read() as connection:
            seconds = connection.execute(query).scalar()
        return None if seconds is None else moment(seconds)

    def set(self, name: str, at: datetime) -> None:
        """Write a watermark, soon."""

        def write(transaction: Transaction) -> None:
            upsert(transaction.connection, schema.watermark, [{"name": name, "at": stamp(at)}])

        if self._writer:
            self._writer.submit(write, Urgency.EYES)
