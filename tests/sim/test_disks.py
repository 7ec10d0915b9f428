"""Disks, snapshots and images made of them (docs/alibaba-facts.md 2.3, 3.1, 6.2, 6.4), with the typed SDK."""

import pytest
from alibabacloud_ecs20140526 import models as m
from alibabacloud_tea_openapi.exceptions import ClientException

from tests.sim.calls import Api
from tests.sim.conftest import REGION, image


@pytest.fixture
def api(cloud):
    return Api(cloud)


def _disk(cloud, disk_id):
    return next(d for d in cloud.state()["disks"] if d["DiskId"] == disk_id)


def _named(cloud, name):
    return next(row for row in cloud.state()["instances"] if row["InstanceName"] == name)


def test_a_kept_system_disk_comes_back_as_snapshot_image_and_data_disk(cloud, ecs, api):
    """The kept-disk route: what is left of an instance whose image lost the race."""
    old = _named(cloud, "api-2")
    system, data = old["DiskIds"]
    api("ModifyDiskAttribute", DiskIds__1=system, DiskIds__2=data, DeleteWithInstance=False)
    cloud.interrupt([old["InstanceId"]], notice_s=10)
    cloud.advance(11)
    made = ecs.create_snapshot(m.CreateSnapshotRequest(disk_id=system, client_token="s")).body.snapshot_id
    assert ecs.create_snapshot(m.CreateSnapshotRequest(disk_id=system, client_token="s")).body.snapshot_id == made
    assert api.refused("CreateSnapshot", DiskId=system) == (403, "IncorrectDiskStatus.CreatingSnapshot")
    assert api.refused("CreateImage", SnapshotId=made) == (403, "InvalidSnapshotId.NotReady")
    assert api.refused("DeleteDisk", DiskId=system) == (403, "DiskCreatingSnapshot")
    cloud.advance(600)
    mapping = m.CreateImageRequestDiskDeviceMapping(snapshot_id=made, device="/dev/xvda", disk_type="system")
    request = m.CreateImageRequest(region_id=REGION, disk_device_mapping=[mapping])
    image_id = ecs.create_image(request).body.image_id
    cloud.advance(60)
    assert image(ecs, image_id).disk_device_mappings.disk_device_mapping[0].snapshot_id == made
    assert api.refused("DeleteSnapshot", SnapshotId=made) == (403, "SnapshotCreatedImage")
    target = next(
        row for row in cloud.state()["instances"] if row["ZoneId"] == old["ZoneId"] and row["Status"] == "Running"
    )
    ecs.attach_disk(m.AttachDiskRequest(instance_id=target["InstanceId"], disk_id=data, delete_with_instance=True))
    attached = _disk(cloud, data)
    assert (attached["InstanceId"], attached["Status"]) == (target["InstanceId"], "In_use")
    assert api.refused("AttachDisk", InstanceId=target["InstanceId"], DiskId=data) == (403, "IncorrectDiskStatus")
    ecs.delete_image(m.DeleteImageRequest(region_id=REGION, image_id=image_id))
    ecs.delete_snapshot(m.DeleteSnapshotRequest(snapshot_id=made))
    ecs.delete_disk(m.DeleteDiskRequest(disk_id=system))
    assert system not in {d["DiskId"] for d in cloud.state()["disks"]}


def test_a_disk_goes_to_its_own_zone_and_to_an_unlocked_instance_only(cloud, api):
    row = _named(cloud, "api-2")
    data = row["DiskIds"][1]
    elsewhere = next(r for r in cloud.state()["instances"] if r["ZoneId"] != row["ZoneId"])
    api("DetachDisk", InstanceId=row["InstanceId"], DiskId=data)
    assert api.refused("AttachDisk", InstanceId=elsewhere["InstanceId"], DiskId=data) == (403, "ResourcesNotInSameZone")
    cloud.interrupt([row["InstanceId"]])
    assert api.refused("AttachDisk", InstanceId=row["InstanceId"], DiskId=data) == (403, "InstanceLockedForRecycling")


