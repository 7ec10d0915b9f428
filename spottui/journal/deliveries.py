"""How far each notification channel has read the log, and what it has not accepted yet."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from spottui.domain.facts import Logged
from spottui.journal import schema
from spottui.journal.encoding import FACT_COLUMNS, as_logged, stamp
from spottui.journal.store import upsert
from spottui.journal.transaction import Transaction

GIVEN_UP_AFTER = timedelta(days=3)
"""After this time an undelivered fact is no longer news and is dropped."""
CLAIMED_FOR = timedelta(seconds=60)
"""How long a delivery belongs to the console that makes it; if that dies, another one delivers it afterwards."""

_DELIVERY = schema.delivery.c


class Delivery(msgspec.Struct, frozen=True):
    """A fact that a channel has not accepted yet; `attempts` counts the failed tries."""

    logged: Logged
    attempts: int = 0


def introduce(transaction: Transaction, channel: str) -> None:
    """Register a channel: it gets facts from now on, and nothing older."""
    connection = transaction.connection
    select = sa.select(schema.channel.c.seq).where(schema.channel.c.name == channel)
    if connection.execute(select).scalar() is None:
        connection.execute(schema.channel.insert().values(name=channel, seq=transaction.head))


def queued_up_to(connection: sa.Connection, channel: str) -> int:
    """Return the number of the last fact that was queued for a channel."""
    seq = connection.execute(sa.select(schema.channel.c.seq).where(schema.channel.c.name == channel)).scalar()
    return int(seq or 0)


def due(connection: sa.Connection, channel: str, now: datetime) -> list[Delivery]:
    """Return what is due for a channel: for each recovery its oldest undelivered fact."""
    oldest = sa.select(sa.func.min(_DELIVERY.seq)).where(_DELIVERY.channel == channel).group_by(_DELIVERY.recovery_id)
    query = (
        sa.select(*FACT_COLUMNS, _DELIVERY.attempts)
        .join(schema.delivery, _DELIVERY.seq == schema.fact.c.seq)
        .where(_DELIVERY.channel == channel, _DELIVERY.seq.in_(oldest), _DELIVERY.next_try <= stamp(now))
        .order_by(schema.fact.c.seq)
    )
    return [Delivery(as_logged(row), row.attempts) for row in connection.execute(query)]


def queue_up(transaction: Transaction, channel: str, facts: Iterable[Logged], up_to: int, now: datetime) -> None:
    """Queue facts for a channel, except those that another console has queued meanwhile."""
    connection = transaction.connection
    queued_to = queued_up_to(connection, channel)
    upsert(connection, schema.delivery, [_row(channel, logged, now) for logged in facts if logged.seq > queued_to])
    upsert(connection, schema.channel, [{"name": channel, "seq": max(queued_to, up_to)}])
    old = sa.select(schema.fact.c.seq).where(schema.fact.c.at < stamp(now - GIVEN_UP_AFTER))
    connection.execute(schema.delivery.delete().where(_DELIVERY.channel == channel, _DELIVERY.seq.in_(old)))


def claim(transaction: Transaction, channel: str, delivery: Delivery, now: datetime) -> bool:
    """Claim the delivery of a fact for this console; False if another one has claimed or delivered it."""
    mine = sa.and_(_DELIVERY.channel == channel, _DELIVERY.seq == delivery.logged.seq, _DELIVERY.next_try <= stamp(now))
    claimed = schema.delivery.update().where(mine).values(next_try=stamp(now + CLAIMED_FOR))
    return transaction.connection.execute(claimed).rowcount == 1


def taken(transaction: Transaction, channel: str, delivery: Delivery) -> None:
    """Write that a channel has accepted a fact."""
    mine = sa.and_(_DELIVERY.channel == channel, _DELIVERY.seq == delivery.logged.seq)
    transaction.connection.execute(schema.delivery.delete().where(mine))


def failed(transaction: Transaction, channel: str, delivery: Delivery, next_try: datetime) -> None:
    """Write a failed try and when the next one is, unless another console has delivered it meanwhile."""
    mine = sa.and_(_DELIVERY.channel == channel, _DELIVERY.seq == delivery.logged.seq)
    again = schema.delivery.update().where(mine).values(attempts=delivery.attempts + 1, next_try=stamp(next_try))
    transaction.connection.execute(again)


def waiting(connection: sa.Connection, channels: Iterable[str]) -> int:
    """Count what these channels have not accepted yet."""
    mine = _DELIVERY.channel.in_(list(channels))
    return int(connection.execute(sa.select(sa.func.count()).where(mine)).scalar_one())


def _row(channel: str, logged: Logged, next_try: datetime) -> dict[str, object]:
    key = {"channel": channel, "seq": logged.seq, "recovery_id": logged.recovery_id}
    return {**key, "attempts": 0, "next_try": stamp(next_try)}
