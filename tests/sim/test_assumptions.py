"""What the documentation leaves open: each switch is listed, accepted, and shown here with both outcomes."""

import socket
from dataclasses import fields

import pytest
from alibabacloud_ecs20140526 import models as m
from click.testing import CliRunner
from mns.account import Account
from mns.mns_exception import MNSExceptionBase, MNSServerException
from mns.queue import Message, QueueMeta

from spottui.cli.sim import sim
from spottui.sim.assumptions import ASSUMPTIONS
from spottui.sim.settings import Settings
from tests.sim.calls import Api
from tests.sim.conftest import REGION, image

BOTH = {one.switch: one for one in ASSUMPTIONS}
SHOWN_ELSEWHERE = {
    "image_quota": "test_disks", "image_unlisted_s": "test_disks", "image_usable_s": "test_images",
    "image_usable_after_s": "test_surprises", "kept_disk_s": "test_surprises", "spot_vcpus": "test_actions",
    "throttle_says_when": "test_limits", "convert_while_locked": "test_addresses", "dead_servers_stay": "test_traffic",
}  # fmt: skip


@pytest.fixture
def api(cloud):
    return Api(cloud)


def outcomes(cloud, switch, look):
    """What `look` sees in a fresh world as assumed, and in another with the other outcome."""
    cloud.reset()
    assumed = look()
    cloud.reset()
    cloud.world(**{switch: BOTH[switch].other})
    return assumed, look()


def test_the_list_is_complete_and_true():
    listed = CliRunner().invoke(sim, ["--assumptions"])
    assert listed.exit_code == 0
    defaults = {one.name: getattr(Settings(), one.name) for one in fields(Settings)}
    for one in ASSUMPTIONS:
        assert defaults[one.switch] == one.assumed
        assert one.other != one.assumed
        assert f"{one.switch} " in listed.output
        assert one.question in listed.output


def test_every_switch_is_shown_with_both_outcomes():
    shown = {name.removeprefix("test_switch_") for name in globals() if name.startswith("test_switch_")}
    assert set(BOTH) - set(SHOWN_ELSEWHERE) == shown


def test_switch_end_token_absent(cloud, api):
    found = outcomes(cloud, "end_token_absent", lambda: "NextToken" in api("DescribeInstances", MaxResults=100))
    assert found == (True, False)


def test_switch_locked_status(cloud, victim):
    def look():
        cloud.interrupt([victim["InstanceId"]])
        return next(r["Status"] for r in cloud.state()["instances"] if r["InstanceId"] == victim["InstanceId"])

    assert outcomes(cloud, "locked_status", look) == ("Running", "Stopped")


def _accepted(api, action, **query):
    """Whether a call works: 200, or the status and code of its refusal."""
    try:
        api(action, **query)
    except Exception as refusal:
        return refusal.status_code, refusal.code
    return 200


def test_switch_protect_while_locked(cloud, api, victim):
    def look():
        cloud.interrupt([victim["InstanceId"]])
        return _accepted(api, "ModifyDiskAttribute", DiskId=victim["DiskIds"][0], DeleteWithInstance=False)

    assert outcomes(cloud, "protect_while_locked", look) == (200, (403, "InstanceLockedForRecycling"))


def test_switch_snapshot_needs_disk(cloud, api, ecs, victim):
    def look():
        cloud.world(image_base_s=400)
        cloud.interrupt([victim["InstanceId"]])
        made = api("CreateImage", InstanceId=victim["InstanceId"])["ImageId"]
        cloud.advance(1000)
        return image(ecs, made).status

    assert outcomes(cloud, "snapshot_needs_disk", look) == ("CreateFailed", "Available")


def test_switch_eip_survives(cloud, victim):
    def look():
        cloud.interrupt([victim["InstanceId"]], notice_s=1)
        cloud.advance(2)
        return victim["EipAllocationId"] in {eip["AllocationId"] for eip in cloud.state()["eips"]}

    assert outcomes(cloud, "eip_survives", look) == (True, False)


def _launch(cloud, api, victim, **more):
    base = cloud.state()["images"][0]["ImageId"]
    group = api("DescribeInstances")["Instances"]["Instance"][0]["SecurityGroupIds"]["SecurityGroupId"][0]
    given = {
        "ImageId": base, "InstanceType": "ecs.g7.large", "VSwitchId": victim["VSwitchId"], "SecurityGroupId": group,
        **more,
    }  # fmt: skip
    return api("RunInstances", **given)["InstanceIdSets"]["InstanceIdSet"][0]


def test_switch_snapshot_min_age_s(cloud, api, victim):
    def look():
        new = _launch(cloud, api, victim)
        cloud.advance(60)
        return _accepted(api, "CreateImage", InstanceId=new)

    assert outcomes(cloud, "snapshot_min_age_s", look) == (200, (403, "IncorrectDiskStatus.NeverAttached"))


def test_switch_image_id_list(cloud, api):
    def look():
        base = cloud.state()["images"][0]["ImageId"]
        return len(api("DescribeImages", ImageId=f"{base},m-other")["Images"]["Image"])

    assert outcomes(cloud, "image_id_list", look) == (1, 0)


