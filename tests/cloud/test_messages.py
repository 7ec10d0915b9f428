"""Message bodies in every documented format (alibaba_facts.md 9), and everything that is none."""

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spottui.cloud.messages import RECLAIM_EVENT, STATE_EVENT, OtherEvent, Poison, Reclaim, Released, parse, past_event

FLAT = {
    "ver": "1.0",
    "id": "2256A988-0B26-4E2B-820A-8A00000000E5",
    "product": "ECS",
    "resourceId": "acs:ecs:cn-hangzhou:169070000000030:instance/i-bp1ecr00000000go2go",
    "level": "INFO",
    "name": RECLAIM_EVENT,
    "userId": "169070000000030",
    "eventTime": "20190409T121826.922+0800",
    "regionId": "cn-hangzhou",
    "content": {"instanceId": "i-bp1ecr00000000go2go", "action": "delete"},
}
DRILL = {
    "product": "ECS",
    "resourceId": "acs:ecs:cn-shanghai:1331602849963181:instance/<resource-id>",
    "level": "WARN",
    "instanceName": "instanceName",
    "regionId": "cn-hangzhou",
    "groupId": "0",
    "name": RECLAIM_EVENT,
    "content": {"instanceId": "i-abcdef", "instanceName": "wor***b73", "action": "delete"},
    "status": "Normal",
}
ENVELOPE = {
    "batchId": "b",
    "severity": "WARN",
    "alert": {
        "alertStatus": "TRIGGERED",
        "eventName": RECLAIM_EVENT,
        "arn": "acs:ecs:us-east-1:1:instance/i-1",
        "timestamp": 1725960397000,
        "eventContentMap": {"instanceId": "i-1", "action": "delete"},
        "meta": {"sysEventMeta": {"regionId": "us-east-1", "eventTime": "20240910T172637.108+0800"}},
    },
}
CLOUD_EVENT = {
    "id": "1",
    "source": "acs.ecs",
    "specversion": "1.0",
    "type": f"ecs:{RECLAIM_EVENT}",
    "time": "2026-11-22T12:00:00Z",
    "aliyunregionid": "cn-beijing",
    "data": {"instanceId": "i-2", "action": "delete"},
}


def base64_of(document: object) -> str:
    return base64.b64encode(json.dumps(document).encode()).decode()


@pytest.mark.parametrize("encode", [json.dumps, base64_of])
@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (FLAT, Reclaim("i-bp1ecr00000000go2go", "cn-hangzhou", datetime(2019, 4, 9, 4, 18, 26, 922000, UTC), "delete")),
        (DRILL, Reclaim("i-abcdef", "cn-hangzhou", None, "delete")),
        (ENVELOPE, Reclaim("i-1", "us-east-1", datetime(2024, 9, 10, 9, 26, 37, 0, UTC), "delete")),
        (CLOUD_EVENT, Reclaim("i-2", "cn-beijing", datetime(2026, 11, 22, 12, tzinfo=UTC), "delete")),
        ({**FLAT, "content": json.dumps(FLAT["content"]), "eventTime": "soon"},
         Reclaim("i-bp1ecr00000000go2go", "cn-hangzhou", None, "delete")),
        ({**ENVELOPE, "alert": json.dumps(ENVELOPE["alert"])},
         Reclaim("i-1", "us-east-1", datetime(2024, 9, 10, 9, 26, 37, 0, UTC), "delete")),
    ],
)  # fmt: skip
def test_every_format_is_read_raw_and_in_base64(encode: object, document: object, expected: Reclaim) -> None:
    assert parse(encode(document)) == expected


def test_the_instance_comes_from_the_content_and_never_from_the_resource_id() -> None:
    parsed = parse(json.dumps({**FLAT, "resourceId": "acs:ecs:cn-hangzhou:1:instance/i-other"}))
    assert isinstance(parsed, Reclaim)
    assert parsed.instance_id == "i-bp1ecr00000000go2go"