def test_a_system_disk_leaves_and_comes_back_bootable_while_stopped(cloud, api):
    row = _named(cloud, "cache-4")
    where = {"InstanceId": row["InstanceId"], "DiskId": row["DiskIds"][0]}
    assert api.refused("DetachDisk", **where) == (403, "IncorrectInstanceStatus")
    api("StopInstance", InstanceId=row["InstanceId"])
    cloud.advance(2)
    api("DetachDisk", **where)
    assert api.refused("StartInstance", InstanceId=row["InstanceId"]) == (400, "InvalidInstance.NotFoundSystemDisk")
    api("AttachDisk", **where, Bootable=True)
    assert (_disk(cloud, where["DiskId"])["Type"], _disk(cloud, where["DiskId"])["Device"]) == ("system", "/dev/xvda")
    api("StartInstance", InstanceId=row["InstanceId"])
    cloud.advance(30)
    assert _named(cloud, "cache-4")["Status"] == "Running"


@pytest.mark.parametrize(
    ("mapping", "code"),
    [
        ({"SnapshotId": "s-none"}, "InvalidSnapshotId.NotFound"),
        ({"Device": "/dev/xvdb"}, "InvalidDevice.Malformed"),
        ({"DiskType": "data", "Device": "/dev/xvda"}, "InvalidDevice.Malformed"),
        ({"Size": "1"}, "InvalidSize.LessThanSnapshotSize"),
    ],
)
def test_wrong_disk_mappings_are_refused(cloud, api, victim, mapping, code):
    snapshot = api("CreateSnapshot", DiskId=victim["DiskIds"][0])["SnapshotId"]
    cloud.advance(600)
    given = {f"DiskDeviceMapping__1__{k}": v for k, v in {"SnapshotId": snapshot, **mapping}.items()}
    assert api.refused("CreateImage", **given)[1] == code


def test_a_second_image_copies_only_what_changed(cloud, ecs, api, victim):
    cloud.world(image_base_s=10, image_s_per_gib=1)
    first = api("CreateImage", InstanceId=victim["InstanceId"])["ImageId"]
    cloud.advance(69)
    assert image(ecs, first).status == "Creating"
    cloud.advance(1)
    second = api("CreateImage", InstanceId=victim["InstanceId"])["ImageId"]
    cloud.advance(25)
    assert (image(ecs, first).status, image(ecs, second).status) == ("Available", "Available")


def test_what_is_copied_grows_with_the_time_since_the_last_snapshot(cloud, ecs, api, victim):
    cloud.world(image_base_s=0, image_s_per_gib=1, disk_change_gib_per_h=10)
    api("CreateImage", InstanceId=victim["InstanceId"])
    cloud.advance(2 * 3600)
    second = api("CreateImage", InstanceId=victim["InstanceId"])["ImageId"]
    cloud.advance(19)
    assert image(ecs, second).status == "Creating"
    cloud.advance(2)
    assert image(ecs, second).status == "Available"


def test_the_quota_of_images_counts_own_ones(cloud, api, victim):
    cloud.world(image_quota=1)
    api("CreateImage", InstanceId=victim["InstanceId"])
    other = cloud.spot_ids()[3]
    assert api.refused("CreateImage", InstanceId=other) == (403, "QuotaExceed.Image")


def test_an_image_waits_is_made_and_is_listed_late(cloud, ecs, victim, api):
    cloud.world(image_waiting_s=10, image_unlisted_s=4, image_base_s=10, image_s_per_gib=0)
    made = api("CreateImage", InstanceId=victim["InstanceId"])["ImageId"]
    assert image(ecs, made) is None
    seen = []
    for _ in range(3):
        cloud.advance(7)
        seen.append(image(ecs, made).status)
    assert seen == ["Waiting", "Creating", "Available"]


def test_a_local_disk_has_no_snapshot(cloud, ecs):
    local = next(d for d in cloud.state()["disks"] if d["Category"].startswith("ephemeral"))
    with pytest.raises(ClientException) as refused:
        ecs.create_snapshot(m.CreateSnapshotRequest(disk_id=local["DiskId"]))
    assert refused.value.code == "InvalidDiskCategory.OperateNotSupported"
