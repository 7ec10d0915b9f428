"""The MNS adapter: bodies that the SDK chokes on, receipts that have expired, and a stop that works."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from spottui.cloud.credentials import CredentialSource
from spottui.cloud.errors import CloudError, ErrorKind
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