def test_other_events_are_told_and_are_no_reclaim() -> None:
    body = json.dumps({"name": "Instance:StateChange", "content": {"resourceId": "i-9", "state": "Stopped"}})
    assert parse(body) == OtherEvent("Instance:StateChange", "i-9", "Instance:StateChange Stopped")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "the body is empty"),
        ("hello world", "neither Base64 nor JSON"),
        ("/w==", "Base64 of something that is not UTF-8"),
        (base64.b64encode(b"hello").decode(), "Base64 of something that is not JSON"),
        ("[1]", "a JSON list where an object is expected"),
        ("<a><b>x</b></a>", "neither Base64 nor JSON"),
        ("[" * 100_000, "neither Base64 nor JSON"),
        ("{}", "JSON without a name, an alert or a specversion: no event of CloudMonitor"),
        (json.dumps({"name": RECLAIM_EVENT, "content": {"instanceId": "<resource-id>"}}),
         "a reclaim without an instance id in its content"),
        (json.dumps({"name": RECLAIM_EVENT, "content": {"instanceId": "i-1/../../etc"}}),
         "a reclaim without an instance id in its content"),
        (json.dumps({"name": RECLAIM_EVENT, "content": [1]}), "a JSON list where an object is expected"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_poison_with_its_reason(body: str, reason: str) -> None:
    assert parse(body) == Poison(reason)


@given(st.text() | st.binary().map(lambda raw: base64.b64encode(raw).decode()))
def test_parsing_never_raises(body: str) -> None:
    assert isinstance(parse(body), Reclaim | OtherEvent | Poison)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from((FLAT, ENVELOPE, CLOUD_EVENT)), st.data())
def test_any_field_may_be_anything(document: dict[str, object], data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(document)))
    broken = {**document, key: data.draw(json_values)}
    assert isinstance(parse(json.dumps(broken)), Reclaim | OtherEvent | Poison)


PAST = {
    "Name": RECLAIM_EVENT,
    "Time": 1574064244000,
    "Product": "ECS",
    "ResourceId": "acs:ecs:cn-hangzhou:1:instance/i-other",
    "RegionId": "cn-hangzhou",
    "Content": json.dumps({"action": "delete", "instanceId": "i-1"}),
}
PAST_AT = datetime(2019, 11, 18, 8, 4, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, Reclaim("i-1", "cn-hangzhou", PAST_AT, "delete")),
        ({"RegionId": None, "Time": "soon"}, Reclaim("i-1", "", None, "delete")),
        ({"Name": STATE_EVENT, "Content": {"resourceId": "i-1", "state": "Deleted"}},
         Released("i-1", "cn-hangzhou", PAST_AT)),
        ({"Name": STATE_EVENT, "Content": {"resourceId": "i-1", "state": "Stopped"}},
         OtherEvent(STATE_EVENT, "i-1", f"{STATE_EVENT} Stopped")),
        ({"Content": None}, Poison("a reclaim without an instance id in its content")),
        ({"Content": "no"}, Poison("content is a text that is no JSON")),
        ({"Name": None}, OtherEvent("", "i-1", "")),
    ],
)  # fmt: skip
def test_an_item_of_the_history_says_what_its_message_would(changed: dict[str, object], expected: object) -> None:
    assert past_event({**PAST, **changed}) == expected


@given(st.dictionaries(st.sampled_from(sorted(PAST)), json_values))
def test_no_item_of_the_history_raises(item: dict[str, object]) -> None:
    assert isinstance(past_event(item), Reclaim | Released | OtherEvent | Poison)


@pytest.mark.parametrize(
    ("epoch_ms", "is_a_time"),
    [
        (1_000_000_000_000, False), (1_000_000_000_001, True), (3_999_999_999_999, True), (4_000_000_000_000, False),
        (1574064244.0, False),
    ],
)  # fmt: skip
def test_milliseconds_are_a_time_when_they_are_of_this_century(epoch_ms: float, is_a_time: bool) -> None:
    parsed = past_event({**PAST, "Time": epoch_ms})
    assert isinstance(parsed, Reclaim)
    assert (parsed.at is not None) is is_a_time


def test_a_release_is_read_with_its_region_and_time() -> None:
    body = {**FLAT, "name": STATE_EVENT, "content": {"resourceId": "i-1", "state": "Deleted"}}
    at = datetime(2019, 4, 9, 4, 18, 26, 922000, UTC)
    assert parse(json.dumps(body)) == Released("i-1", "cn-hangzhou", at)


def test_a_release_without_an_instance_is_just_an_event() -> None:
    body = json.dumps({"name": STATE_EVENT, "content": {"resourceId": "<resource-id>", "state": "Deleted"}})
    assert parse(body) == OtherEvent(STATE_EVENT, "", f"{STATE_EVENT} Deleted")
