"""Which consoles have armed auto-mode, and why it was disarmed."""

from collections.abc import Iterable
from datetime import datetime

import msgspec
import sqlalchemy as sa

from spottui.domain.facts import Stopped
from spottui.journal import schema
from spottui.journal.encoding import decode, encode, moment, stamp
from spottui.journal.store import upsert

_ARMING = schema.arming.c


class Arming(msgspec.Struct, frozen=True):
    """One console's statement that it armed auto-mode, or what stopped it."""

    console: str
    armed: bool
    who: str
    at: datetime
    stopped: Stopped | None = None


def armings(connection: sa.Connection) -> tuple[Arming, ...]:
    """Return the last statement of each console, the oldest first."""
    rows = connection.execute(sa.select(schema.arming).order_by(_ARMING.at)).mappings()
    return tuple(
        Arming(
            row["console"],
            bool(row["armed"]),
            row["who"],
            moment(row["at"]),
            decode(row["stopped"], Stopped) if row["stopped"] else None,
        )
        for row in rows
    )


def record_arming(connection: sa.Connection, arming: Arming) -> None:
    """Write a console's statement about auto-mode."""
    row = {"console": arming.console, "armed": arming.armed, "who": arming.who, "at": stamp(arming.at)}
    upsert(connection, schema.arming, [{**row, "stopped": encode(arming.stopped) if arming.stopped else ""}])


def disarm(connection: sa.Connection, who: str, stopped: Stopped | None, now: datetime) -> None:
    """Disarm for every console."""
    values = {"armed": False, "who": who, "at": stamp(now), "stopped": encode(stopped) if stopped else ""}
    connection.execute(schema.arming.update().values(**values))


def forget(connection: sa.Connection, consoles: Iterable[str]) -> None:
    """Drop the statements of dead consoles."""
    connection.execute(schema.arming.delete().where(_ARMING.console.in_(list(consoles))))
