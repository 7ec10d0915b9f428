"""What the tests of the sources stand on: a clock that is turned by hand, bodies as CloudMonitor writes them."""

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from spottui.cloud.mns import Message
from spottui.domain.clock import Clock
from spottui.domain.facts import Fact, StateEntered
from spottui.domain.instance import Instance, InstanceStatus
from spottui.domain.interruption import Evidence, Interruption, Observation
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.journal import Journal
from spottui.journal.reclaims import Sighting, take_in
from spottui.watch.intake import Intake

REGION = "cn-hangzhou"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

_numbers = count(1)


class HandClock:
    """Stands still until it is turned."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def turn(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def event_body(instance_id: str, at: datetime | None, **fields: object) -> str:
    """A flat system event, in Base64; without a time it is what a drill looks like."""
    event = {
        "product": "ECS",
        "name": "Instance:PreemptibleInstanceInterruption",
        "regionId": REGION,
        "content": {"instanceId": instance_id, "action": "delete"},
        **({"eventTime": f"{at:%Y%m%dT%H%M%S.%f}"[:-3] + "+0000"} if at else {}),
        **fields,
    }
    return base64.b64encode(json.dumps(event).encode()).decode()


def release_body(instance_id: str, at: datetime | None) -> str:
    content = {"resourceId": instance_id, "resourceType": "ALIYUN::ECS::Instance", "state": "Deleted"}
    return event_body(instance_id, at, name="Instance:StateChange", content=content)


def message(body: str, enqueued: datetime) -> Message:
    number = next(_numbers)
    return Message(f"message-{number}", f"receipt-{number}", body, enqueued)


def instance(instance_id: str, *, recycling: bool = True) -> Instance:
    return Instance(
        REGION, instance_id, "", "ecs.g6.large", "cn-hangzhou-h", InstanceStatus.RUNNING, "SpotAsPriceGo", recycling
    )


def nameless(_region: str, _instance_id: str) -> str:
    return ""


class Taken:
    """An intake with the journal behind it, what it told, and the instances whose disks it had protected."""

    def __init__(self, directory: Path, clock: Clock, regions: tuple[str, ...] = (REGION,)) -> None:
        self.clock = clock
        self.told: list[Recovery] = []
        self.protected: list[str] = []
        self.path = directory / "journal.db"
        self.journal = Journal(self.path)
        self.regions = regions
        self.intake = self.new_intake()

    def new_intake(self) -> Intake:
        """An intake as another console makes it."""
        return Intake(self.journal, self.clock, self.regions, nameless, self._protect, self.told.append)

    def restart(self) -> None:
        """Open the journal and begin to take in anew, as another process does."""
        self.journal.close()
        self.journal = Journal(self.path)
        self.intake = self.new_intake()

    def engineer(self, instance_id: str) -> Recovery:
        """Let an engineer ask for a recovery; it opens none beside one that goes on."""
        now = self.clock.now()
        seen = Sighting([Observation(REGION, instance_id, Evidence.ENGINEER, now)])
        (found,) = self.journal.run(lambda transaction: take_in(transaction, seen, nameless, "", now))
        return found

    def enter(self, recovery_id: str, state: RecoveryState) -> None:
        """Let a recovery go on to a state."""
        self.record(recovery_id, StateEntered(state))

    def record(self, recovery_id: str, fact: Fact) -> None:
        """Commit what a workflow says of a recovery."""
        now = self.clock.now()
        self.journal.run(lambda transaction: transaction.record(recovery_id, fact, now))

    def recoveries(self, instance_id: str = "i-1") -> list[Recovery]:
        """Every recovery of an instance in its regions, oldest first."""
        return [one for one in self.journal.recoveries.all() if one.instance_id == instance_id]

    def all(self, instance_id: str = "i-1") -> list[Interruption]:
        """Every reclaim of an instance, oldest first."""
        return [one.interruption for one in self.recoveries(instance_id)]

    def facts(self, kind: type) -> list[Any]:
        """Every fact of a kind, oldest first."""
        return [one.fact for one in self.journal.log.after(0, 10_000, (kind,))]

    def _protect(self, _region: str, instance_ids: Sequence[str]) -> None:
        self.protected += instance_ids
