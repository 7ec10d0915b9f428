"""Reclaims: the lock, the event in every form, the release at the deadline."""

import base64
import json
import urllib.error
import urllib.request

import pytest
from alibabacloud_ecs20140526 import models
from alibabacloud_tea_openapi.exceptions import ClientException

from tests.sim.conftest import REGION

EVENT = "Instance:PreemptibleInstanceInterruption"


def _locked(ecs):
    request = models.DescribeInstancesRequest(region_id=REGION, lock_reason="Recycling", max_results=100)
    return [row.instance_id for row in ecs.describe_instances(request).body.instances.instance]


def _row(cloud, instance_id):
    return next((r for r in cloud.state()["instances"] if r["InstanceId"] == instance_id), None)


def test_the_lock_is_there_at_once_and_the_instance_goes_at_its_deadline(cloud, ecs, victim):
    cloud.interrupt([victim["InstanceId"]])
    assert _locked(ecs) == [victim["InstanceId"]]
    cloud.advance(299)
    assert _row(cloud, victim["InstanceId"])["Status"] == "Running"
    cloud.advance(1)
    assert _locked(ecs) == []
    assert _row(cloud, victim["InstanceId"]) is None
    left = {d["DiskId"] for d in cloud.state()["disks"]}
    assert not left & set(victim["DiskIds"])
    eip = next(e for e in cloud.state()["eips"] if e["AllocationId"] == victim["EipAllocationId"])
    assert eip["InstanceId"] == ""


def test_in_stop_mode_the_instance_stays_stopped_with_everything(cloud, ecs):
    stopping = cloud.spot_ids("Stop")[0]
    before = _row(cloud, stopping)
    cloud.interrupt([stopping], notice_s=60)
    cloud.advance(60)
    after = _row(cloud, stopping)
    assert (after["Status"], after["LockReasons"]) == ("Stopped", [])
    kept = ("DiskIds", "PrivateIpAddress", "InstanceType")
    assert [after[k] for k in kept] == [before[k] for k in kept]
    start = models.StartInstanceRequest(instance_id=stopping)
    cloud.stock(0)
    with pytest.raises(ClientException) as refused:
        ecs.start_instance(start)
    assert refused.value.code == "OperationDenied.NoStock"
    cloud.stock(1)
    ecs.start_instance(start)
    cloud.advance(60)
    assert _row(cloud, stopping)["Status"] == "Running"


def _flat(body, instance_id):
    assert (body["content"]["instanceId"], body["name"], body["regionId"]) == (instance_id, EVENT, REGION)


def _drill(body, instance_id):
    _flat(body, instance_id)
    assert "<resource-id>" in body["resourceId"]
    assert "id" not in body


def _masked(body, instance_id):
    _flat(body, instance_id)
    assert body["content"]["action"] == "de***"


def _envelope(body, instance_id):
    alert = body["alert"]
    assert (alert["eventName"], alert["eventContentMap"]["instanceId"]) == (EVENT, instance_id)


def _cloudevents(body, instance_id):
    assert (body["type"], body["data"]["instanceId"]) == (f"ecs:{EVENT}", instance_id)


@pytest.mark.parametrize("encoding", ["base64", "raw"])
@pytest.mark.parametrize(
    ("form", "check"),
    [("flat", _flat), ("drill", _drill), ("masked", _masked), ("envelope", _envelope), ("cloudevents", _cloudevents)],
)
def test_a_notice_arrives_in_each_form(cloud, queue, victim, form, check, encoding):
    cloud.interrupt([victim["InstanceId"]], format=form, encoding=encoding)
    text = queue.receive_message(0).message_body
    if encoding == "base64":
        text = base64.b64decode(text, validate=True)
    check(json.loads(text), victim["InstanceId"])


def test_a_drill_locks_nothing_whatever_lock_says(cloud, ecs, victim):
    cloud.interrupt([victim["InstanceId"]], format="drill", lock=True)
    cloud.advance(1000)
    assert _row(cloud, victim["InstanceId"])["Status"] == "Running"
    assert _locked(ecs) == []


def test_an_event_without_a_lock_releases_nothing(cloud, ecs, queue, victim):
    cloud.interrupt([victim["InstanceId"]], lock=False)
    assert queue.receive_message(0)
    cloud.advance(1000)
    assert _row(cloud, victim["InstanceId"])


def test_a_lock_without_an_event_sends_nothing(cloud, ecs, victim):
    cloud.interrupt([victim["InstanceId"]], queue=False)
    assert _locked(ecs) == [victim["InstanceId"]]
    assert cloud.state()["queues"][cloud.endpoint.queue]["ActiveMessages"] == 0


def test_copies_are_the_same_body_in_different_messages(cloud, queue, victim):
    cloud.interrupt([victim["InstanceId"]], copies=2)
    one, two = queue.batch_receive_message(16, 0)
    assert one.message_body == two.message_body
    assert one.message_id != two.message_id


def test_lock_and_event_may_be_late(cloud, ecs, queue, victim):
    cloud.interrupt([victim["InstanceId"]], lock_after_s=10, queue_after_s=20)
    assert _locked(ecs) == []
    cloud.advance(10)
    assert _locked(ecs) == [victim["InstanceId"]]
    assert cloud.state()["queues"][cloud.endpoint.queue]["ActiveMessages"] == 0
    cloud.advance(10)
    assert queue.receive_message(0)
    cloud.advance(280)
    assert _row(cloud, victim["InstanceId"]) is None


def test_an_eip_moves_to_another_instance(cloud, ecs, victim):
    other = next(i for i in cloud.spot_ids() if not _row(cloud, i)["EipAllocationId"])
    eip = victim["EipAllocationId"]
    bind = models.AssociateEipAddressRequest(region_id=REGION, allocation_id=eip, instance_id=other)
    with pytest.raises(ClientException) as refused:
        ecs.associate_eip_address(bind)
    assert refused.value.code == "IncorrectEipStatus"
    ecs.unassociate_eip_address(
        models.UnassociateEipAddressRequest(region_id=REGION, allocation_id=eip, instance_id=victim["InstanceId"])
    )
    ecs.associate_eip_address(bind)
    ecs.associate_eip_address(bind)
    assert _row(cloud, other)["EipAllocationId"] == eip


def _metadata(cloud, path, method="GET", **headers):
    request = urllib.request.Request(f"{cloud.url}/{path}", method=method, headers=headers)
    try:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, ""


def test_the_metadata_tells_the_termination_time(cloud, victim):
    who = victim["InstanceId"]
    item = "latest/meta-data/instance/spot/termination-time"
    assert _metadata(cloud, f"{item}?instance={who}")[0] == 404
    release_at = cloud.interrupt([who])["release_at"]
    expected = (200, release_at[:19] + "Z")
    assert _metadata(cloud, f"{item}?instance={who}") == expected
    assert _metadata(cloud, item, **{"X-Sim-Instance": who}) == expected
    assert _metadata(cloud, f"_sim/metadata/{who}/{item}") == expected
    ttl = {"X-aliyun-ecs-metadata-token-ttl-seconds": "60"}
    _, token = _metadata(cloud, "latest/api/token", "PUT", **ttl)
    headers = {"X-Sim-Instance": who, "X-aliyun-ecs-metadata-token": token}
    assert _metadata(cloud, item, **headers) == expected
    assert _metadata(cloud, item, **{**headers, "X-aliyun-ecs-metadata-token": "forged"})[0] == 403
