"""Message bodies in every documented format (docs/alibaba-facts.md 9), however wrapped, and everything that is none."""

import base64
import json
from datetime import UTC, datetime
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spottui.cloud.messages import (
    RECLAIM_EVENT,
    STATE_EVENT,
    OtherEvent,
    Poison,
    Reclaim,
    Released,
    parse,
    parse_all,
    past_event,
)

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
        (FLAT, Reclaim("i-bp1ecr00000000go2go", "cn-hangzhou", datetime(2019, 4, 9, 4, 18, 26, 922000, UTC), "delete",
                       "169070000000030")),
        (DRILL, Reclaim("i-abcdef", "cn-hangzhou", None, "delete")),
        (ENVELOPE, Reclaim("i-1", "us-east-1", datetime(2024, 9, 10, 9, 26, 37, 0, UTC), "delete")),
        (CLOUD_EVENT, Reclaim("i-2", "cn-beijing", datetime(2026, 11, 22, 12, tzinfo=UTC), "delete")),
        ({**FLAT, "content": json.dumps(FLAT["content"]), "eventTime": "soon"},
         Reclaim("i-bp1ecr00000000go2go", "cn-hangzhou", None, "delete", "169070000000030")),
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
        ("\ufeff \r\n", "the body is empty"),
        ("hello world", "neither Base64 nor JSON"),
        ("/w==", "neither Base64 nor JSON"),
        (base64.b64encode(b"hello").decode(), "neither Base64 nor JSON"),
        ("[1]", "a JSON int where an object is expected"),
        ("[]", "an empty list"),
        ("<a><b>x</b></a>", "XML without a Message"),
        ("<Notification>", "XML without a Message"),
        ("[" * 100_000, "a text that is not JSON"),
        ("[" * 30 + "]" * 30, "nested more than 24 levels deep"),
        ("x" * 1_000_001, "a body of 1000001 characters"),
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


@settings(deadline=None)
@given(st.text() | st.binary() | st.binary().map(lambda raw: base64.b64encode(raw).decode()))
def test_parsing_never_raises(body: str | bytes) -> None:
    assert all(isinstance(one, Reclaim | Released | OtherEvent | Poison) for one in parse_all(body))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
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


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(PAST)), json_values))
def test_no_item_of_the_history_raises(item: dict[str, object]) -> None:
    assert isinstance(past_event(item), Reclaim | Released | OtherEvent | Poison)


def test_a_release_is_read_with_its_region_and_time() -> None:
    body = {**FLAT, "name": STATE_EVENT, "content": {"resourceId": "i-1", "state": "Deleted"}}
    at = datetime(2019, 4, 9, 4, 18, 26, 922000, UTC)
    assert parse(json.dumps(body)) == Released("i-1", "cn-hangzhou", at)


def test_a_release_without_an_instance_is_just_an_event() -> None:
    body = json.dumps({"name": STATE_EVENT, "content": {"resourceId": "<resource-id>", "state": "Deleted"}})
    assert parse(body) == OtherEvent(STATE_EVENT, "", f"{STATE_EVENT} Deleted")


def envelope(**changed: object) -> str:
    return json.dumps({**ENVELOPE, "alert": {**ENVELOPE["alert"], **changed}})


@pytest.mark.parametrize("meta", [None, [], {"sysEventMeta": None}, {"sysEventMeta": "text"}, "text"])
def test_an_envelope_without_its_inner_part_has_region_and_time_around_it(meta: object) -> None:
    parsed = parse(envelope(meta=meta, arn="acs:ecs:us-west-1:1:instance/i-1"))
    assert parsed == Reclaim("i-1", "us-west-1", datetime(2024, 9, 10, 9, 26, 37, 0, UTC), "delete")


def test_the_inner_part_of_an_envelope_names_region_and_time() -> None:
    inner = {"regionId": "cn-beijing", "eventTime": "20240910T172637.108+0800"}
    parsed = parse(envelope(meta={"sysEventMeta": inner}, arn="acs:ecs:us-west-1:1:instance/i-1", timestamp=None))
    assert parsed == Reclaim("i-1", "cn-beijing", datetime(2024, 9, 10, 9, 26, 37, 108000, UTC), "delete")


@pytest.mark.parametrize(("arn", "region"), [("acs:ecs:us-west-1:1", "us-west-1"), ("acs:ecs:us-west-1", ""), (7, "")])
def test_a_region_is_taken_from_a_whole_arn_only(arn: object, region: str) -> None:
    parsed = parse(envelope(meta=None, arn=arn))
    assert isinstance(parsed, Reclaim)
    assert parsed.region == region


def test_words_from_outside_are_cut_to_two_hundred_characters() -> None:
    assert parse(json.dumps({"name": "x" * 201, "content": {}})) == OtherEvent("x" * 200, "", "x" * 200)


