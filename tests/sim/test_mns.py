"""The queues, through the official SDK."""

import socket
import threading
import time

import pytest
from mns.account import Account
from mns.mns_exception import MNSClientNetworkException, MNSServerException
from mns.queue import Message, QueueMeta


def _second_consumer(cloud):
    at = cloud.endpoint
    queue = Account(at.url, at.access_key_id, at.access_key_secret).get_queue(at.queue)
    queue.set_encoding(False)
    return queue


def _wait_for(condition, seconds=5.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "condition did not come true"
        time.sleep(0.01)


def test_a_message_comes_back_as_it_was_sent(cloud, queue):
    body = 'a <b> & "c" ]]> 名 \t end'
    cloud.send(body)
    message = queue.receive_message(0)
    assert message.message_body == body
    assert (message.dequeue_count, message.priority) == (1, 8)


def test_an_empty_queue_says_message_not_exist(queue):
    with pytest.raises(MNSServerException) as refused:
        queue.receive_message(0)
    assert refused.value.type == "MessageNotExist"
    assert refused.value.req_id


def test_a_message_is_hidden_until_its_visibility_timeout(cloud, queue):
    cloud.send("x")
    first = queue.receive_message(0)
    cloud.advance(29)
    with pytest.raises(MNSServerException):
        queue.receive_message(0)
    cloud.advance(2)
    second = queue.receive_message(0)
    assert (second.message_id, second.dequeue_count) == (first.message_id, 2)
    assert second.receipt_handle != first.receipt_handle
    with pytest.raises(MNSServerException) as refused:
        queue.delete_message(first.receipt_handle)
    assert refused.value.type == "ReceiptHandleError"
    queue.delete_message(second.receipt_handle)
    cloud.advance(100)
    with pytest.raises(MNSServerException):
        queue.receive_message(0)


def test_an_expired_handle_does_not_delete(cloud, queue):
    cloud.send("x")
    held = queue.receive_message(0)
    cloud.advance(31)
    with pytest.raises(MNSServerException) as refused:
        queue.delete_message(held.receipt_handle)
    assert refused.value.type == "ReceiptHandleError"


def test_changing_visibility_gives_a_new_handle(cloud, queue):
    cloud.send("x")
    held = queue.receive_message(0)
    changed = queue.change_message_visibility(held.receipt_handle, 100)
    cloud.advance(60)
    with pytest.raises(MNSServerException) as refused:
        queue.delete_message(held.receipt_handle)
    assert refused.value.type == "ReceiptHandleError"
    queue.delete_message(changed.receipt_handle)


def test_batches_send_receive_and_delete(cloud, queue):
    sent = queue.batch_send_message([Message(f"m{n}") for n in range(16)])
    received = queue.batch_receive_message(16, 0)
    assert [m.message_body for m in received] == [f"m{n}" for n in range(16)]
    assert {m.message_id for m in received} == {m.message_id for m in sent}
    queue.batch_delete_message([m.receipt_handle for m in received])
    assert cloud.state()["queues"][queue.queue_name]["InactiveMessages"] == 0


def test_a_batch_delete_that_fails_in_part_names_the_handles(cloud, queue):
    cloud.send("x")
    held = queue.receive_message(0)
    with pytest.raises(MNSServerException) as refused:
        queue.batch_delete_message([held.receipt_handle, "1-bm90LWEtaGFuZGxl"])
    assert refused.value.req_id
    assert [e["ReceiptHandle"] for e in refused.value.sub_errors] == ["1-bm90LWEtaGFuZGxl"]
    assert cloud.state()["queues"][queue.queue_name]["InactiveMessages"] == 0


def test_peeking_takes_nothing(cloud, queue):
    cloud.send("x")
    assert queue.peek_message().message_body == "x"
    assert queue.batch_peek_message(16)[0].message_body == "x"
    assert queue.receive_message(0).dequeue_count == 1


def test_a_long_poll_wakes_at_once(cloud, queue):
    found = []
    poll = threading.Thread(target=lambda: found.append(queue.receive_message(20)))
    poll.start()
    _wait_for(lambda: cloud.calls("ReceiveMessage"))
    start = time.monotonic()
    cloud.send("x")
    poll.join(5)
    assert time.monotonic() - start < 2
    assert found[0].message_body == "x"


def test_a_long_poll_wakes_when_a_hidden_message_shows_up_again(cloud, queue):
    cloud.send("x")
    queue.receive_message(0)
    found = []
    other = _second_consumer(cloud)
    poll = threading.Thread(target=lambda: found.append(other.batch_receive_message(16, 20)))
    poll.start()
    _wait_for(lambda: cloud.calls("BatchReceiveMessage"))
    cloud.advance(31)
    poll.join(5)
    assert found[0][0].dequeue_count == 2


def test_a_poll_whose_client_has_gone_takes_nothing(cloud, queue):
    client = _second_consumer(cloud)
    connection = client.mns_client.http.conn
    outcome = []
    poll = threading.Thread(target=_poll_into, args=(client, outcome))
    poll.start()
    _wait_for(lambda: cloud.calls("ReceiveMessage"))
    # The SDK re-sends after a closed connection; a port that refuses keeps it from doing so here.
    connection.port = 1
    connection.sock.shutdown(socket.SHUT_RDWR)
    poll.join(5)
    assert isinstance(outcome[0], MNSClientNetworkException)
    cloud.send("x")
    assert queue.receive_message(5).dequeue_count == 1
    assert len(cloud.calls("ReceiveMessage")) == 2


def _poll_into(client, outcome):
    try:
        outcome.append(client.receive_message(20))
    except MNSClientNetworkException as failure:
        outcome.append(failure)


def test_queues_are_created_described_listed_and_deleted(cloud):
    at = cloud.endpoint
    account = Account(at.url, at.access_key_id, at.access_key_secret)
    queue = account.get_queue("another")
    assert queue.create(QueueMeta(vis_timeout=60)).endswith("/queues/another")
    queue.create(QueueMeta(vis_timeout=60))
    with pytest.raises(MNSServerException) as refused:
        queue.create(QueueMeta(vis_timeout=61))
    assert refused.value.type == "QueueAlreadyExist"
    queue.set_attributes(QueueMeta(vis_timeout=90))
    with pytest.warns(DeprecationWarning, match="deprecated"):
        attributes = queue.get_attributes()
    assert (attributes.visibility_timeout, attributes.queue_name) == (90, "another")
    names, _ = account.list_queue(prefix="ano")
    assert [name.rpartition("/")[2] for name in names] == ["another"]
    queue.delete()
    with pytest.raises(MNSServerException) as gone:
        queue.receive_message(0)
    assert gone.value.type == "QueueNotExist"


def test_an_entity_in_a_request_is_refused(cloud, queue):
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]><Message><MessageBody>&a;</MessageBody></Message>'
    from mns import mns_xml_handler

    original = mns_xml_handler.MessageEncoder.encode
    mns_xml_handler.MessageEncoder.encode = staticmethod(lambda data: bomb.encode())
    try:
        with pytest.raises(MNSServerException) as refused:
            queue.send_message(Message("x"))
    finally:
        mns_xml_handler.MessageEncoder.encode = original
    assert refused.value.type == "MalformedXML"


def test_a_queue_that_is_down_answers_503_and_comes_back(cloud, queue):
    cloud.send("x")
    cloud.world(queue_down=True)
    with pytest.raises(MNSServerException) as refused:
        queue.receive_message(0)
    assert refused.value.type == "ServiceUnavailable"
    cloud.world(queue_down=False)
    assert queue.receive_message(0).message_body == "x"
