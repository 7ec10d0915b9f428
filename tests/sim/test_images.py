"""Images: the default status trap, progress, ClientTokens, and the loss of an image with its disks."""

import pytest
from alibabacloud_ecs20140526 import models
from alibabacloud_tea_openapi.exceptions import ClientException
from hypothesis import given
from hypothesis import strategies as st

from spottui.sim.imaging import progress
from tests.sim.conftest import REGION, create_image, image


def _default_status(ecs, image_id):
    request = models.DescribeImagesRequest(region_id=REGION, image_id=image_id)
    return ecs.describe_images(request).body.images.image


def test_without_a_status_an_image_being_made_is_not_listed(cloud, ecs, victim):
    image_id = create_image(ecs, victim["InstanceId"])
    assert _default_status(ecs, image_id) == []
    assert image(ecs, image_id).status == "Creating"
    cloud.advance(3600)
    assert _default_status(ecs, image_id)[0].status == "Available"


def test_progress_follows_the_size_of_the_disks(cloud, ecs, victim):
    cloud.world(image_base_s=10, image_s_per_gib=0.5)
    image_id = create_image(ecs, victim["InstanceId"])  # 60 GiB: 40 s
    cloud.advance(20)
    assert image(ecs, image_id).progress == "50%"
    cloud.advance(19)
    assert image(ecs, image_id).status == "Creating"
    cloud.advance(1)
    done = image(ecs, image_id)
    assert (done.status, done.progress, done.usable) == ("Available", "100%", True)


def test_an_image_may_be_usable_before_it_is_available(cloud, ecs, victim):
    cloud.world(image_usable_s=5)
    image_id = create_image(ecs, victim["InstanceId"])
    assert image(ecs, image_id).usable is False
    cloud.advance(5)
    assert (image(ecs, image_id).usable, image(ecs, image_id).status) == (True, "Creating")


def test_the_same_token_gives_the_same_image_and_other_parameters_are_refused(cloud, ecs, victim):
    first = create_image(ecs, victim["InstanceId"], token="t")
    assert create_image(ecs, victim["InstanceId"], token="t") == first
    with pytest.raises(ClientException) as refused:
        create_image(ecs, victim["InstanceId"], token="t", name="other")
    assert refused.value.code == "IdempotenceParamNotMatch"
    effects = [row["effect"] for row in cloud.calls("CreateImage")]
    assert effects == [f"created {first}", f"replayed {first}", None]


def test_a_name_is_used_once(cloud, ecs):
    one, other = cloud.spot_ids()[:2]
    create_image(ecs, one, name="backup")
    with pytest.raises(ClientException) as refused:
        create_image(ecs, other, name="backup")
    assert refused.value.code == "InvalidImageName.Duplicated"


def test_a_disk_has_one_snapshot_in_creation(cloud, ecs, victim):
    create_image(ecs, victim["InstanceId"])
    with pytest.raises(ClientException) as refused:
        create_image(ecs, victim["InstanceId"])
    assert (refused.value.code, refused.value.status_code) == ("IncorrectDiskStatus.CreatingSnapshot", 403)


@pytest.mark.parametrize("name", ["1starts-with-digit", "http://x", "a", "a" * 129, "has space"])
def test_malformed_names_are_refused(ecs, victim, name):
    with pytest.raises(ClientException) as refused:
        create_image(ecs, victim["InstanceId"], name=name)
    assert refused.value.code == "InvalidImageName.Malformed"


def test_an_image_is_lost_when_its_disks_are_released_first(cloud, ecs, victim):
    cloud.world(image_base_s=400)
    cloud.interrupt([victim["InstanceId"]])
    image_id = create_image(ecs, victim["InstanceId"])
    cloud.advance(301)
    lost = image(ecs, image_id)
    assert lost.status == "CreateFailed"
    assert lost.progress == "70%"  # 300 of 424 s
    cloud.advance(1000)
    assert image(ecs, image_id).status == "CreateFailed"
    snapshots = models.DescribeSnapshotsRequest(region_id=REGION)
    assert ecs.describe_snapshots(snapshots).body.snapshots.snapshot == []


def test_a_kept_disk_lets_its_image_finish(cloud, ecs, victim):
    cloud.world(image_base_s=400)
    cloud.interrupt([victim["InstanceId"]])
    keep = models.ModifyDiskAttributeRequest(region_id=REGION, disk_ids=victim["DiskIds"], delete_with_instance=False)
    ecs.modify_disk_attribute(keep)
    image_id = create_image(ecs, victim["InstanceId"])
    cloud.advance(301)
    disks = ecs.describe_disks(models.DescribeDisksRequest(region_id=REGION, disk_ids=f'["{victim["DiskIds"][0]}"]'))
    assert [(d.status, d.instance_id) for d in disks.body.disks.disk] == [("Available", "")]
    cloud.advance(200)
    assert image(ecs, image_id).status == "Available"


def test_a_local_disk_can_not_be_kept_and_takes_the_others_down_with_it(cloud, ecs):
    disks = cloud.state()["disks"]
    local = next(d for d in disks if d["Category"].startswith("ephemeral"))
    both = [d["DiskId"] for d in disks if d["InstanceId"] == local["InstanceId"]]
    with pytest.raises(ClientException):
        ecs.modify_disk_attribute(
            models.ModifyDiskAttributeRequest(region_id=REGION, disk_ids=both, delete_with_instance=False)
        )
    assert all(d["DeleteWithInstance"] for d in cloud.state()["disks"])


def test_every_disk_of_an_instance_is_in_its_image(cloud, ecs):
    row = next(r for r in cloud.state()["instances"] if len(r["DiskIds"]) == 2 and "i3" not in r["InstanceType"])
    image_id = create_image(ecs, row["InstanceId"])
    mappings = image(ecs, image_id).disk_device_mappings.disk_device_mapping
    assert [(m.device, m.type) for m in mappings] == [("/dev/xvda", "system"), ("/dev/xvdb", "data")]


@given(st.floats(0, 1e6), st.floats(0.1, 1e5), st.floats(0, 2))
def test_progress_is_100_only_when_done(started, took, share):
    now = started + share * took
    done = progress(started, started + took, now)
    assert 0 <= done <= 100
    assert (done == 100) == (now >= started + took)
