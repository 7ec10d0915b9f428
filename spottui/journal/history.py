"""Past reclaims with what became of them."""

import sqlalchemy as sa

from spottui.domain.history import Past
from spottui.domain.interruption import Interruption
from spottui.journal import schema
from spottui.journal.database import Database
from spottui.journal.encoding import decode
from spottui.journal.recoveries import ROW, decoded


class History:
    """Reads reclaims together with their recoveries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def newest(self, limit: int) -> tuple[Past, ...]:
        """Return the newest reclaims, newest first."""
        return self._past(sa.true(), limit)

    def of(self, region: str, instance_id: str, limit: int) -> tuple[Past, ...]:
        """Return the newest reclaims of one instance, newest first."""
        table = schema.interruption
        return self._past(sa.and_(table.c.region == region, table.c.instance_id == instance_id), limit)

    def _past(self, which: sa.ColumnElement[bool], limit: int) -> tuple[Past, ...]:
        interruption, recovery, plan = schema.interruption, schema.recovery, schema.plan
        instance = "$.spec.instance."
        query = (
            sa.select(
                interruption.c.data.label("reclaim"),
                *ROW,
                sa.func.coalesce(sa.func.json_extract(plan.c.plan, instance + "zone"), "").label("zone"),
                sa.func.coalesce(sa.func.json_extract(plan.c.plan, instance + "instance_type"), "").label("type"),
            )
            .join(recovery, recovery.c.id == interruption.c.id)
            .outerjoin(plan, plan.c.recovery_id == recovery.c.id)
            .where(which)
            .order_by(interruption.c.epoch.desc())
            .limit(limit)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
        return tuple(
            Past(
                decode(row["reclaim"], Interruption),
                decoded(*(row[column.name] for column in ROW)),
                row["zone"],
                row["type"],
            )
            for row in rows
        )
