"""Notifications that are still to be sent: written with what they tell of, deleted by nobody, sent at least once."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from spottui.journal import schema
from spottui.journal.database import Database
from spottui.journal.encoding import stamp


@dataclass(frozen=True, slots=True)
class Letter:
    """One notification; `attempts` counts the tries that failed."""

    id: int
    recovery_id: str
    title: str
    text: str
    attempts: int


class Outbox:
    """Writes letters and remembers which were sent."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def post(self, recovery_id: str, title: str, text: str, now: datetime) -> None:
        """Commit a letter unless the same one, by recovery and title, is there already."""
        table = schema.outbox
        same = sa.select(table.c.id).where(table.c.recovery_id == recovery_id, table.c.title == title)
        with self._database.write() as connection:
            if connection.execute(same).first() is None:
                values = {"recovery_id": recovery_id, "title": title, "text": text}
                connection.execute(table.insert().values(at=stamp(now), next_try=stamp(now), **values))

    def due(self, now: datetime) -> tuple[Letter, ...]:
        """Return the letters to be tried now, oldest first."""
        table = schema.outbox
        query = sa.select(table).where(table.c.sent_at.is_(None), table.c.next_try <= stamp(now)).order_by(table.c.id)
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
        return tuple(Letter(row["id"], row["recovery_id"], row["title"], row["text"], row["attempts"]) for row in rows)

    def sent(self, letter: Letter, now: datetime) -> None:
        """Note that a letter has gone out."""
        self._set(letter, sent_at=stamp(now))

    def failed(self, letter: Letter, next_try: datetime) -> None:
        """Note a failed try and when the next one is."""
        self._set(letter, attempts=letter.attempts + 1, next_try=stamp(next_try))

    def _set(self, letter: Letter, **values: float) -> None:
        with self._database.write() as connection:
            connection.execute(schema.outbox.update().where(schema.outbox.c.id == letter.id).values(**values))
