"""What a snapshot that is only Available is good for, and what not (docs/alibaba-facts.md 13)."""

import pytest

from spottui.sim.testing import SimServer
from tests.sim.balancing import BACKEND_PORT, fleet, named, visit
from tests.sim.calls import Api


@pytest.fixture(scope="module")
def server():
    with SimServer(world=fleet(), speed=0) as running:
        yield running


@pytest.fixture
def cloud(server):
    server.reset()
    server.world(image_base_s=290, image_s_per_gib=0, boot_s=25)
    return server


@pytest.fixture
def api(cloud):
    return Api(cloud)


@pytest.fixture
def calm_image(cloud, api):
    """An image of the system disk of web-1, made in calm time."""
    made = api("CreateSnapshot", DiskId=named(cloud, "web-1")["DiskIds"][0])["SnapshotId"]
    cloud.advance(300)
    image = api("CreateImage", SnapshotId=made, BootMode="UEFI-Preferred")["ImageId"]
    cloud.advance(300)
    return image


def group_of(api, group_id):
    (found,) = api("DescribeSnapshotGroups", SnapshotGroupId__1=group_id)["SnapshotGroups"]["SnapshotGroup"]
    return {one["SourceDiskType"]: one for one in found["Snapshots"]["Snapshot"]}


def test_a_machine_runs_again_within_a_minute_with_the_data_of_the_notice(cloud, api, calm_image):
    old = named(cloud, "web-1")
    cloud.interrupt([old["InstanceId"]])
    began = api("CreateSnapshotGroup", InstanceId=old["InstanceId"], ClientToken="t")["SnapshotGroupId"]
    assert api("CreateSnapshotGroup", InstanceId=old["InstanceId"], ClientToken="t")["SnapshotGroupId"] == began
    launch = {
        "ImageId": calm_image, "InstanceType": "ecs.g7.large", "InstanceName": "again", "SecurityGroupId": "sg-web",
        # Another zone: the snapshot is good in all of them.
        "VSwitchId": named(cloud, "idle")["VSwitchId"],
        "DataDisk__1__SnapshotId": group_of(api, began)["data"]["SnapshotId"],
    }  # fmt: skip
    assert group_of(api, began)["data"]["Available"] is False
    assert api.refused("RunInstances", **launch) == (403, "InvalidSnapshotId.NotReady")
    cloud.advance(2)
    ready = group_of(api, began)["data"]
    assert (ready["Available"], ready["Progress"] != "100%") == (True, True)
    api("RunInstances", **launch)
    cloud.advance(25)
    new = named(cloud, "again")
    disks = {row["DiskId"]: row for row in cloud.state()["disks"]}
    data = disks[new["DiskIds"][1]]
    assert (data["SourceSnapshotId"], data["Size"], data["ZoneId"]) == (
        ready["SnapshotId"], 200, "cn-hangzhou-i",
    )  # fmt: skip
    assert visit(new["PrivateIpAddress"], BACKEND_PORT) == "again"
    assert named(cloud, "web-1")["LockReasons"] == ["Recycling"]
    # The upload goes on after the old disks are gone, and what was launched stays whole.
    cloud.advance(300)
    assert new["InstanceId"] in {row["InstanceId"] for row in cloud.state()["instances"]}


def test_a_disk_can_be_made_of_it_but_no_image(cloud, api):
    old = named(cloud, "web-1")
    group = api("CreateSnapshotGroup", InstanceId=old["InstanceId"])["SnapshotGroupId"]
    cloud.advance(2)
    parts = group_of(api, group)
    disk = api("CreateDisk", ZoneId="cn-hangzhou-i", SnapshotId=parts["data"]["SnapshotId"])["DiskId"]
    assert next(row for row in cloud.state()["disks"] if row["DiskId"] == disk)["Size"] == 200
    system = parts["system"]["SnapshotId"]
    assert api.refused("CreateImage", SnapshotId=system) == (403, "InvalidSnapshotId.NotReady")
    mapping = {"DiskDeviceMapping__1__SnapshotId": system, "DiskDeviceMapping__1__DiskType": "system"}
    assert api.refused("CreateImage", **mapping) == (403, "InvalidSnapshotId.NotReady")
    cloud.advance(300)
    assert api("CreateImage", SnapshotId=system)["ImageId"]


def test_snapshots_of_images_and_of_other_categories_are_not_instant(cloud, api):
    old = named(cloud, "web-2")
    cloud.control("POST", "instance", {"instance_id": old["InstanceId"], "category": "cloud_efficiency"})
    group = api("CreateSnapshotGroup", InstanceId=old["InstanceId"])["SnapshotGroupId"]
    api("CreateImage", InstanceId=named(cloud, "web-3")["InstanceId"])
    cloud.advance(60)
    assert [row["Available"] for row in cloud.state()["snapshots"]] == [False] * 4
    assert [one["Available"] for one in group_of(api, group).values()] == [False, False]
    cloud.advance(300)
    assert [row["Available"] for row in cloud.state()["snapshots"]] == [True] * 4


def test_an_image_of_calm_time_is_there_from_the_start(cloud, api):
    web = named(cloud, "web-1")
    told = {
        "instance_id": web["InstanceId"], "age_s": 7200, "name": "ready-{instance}", "tags": {"of": "{instance}"},
        "instance_tags": {"ready": "6h"},
    }  # fmt: skip
    made = cloud.control("POST", "image", told)["image_id"]
    (image,) = api("DescribeImages", ImageId=made)["Images"]["Image"]
    assert (image["Status"], image["ImageName"]) == ("Available", f"ready-{web['InstanceId']}")
    assert image["Tags"]["Tag"] == [{"TagKey": "of", "TagValue": web["InstanceId"]}]
    assert len(image["DiskDeviceMappings"]["DiskDeviceMapping"]) == 1
    assert named(cloud, "web-1")["Tags"]["ready"] == "6h"
    with pytest.raises(ValueError, match="does not exist"):
        cloud.control("POST", "image", {**told, "instance_id": "i-none"})
