"""Topics of MNS: what is published goes to every subscription, to a queue or to an HTTP endpoint."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from hashlib import md5

from spottui.sim.errors import MnsError
from spottui.sim.mns import wire
from spottui.sim.mns.operations import Answer, Asked, Operation
from spottui.sim.mns.push import Push
from spottui.sim.model import Subscription, Topic
from spottui.sim.world import World

_FORMATS = ("XML", "JSON", "SIMPLIFIED")
_STRATEGIES = ("BACKOFF_RETRY", "EXPONENTIAL_DECAY_RETRY")
_QUEUE = re.compile(r"acs:mns:[\w-]+:\w+:/?queues/([\w-]+)")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,255}")
_RETENTION_S = 86_400


def operation(method: str, path: tuple[str, ...], query: Mapping[str, str]) -> str:
    """The name of what is asked for under `/topics`; `path` is `topics`, the topic and what follows."""
    if len(path) == 1:
        return "ListTopic" if method == "GET" else method
    sets = query.get("metaoverride", "").lower() == "true"
    if len(path) == 2:
        names = {"PUT": "SetTopicAttributes" if sets else "CreateTopic", "GET": "GetTopicAttributes"}
        return {**names, "DELETE": "DeleteTopic"}.get(method, method)
    if path[2] == "messages":
        return "PublishMessage" if method == "POST" else method
    if len(path) == 3:
        return "ListSubscriptionByTopic" if method == "GET" else method
    names = {"PUT": "SetSubscriptionAttributes" if sets else "Subscribe", "GET": "GetSubscriptionAttributes"}
    return {**names, "DELETE": "Unsubscribe"}.get(method, method)


def create_topic(world: World, asked: Asked, now: float) -> Answer:
    """201 for a new topic, 204 for one that exists with the same attributes."""
    name = asked.path[1]
    if not _NAME.fullmatch(name):
        raise MnsError("InvalidTopicName", 400, "The topic name you provided is not valid.")
    wanted = _attributes(asked, Topic(name, now, now))
    topic = world.topics.get(name)
    if topic and _settings(topic) != _settings(wanted):
        raise MnsError("TopicAlreadyExist", 409, "The topic you want to create is already exist.")
    world.topics[name] = topic or wanted
    effect = None if topic else f"created topic {name}"
    return Answer(204 if topic else 201, effect=effect, headers={"Location": f"{asked.base_url}/topics/{name}"})


def set_topic_attributes(world: World, asked: Asked, now: float) -> Answer:
    """Change the attributes given, keep the others."""
    topic = _attributes(asked, _topic(world, asked))
    topic.modified_at = now
    return Answer(204, effect=f"changed topic {topic.name}")


def get_topic_attributes(world: World, asked: Asked, now: float) -> Answer:
    """All attributes of a topic."""
    return Answer(200, wire.document("Topic", _topic_fields(_topic(world, asked))))


def delete_topic(world: World, asked: Asked, now: float) -> Answer:
    """204, also for a topic that is not there."""
    world.topics.pop(asked.path[1], None)
    return Answer(204, effect=f"changed topic {asked.path[1]} deleted")


def list_topic(world: World, asked: Asked, now: float) -> Answer:
    """Topics by name, from the marker on."""
    with_meta = asked.headers.get("x-mns-with-meta", "") == "true"

    def fields(name: str) -> dict[str, str]:
        meta = _topic_fields(world.topics[name]) if with_meta else {}
        return {"TopicURL": f"{asked.base_url}/topics/{name}", **meta}

    return _list(asked, "Topics", "Topic", world.topics, fields)


def subscribe(world: World, asked: Asked, now: float) -> Answer:
    """201 for a new subscription, 204 for one that exists just so."""
    topic, name = _topic(world, asked), asked.path[3]
    given = wire.fields(wire.parse(asked.body, "Subscription"))
    endpoint = given.get("Endpoint", "")
    if not endpoint.startswith(("http://", "https://", "mail:", "sms:")) and not _QUEUE.fullmatch(endpoint):
        raise MnsError("EndpointInvalid", 400, "The endpoint you provided is not valid.")
    wanted = Subscription(
        name, endpoint, now, now, given.get("FilterTag", ""),
        _one_of("NotifyStrategy", given, _STRATEGIES), _one_of("NotifyContentFormat", given, _FORMATS),
    )  # fmt: skip
    subscription = topic.subscriptions.get(name)
    if subscription and (subscription.endpoint, subscription.filter_tag, subscription.format) != (
        endpoint,
        wanted.filter_tag,
        wanted.format,
    ):
        raise MnsError("SubscriptionAlreadyExist", 409, "The subscription you want to create is already exist.")
    topic.subscriptions[name] = subscription or wanted
    location = {"Location": f"{asked.base_url}/topics/{topic.name}/subscriptions/{name}"}
    return Answer(
        204 if subscription else 201, effect=None if subscription else f"created subscription {name}", headers=location
    )


def set_subscription_attributes(world: World, asked: Asked, now: float) -> Answer:
    """Change how a subscription is retried."""
    subscription = _subscription(world, asked)
    given = wire.fields(wire.parse(asked.body, "Subscription"))
    subscription.strategy = _one_of("NotifyStrategy", given, _STRATEGIES)
    subscription.modified_at = now
    return Answer(204, effect=f"changed subscription {subscription.name}")


def get_subscription_attributes(world: World, asked: Asked, now: float) -> Answer:
    """All attributes of a subscription."""
    row = _subscription(world, asked)
    filter_tag = {"FilterTag": row.filter_tag} if row.filter_tag else {}
    return Answer(200, wire.document("Subscription", {
        "TopicOwner": world.account_id, "TopicName": asked.path[1], "SubscriptionName": row.name,
        "Endpoint": row.endpoint, "NotifyStrategy": row.strategy, "NotifyContentFormat": row.format, **filter_tag,
        "CreateTime": str(int(row.created_at)), "LastModifyTime": str(int(row.modified_at)),
    }))  # fmt: skip


def unsubscribe(world: World, asked: Asked, now: float) -> Answer:
    """204, also for a subscription that is not there."""
    _topic(world, asked).subscriptions.pop(asked.path[3], None)
    return Answer(204, effect=f"changed subscription {asked.path[3]} deleted")


def list_subscription_by_topic(world: World, asked: Asked, now: float) -> Answer:
    """Subscriptions of a topic by name, from the marker on."""
    topic = _topic(world, asked)
    base = f"{asked.base_url}/topics/{topic.name}/subscriptions"
    return _list(
        asked, "Subscriptions", "Subscription", topic.subscriptions, lambda name: {"SubscriptionURL": f"{base}/{name}"}
    )


def publish_message(world: World, asked: Asked, now: float) -> Answer:
    """To every subscription whose filter tag fits: into its queue now, to its HTTP endpoint after the answer."""
    topic = _topic(world, asked)
    given = wire.fields(wire.parse(asked.body, "Message"))
    body, tag = given.get("MessageBody", ""), given.get("MessageTag", "")
    if not body:
        raise MnsError("MalformedXML", 400, "The XML you provided has no MessageBody.")
    if len(body.encode()) > topic.maximum_message_size:
        raise MnsError("InvalidArgument", 400, "The length of message should not be larger than MaximumMessageSize.")
    topic.published += 1
    message = {
        "MessageId": f"{md5(topic.name.encode(), usedforsecurity=False).hexdigest()[:16].upper()}-1-{topic.published}",
        "MessageBodyMD5": md5(body.encode(), usedforsecurity=False).hexdigest().upper(),
    }  # fmt: skip
    pushes = []
    for row in topic.subscriptions.values():
        if row.filter_tag in ("", tag):
            text = _notification(world, topic, row, message, body, tag, now)
            pushes += _deliver(world, row, text, message["MessageId"], now)
    return Answer(201, wire.document("Message", message), f"created {message['MessageId']}", pushes=tuple(pushes))


def get_account_attributes(world: World, asked: Asked, now: float) -> Answer:
    """`GET /?accountmeta=true`: where MNS logs to."""
    return Answer(200, wire.document("Account", {"LoggingBucket": world.logging_bucket}))


def set_account_attributes(world: World, asked: Asked, now: float) -> Answer:
    """`PUT /?accountmeta=true`."""
    world.logging_bucket = wire.fields(wire.parse(asked.body, "Account")).get("LoggingBucket", world.logging_bucket)
    return Answer(204, effect="changed account attributes")


OPERATIONS: dict[str, Operation] = {
    "CreateTopic": create_topic, "SetTopicAttributes": set_topic_attributes, "DeleteTopic": delete_topic,
    "GetTopicAttributes": get_topic_attributes, "ListTopic": list_topic, "Subscribe": subscribe,
    "SetSubscriptionAttributes": set_subscription_attributes, "Unsubscribe": unsubscribe,
    "GetSubscriptionAttributes": get_subscription_attributes, "PublishMessage": publish_message,
    "ListSubscriptionByTopic": list_subscription_by_topic, "GetAccountAttributes": get_account_attributes,
    "SetAccountAttributes": set_account_attributes,
}  # fmt: skip


def _deliver(world: World, row: Subscription, text: str, message_id: str, now: float) -> list[Push]:
    arn = _QUEUE.fullmatch(row.endpoint)
    if arn is None:
        return [Push(row.endpoint, text, row.format, message_id)]
    queue = world.queues.get(arn[1])
    if queue is not None:
        queue.send(text, now)
    return []


def _notification(
    world: World, topic: Topic, row: Subscription, message: Mapping[str, str], body: str, tag: str, now: float
) -> str:
    if row.format == "SIMPLIFIED":
        return body
    fields = {
        "TopicOwner": world.account_id, "TopicName": topic.name, "Subscriber": world.account_id,
        "SubscriptionName": row.name, "MessageId": message["MessageId"], "MessageMD5": message["MessageBodyMD5"],
        "Message": body, **({"MessageTag": tag} if tag else {}), "PublishTime": str(int(now * 1000)),
    }  # fmt: skip
    if row.format == "JSON":
        return json.dumps({**fields, "PublishTime": int(now * 1000)}, ensure_ascii=False)
    return wire.document("Notification", fields)


def _topic(world: World, asked: Asked) -> Topic:
    if asked.path[1] not in world.topics:
        raise MnsError("TopicNotExist", 404, "The topic name you provided is not exist.")
    return world.topics[asked.path[1]]


def _subscription(world: World, asked: Asked) -> Subscription:
    subscription = _topic(world, asked).subscriptions.get(asked.path[3])
    if subscription is None:
        raise MnsError("SubscriptionNotExist", 404, "The subscription name you provided is not exist.")
    return subscription


def _attributes(asked: Asked, topic: Topic) -> Topic:
    given = wire.fields(wire.parse(asked.body, "Topic")) if asked.body.strip() else {}
    if "MaximumMessageSize" in given:
        size = wire.whole_number("MaximumMessageSize", given["MaximumMessageSize"], 1024, 65536)
        topic.maximum_message_size = size
    if "LoggingEnabled" in given:
        topic.logging_enabled = given["LoggingEnabled"].lower() == "true"
    return topic


def _settings(topic: Topic) -> tuple[int, bool]:
    return topic.maximum_message_size, topic.logging_enabled


def _topic_fields(topic: Topic) -> dict[str, str]:
    return {
        "TopicName": topic.name, "CreateTime": str(int(topic.created_at)),
        "LastModifyTime": str(int(topic.modified_at)), "MaximumMessageSize": str(topic.maximum_message_size),
        "MessageRetentionPeriod": str(_RETENTION_S), "MessageCount": "0", "LoggingEnabled": str(topic.logging_enabled),
    }  # fmt: skip


def _list(asked: Asked, root: str, tag: str, names: Iterable[str], fields: Callable[[str], dict[str, str]]) -> Answer:
    prefix, marker = asked.headers.get("x-mns-prefix", ""), asked.headers.get("x-mns-marker", "")
    limit = wire.whole_number("x-mns-ret-number", asked.headers.get("x-mns-ret-number", "1000"), 1, 1000)
    found = sorted(name for name in names if name.startswith(prefix) and name >= marker)
    following = found[limit] if len(found) > limit else ""
    return Answer(200, wire.listing(root, tag, [fields(name) for name in found[:limit]], following))


def _one_of(name: str, given: Mapping[str, str], allowed: tuple[str, ...]) -> str:
    value = given.get(name) or allowed[0]
    if value not in allowed:
        raise MnsError("InvalidArgument", 400, f"The value of {name} should be one of {', '.join(allowed)}.")
    return value
