"""The fleet as it was last seen, with launch specs: after a release they are available nowhere else."""

import threading
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import islice
from types import MappingProxyType

import msgspec
import sqlalchemy as sa

from spottui.domain.launch_spec import LaunchSpec
from spottui.journal import schema
from spottui.journal.encoding import decode, encode, moment, stamp
from spottui.journal.store import Store, upsert
from spottui.journal.transaction import Transaction
from spottui.journal.writer import Urgency, Writer

_SAVED_AT_ONCE = 500


class Captured(msgspec.Struct, frozen=True):
    """A launch spec; `details_at` is when its RAM role and user data were read, None when they never were."""

    spec: LaunchSpec
    details_at: datetime | None
    seen_at: datetime


class Fleet:
    """Launch specs by region and instance: in memory for the regions that are swept here, and on disk. Thread-safe."""

    def __init__(self, store: Store, writer: Writer | None) -> None:
        self._store = store
        self._writer = writer
        self._lock = threading.Lock()
        self._regions: dict[str, dict[str, Captured]] = {}

    def load(self, region: str) -> Mapping[str, Captured]:
        """Read the instances of a region into memory, unless they are there, and return them by id."""
        if region in self._regions:
            return self.of(region)
        with self._store.read() as connection:
            query = sa.select(schema.fleet).where(schema.fleet.c.region == region)
            captured = {row["instance_id"]: as_captured(row) for row in connection.execute(query).mappings()}
        with self._lock:
            return MappingProxyType(self._regions.setdefault(region, captured))

    def of(self, region: str) -> Mapping[str, Captured]:
        """Return the instances of a loaded region, as a view that shows later changes."""
        return MappingProxyType(self._regions.get(region, {}))

    def all(self) -> tuple[Captured, ...]:
        """Return the instances of all regions, as they are on disk."""
        with self._store.read() as connection:
            return tuple(as_captured(row) for row in connection.execute(sa.select(schema.fleet)).mappings())

    def get(self, region: str, instance_id: str) -> Captured | None:
        """Return one instance, None if it is unknown."""
        captured = self._regions.get(region, {}).get(instance_id)
        if captured is not None:
            return captured
        table = schema.fleet
        query = sa.select(table).where(table.c.region == region, table.c.instance_id == instance_id)
        with self._store.read() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return None if row is None else as_captured(row)

    def put(self, region: str, captured: Iterable[Captured]) -> None:
        """Take in new and changed specs, in memory at once and on disk soon.

        An instance that is missing from a sweep is kept. Rows are written in portions, so that a large fleet neither
        fills the memory nor blocks other writes.
        """
        rest = iter(captured)
        while some := list(islice(rest, _SAVED_AT_ONCE)):
            with self._lock:
                self._regions.setdefault(region, {}).update((seen.spec.instance.instance_id, seen) for seen in some)
            if self._writer:
                rows = [_row(region, seen) for seen in some]
                self._writer.submit(lambda t, rows=rows: upsert(t.connection, schema.fleet, rows), Urgency.EYES)  # type: ignore[misc]

    def keep_only(self, region: str, seen: Mapping[str, Captured]) -> None:
        """Drop unseen instances from memory; on disk they stay for a week.

        What is as it was becomes the value that was seen: the texts of values read from disk are shared with no other.
        """
        with self._lock:
            known = self._regions.get(region, {})
            self._regions[region] = {
                key: captured if captured == known[key] else known[key]
                for key, captured in seen.items()
                if key in known
            }

    def forget(self, before: datetime) -> None:
        """Drop specs last written before a time; a spec is written when it changes, and every hour."""

        def drop(transaction: Transaction) -> None:
            transaction.connection.execute(schema.fleet.delete().where(schema.fleet.c.seen_at < stamp(before)))

        if self._writer:
            self._writer.submit(drop, Urgency.EYES)


def _row(region: str, captured: Captured) -> dict[str, object]:
    return {
        "region": region,
        "instance_id": captured.spec.instance.instance_id,
        "spec": encode(captured.spec),
        "details_at": stamp(captured.details_at) if captured.details_at else None,
        "seen_at": stamp(captured.seen_at),
    }


def as_captured(row: sa.RowMapping) -> Captured:
    """Return the launch spec of one row."""
    details_at = row["details_at"]
    return Captured(
        decode(row["spec"], LaunchSpec), None if details_at is None else moment(details_at), moment(row["seen_at"])
    )
