"""Past reclaims with what became of them."""

from collections.abc import Iterator
from datetime import datetime

import sqlalchemy as sa

from spottui.domain.history import Past
from spottui.domain.plan import Plan
from spottui.domain.recovery import Recovery
from spottui.journal import schema
from spottui.journal.encoding import decode, encode, stamp
from spottui.journal.store import Store

_RECOVERY = schema.recovery.c


class History:
    """Reads recoveries, also old ones, together with their plans."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def newest(self, limit: int) -> tuple[Past, ...]:
        """Return the newest reclaims, newest first."""
        return self._past(sa.true(), limit)

    def since(self, since: datetime) -> tuple[Past, ...]:
        """Return every reclaim that began since then, newest first."""
        return self._past(_RECOVERY.epoch >= stamp(since), None)

    def planned_since(self, since: datetime) -> Iterator[tuple[Recovery, Plan | None]]:
        """Yield every recovery that began since then with its plan, newest first."""
        yield from self._rows(_RECOVERY.epoch >= stamp(since), None)

    def of(self, region: str, instance_id: str, limit: int) -> tuple[Past, ...]:
        """Return the newest reclaims of one instance, newest first."""
        return self._past(sa.and_(_RECOVERY.region == region, _RECOVERY.instance_id == instance_id), limit)

    def between(self, began: datetime, ended: datetime) -> tuple[Recovery, ...]:
        """Return the recoveries that were in progress within a period, oldest first."""
        going_on = sa.or_(_RECOVERY.ended.is_(None), _RECOVERY.ended >= stamp(began))
        query = sa.select(_RECOVERY.data).where(_RECOVERY.epoch <= stamp(ended), going_on).order_by(_RECOVERY.epoch)
        with self._store.read() as connection:
            return tuple(decode(text, Recovery) for text in connection.execute(query).scalars())

    def newest_of(self, name: str) -> Recovery | None:
        """Return the newest recovery of an instance, by its id, or by its name where no instance has that id."""
        newest = sa.select(_RECOVERY.data).order_by(_RECOVERY.epoch.desc())
        # As text: JSON support differs between databases, and one of them accepts no NUL.
        named = _RECOVERY.data.contains(f'"name":{encode(name)}', autoescape=True)
        with self._store.read() as connection:
            for which in (_RECOVERY.instance_id == name, named):
                for text in connection.execute(newest.where(which)).scalars():
                    recovery = decode(text, Recovery)
                    if name in (recovery.instance_id, recovery.name):
                        return recovery
        return None

    def _past(self, which: sa.ColumnElement[bool], limit: int | None) -> tuple[Past, ...]:
        # One by one: ten thousand plans at once would be a hundred megabytes.
        return tuple(Past.of(recovery, plan) for recovery, plan in self._rows(which, limit))

    def _rows(self, which: sa.ColumnElement[bool], limit: int | None) -> Iterator[tuple[Recovery, Plan | None]]:
        plan = schema.plan
        query = (
            sa.select(_RECOVERY.data, plan.c.data)
            .select_from(schema.recovery.outerjoin(plan, plan.c.recovery_id == _RECOVERY.id))
            .where(which)
            .order_by(_RECOVERY.epoch.desc())
            .limit(limit)
        )
        with self._store.read() as connection:
            for recovery_text, plan_text in connection.execute(query):
                yield decode(recovery_text, Recovery), None if plan_text is None else decode(plan_text, Plan)
