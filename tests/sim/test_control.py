"""The control side: bad input is named, the ledger is complete, a reset is a fresh world."""

import json
import threading

import pytest
from alibabacloud_tea_openapi.exceptions import ClientException
from mns.mns_exception import MNSServerException

from tests.sim.conftest import create_image


@pytest.mark.parametrize(
    ("call", "body", "field"),
    [
        ("interrupt", {}, "instance_ids"),
        ("interrupt", {"instance_ids": []}, "instance_ids"),
        ("interrupt", {"instance_ids": ["i-none"]}, "instance_ids"),
        ("interrupt", {"instance_ids": ["i-none"], "format": "xml", "lock": False}, "format"),
        ("interrupt", {"instance_ids": ["i-none"], "lock": "no"}, "lock"),
        ("interrupt", {"instance_ids": ["i-none"], "notice_s": -1}, "notice_s"),
        ("interrupt", {"instance_ids": ["i-none"], "lock": False, "copy": 2}, "copy"),
        ("interrupt", [1], "body"),
        ("faults", [{"action": "CreateImage", "kind": "explode"}], "kind"),
        ("faults", [{"kind": "error"}], "action"),
        ("send", {"queue": "none", "body": "x"}, "queue"),
        ("send", {}, "body"),
        ("clock", {}, "speed"),
        ("clock", {"speed": 601}, "speed"),
        ("stock", {"zone": "mars-a", "stock": 1}, "zone"),
        ("world", {"permissions": {"DescribeInstances": "maybe"}}, "permissions"),
        ("world", {"boot_s": "fast"}, "boot_s"),
    ],
)
def test_bad_input_is_named_with_what_is_allowed(cloud, call, body, field):
    with pytest.raises(ValueError, match="error") as refused:
        cloud.control("POST", call, body)
    error = json.loads(str(refused.value))["error"]
    assert error["field"] == field
    assert error["allowed"]


def test_an_on_demand_instance_is_not_reclaimed(cloud):
    row = next(r for r in cloud.state()["instances"] if r["SpotStrategy"] == "NoSpot")
    with pytest.raises(ValueError, match="not a spot instance"):
        cloud.interrupt([row["InstanceId"]])
    cloud.interrupt([row["InstanceId"]], lock=False)


def test_the_ledger_has_one_row_per_request(cloud, ecs, queue, victim):
    image_id = create_image(ecs, victim["InstanceId"], token="t")
    with pytest.raises(ClientException):
        create_image(ecs, "i-none")
    with pytest.raises(MNSServerException):
        queue.receive_message(0)
    rows = cloud.calls()
    assert [row["n"] for row in rows] == [1, 2, 3]
    assert [(row["action"], row["status"], row["code"]) for row in rows] == [
        ("CreateImage", 200, None),
        ("CreateImage", 404, "InvalidInstanceId.NotFound"),
        ("ReceiveMessage", 404, "MessageNotExist"),
    ]
    first = rows[0]
    assert (first["client_token"], first["region"], first["effect"]) == (
        "t", "cn-hangzhou", f"created {image_id}"
    )  # fmt: skip
    assert len({row["request_id"] for row in rows}) == 3


def test_a_reset_is_a_fresh_world_and_cuts_no_poll(cloud, ecs, queue, victim):
    create_image(ecs, victim["InstanceId"])
    found = []
    poll = threading.Thread(target=lambda: found.append(queue.receive_message(20)))
    poll.start()
    cloud.reset()
    assert cloud.calls("CreateImage") == []
    assert len(cloud.state()["images"]) == 1
    cloud.send("x")
    poll.join(10)
    assert found[0].message_body == "x"


def test_time_runs_as_fast_as_it_is_told(cloud, ecs, victim):
    cloud.world(image_base_s=100, image_s_per_gib=0)
    create_image(ecs, victim["InstanceId"])
    before = cloud.state()["now"]
    assert cloud.state()["now"] == before
    cloud.speed(600)
    while cloud.state()["images"][-1]["Status"] == "Creating":
        pass
    cloud.speed(0)
    assert cloud.state()["now"] > before
