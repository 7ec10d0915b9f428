"""What was made ready in calm time: an image of an instance's system disk alone."""

from datetime import UTC, datetime
from typing import Any

from spottui.domain.tokens import ready_name
from spottui.sim.testing import SimServer
from tests.driving import wait_until
from tests.sim.calls import Api


def make_system_image(cloud: SimServer, instance: dict[str, Any]) -> str:
    """Make the image and return its id once it is there."""
    api, instance_id = Api(cloud), instance["InstanceId"]
    ready = {"Tag__1__Key": "spottui:ready", "Tag__1__Value": instance_id}
    name = ready_name(instance_id, datetime.now(UTC))
    snapshot = api("CreateSnapshot", DiskId=instance["DiskIds"][0], SnapshotName=name, **ready)["SnapshotId"]
    wait_until(lambda: _snapshot(cloud, snapshot)["Status"] == "accomplished")
    made = api("CreateImage", SnapshotId=snapshot, ImageName=name, BootMode="UEFI-Preferred", **ready)
    image = str(made["ImageId"])
    wait_until(lambda: _image(cloud, image)["Status"] == "Available")
    return image


def allow_older_system(cloud: SimServer, instance: dict[str, Any]) -> None:
    """Say by the instance's tag that its system disk may be six hours old."""
    tag = {"Tag__1__Key": "spottui:ready", "Tag__1__Value": "6h"}
    Api(cloud)("TagResources", ResourceType="instance", ResourceId__1=instance["InstanceId"], **tag)


def _snapshot(cloud: SimServer, snapshot_id: str) -> dict[str, Any]:
    return next(row for row in cloud.state()["snapshots"] if row["SnapshotId"] == snapshot_id)


def _image(cloud: SimServer, image_id: str) -> dict[str, Any]:
    return next(row for row in cloud.state()["images"] if row["ImageId"] == image_id)
