"""The other system events of ECS that share the queue with reclaims (docs/alibaba-facts.md 9.4 and 6.5)."""

from typing import Any

from spottui.sim import notice
from spottui.sim.clock import iso_seconds
from spottui.sim.model import Disk, Instance, Notice, Snapshot
from spottui.sim.world import World

STATE_CHANGE = "Instance:StateChange"
LAUNCH_FAILED = "Instance:SystemFailure.Delete:Executed"
SNAPSHOT_DONE = "Snapshot:CreateSnapshotCompleted"
DISK_DONE = "Disk:DiskOperationCompleted"


def notify_state(world: World, instance: Instance, state: str, at: float) -> None:
    """An instance changed its state; the id is in `content.resourceId`."""
    content = {"resourceId": instance.id, "resourceType": "ALIYUN::ECS::Instance", "state": state}
    _notify(world, STATE_CHANGE, instance.region, instance.id, instance.name, content, at)


def notify_failed_launch(world: World, instance: Instance, at: float) -> None:
    """A launched instance is removed because it could not be made."""
    content = {
        "instanceId": instance.id, "eventId": f"e-{world.ids.event()[:8].lower()}",
        "publishTime": iso_seconds(at), "notBefore": iso_seconds(at), "eventType": "SystemFailure.Delete",
        "eventStatus": "Executed",
    }  # fmt: skip
    _notify(world, LAUNCH_FAILED, instance.region, instance.id, instance.name, content, at)


def notify_snapshot(world: World, snapshot: Snapshot, result: str, at: float) -> None:
    """A snapshot is `accomplished` or `failed`."""
    content = {
        "snapshotId": snapshot.id, "snapshotName": snapshot.name, "snapshotType": "Normal",
        "diskId": snapshot.disk_id, "result": result, "startTime": iso_seconds(snapshot.started_at),
        "endTime": iso_seconds(at),
    }  # fmt: skip
    _notify(world, SNAPSHOT_DONE, snapshot.region, snapshot.id, snapshot.name, content, at)


def notify_disk(world: World, disk: Disk, operation: str, at: float) -> None:
    """A disk was attached or detached."""
    content = {"diskId": disk.id, "operation": operation, "result": "accomplished"}
    _notify(world, DISK_DONE, disk.region, disk.id, disk.name, content, at)


def _notify(
    world: World, name: str, region: str, resource_id: str, resource_name: str, content: dict[str, Any], at: float
) -> None:
    level = "CRITICAL" if name == LAUNCH_FAILED else "INFO"
    happened = Notice(world.ids.event(), name, at, region, resource_id, resource_name, "", content, level)
    world.notices.append(happened)
    notice.deliver(world, happened, notice.body(happened, world.account_id, "flat", "base64"), at)
