"""Ordered faults: what the client sees, and whether the call took effect."""

import pytest
from alibabacloud_ecs20140526 import models
from alibabacloud_tea_openapi.exceptions import ClientException, ServerException, ThrottlingException
from darabonba.exceptions import UnretryableException
from darabonba.runtime import RuntimeOptions
from mns.mns_exception import MNSClientNetworkException, MNSServerException

from tests.sim.conftest import REGION, create_image


def _custom_images(cloud):
    return [row["ImageId"] for row in cloud.state()["images"] if row["ImageOwnerAlias"] == "self"]


def test_an_error_is_answered_as_often_as_ordered(cloud, ecs, victim):
    cloud.fault("CreateImage", "error", code="ServiceUnavailable", status=503, times=2)
    for _ in range(2):
        with pytest.raises(ServerException) as refused:
            create_image(ecs, victim["InstanceId"])
        assert refused.value.code == "ServiceUnavailable"
    assert _custom_images(cloud) == []
    assert create_image(ecs, victim["InstanceId"])


def test_a_fault_matches_on_parameters(cloud, ecs):
    one, other = cloud.spot_ids()[:2]
    cloud.fault("CreateImage", "error", match={"InstanceId": one})
    assert create_image(ecs, other)
    with pytest.raises(ServerException):
        create_image(ecs, one)


def test_throttling_may_say_when_to_come_back(cloud, ecs, victim):
    cloud.fault("CreateImage", "throttle")
    with pytest.raises(ClientException) as plain:
        create_image(ecs, victim["InstanceId"])
    assert plain.value.code == "Throttling.User"
    cloud.fault("CreateImage", "throttle", retry_after_ms=1500)
    with pytest.raises(ThrottlingException) as timed:
        create_image(ecs, victim["InstanceId"])
    assert timed.value.retry_after == 1500


@pytest.mark.parametrize(
    ("kind", "takes_effect"),
    [("drop_reply", True), ("bad_json", True), ("reset", False), ("html_502", False), ("timeout", False)],
)
def test_after_a_lost_answer_the_token_tells(cloud, ecs, victim, kind, takes_effect):
    cloud.fault("CreateImage", kind, delay_s=0.1)
    with pytest.raises(UnretryableException):
        create_image(ecs, victim["InstanceId"], token="t")
    assert len(_custom_images(cloud)) == takes_effect
    image_id = create_image(ecs, victim["InstanceId"], token="t")
    assert _custom_images(cloud) == [image_id]
    effects = [row["effect"] for row in cloud.calls("CreateImage")]
    created = f"created {image_id}"
    assert effects == ([created, f"replayed {image_id}"] if takes_effect else [None, created])


def test_an_odd_answer_is_what_was_ordered_and_the_call_took_effect(cloud, ecs, victim):
    cloud.fault("CreateImage", "odd_answer", body='{"RequestId": "r", "ImageId": ""}')
    body = ecs.create_image(models.CreateImageRequest(region_id=REGION, instance_id=victim["InstanceId"])).body
    assert (body.request_id, body.image_id) == ("r", "")
    assert len(_custom_images(cloud)) == 1


def test_a_slow_answer_comes_after_the_effect(cloud, ecs, victim):
    cloud.fault("CreateImage", "slow", delay_s=5)
    request = models.CreateImageRequest(region_id=REGION, instance_id=victim["InstanceId"])
    with pytest.raises(UnretryableException):
        ecs.create_image_with_options(request, RuntimeOptions(read_timeout=100))
    assert len(_custom_images(cloud)) == 1


def test_a_lost_answer_of_the_queue_hides_the_message(cloud, queue):
    cloud.send("x")
    cloud.fault("ReceiveMessage", "html_502")
    with pytest.raises(MNSClientNetworkException):
        queue.receive_message(0)
    cloud.fault("ReceiveMessage", "bad_json")
    with pytest.raises(MNSClientNetworkException):
        queue.receive_message(0)
    with pytest.raises(MNSServerException):
        queue.receive_message(0)
    cloud.advance(31)
    assert queue.receive_message(0).dequeue_count == 2


def test_the_queue_throttles_and_fails_on_order(cloud, queue):
    cloud.fault("*Message", "throttle")
    with pytest.raises(MNSServerException) as refused:
        queue.receive_message(0)
    assert refused.value.type == "QpsLimitExceeded"
    cloud.fault("DeleteMessage", "error", code="InternalError", status=500)
    cloud.send("x")
    held = queue.receive_message(0)
    with pytest.raises(MNSServerException):
        queue.delete_message(held.receipt_handle)
    queue.delete_message(held.receipt_handle)


def test_ordered_faults_can_be_read_and_forgotten(cloud, ecs, victim):
    cloud.fault("CreateImage", "error", times=0)
    assert [f["action"] for f in cloud.control("GET", "faults")] == ["CreateImage"]
    cloud.control("DELETE", "faults")
    assert create_image(ecs, victim["InstanceId"])
