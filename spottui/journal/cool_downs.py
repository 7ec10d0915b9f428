"""Places that refused a launch are backed off for all recoveries."""

from collections.abc import Mapping
from concurrent.futures import Future
from datetime import datetime, timedelta

import sqlalchemy as sa

from spottui.journal import schema
from spottui.journal.encoding import moment, stamp
from spottui.journal.store import Store, upsert
from spottui.journal.transaction import Transaction
from spottui.journal.writer import Urgency, Writer

Place = tuple[str, str, bool]
"""Instance type, zone, and whether it is on-demand."""


class CoolDowns:
    """Remembers which place of a region is backed off, and until when."""

    def __init__(self, store: Store, writer: Writer | None) -> None:
        self._store = store
        self._writer = writer

    def rest(self, region: str, place: Place, until: datetime, reason: str) -> "Future[None]":
        """Write that a place is backed off; a new refusal replaces an older one."""
        instance_type, zone, on_demand = place
        key = {"region": region, "instance_type": instance_type, "zone": zone, "on_demand": on_demand}
        row = {**key, "until": stamp(until), "reason": reason}

        def write(transaction: Transaction) -> None:
            upsert(transaction.connection, schema.cool_down, [row])

        assert self._writer is not None
        return self._writer.submit(write, Urgency.EVIDENCE)

    def resting(self, region: str, now: datetime, longest: timedelta = timedelta(hours=1)) -> Mapping[Place, str]:
        """Return the places of a region that are backed off now, each with the reason.

        An entry that lasts longer than `longest` was written by a wrong clock, and is ignored.
        """
        table = schema.cool_down
        query = sa.select(table).where(table.c.region == region, table.c.until > stamp(now))
        with self._store.read() as connection:
            rows = connection.execute(query).mappings().all()
        return {
            (row["instance_type"], row["zone"], bool(row["on_demand"])): row["reason"]
            for row in rows
            if moment(row["until"]) - now <= longest
        }
