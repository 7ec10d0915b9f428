"""What the tests of the sources stand on: a clock that is turned by hand, bodies as CloudMonitor writes them."""

import base64
import json
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from spottui.cloud.mns import Message
from spottui.domain.clock import Clock
from spottui.domain.instance import Instance, InstanceStatus
from spottui.domain.interruption import Interruption
from spottui.domain.recovery import RecoveryState
from spottui.journal import Journal
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
    """An intake with the journal behind it and what it told."""

    def __init__(self, directory: Path, clock: Clock, regions: tuple[str, ...] = (REGION,)) -> None:
        self.clock = clock
        self.told: list[Interruption] = []
        self.journal = Journal(directory / "journal.db")
        self.regions = regions
        self.intake = self.new_intake()

    def new_intake(self) -> Intake:
        """An intake as a restart makes it."""
        return Intake(self.journal, self.clock, self.regions, nameless, self.told.append)

    def all(self, instance_id: str = "i-1") -> list[Interruption]:
        """Every interruption of an instance, oldest first."""
        found = [one for one in self.journal.interruptions.latest(1000) if one.instance_id == instance_id]
        return found[::-1]

    def states(self, instance_id: str = "i-1") -> list[RecoveryState]:
        found = [self.journal.recoveries.get(one.id) for one in self.all(instance_id)]
        return [one.state for one in found if one]
