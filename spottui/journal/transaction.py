"""A change's view of the journal: what it reads and writes until it is committed with its batch."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import sqlalchemy as sa
from msgspec.structs import replace

from spottui.domain.facts import Fact, Logged, StateEntered
from spottui.domain.fold import apply
from spottui.domain.plan import Plan
from spottui.domain.recovery import Recovery
from spottui.journal import schema
from spottui.journal.encoding import encode, fact_row
from spottui.journal.recoveries import Recoveries, load, load_plan, of_instances, snapshot_row
from spottui.journal.store import upsert

T = TypeVar("T")


class Transaction:
    """What a change reads and writes. No other process changes what it reads until it is committed."""

    def __init__(self, connection: sa.Connection, recoveries: Recoveries) -> None:
        self._connection = connection
        self._recoveries = recoveries
        self._done = Staged()
        self._own = Staged()
        self._savepoint: sa.NestedTransaction | None = None

    @property
    def connection(self) -> sa.Connection:
        """The connection, for tables other than the log: rolled back with the change if that raises."""
        if self._savepoint is None:
            self._savepoint = self._connection.begin_nested()
        return self._connection

    @property
    def head(self) -> int:
        """The number of the last fact, including those of this transaction."""
        return self._recoveries.seq + len(self._done.facts) + len(self._own.facts)

    def recovery(self, recovery_id: str) -> Recovery | None:
        """Return a recovery as it is now."""
        return (
            self._own.recoveries.get(recovery_id)
            or self._done.recoveries.get(recovery_id)
            or self._recoveries.known(recovery_id)
            or load(self._connection, recovery_id)
        )

    def of_instances(self, region: str, instance_ids: Iterable[str]) -> dict[str, list[Recovery]]:
        """Return every recovery of these instances, the newest first."""
        wanted = set(instance_ids)
        on_disk = [instance_id for instance_id in wanted if self._recoveries.was_reclaimed(region, instance_id)]
        found = {key: list(ones) for key, ones in of_instances(self._connection, region, on_disk).items()}
        for staged in (self._done, self._own):
            for new in staged.recoveries.values():
                if new.region == region and new.instance_id in wanted:
                    recoveries = found.setdefault(new.instance_id, [])
                    found[new.instance_id] = [*(old for old in recoveries if old.recovery_id != new.recovery_id), new]
        return {
            key: sorted(ones, key=lambda recovery: recovery.interruption.epoch, reverse=True)
            for key, ones in found.items()
        }

    def released_at(self, region: str, instance_id: str) -> datetime | None:
        """Return when an instance without a known reclaim was released."""
        return self._recoveries.released_at(region, instance_id)

    def lately(self) -> list[Recovery]:
        """Return every recovery that is open or ended lately, in no order."""
        known = {recovery.recovery_id: recovery for recovery in self._recoveries.lately()}
        return list((known | self._done.recoveries | self._own.recoveries).values())

    @property
    def done(self) -> int:
        """How many facts the earlier changes of the batch have written."""
        return len(self._done.facts)

    def changed_since(self, done: int) -> list[Recovery]:
        """Return the recoveries about which earlier changes of the batch have written facts beyond the first `done`."""
        ids = {logged.recovery_id for logged in self._done.facts[done:]}
        return [self._done.recoveries[recovery_id] for recovery_id in ids if recovery_id]

    def plan(self, recovery_id: str) -> Plan | None:
        """Return a recovery's plan."""
        recovery = self.recovery(recovery_id)
        if recovery is None or not recovery.has_plan:
            return self._own.plans.get(recovery_id) or self._done.plans.get(recovery_id)
        return (
            self._own.plans.get(recovery_id)
            or self._done.plans.get(recovery_id)
            or self._recoveries.known_plan(recovery_id)
            or load_plan(self._connection, recovery_id)
        )

    def set_plan(self, recovery_id: str, plan: Plan) -> None:
        """Write a recovery's plan."""
        self._own.plans[recovery_id] = plan

    def record(self, recovery_id: str, fact: Fact, at: datetime) -> Recovery:
        """Write a fact of a known recovery, and return the recovery after it."""
        recovery = self.recovery(recovery_id)
        if recovery is None:
            raise LookupError(f"no recovery {recovery_id} in the journal")
        if isinstance(fact, StateEntered) and fact.was is None:
            fact = replace(fact, was=recovery.state)
        return self._apply(recovery, self._logged(fact, at, recovery.region, recovery.instance_id, recovery_id))

    def begin(self, fact: Fact, at: datetime, region: str, instance_id: str, recovery_id: str) -> Recovery:
        """Write the fact that opens a recovery, and return the recovery."""
        return self._apply(None, self._logged(fact, at, region, instance_id, recovery_id))

    def log(self, fact: Fact, at: datetime, region: str = "", instance_id: str = "") -> None:
        """Write a fact that is about no recovery."""
        self._logged(fact, at, region, instance_id, "")

    def _logged(self, fact: Fact, at: datetime, region: str, instance_id: str, recovery_id: str) -> Logged:
        logged = Logged(self.head + 1, at, fact, region, instance_id, recovery_id)
        self._own.facts.append(logged)
        return logged

    def _apply(self, recovery: Recovery | None, logged: Logged) -> Recovery:
        changed = apply(recovery, logged)
        self._own.recoveries[changed.recovery_id] = changed
        return changed

    def run(self, change: "Callable[[Transaction], T]") -> T:
        """Run one change; if it raises, nothing of it is kept."""
        self._own, self._savepoint = Staged(), None
        try:
            result = change(self)
            self._own.encode()
        except BaseException:
            if self._savepoint is not None:
                self._savepoint.rollback()
            raise
        if self._savepoint is not None:
            self._savepoint.commit()
        self._done.add(self._own)
        return result

    def flush(self) -> "Staged":
        """Write everything that the changes have staged, each table once, and return it."""
        done = self._done
        if done.facts:
            self._connection.execute(schema.fact.insert(), done.fact_rows)
            upsert(self._connection, schema.recovery, [snapshot_row(recovery) for recovery in done.recoveries.values()])
            self._connection.execute(schema.log_head.update(), {"seq": done.facts[-1].seq})
        upsert(self._connection, schema.plan, list(done.plan_rows.values()))
        return done


@dataclass(slots=True)
class Staged:
    """What changes have written and is not committed yet: values and their rows."""

    facts: list[Logged] = field(default_factory=list)
    recoveries: dict[str, Recovery] = field(default_factory=dict)
    plans: dict[str, Plan] = field(default_factory=dict)
    fact_rows: list[dict[str, object]] = field(default_factory=list)
    plan_rows: dict[str, dict[str, object]] = field(default_factory=dict)

    def encode(self) -> None:
        """Encode the rows while the change is alone: what no database accepts must not fail the rest of a batch."""
        self.fact_rows = [fact_row(logged) for logged in self.facts]
        self.plan_rows = {key: {"recovery_id": key, "data": encode(plan)} for key, plan in self.plans.items()}

    def add(self, other: "Staged") -> None:
        """Take in what another change has staged."""
        self.facts += other.facts
        self.recoveries.update(other.recoveries)
        self.plans.update(other.plans)
        self.fact_rows += other.fact_rows
        self.plan_rows.update(other.plan_rows)
