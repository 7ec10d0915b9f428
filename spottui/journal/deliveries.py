"""How far each channel of notifications has been told of the log, and what it has not taken yet."""

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
"""A fact that could not be told for so long tells nobody anything any more."""
CLAIMED_FOR = timedelta(seconds=60)
"""So long others leave alone what a console is telling; whoever dies meanwhile has it told again then."""

_DELIVERY = schema.delivery.c


class Delivery(msgspec.Struct, frozen=True):
    """One fact that a channel has not taken yet; `attempts` counts the tries that failed."""

    logged: Logged
    attempts: int = 0


def introduce(transaction: Transaction, channel: str) -> None:
    """Make a channel known: it is told of what is written from now on, and of nothing older."""
    connection = transaction.connection
    known = sa.select(schema.channel.c.seq).where(schema.channel.c.name == channel)
    if connection.execute(known).scalar() is None:
        connection.execute(schema.channel.insert().values(name=channel, seq=transaction.head))


def told_up_to(connection: sa.Connection, channel: str) -> int:
    """Return the number of the last fact that a channel was asked to tell."""
    found = connection.execute(sa.select(schema.channel.c.seq).where(schema.channel.c.name == channel)).scalar()
    return int(found or 0)


def due(connection: sa.Connection, channel: str, now: datetime) -> list[Delivery]:
    """Return what a channel is to be told now: of each recovery the oldest fact that it has not taken."""
    oldest = sa.select(sa.func.min(_DELIVERY.seq)).where(_DELIVERY.channel == channel).group_by(_DELIVERY.recovery_id)
    query = (
        sa.select(*FACT_COLUMNS, _DELIVERY.attempts)
        .join(schema.delivery, _DELIVERY.seq == schema.fact.c.seq)
        .where(_DELIVERY.channel == channel, _DELIVERY.seq.in_(oldest), _DELIVERY.next_try <= stamp(now))
        .order_by(schema.fact.c.seq)
    )
    return [Delivery(as_logged(row), row.attempts) for row in connection.execute(query)]


def queue_up(transaction: Transaction, channel: str, facts: Iterable[Logged], up_to: int, now: datetime) -> None:
    """Write that a channel is to be told of facts, but for those that another console has looked at meanwhile."""
    connection = transaction.connection
    known = told_up_to(connection, channel)
    upsert(connection, schema.delivery, [_row(channel, one, now) for one in facts if one.seq > known])
    upsert(connection, schema.channel, [{"name": channel, "seq": max(known, up_to)}])
    old = sa.select(schema.fact.c.seq).where(schema.fact.c.at < stamp(now - GIVEN_UP_AFTER))
    connection.execute(schema.delivery.delete().where(_DELIVERY.channel == channel, _DELIVERY.seq.in_(old)))


def claim(transaction: Transaction, channel: str, one: Delivery, now: datetime) -> bool:
    """Write that this console tells a channel of a fact now; False where another one does, or has."""
    mine = sa.and_(_DELIVERY.channel == channel, _DELIVERY.seq == one.logged.seq, _DELIVERY.next_try <= stamp(now))
    claimed = schema.delivery.update().where(mine).values(next_try=stamp(now + CLAIMED_FOR))
    return transaction.connection.execute(claimed).rowcount == 1


def taken(transaction: Transaction, channel: str, one: Delivery) -> None:
    """Write that a channel has taken a fact."""
    mine = sa.and_(_DELIVERY.channel == channel, _DELIVERY.seq == one.logged.seq)
    transaction.connection.execute(schema.delivery.delete().where(mine))


def failed(transaction: Transaction, channel: str, one: Delivery, next_try: datetime) -> None:
    """Write a failed try and when the next one is; what another console has told meanwhile stays told."""
    mine = sa.and_(_DELIVERY.channel == channel, _DELIVERY.seq == one.logged.seq)
    again = schema.delivery.update().where(mine).values(attempts=one.attempts + 1, next_try=stamp(next_try))
    transaction.connection.execute(again)


def waiting(connection: sa.Connection, channels: Iterable[str]) -> int:
    """Count what these channels have not taken yet."""
    mine = _DELIVERY.channel.in_(list(channels))
    return int(connection.execute(sa.select(sa.func.count()).where(mine)).scalar_one())


def _row(channel: str, logged: Logged, next_try: datetime) -> dict[str, object]:
    key = {"channel": channel, "seq": logged.seq, "recovery_id": logged.recovery_id}
    return {**key, "attempts": 0, "next_try": stamp(next_try)}
