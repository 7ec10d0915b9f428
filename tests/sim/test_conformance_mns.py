"""Section 8 of docs/alibaba-facts.md on the bare wire: every status, code, header and element, signed here by hand."""

import base64
import hashlib
import hmac
import http.client
import xml.etree.ElementTree as ET
from email.utils import formatdate

import pytest

NS = "{http://mns.aliyuncs.com/doc/v1/}"
TWELVE = {
    "ActiveMessages", "CreateTime", "DelayMessages", "DelaySeconds", "InactiveMessages", "LastModifyTime",
    "MaximumMessageSize", "MessageRetentionPeriod", "QueueName", "VisibilityTimeout", "PollingWaitSeconds",
    "LoggingEnabled",
}  # fmt: skip
NINE = {
    "MessageId", "ReceiptHandle", "MessageBodyMD5", "MessageBody", "EnqueueTime", "NextVisibleTime",
    "FirstDequeueTime", "DequeueCount", "Priority",
}  # fmt: skip


class Wire:
    """One kept-alive connection to `/queues…`; header names of answers stay as they were sent."""

    def __init__(self, cloud):
        self._at = cloud.endpoint
        self._line = http.client.HTTPConnection(cloud.url.partition("://")[2], timeout=10)

    def __call__(self, method, resource, body="", headers=None, scheme="MNS {key}:{signature}"):
        body = body.encode()
        own = {"date": formatdate(usegmt=True), "x-mns-version": "2015-06-06"}
        if body:
            own |= {"content-type": "text/xml;charset=UTF-8",
                    "content-md5": base64.b64encode(hashlib.md5(body).hexdigest().encode()).decode()}  # fmt: skip
        own = {name: value for name, value in {**own, **(headers or {})}.items() if value is not None}
        signature = _sign(self._at.access_key_secret, method, resource, own)
        if scheme:
            own["Authorization"] = scheme.format(key=self._at.access_key_id, signature=signature)
        self._line.request(method, resource, body, own)
        answer = self._line.getresponse()
        return answer.status, dict(answer.headers.items()), answer.read().decode()


def _sign(secret, method, resource, headers):
    own = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers) if name.startswith("x-mns-"))
    lines = [method, headers.get("content-md5", ""), headers.get("content-type", ""), headers.get("date", "")]
    to_sign = "\n".join(lines) + "\n" + own + resource
    return base64.b64encode(hmac.new(secret.encode(), to_sign.encode(), hashlib.sha1).digest()).decode()


@pytest.fixture
def wire(cloud):
    return Wire(cloud)


@pytest.fixture
def messages(cloud):
    return f"/queues/{cloud.endpoint.queue}/messages"


def _code(answer):
    status, _, text = answer
    error = ET.fromstring(text)
    assert error.tag == f"{NS}Error"
    assert [child.tag for child in error] == [f"{NS}{name}" for name in ("Code", "Message", "RequestId", "HostId")]
    assert all(child.text for child in error)
    return status, error[0].text


def _fields(text):
    return {child.tag.removeprefix(NS): child.text for child in ET.fromstring(text)}


def test_8_1_the_request_id_header_is_in_lower_case_as_sent(wire):
    _, headers, _ = wire("GET", "/queues")
    assert "x-mns-request-id" in headers


def test_8_2_create_queue_answers_201_then_204_then_409_each_with_its_location(wire):
    queue = "<Queue xmlns='http://mns.aliyuncs.com/doc/v1/'><VisibilityTimeout>{}</VisibilityTimeout></Queue>"
    first, again = wire("PUT", "/queues/n", queue.format(40)), wire("PUT", "/queues/n", queue.format(40))
    assert (first[0], again[0]) == (201, 204)
    assert first[1]["Location"].endswith("/queues/n")
    assert again[1]["Location"].endswith("/queues/n")
    assert _code(wire("PUT", "/queues/n", queue.format(41))) == (409, "QueueAlreadyExist")
    assert wire("PUT", "/queues/n?metaoverride=true", queue.format(41))[0] == 204
    attributes = _fields(wire("GET", "/queues/n")[2])
    assert set(attributes) == TWELVE
    assert attributes["VisibilityTimeout"] == "41"
    assert wire("DELETE", "/queues/n")[0] == 204
    assert _code(wire("GET", "/queues/n")) == (404, "QueueNotExist")


