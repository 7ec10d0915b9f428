"""The fleet as it was last seen, with each instance's launch spec: after the release it can be asked nowhere else."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import sqlalchemy as sa

from spottui.domain.launch_spec import LaunchSpec
from spottui.journal import schema
from spottui.journal.database import Database
from spottui.journal.encoding import decode, encode, moment, stamp

_SAVED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Captured:
    """A launch spec; `details_at` is when its RAM role and user data were read, None when they never were."""

    spec: LaunchSpec
    details_at: datetime | None
    seen_at: datetime


class Fleet:
    """Reads and writes launch specs by region and instance."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self, region: str) -> dict[str, Captured]:
        """Return what is known of a region, by instance id."""
        with self._database.read() as connection:
            query = sa.select(schema.fleet).where(schema.fleet.c.region == region)
            return {row["instance_id"]: as_captured(row) for row in connection.execute(query).mappings()}

    def get(self, region: str, instance_id: str) -> Captured | None:
        """Return what is known of one instance."""
        table = schema.fleet
        query = sa.select(table).where(table.c.region == region, table.c.instance_id == instance_id)
        with self._database.read() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return None if row is None else as_captured(row)

    def save(self, region: str, captured: Iterable[Captured]) -> None:
        """Commit new and changed specs; an instance that is missing from a sweep is not forgotten.

        Some at a time: neither memory nor whoever waits to write has to bear a whole fleet.
        """
        rest = iter(captured)
        while rows := [_row(region, one) for one in islice(rest, _SAVED_AT_ONCE)]:
            with self._database.write() as connection:
                connection.execute(sa.insert(schema.fleet).prefix_with("OR REPLACE"), rows)

    def forget(self, before: datetime) -> None:
        """Drop what was last written before a time: a spec is written again when it changes, and every hour."""
        with self._database.write() as connection:
            connection.execute(schema.fleet.delete().where(schema.fleet.c.seen_at < stamp(before)))


def _row(region: str, one: Captured) -> dict[str, object]:
    return {
        "region": region,
        "instance_id": one.spec.instance.instance_id,
        "spec": encode(one.spec),
        "details_at": stamp(one.details_at) if one.details_at else None,
        "seen_at": stamp(one.seen_at),
    }


def as_captured(row: sa.RowMapping) -> Captured:
    """Return the launch spec of one row."""
    details_at = row["details_at"]
    return Captured(
        decode(row["spec"], LaunchSpec), None if details_at is None else moment(details_at), moment(row["seen_at"])
    )
