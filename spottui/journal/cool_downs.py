"""Places that refused a launch rest for a while, for every recovery."""

from datetime import datetime

import sqlalchemy as sa

from spottui.journal import schema
from spottui.journal.database import Database
from spottui.journal.encoding import stamp


class CoolDowns:
    """Remembers by region which place rests until when; a place is (instance type, zone, whether it is on-demand)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def rest(self, region: str, place: tuple[str, str, bool], until: datetime, reason: str) -> None:
        """Commit that a place rests; a new refusal takes the place of an older one."""
        instance_type, zone, on_demand = place
        values = {"region": region, "instance_type": instance_type, "zone": zone, "on_demand": on_demand}
        query = sa.insert(schema.cool_down).prefix_with("OR REPLACE")
        with self._database.write() as connection:
            connection.execute(query.values(**values, until=stamp(until), reason=reason))

    def resting(self, region: str, now: datetime) -> dict[tuple[str, str, bool], str]:
        """Return the places of a region that rest now, each with the reason."""
        table = schema.cool_down
        query = sa.select(table).where(table.c.region == region, table.c.until > stamp(now))
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
        return {(row["instance_type"], row["zone"], bool(row["on_demand"])): row["reason"] for row in rows}