def test_8_2_queues_are_listed_page_by_page_with_a_marker(wire):
    for number in range(5):
        wire("PUT", f"/queues/page-{number}")
    seen, marker, pages = [], "", 0
    while True:
        headers = {"x-mns-prefix": "page-", "x-mns-ret-number": "2", **({"x-mns-marker": marker} if marker else {})}
        root = ET.fromstring(wire("GET", "/queues", headers=headers)[2])
        seen += [one.text.rpartition("/")[2] for one in root.iter(f"{NS}QueueURL")]
        pages += 1
        marker = root.findtext(f"{NS}NextMarker")
        if not marker:
            break
    assert (seen, pages) == ([f"page-{number}" for number in range(5)], 3)


def test_8_2_a_message_has_nine_fields_and_a_peek_two_less(wire, messages):
    status, _, text = wire("POST", messages, "<Message><MessageBody>Zm9v</MessageBody></Message>")
    assert status == 201
    sent = _fields(text)
    assert sent["MessageBodyMD5"] == hashlib.md5(b"Zm9v").hexdigest().upper()
    peeked = _fields(wire("GET", f"{messages}?peekonly=true")[2])
    assert set(peeked) == NINE - {"ReceiptHandle", "NextVisibleTime"}
    assert peeked["DequeueCount"] == "0"
    received = _fields(wire("GET", f"{messages}?waitseconds=0")[2])
    assert set(received) == NINE
    assert (received["MessageId"], received["DequeueCount"]) == (sent["MessageId"], "1")
    handle = received["ReceiptHandle"]
    status, _, text = wire("PUT", f"{messages}?ReceiptHandle={handle}&VisibilityTimeout=60")
    assert (status, ET.fromstring(text).tag) == (200, f"{NS}ChangeVisibility")
    assert _fields(text)["ReceiptHandle"] != handle
    assert _code(wire("DELETE", f"{messages}?ReceiptHandle={handle}")) == (400, "ReceiptHandleError")
    assert wire("DELETE", f"{messages}?ReceiptHandle={_fields(text)['ReceiptHandle']}")[0] == 204
    assert _code(wire("GET", f"{messages}?waitseconds=0")) == (404, "MessageNotExist")


def test_8_2_query_names_are_good_in_any_case(cloud, wire, messages):
    """As the official SDK for Node spells them."""
    cloud.send("x")
    handle = _fields(wire("GET", f"{messages}?waitSeconds=0")[2])["ReceiptHandle"]
    status, _, text = wire("PUT", f"{messages}?receiptHandle={handle}&visibilityTimeout=60")
    assert status == 200
    assert wire("DELETE", f"{messages}?receiptHandle={_fields(text)['ReceiptHandle']}")[0] == 204


def test_8_2_a_delayed_message_comes_with_a_handle_and_later(cloud, wire, messages):
    body = "<Message><MessageBody>x</MessageBody><DelaySeconds>10</DelaySeconds></Message>"
    assert "ReceiptHandle" in _fields(wire("POST", messages, body)[2])
    assert _code(wire("GET", f"{messages}?waitseconds=0")) == (404, "MessageNotExist")
    cloud.advance(10)
    assert wire("GET", f"{messages}?waitseconds=0")[0] == 200


