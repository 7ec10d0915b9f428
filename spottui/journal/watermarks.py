"""Times up to which something is known to be complete, by name."""

from datetime import datetime

import sqlalchemy as sa

from spottui.journal import schema
from spottui.journal.database import Database
from spottui.journal.encoding import moment, stamp


class Watermarks:
    """Reads and writes watermarks; what was never written is None."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, name: str) -> datetime | None:
        """Return a watermark."""
        with self._database.read() as connection:
            query = sa.select(schema.watermark.c.at).where(schema.watermark.c.name == name)
            seconds = connection.execute(query).scalar()
            return None if seconds is None else moment(seconds)

    def set(self, name: str, at: datetime) -> None:
        """Commit a watermark."""
        with self._database.write() as connection:
            statement = sa.insert(schema.watermark).prefix_with("OR REPLACE")
            connection.execute(statement.values(name=name, at=stamp(at)))
