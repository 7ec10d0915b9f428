"""The MNS adapter: bodies that the SDK chokes on, receipts that have expired, and a stop that works."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from spottui.cloud.credentials import CredentialSource
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.cloud.messages import RECLAIM_EVENT, Reclaim, parse
from spottui.cloud.mns import Queue
from spottui.sim.testing import SimServer


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[SimServer]:
    with SimServer(speed=0, instances=2, config=tmp_path / "c.toml") as running:
        yield running


def queue_of(cloud: SimServer, name: str = "spot-interruption", long_poll_s: int = 1) -> Queue:
    config = cloud.endpoint.config
    assert config is not None
    source = CredentialSource(config.with_name("c-credentials.ini"))
    return Queue(cloud.url, name, source, long_poll_s)


def test_a_body_that_breaks_the_sdk_hides_no_other_message(cloud: SimServer) -> None:
    for body in ("plain words", "/w=="):
        cloud.send(body)
    cloud.send("<Message><MessageBody>inner</MessageBody></Message>", verbatim=True)
    cloud.send('{"name": "good"}')
    queue = queue_of(cloud)
    messages = queue.receive()
    assert len(messages) == 4
    assert '{"name": "good"}' in [message.body for message in messages]
    queue.delete(messages)
    state = cloud.state()["queues"]["spot-interruption"]
    assert state["ActiveMessages"] + state["InactiveMessages"] == 0


RECLAIM = {"name": RECLAIM_EVENT, "instanceName": "抢占式", "content": {"instanceId": "i-1", "action": "delete"}}


def test_the_xml_of_a_topic_that_nobody_escaped_is_still_a_reclaim(cloud: SimServer) -> None:
    body = f"<Notification><TopicName>t</TopicName><Message>{json.dumps(RECLAIM)}</Message></Notification>"
    cloud.send(body, verbatim=True)
    assert [parse(message.body) for message in queue_of(cloud).receive()] == [Reclaim("i-1", "", None, "delete")]


class ServiceInGbk(BaseHTTPRequestHandler):
    """A queue service that passes a body on in the encoding of its publisher, dated in the year 9999."""

    def do_GET(self) -> None:
        fields = {"MessageId": "1", "ReceiptHandle": "r", "MessageBodyMD5": "0", "DequeueCount": "1", "Priority": "8"}
        fields |= {"MessageBody": json.dumps(RECLAIM, ensure_ascii=False).replace('"', "&quot;")}
        fields |= dict.fromkeys(("EnqueueTime", "NextVisibleTime", "FirstDequeueTime"), "253402300799000")
        inside = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
        answer = f'<?xml version="1.0"?><Messages><Message>{inside}</Message></Messages>'.encode("gbk")
        self.send_response(200)
        self.send_header("x-mns-request-id", "R")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


def test_an_answer_in_gbk_is_read_and_has_no_date_where_the_service_gave_none(cloud: SimServer) -> None:
    assert cloud.endpoint.config
    source = CredentialSource(cloud.endpoint.config.with_name("c-credentials.ini"))
    with HTTPServer(("127.0.0.1", 0), ServiceInGbk) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        (message,) = Queue(f"http://127.0.0.1:{server.server_port}", "q", source, 1).receive()
        server.shutdown()
    assert parse(message.body) == Reclaim("i-1", "", None, "delete")
    assert "抢占式" in message.body
    assert message.enqueued is None


def test_an_empty_queue_is_no_error(cloud: SimServer) -> None:
    assert queue_of(cloud).receive() == []


def test_a_queue_that_is_not_there_is_named(cloud: SimServer) -> None:
    with pytest.raises(CloudError) as error:
        queue_of(cloud, "elsewhere").receive()
    assert (error.value.kind, error.value.code) == (ErrorKind.NOT_FOUND, "QueueNotExist")
    assert error.value.request_id


def test_a_receipt_that_has_expired_is_no_error_and_the_message_comes_again(cloud: SimServer) -> None:
    cloud.send("one")
    queue = queue_of(cloud)
    messages = queue.receive()
    cloud.advance(60)
    queue.delete(messages)
    assert [message.body for message in queue.receive()] == ["one"]


def test_a_message_that_may_not_be_deleted_keeps_no_other(cloud: SimServer) -> None:
    for number in range(20):
        cloud.send(str(number))
    queue = queue_of(cloud)
    messages = [*queue.receive(), *queue.receive()]
    cloud.fault("BatchDeleteMessage", "error", times=3, code="InvalidArgument", status=400)
    with pytest.raises(CloudError, match="InvalidArgument"):
        queue.delete(messages)
    state = cloud.state()["queues"]["spot-interruption"]
    assert (len(messages), state["ActiveMessages"] + state["InactiveMessages"]) == (20, 1)


def test_a_denied_delete_is_one_call_a_batch(cloud: SimServer) -> None:
    for number in range(16):
        cloud.send(str(number))
    queue = queue_of(cloud)
    messages = queue.receive()
    cloud.fault("BatchDeleteMessage", "error", times=40, code="AccessDenied", status=403)
    with pytest.raises(CloudError, match="AccessDenied"):
        queue.delete(messages)
    assert (len(messages), len(cloud.calls("BatchDeleteMessage"))) == (16, 1)


@pytest.mark.parametrize("kind", ["html_502", "reset", "error", "bad_json"])
def test_no_fault_of_the_service_escapes_the_taxonomy(cloud: SimServer, kind: str) -> None:
    cloud.fault("BatchReceiveMessage", kind, times=1)
    queue = queue_of(cloud)
    with pytest.raises(CloudError):
        queue.receive()
    cloud.send("after")
    assert [message.body for message in queue.receive()] == ["after"]


def test_stop_ends_a_long_poll_at_once(cloud: SimServer) -> None:
    queue = queue_of(cloud, long_poll_s=30)
    ended = threading.Event()

    def poll() -> None:
        try:
            queue.receive()
        except CloudError:
            ended.set()

    threading.Thread(target=poll, daemon=True).start()
    waiting = time.monotonic() + 10
    while not cloud.calls("BatchReceiveMessage") and time.monotonic() < waiting:
        time.sleep(0.01)
    queue.stop()
    assert ended.wait(2)
    assert len(cloud.calls("BatchReceiveMessage")) == 1