def topic_json(body: str) -> str:
    """help.aliyun.com/document_detail/27482.html"""
    return json.dumps({
        "TopicOwner": "169070000000030", "TopicName": "spot", "Subscriber": "169070000000030",
        "SubscriptionName": "console", "MessageId": "6CC4D900CA59A2CD-1-15180534A8F-20000", "Message": body,
        "MessageMD5": "F1E92841751D795AB325861034B5", "MessageTag": "important", "PublishTime": "1449556920975",
    })  # fmt: skip


def topic_xml(body: str) -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<Notification xmlns="http://mns.aliyuncs.com/doc/v1/">'
        f"<TopicOwner>1</TopicOwner><MessageId>6CC4-1</MessageId><Message>{escape(body)}</Message>"
        "<MessageMD5>F1E9</MessageMD5><PublishTime>1449556920975</PublishTime></Notification>"
    )


def topic_cdata(body: str) -> str:
    held = body.replace("]]>", "]]]]><![CDATA[>")
    return f"<Notification><Message><![CDATA[{held}]]></Message></Notification>"


def topic_as_documented(body: str) -> str:
    """The documentation's own sample closes its last element by another name."""
    return topic_xml(body).replace("</PublishTime>", "</MessagePublishTime>")


def event_bridge(body: str) -> str:
    data = {"requestId": "R", "messageId": "M", "messageBody": body}
    return json.dumps({"specversion": "1.0", "source": "acs.mns", "type": "mns:Queue:SendMessage", "data": data})


def in_base64(body: str) -> str:
    return base64.b64encode(body.encode()).decode()


def for_urls_unpadded(body: str) -> str:
    return base64.urlsafe_b64encode(body.encode()).decode().rstrip("=")


def in_lines(body: str) -> str:
    return base64.encodebytes(body.encode()).decode().replace("\n", "\r\n")


def in_gbk(body: str) -> str:
    return base64.b64encode(body.encode("gb18030")).decode()


def with_a_bom(body: str) -> str:
    return base64.b64encode(body.encode("utf-8-sig")).decode()


def in_utf_16(body: str) -> str:
    return base64.b64encode(body.encode("utf-16")).decode()


WRAPPINGS = (
    topic_json, topic_xml, topic_cdata, topic_as_documented, event_bridge, in_base64, for_urls_unpadded, in_lines,
    in_gbk, with_a_bom, in_utf_16, json.dumps, lambda body: f"[{json.dumps(body)}]", lambda body: f"\ufeff{body}\n",
)  # fmt: skip
NAMED = {**FLAT, "instanceName": "抢占式-é-\U0001f600", "eventRealname": "抢占式实例中断通知"}


@settings(deadline=None)
@given(
    st.sampled_from((FLAT, DRILL, ENVELOPE, CLOUD_EVENT, NAMED)),
    st.lists(st.sampled_from(WRAPPINGS), max_size=3),
    st.booleans(),
)
def test_a_real_event_is_the_same_reclaim_in_any_wrapping(
    document: dict[str, object], wrappings: list[object], ascii_only: bool
) -> None:
    body = json.dumps(document, ensure_ascii=ascii_only)
    for wrap in wrappings:
        body = wrap(body)  # type: ignore[operator]
    expected = parse(json.dumps(document))
    assert isinstance(expected, Reclaim)
    assert parse_all(body) == (expected,)
    assert parse_all(body.encode()) == (expected,)


@pytest.mark.parametrize("encoding", ["gbk", "gb18030", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32",
                                      "utf-32-le", "utf-32-be"])  # fmt: skip
def test_a_body_in_bytes_tells_its_encoding_by_itself(encoding: str) -> None:
    body = json.dumps({**FLAT, "instanceName": "抢占式实例"}, ensure_ascii=False).encode(encoding)
    assert parse_all(body) == parse_all(json.dumps(FLAT))


def test_a_broken_character_hides_no_reclaim() -> None:
    body = json.dumps({**FLAT, "instanceName": "name"}).encode().replace(b'"name"}', b'"\xe6"}')
    assert isinstance(parse(body), Reclaim)


def test_each_event_of_an_array_counts_and_what_is_none_spoils_no_other() -> None:
    other = {"name": STATE_EVENT, "content": {"resourceId": "i-9", "state": "Stopped"}}
    found = parse_all(json.dumps([1, other, {}, json.dumps(CLOUD_EVENT), [FLAT], {"name": RECLAIM_EVENT}]))
    assert [type(one) for one in found] == [OtherEvent, Reclaim, Reclaim]
    assert [one.instance_id for one in found if isinstance(one, Reclaim)] == ["i-2", "i-bp1ecr00000000go2go"]