def test_8_2_a_batch_delete_in_part_is_404_with_errors(wire, messages):
    batch = "<Messages>" + "<Message><MessageBody>x</MessageBody></Message>" * 2 + "</Messages>"
    assert wire("POST", messages, batch)[0] == 201
    text = wire("GET", f"{messages}?numOfMessages=16&waitseconds=0")[2]
    handles = [one.text for one in ET.fromstring(text).iter(f"{NS}ReceiptHandle")]
    assert len(handles) == 2

    def delete(*which):
        rows = "".join(f"<ReceiptHandle>{one}</ReceiptHandle>" for one in which)
        return wire("DELETE", messages, f"<ReceiptHandles>{rows}</ReceiptHandles>")

    status, _, text = delete(handles[0], "1-forged")
    assert status == 404
    (error,) = ET.fromstring(text)
    assert [child.tag.removeprefix(NS) for child in error] == ["ErrorCode", "ErrorMessage", "ReceiptHandle"]
    assert error.findtext(f"{NS}ReceiptHandle") == "1-forged"
    assert delete(handles[1])[0] == 204


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (("GET", "/queues/none"), (404, "QueueNotExist")),
        (("GET", "/queues", "", {"date": None}), (400, "MissingDateHeader")),
        (("GET", "/queues", "", {"date": "yesterday"}), (400, "InvalidDateHeader")),
        (("GET", "/queues", "", {"date": "Sun, 22 Nov 2020 09:02:54 GMT"}), (408, "TimeExpired")),
        (("GET", "/queues", "", {}, ""), (400, "MissingAuthorizationHeader")),
        (("GET", "/queues", "", {}, "Basic {key}"), (400, "InvalidAuthorizationHeader")),
        (("GET", "/queues", "", {}, "MNS nobody:{signature}"), (403, "InvalidAccessKeyId")),
        (("GET", "/queues", "", {}, "MNS {key}:forged"), (403, "SignatureDoesNotMatch")),
        (("PUT", "/queues/n", "<Queue/>", {"content-md5": "d3Jvbmc="}), (400, "InvalidDegist")),
        (("PUT", "/queues/n", "<Queue>"), (400, "MalformedXML")),
        (("PUT", "/queues/n", "<Queue><VisibilityTimeout>0</VisibilityTimeout></Queue>"), (400, "InvalidArgument")),
        (("PUT", "/queues/n", "<Queue><PollingWaitSeconds>31</PollingWaitSeconds></Queue>"), (400, "InvalidArgument")),
        (("PUT", f"/queues/{'n' * 257}"), (400, "QueueNameLengthError")),
        (("PUT", "/queues/a_b"), (400, "InvalidQueueName")),
        (("POST", "/queues/n"), (400, "InvalidRequestURL")),
        (("GET", "{messages}?waitseconds=31"), (400, "InvalidArgument")),
        (("GET", "{messages}?numOfMessages=17&waitseconds=0"), (400, "InvalidArgument")),
        (("GET", "{messages}?nonsense=1"), (400, "InvalidQueryString")),
        (("PUT", "{messages}?VisibilityTimeout=60"), (400, "MissingReceiptHandle")),
        (("PUT", "{messages}?ReceiptHandle=1-x"), (400, "MissingVisibilityTimeout")),
        (("PUT", "{messages}?ReceiptHandle=1-x&VisibilityTimeout=43201"), (400, "InvalidArgument")),
        (("DELETE", "{messages}?ReceiptHandle=forged"), (400, "ReceiptHandleError")),
        (("POST", "{messages}", "<Message><Body/></Message>"), (400, "MalformedXML")),
        (("POST", "{messages}", "<Messages></Messages>"), (400, "InvalidArgument")),
    ],
)
def test_8_3_every_refusal_has_its_status_and_code(wire, messages, request_, expected):
    method, resource, *rest = request_
    assert _code(wire(method, resource.replace("{messages}", messages), *rest)) == expected


def test_8_3_a_key_without_the_right_is_denied_and_a_broken_service_says_so(cloud, wire, messages):
    cloud.world(permissions={"ReceiveMessage": "forbidden"})
    assert _code(wire("GET", f"{messages}?waitseconds=0")) == (403, "AccessDenied")
    cloud.fault("PeekMessage", "error", code="InternalError", status=500)
    assert _code(wire("GET", f"{messages}?peekonly=true")) == (500, "InternalError")


def test_8_4_64_kib_fit_and_one_byte_more_does_not(wire, messages):
    body = "<Message><MessageBody>{}</MessageBody></Message>"
    assert wire("POST", messages, body.format("x" * 65_536))[0] == 201
    assert _code(wire("POST", messages, body.format("x" * 65_537))) == (400, "InvalidArgument")


def test_8_4_lower_priority_numbers_come_earlier(wire, messages):
    for priority in (16, 1, 8):
        body = f"<Message><MessageBody>{priority}</MessageBody><Priority>{priority}</Priority></Message>"
        wire("POST", messages, body)
    bodies = [_fields(wire("GET", f"{messages}?waitseconds=0")[2])["MessageBody"] for _ in range(3)]
    assert bodies == ["1", "8", "16"]


def test_8_4_old_messages_are_gone_after_the_retention_period(cloud, wire, messages):
    cloud.send("old")
    cloud.advance(345_601)
    assert _code(wire("GET", f"{messages}?waitseconds=0")) == (404, "MessageNotExist")


def test_poison_comes_out_as_it_was_put_in(cloud, wire, messages):
    cloud.send("<Message><MessageBody>inner</MessageBody></Message>")
    assert _fields(wire("GET", f"{messages}?waitseconds=0")[2])["MessageBody"].startswith("<Message>")
    cloud.control("POST", "send", {"poison": "nested_xml", "verbatim": True})
    inner = ET.fromstring(wire("GET", f"{messages}?waitseconds=0")[2]).find(f"{NS}MessageBody/{NS}Message")
    assert inner is not None
