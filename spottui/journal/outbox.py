"""Notifications: written in the commit of what they tell of, and remembered for each channel that was told."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from spottui.journal import schema
from spottui.journal.database import Database
from spottui.journal.encoding import moment, stamp

GIVEN_UP_AFTER = timedelta(days=3)
"""A letter that could not be sent for so long tells nobody anything any more."""
SENT_KEPT = timedelta(days=7)
KEPT = 10_000
"""Letters that are kept where nobody is to be told; older ones go at the next start."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One notification on its way to one channel; `attempts` counts the tries there that failed."""

    id: int
    recovery_id: str
    title: str
    text: str
    at: datetime
    attempts: int = 0


class Outbox:
    """Writes letters, and remembers which channel was told of which. A channel's name holds no secret."""

    def __init__(self, database: Database) -> None:
        self._database = database
        newest = sa.select(sa.func.max(schema.outbox.c.id)).scalar_subquery()
        with database.write() as connection:
            connection.execute(schema.outbox.delete().where(schema.outbox.c.id <= newest - KEPT))

    def post(self, recovery_id: str, title: str, text: str, now: datetime) -> None:
        """Commit a letter unless the same one, by recovery and title, is there already."""
        with self._database.write() as connection:
            write_letter(connection, recovery_id, title, text, now)

    def introduce(self, channel: str, now: datetime) -> None:
        """Make a channel known: it is told of what is written from now on, and of nothing older."""
        values = {"key": _channel_key(channel), "value": str(stamp(now))}
        with self._database.write() as connection:
            connection.execute(sa.insert(schema.meta).prefix_with("OR IGNORE").values(**values))

    def due(self, channel: str, now: datetime) -> tuple[Letter, ...]:
        """Return what a channel is to be told of now: of each recovery the oldest letter that it does not know."""
        oldest: dict[str, tuple[float, Letter]] = {}
        for row in self._waiting(channel, now):
            letter = Letter(
                row["id"], row["recovery_id"], row["title"], row["text"], moment(row["at"]), row["attempts"] or 0
            )
            oldest.setdefault(letter.recovery_id, (row["next_try"] or 0.0, letter))
        return tuple(letter for next_try, letter in oldest.values() if next_try <= stamp(now))

    def told(self, channel: str, letter: Letter, now: datetime) -> None:
        """Commit that a channel has taken a letter."""
        self._note(channel, letter, attempts=letter.attempts, next_try=stamp(now), sent_at=stamp(now))

    def failed(self, channel: str, letter: Letter, next_try: datetime) -> None:
        """Commit a failed try and when the next one is."""
        self._note(channel, letter, attempts=letter.attempts + 1, next_try=stamp(next_try), sent_at=None)

    def settle(self, channels: Iterable[str], now: datetime) -> int:
        """Close the letters that all these channels know, drop old ones; return how many were given up unsent."""
        names = list(channels)
        letter, delivery = schema.outbox, schema.delivery
        told = (
            sa.select(sa.func.count())
            .where(delivery.c.letter_id == letter.c.id, delivery.c.channel.in_(names), delivery.c.sent_at.is_not(None))
            .scalar_subquery()
        )
        unsent = letter.c.sent_at.is_(None)
        with self._database.write() as connection:
            connection.execute(letter.update().where(unsent, told >= len(names)).values(sent_at=stamp(now)))
            given_up = connection.execute(letter.delete().where(unsent, letter.c.at < stamp(now - GIVEN_UP_AFTER)))
            connection.execute(letter.delete().where(letter.c.sent_at < stamp(now - SENT_KEPT)))
        return given_up.rowcount

    def waiting(self) -> int:
        """Count the letters that not every channel has taken yet."""
        query = sa.select(sa.func.count()).where(schema.outbox.c.sent_at.is_(None))
        with self._database.read() as connection:
            return int(connection.execute(query).scalar() or 0)

    def _waiting(self, channel: str, now: datetime) -> list[sa.RowMapping]:
        letter, delivery = schema.outbox, schema.delivery
        mine = sa.and_(delivery.c.letter_id == letter.c.id, delivery.c.channel == channel)
        since = sa.select(schema.meta.c.value).where(schema.meta.c.key == _channel_key(channel))
        with self._database.read() as connection:
            known_since = float(connection.execute(since).scalar() or 0.0)
            query = (
                sa.select(
                    letter.c.id, letter.c.recovery_id, letter.c.title, letter.c.text, letter.c.at,
                    delivery.c.attempts, delivery.c.next_try,
                )
                .select_from(letter.outerjoin(delivery, mine))
                .where(
                    letter.c.sent_at.is_(None), delivery.c.sent_at.is_(None),
                    letter.c.at >= max(known_since, stamp(now - GIVEN_UP_AFTER)),
                )
                .order_by(letter.c.id)
            )  # fmt: skip
            return list(connection.execute(query).mappings().all())

    def _note(self, channel: str, letter: Letter, **values: float | None) -> None:
        with self._database.write() as connection:
            row = {"letter_id": letter.id, "channel": channel, **values}
            connection.execute(sa.insert(schema.delivery).prefix_with("OR REPLACE").values(**row))


def write_letter(connection: sa.Connection, recovery_id: str, title: str, text: str, now: datetime) -> None:
    """Write a letter in a transaction that is under way, unless the recovery has one of that title."""
    table = schema.outbox
    same = sa.select(table.c.id).where(table.c.recovery_id == recovery_id, table.c.title == title)
    if connection.execute(same).first() is None:
        values = {"recovery_id": recovery_id, "title": title, "text": text}
        connection.execute(table.insert().values(at=stamp(now), next_try=stamp(now), **values))


def _channel_key(channel: str) -> str:
    return f"channel {channel}"
