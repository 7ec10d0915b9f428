"""Topics of MNS with the official client: attributes, subscriptions of both kinds, three formats, the account."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Queue as Inbox
from xml.etree import ElementTree

import pytest
from mns.account import Account
from mns.mns_client import MNSClient
from mns.mns_exception import MNSServerException
from mns.mns_request import GetAccountAttributesRequest, GetAccountAttributesResponse
from mns.subscription import SubscriptionMeta
from mns.topic import TopicMessage, TopicMeta

from spottui.sim.testing import SimServer


@pytest.fixture
def account(cloud):
    at = cloud.endpoint
    return Account(at.url, at.access_key_id, at.access_key_secret)


@pytest.fixture
def topic(account):
    found = account.get_topic("news")
    found.create(TopicMeta(maximum_message_size=2048))
    return found


def queue_arn(cloud):
    return f"acs:mns:cn-hangzhou:{cloud.endpoint.account_id}:queues/{cloud.endpoint.queue}"


def subscribe(topic, endpoint, written="SIMPLIFIED", tag="", name="one"):
    topic.get_subscription(name).subscribe(SubscriptionMeta(endpoint, "BACKOFF_RETRY", written, tag))


@pytest.fixture
def inbox():
    """An HTTP endpoint on this machine and what it received; the first answer is a failure."""
    received: Inbox = Inbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.put((self.headers, body.decode()))
            self.send_response(500 if received.qsize() == 1 else 204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook", received
    server.shutdown()


def test_a_topic_has_its_attributes_and_ends(account, topic):
    assert topic.create(TopicMeta(maximum_message_size=2048)).endswith("/topics/news")
    with pytest.raises(MNSServerException) as refused:
        topic.create(TopicMeta(maximum_message_size=4096))
    assert refused.value.type == "TopicAlreadyExist"
    topic.set_attributes(TopicMeta(maximum_message_size=4096, logging_enabled=True))
    meta = topic.get_attributes()
    assert (meta.topic_name, meta.maximum_message_size, meta.logging_enabled) == ("news", 4096, True)
    urls, marker = account.list_topic()
    assert ([url.rpartition("/")[2] for url in urls], marker) == (["news"], "")
    topic.delete()
    with pytest.raises(MNSServerException) as gone:
        topic.get_attributes()
    assert gone.value.type == "TopicNotExist"


def test_lists_of_topics_come_in_pages(account):
    for name in ("a", "b", "c"):
        account.get_topic(name).create(TopicMeta())
    first, marker = account.list_topic(ret_number=2)
    rest, end = account.list_topic(ret_number=2, marker=marker)
    assert ([url[-1] for url in first + rest], end) == (["a", "b", "c"], "")


def test_a_subscription_is_kept_shown_and_ended(cloud, topic):
    subscribe(topic, queue_arn(cloud), "JSON", "red")
    meta = topic.get_subscription("one").get_attributes()
    assert (meta.endpoint, meta.filter_tag, meta.notify_content_format) == (queue_arn(cloud), "red", "JSON")
    assert topic.list_subscription()[0][0].endswith("/topics/news/subscriptions/one")
    with pytest.raises(MNSServerException) as refused:
        subscribe(topic, "http://127.0.0.1:9/other")
    assert refused.value.type == "SubscriptionAlreadyExist"
    topic.get_subscription("one").unsubscribe()
    with pytest.raises(MNSServerException):
        topic.get_subscription("one").get_attributes()


def test_what_is_published_reaches_a_queue_in_three_formats(cloud, topic, queue):
    bodies = {}
    for written in ("SIMPLIFIED", "JSON", "XML"):
        subscribe(topic, queue_arn(cloud), written)
        topic.publish_message(TopicMessage("hello & goodbye"))
        message = queue.receive_message(0)
        bodies[written] = message.message_body
        queue.delete_message(message.receipt_handle)
        topic.get_subscription("one").unsubscribe()
    assert bodies["SIMPLIFIED"] == "hello & goodbye"
    assert json.loads(bodies["JSON"])["Message"] == "hello & goodbye"
    root = ElementTree.fromstring(bodies["XML"])
    assert root.findtext("{http://mns.aliyuncs.com/doc/v1/}Message") == "hello & goodbye"


def test_a_filter_tag_lets_only_its_own_through(cloud, topic, queue):
    subscribe(topic, queue_arn(cloud), tag="red")
    topic.publish_message(TopicMessage("blue one", "blue"))
    topic.publish_message(TopicMessage("red one", "red"))
    assert queue.receive_message(0).message_body == "red one"
    assert cloud.state()["queues"][cloud.endpoint.queue]["ActiveMessages"] == 0


def test_an_http_endpoint_is_called_again_until_it_says_yes(inbox):
    endpoint, received = inbox
    with SimServer(speed=600) as fast:
        at = fast.endpoint
        topic = Account(at.url, at.access_key_id, at.access_key_secret).get_topic("news")
        topic.create(TopicMeta())
        subscribe(topic, endpoint, "XML")
        published = topic.publish_message(TopicMessage("to you"))
        (first, again) = (received.get(timeout=10), received.get(timeout=10))
    assert first[1] == again[1]
    assert first[0]["Content-Type"].startswith("text/xml")
    assert f"<MessageId>{published.message_id}</MessageId>" in first[1]


def test_an_endpoint_elsewhere_is_never_called(cloud, topic):
    subscribe(topic, "http://192.0.2.1/hook")
    assert topic.publish_message(TopicMessage("nobody hears")).message_id


def test_the_account_has_a_logging_bucket(cloud):
    at = cloud.endpoint
    client = MNSClient(at.url, at.access_key_id, at.access_key_secret)
    request, answer = GetAccountAttributesRequest(), GetAccountAttributesResponse()
    client.get_account_attributes(request, answer)
    assert answer.logging_bucket == ""


def test_a_world_is_saved_with_its_topics(cloud, topic, queue):
    subscribe(topic, queue_arn(cloud))
    cloud.load(cloud.save())
    topic.publish_message(TopicMessage("after"))
    assert queue.receive_message(0).message_body == "after"
