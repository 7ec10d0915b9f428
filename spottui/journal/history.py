"""Past reclaims with what became of them."""

from datetime import datetime

import sqlalchemy as sa

from spottui.domain.history import Past
from spottui.domain.interruption import Interruption
from spottui.domain.plan import Plan
from spottui.journal import schema
from spottui.journal.database import Database
from spottui.journal.encoding import decode, stamp
from spottui.journal.recoveries import ROW, decoded


class History:
    """Reads reclaims together with their recoveries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def newest(self, limit: int) -> tuple[Past, ...]:
        """Return the newest reclaims, newest first."""
        return self._past(sa.true(), limit)

    def since(self, since: datetime) -> tuple[Past, ...]:
        """Return every reclaim that began since then, newest first."""
        return self._past(schema.interruption.c.epoch >= stamp(since), None)

    def of(self, region: str, instance_id: str, limit: int) -> tuple[Past, ...]:
        """Return the newest reclaims of one instance, newest first."""
        table = schema.interruption
        return self._past(sa.and_(table.c.region == region, table.c.instance_id == instance_id), limit)

    def _past(self, which: sa.ColumnElement[bool], limit: int | None) -> tuple[Past, ...]:
        interruption, recovery, plan = schema.interruption, schema.recovery, schema.plan
        query = (
            sa.select(interruption.c.data.label("reclaim"), plan.c.plan, *ROW)
            .join(recovery, recovery.c.id == interruption.c.id)
            .outerjoin(plan, plan.c.recovery_id == recovery.c.id)
            .where(which)
            .order_by(interruption.c.epoch.desc())
            .limit(limit)
        )
        with self._database.read() as connection:
            # One by one: ten thousand plans at once would be a hundred megabytes.
            return tuple(_one(row) for row in connection.execute(query).mappings())


def _one(row: sa.RowMapping) -> Past:
    interruption, recovery = decode(row["reclaim"], Interruption), decoded(*(row[column.name] for column in ROW))
    return Past.of(interruption, recovery, None if row["plan"] is None else decode(row["plan"], Plan))
