"""The operations of MNS on queues and messages, apart from waiting for one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from spottui.sim.errors import MnsError
from spottui.sim.mns import wire
from spottui.sim.mns.push import Push
from spottui.sim.mns.queues import Attributes, Message, Queue
from spottui.sim.world import World

MAX_BATCH = 16


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: the parts of its path and the queue it names, query values as sent, lower-case headers."""

    path: tuple[str, ...]
    queue: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    base_url: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back; `effect` and `code` are for the ledger."""

    status: int
    xml: str = ""
    effect: str | None = None
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    pushes: tuple[Push, ...] = ()
    """Notifications for HTTP endpoints, to be sent once the answer is on its way."""


Operation = Callable[[World, Asked, float], Answer]


def create_queue(world: World, asked: Asked, now: float) -> Answer:
    """201 for a new queue, 204 for one that exists with the same attributes."""
    if not 1 <= len(asked.queue) <= 256:
        raise MnsError("QueueNameLengthError", 400, "The length of queue name should between 1 and 256.")
    if not asked.queue.replace("-", "").isalnum() or not asked.queue.isascii():
        raise MnsError("InvalidQueueName", 400, "The queue name you provided is not valid.")
    if now - world.queues.deleted_at.get(asked.queue, -1e18) < world.settings.queue_rest_s:
        raise MnsError("QueueDeletedRecently", 400, "The queue was deleted recently, try again later.")
    new = world.queues.create(asked.queue, wire.queue_attributes(asked.body, Attributes()), now)
    location = {"Location": f"{asked.base_url}/queues/{asked.queue}"}
    return Answer(201 if new else 204, effect=f"created queue {asked.queue}" if new else None, headers=location)


def set_queue_attributes(world: World, asked: Asked, now: float) -> Answer:
    """Change the attributes given, keep the others."""
    queue = world.queues[asked.queue]
    queue.attributes = wire.queue_attributes(asked.body, queue.attributes)
    queue.modified_at = now
    return Answer(204, effect=f"changed queue {asked.queue}")


def get_queue_attributes(world: World, asked: Asked, now: float) -> Answer:
    """All twelve attributes."""
    return Answer(200, wire.queue(world.queues[asked.queue], now))


def delete_queue(world: World, asked: Asked, now: float) -> Answer:
    """204, also for a queue that is not there."""
    world.queues.delete(asked.queue, now)
    return Answer(204, effect=f"changed queue {asked.queue} deleted")


def list_queue(world: World, asked: Asked, now: float) -> Answer:
    """Queues by name, from the marker on."""
    prefix, marker = asked.headers.get("x-mns-prefix", ""), asked.headers.get("x-mns-marker", "")
    limit = wire.whole_number("x-mns-ret-number", asked.headers.get("x-mns-ret-number", "1000"), 1, 1000)
    names = sorted(q.name for q in world.queues if q.name.startswith(prefix) and q.name >= marker)
    following = names[limit] if len(names) > limit else ""
    page = [world.queues[name] for name in names[:limit]]
    with_meta = asked.headers.get("x-mns-with-meta", "") == "true"
    return Answer(200, wire.queue_list(page, asked.base_url, following, now, with_meta=with_meta))


def send_message(world: World, asked: Asked, now: float) -> Answer:
    """Enqueue one message."""
    message = _send(world.queues[asked.queue], wire.fields(wire.parse(asked.body, "Message")), now)
    return Answer(201, wire.sent(message), effect=f"created {message.id}")


def batch_send_message(world: World, asked: Asked, now: float) -> Answer:
    """Enqueue up to 16 messages, each on its own."""
    queue = world.queues[asked.queue]
    rows = wire.children(wire.parse(asked.body, "Messages"), "Message")
    if not 1 <= len(rows) <= MAX_BATCH:
        raise MnsError("InvalidArgument", 400, f"The number of messages should between 1 and {MAX_BATCH}.")
    results: list[Message | MnsError] = []
    for row in rows:
        try:
            results.append(_send(queue, wire.fields(row), now))
        except MnsError as refusal:
            results.append(refusal)
    ids = [r.id for r in results if isinstance(r, Message)]
    return Answer(
        201 if len(ids) == len(rows) else world.settings.batch_send_status,
        wire.sent_batch(results),
        f"created {', '.join(ids)}",
    )


def peek_message(world: World, asked: Asked, now: float) -> Answer:
    """Look at receivable messages without taking them."""
    found = world.queues[asked.queue].peek(batch_size(asked), now)
    return messages(asked, found, peeked=True)


def delete_message(world: World, asked: Asked, now: float) -> Answer:
    """Delete by receipt handle."""
    handle = _handle(asked)
    world.queues[asked.queue].delete(handle, now)
    return Answer(204, effect=f"changed {handle} deleted")


def batch_delete_message(world: World, asked: Asked, now: float) -> Answer:
    """204 only if all were deleted; otherwise 404 with those that were not."""
    queue = world.queues[asked.queue]
    handles = [r.text or "" for r in wire.children(wire.parse(asked.body, "ReceiptHandles"), "ReceiptHandle")]
    if not 1 <= len(handles) <= MAX_BATCH:
        raise MnsError("InvalidArgument", 400, f"The number of handles should between 1 and {MAX_BATCH}.")
    failed = []
    for handle in handles:
        try:
            queue.delete(handle, now)
        except MnsError as refusal:
            failed.append((handle, refusal))
    effect = f"changed {len(handles) - len(failed)} deleted"
    if not failed:
        return Answer(204, effect=effect)
    return Answer(404, wire.delete_errors(failed), effect, failed[0][1].code)


def change_message_visibility(world: World, asked: Asked, now: float) -> Answer:
    """Hide a held message for longer or shorter; its handle changes."""
    if "VisibilityTimeout" not in asked.query:
        raise MnsError("MissingVisibilityTimeout", 400, "VisibilityTimeout is required.")
    timeout_s = wire.whole_number("VisibilityTimeout", asked.query["VisibilityTimeout"], 1, 43200)
    message = world.queues[asked.queue].change_visibility(_handle(asked), timeout_s, now)
    return Answer(200, wire.visibility(message), effect=f"changed {message.id}")


def messages(asked: Asked, found: list[Message], *, peeked: bool) -> Answer:
    """The answer with `found`, single or batch as asked; 404 MessageNotExist when there is none."""
    if not found:
        raise MnsError("MessageNotExist", 404, "Message not exist.")
    if "numOfMessages" in asked.query:
        return Answer(200, wire.received_batch(found, peeked=peeked))
    return Answer(200, wire.received(found[0], peeked=peeked))


def batch_size(asked: Asked) -> int:
    """How many messages are wanted at most."""
    return wire.whole_number("numOfMessages", asked.query.get("numOfMessages", "1"), 1, MAX_BATCH)


def _send(queue: Queue, given: Mapping[str, str], now: float) -> Message:
    body = given.get("MessageBody", "")
    if not body:
        raise MnsError("MalformedXML", 400, "The XML you provided has no MessageBody.")
    if len(body.encode()) > queue.attributes.maximum_message_size:
        raise MnsError("InvalidArgument", 400, "The length of message should not be larger than MaximumMessageSize.")
    priority = wire.whole_number("Priority", given.get("Priority", "8"), 1, 16)
    delay = given.get("DelaySeconds")
    delay_s = None if delay is None else wire.whole_number("DelaySeconds", delay, 0, 604800)
    return queue.send(body, now, priority, delay_s)


def _handle(asked: Asked) -> str:
    if not asked.query.get("ReceiptHandle"):
        raise MnsError("MissingReceiptHandle", 400, "ReceiptHandle is required.")
    return asked.query["ReceiptHandle"]