def test_switch_instance_unlisted_s(cloud, api, victim):
    def look():
        new = _launch(cloud, api, victim)
        seen = []
        for wait_s in (0, 4):
            cloud.advance(wait_s)
            seen.append(len(api("DescribeInstances", InstanceIds=f'["{new}"]')["Instances"]["Instance"]))
        return seen

    assert outcomes(cloud, "instance_unlisted_s", look) == ([1, 1], [0, 1])


def test_switch_dry_run_status(cloud, api):
    found = outcomes(cloud, "dry_run_status", lambda: api.refused("DescribeInstances", DryRun=True))
    assert found == ((400, "DryRunOperation"), (403, "DryRunOperation"))


def test_switch_image_not_ready_code(cloud, api, victim):
    def look():
        made = api("CreateImage", InstanceId=victim["InstanceId"])["ImageId"]
        return api.refused(
            "RunInstances", ImageId=made, InstanceType="ecs.g7.large", VSwitchId=victim["VSwitchId"],
            SecurityGroupId="sg",
        )  # fmt: skip

    expected = ((403, "OperationDenied.ImageNotValid"), (404, "InvalidImageId.NotFound"))
    assert outcomes(cloud, "image_not_ready_code", look) == expected


def test_switch_token_life_s(cloud, api, victim):
    def look():
        first = _launch(cloud, api, victim, ClientToken="t")
        cloud.advance(3601)
        return _launch(cloud, api, victim, ClientToken="t") == first

    assert outcomes(cloud, "token_life_s", look) == (True, False)


def test_switch_command_while_locked(cloud, api, victim):
    def look():
        cloud.interrupt([victim["InstanceId"]])
        run = {"Type": "RunShellScript", "CommandContent": "sync", "InstanceId__1": victim["InstanceId"]}
        return _accepted(api, "RunCommand", **run)

    assert outcomes(cloud, "command_while_locked", look) == (200, (403, "InstanceLockedForRecycling"))


def test_switch_date_tolerance_s(cloud, api):
    def look():
        cloud.world(skew_wall_s=600)
        return _accepted(api, "DescribeRegions")

    assert outcomes(cloud, "date_tolerance_s", look) == (200, (400, "InvalidTimeStamp.Expired"))


def _last_status(cloud, action):
    return cloud.calls(action)[-1]["status"]


def test_switch_batch_send_status(cloud, queue):
    def look():
        with pytest.raises(MNSExceptionBase):
            queue.batch_send_message([Message("good"), Message("x" * 70_000)])
        return _last_status(cloud, "BatchSendMessage")

    assert outcomes(cloud, "batch_send_status", look) == (500, 201)


def test_switch_qps_status(cloud, queue):
    def look():
        cloud.fault("ReceiveMessage", "throttle")
        with pytest.raises(MNSServerException, match="QPS"):
            queue.receive_message(0)
        return _last_status(cloud, "ReceiveMessage")

    assert outcomes(cloud, "qps_status", look) == (429, 403)


def test_switch_queue_rest_s(cloud):
    def look():
        queue = Account(cloud.url, cloud.endpoint.access_key_id, cloud.endpoint.access_key_secret).get_queue("short")
        queue.create(QueueMeta())
        queue.delete()
        try:
            queue.create(QueueMeta())
        except MNSServerException as refusal:
            return refusal.type
        return "created"

    assert outcomes(cloud, "queue_rest_s", look) == ("created", "QueueDeletedRecently")


def test_switch_stop_fails_snapshots(cloud, api):
    def look():
        which = cloud.spot_ids("Stop")[0]
        made = api("CreateImage", InstanceId=which)["ImageId"]
        cloud.interrupt([which], notice_s=5)
        cloud.advance(6)
        return next(one["Status"] for one in cloud.state()["images"] if one["ImageId"] == made)

    assert outcomes(cloud, "stop_fails_snapshots", look) == ("Creating", "CreateFailed")


def test_switch_stop_action(cloud, queue):
    def look():
        cloud.interrupt([cloud.spot_ids("Stop")[0]], encoding="raw")
        return '"action":"stop"' in queue.receive_message(0).message_body

    assert outcomes(cloud, "stop_action", look) == (True, False)


def test_switch_dead_poll_takes(cloud, queue):
    def look():
        _poll_and_hang_up(cloud, queue)
        cloud.send("x")
        return cloud.state()["queues"][cloud.endpoint.queue]["ActiveMessages"]

    assert outcomes(cloud, "dead_poll_takes", look) == (1, 0)


def _poll_and_hang_up(cloud, queue):
    """A long poll with the real signature of the SDK, whose client closes the line while it waits."""
    connection = queue.mns_client.http.conn
    before = len(cloud.calls("ReceiveMessage"))
    sent = []
    original = connection.getresponse
    connection.getresponse = lambda *_: sent.append(True) or _hang_up(cloud, connection, before)
    try:
        queue.receive_message(20)
    except Exception:
        assert sent
    finally:
        connection.getresponse = original
        connection.close()


def _hang_up(cloud, connection, before):
    while len(cloud.calls("ReceiveMessage")) == before:
        pass
    connection.sock.shutdown(socket.SHUT_RDWR)
    connection.close()
    raise OSError("hung up")


def test_a_typed_request_reads_a_last_page_without_a_token(cloud, ecs):
    cloud.world(end_token_absent=True)
    body = ecs.describe_instances(m.DescribeInstancesRequest(region_id=REGION, max_results=100)).body
    assert body.next_token is None
    assert len(body.instances.instance) == 24