def test_the_weightiest_event_speaks_for_its_body() -> None:
    other = {"name": STATE_EVENT, "content": {"resourceId": "i-9", "state": "Stopped"}}
    gone = {"name": STATE_EVENT, "content": {"resourceId": "i-9", "state": "Deleted"}}
    assert parse(json.dumps([other, gone])) == Released("i-9", "", None)
    assert parse(json.dumps([other, gone, DRILL])) == parse(json.dumps(DRILL))


def test_an_array_cannot_flood() -> None:
    assert len(parse_all(json.dumps([{"name": "x"}] * 5000))) == 1000


@pytest.mark.parametrize(
    "attack",
    [
        '<!DOCTYPE n [<!ENTITY x SYSTEM "file:///etc/passwd">]><Notification><Message>&x;</Message></Notification>',
        '<!DOCTYPE n [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]><n><Message>&b;</Message></n>',
        '<!DOCTYPE n SYSTEM "http://127.0.0.1:9/x.dtd"><Notification><Message>{}</Message></Notification>',
    ],
)
def test_xml_with_entities_is_not_even_begun(attack: str) -> None:
    assert parse_all(attack) == (Poison("XML with a DOCTYPE"),)


def test_a_reclaim_in_a_name_is_data() -> None:
    body = {**FLAT, "name": STATE_EVENT, "instanceName": json.dumps(FLAT), "message": json.dumps(FLAT)}
    assert [type(one) for one in parse_all(json.dumps(body))] == [OtherEvent]


@pytest.mark.parametrize(
    ("changed", "account_id"),
    [
        ({}, "169070000000030"),
        ({"resourceId": "acs:ecs:cn-hangzhou:1234567890123456:instance/i-1"}, "1234567890123456"),
        ({"resourceId": "acs:ecs:cn-hangzhou:169070********30:instance/i-1", "userId": None}, ""),
        ({"resourceId": "acs:ecs:cn-hangzhou:169070********30:instance/i-1"}, "169070000000030"),
        ({"resourceId": 7, "userId": 7}, ""),
        ({"resourceId": "acs:ecs", "userId": "../1"}, ""),
    ],
)
def test_the_account_is_the_one_in_the_arn(changed: dict[str, object], account_id: str) -> None:
    parsed = parse(json.dumps({**FLAT, **changed}))
    assert isinstance(parsed, Reclaim)
    assert parsed.account_id == account_id


def test_the_account_of_the_other_formats() -> None:
    alert = {**ENVELOPE["alert"], "arn": "acs:ecs:us-east-1:1234567:instance/i-1"}  # type: ignore[dict-item]
    bridged = {**CLOUD_EVENT, "aliyunaccountid": "7654321"}
    found = parse_all(json.dumps([{**ENVELOPE, "alert": alert}, bridged]))
    assert [one.account_id for one in found if isinstance(one, Reclaim)] == ["1234567", "7654321"]


@pytest.mark.parametrize("written", ["0001-01-01T00:00:00+08:00", "9999-12-31T23:59:59-08:00", 1e300, float("nan"), {}])
@pytest.mark.parametrize(
    ("document", "key"),
    [(FLAT, "eventTime"), (CLOUD_EVENT, "time"), (ENVELOPE, "alert")],
    ids=["flat", "cloud", "alert"],
)
def test_a_date_that_cannot_be_true_is_none_and_the_reclaim_is_read(
    document: dict[str, object], key: str, written: object
) -> None:
    value = {"eventName": RECLAIM_EVENT, "timestamp": written, "eventContentMap": {"instanceId": "i-1"}}
    parsed = parse(json.dumps({**document, key: value if key == "alert" else written}))
    assert isinstance(parsed, Reclaim)
    assert parsed.at is None


@pytest.mark.parametrize("between", ["\n", "", " \r\n\n"])
def test_events_one_behind_the_other_are_all_read(between: str) -> None:
    bodies = [json.dumps({**FLAT, "content": {"instanceId": one}}) for one in ("i-1", "i-2", "i-3")]
    found = parse_all(between.join(bodies))
    assert [one.instance_id for one in found if isinstance(one, Reclaim)] == ["i-1", "i-2", "i-3"]
    assert parse_all(between.join([*bodies, "{"])) == (Poison("a text that is not JSON"),)


@pytest.mark.parametrize(
    ("time", "is_dated"),
    [("20190409T121826.922+0800", True), ("yesterday", True), ("00010101T000000Z", True), ("", False), (None, False)],
)
def test_only_a_body_without_any_time_is_what_a_drill_looks_like(time: str | None, is_dated: bool) -> None:
    parsed = parse(json.dumps({**FLAT, "eventTime": time}))
    assert isinstance(parsed, Reclaim)
    assert parsed.is_dated is is_dated
