"""MNS over HTTP: which operation a request is, the long poll, ledger and faults."""

import asyncio
from collections.abc import Callable
from urllib.parse import unquote

from aiohttp import web

from spottui.sim.cloud import Cloud
from spottui.sim.errors import MnsError
from spottui.sim.fault_injection import exchange
from spottui.sim.faults import Fault
from spottui.sim.ledger import Row
from spottui.sim.mns import operations as op
from spottui.sim.mns import topics, wire
from spottui.sim.mns.operations import Answer, Asked
from spottui.sim.mns.push import Push, push
from spottui.sim.mns.queues import Message, Queue
from spottui.sim.mns.signature import verify
from spottui.sim.world import World

_MAX_WAIT_S = 30
_QUERY = (
    "accountmeta",
    "metaoverride",
    "waitseconds",
    "numOfMessages",
    "peekonly",
    "ReceiptHandle",
    "VisibilityTimeout",
)
# The official SDK for Node writes receiptHandle and visibilityTimeout: names are accepted in any letter case.
_IN_ANY_CASE = {name.lower(): name for name in _QUERY}

OPERATIONS = {
    "CreateQueue": op.create_queue, "SetQueueAttributes": op.set_queue_attributes,
    "GetQueueAttributes": op.get_queue_attributes, "DeleteQueue": op.delete_queue,
    "ListQueue": op.list_queue, "SendMessage": op.send_message, "BatchSendMessage": op.batch_send_message,
    "PeekMessage": op.peek_message, "BatchPeekMessage": op.peek_message, "DeleteMessage": op.delete_message,
    "BatchDeleteMessage": op.batch_delete_message, "ChangeMessageVisibility": op.change_message_visibility,
    **topics.OPERATIONS,
}  # fmt: skip
_PUSHING: set[asyncio.Task[bool]] = set()


async def serve_mns(cloud: Cloud, request: web.Request) -> web.Response:
    """Answer one request under `/queues` or `/topics`, or about the account."""
    world = cloud.world
    asked = await _read(request)
    name = _operation(request.method, request.path, asked)
    queue = world.queues.get(asked.queue)
    named = {"QueueName": asked.queue} if asked.path[:1] == ("queues",) else {"TopicName": "".join(asked.path[1:2])}
    shown = {**named, **asked.query}
    region = next((r.id for r in world.regions.values() if queue and r.queue == queue.name), "")
    row = world.ledger.receive(world.settle(), name, region, shown, world.ids.mns_request())

    async def act() -> web.Response:
        try:
            answer = await _carry_out(cloud, request, asked, name, row)
        except MnsError as refusal:
            return _refused(request, row, refusal)
        row.effect, row.code = answer.effect, answer.code
        for order in answer.pushes:
            _send(order, world.clock.speed)
        return _respond(row, answer)

    def refuse(fault: Fault) -> web.Response:
        return _faulted(request, row, fault, world.settings.qps_status)

    return await exchange(request, row, world.faults.take(name, shown), act, refuse)


async def _carry_out(cloud: Cloud, request: web.Request, asked: Asked, name: str, row: Row) -> Answer:
    world = cloud.world
    if world.settings.queue_down:
        raise MnsError("ServiceUnavailable", 503, "The service is unavailable.")
    _check_query(asked)
    key = verify(world, request.method, request.raw_path, asked.headers, asked.body)
    row.account_id = world.owner_of(key).account_id
    if world.settings.permissions.get(name, "allow") != "allow":
        raise MnsError(
            "AccessDenied", 403,
            "The OwnerId that your Access Key Id associated to is forbidden for this operation.",
        )  # fmt: skip
    if name in ("ReceiveMessage", "BatchReceiveMessage"):
        polled = _poll(cloud, request, asked, key)
        # A handler ends with its client unless it is shielded; the poll of a dead client then goes on.
        messages = await (asyncio.shield(polled) if world.settings.dead_poll_takes else polled)
        return op.messages(asked, messages, peeked=False)
    if name not in OPERATIONS:
        raise MnsError("InvalidRequestURL", 400, "The request URL is not valid.")
    return OPERATIONS[name](world.owner_of(key), asked, world.settle())


def _send(order: Push, speed: float) -> None:
    # The loop keeps only weak references to tasks: one without another reference may be collected.
    task = asyncio.create_task(push(order, speed))
    _PUSHING.add(task)
    task.add_done_callback(_PUSHING.discard)


def _check_query(asked: Asked) -> None:
    unknown = [name for name in asked.query if name not in _QUERY]
    if unknown:
        raise MnsError("InvalidQueryString", 400, f"The query string {unknown[0]} is not valid.")


async def _poll(cloud: Cloud, request: web.Request, asked: Asked, key: str) -> list[Message]:
    """Messages as soon as there are any, or none when the wait, in wall seconds, is over."""
    wait = (
        asked.query.get("waitseconds") or cloud.world.owner_of(key).queues[asked.queue].attributes.polling_wait_seconds
    )
    deadline = asyncio.get_running_loop().time() + wire.whole_number("waitseconds", str(wait), 0, _MAX_WAIT_S)
    while True:
        world = cloud.world
        now = world.settle()
        queue = world.owner_of(key).queues[asked.queue]
        # Receive nothing for a client that has disconnected: the message would be hidden from everybody.
        gone = _has_gone(request) and not world.settings.dead_poll_takes
        messages = [] if gone else queue.receive(op.batch_size(asked), now, _order(world))
        left_s = deadline - asyncio.get_running_loop().time()
        if messages or left_s <= 0 or _has_gone(request):
            return messages
        visible_at = queue.next_visible_at()
        until_visible_s = None if visible_at is None else world.clock.wall_seconds_until(visible_at)
        await _rung(queue, left_s if until_visible_s is None else min(left_s, until_visible_s))


def _order(world: World) -> Callable[[int], int] | None:
    return world.ids.pick if world.settings.queue_reorder else None


async def _rung(queue: Queue, timeout_s: float) -> None:
    """Wait until the queue rings, at most `timeout_s`."""
    bell = asyncio.Event()
    queue.listeners.add(bell.set)
    try:
        await asyncio.wait_for(bell.wait(), timeout_s)
    except TimeoutError:
        pass
    finally:
        queue.listeners.discard(bell.set)


def _has_gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


async def _read(request: web.Request) -> Asked:
    parts = tuple(part for part in request.path.split("/") if part)
    # A plus sign in a receipt handle is a plus sign: the SDK does not encode the query.
    pairs = (pair.partition("=") for pair in request.raw_path.partition("?")[2].split("&") if pair)
    return Asked(
        parts, parts[1] if parts[:1] == ("queues",) and len(parts) > 1 else "",
        {_query_name(unquote(k)): unquote(v) for k, _, v in pairs},
        {k.lower(): v for k, v in request.headers.items()}, await request.read(),
        f"{request.scheme}://{request.host}",
    )  # fmt: skip


def _query_name(given: str) -> str:
    return _IN_ANY_CASE.get(given.lower(), given)


def _operation(method: str, path: str, asked: Asked) -> str:
    if asked.path[:1] == ("topics",):
        return topics.operation(method, asked.path, asked.query)
    if "accountmeta" in asked.query:
        return "SetAccountAttributes" if method == "PUT" else "GetAccountAttributes"
    if not asked.queue:
        return "ListQueue" if method == "GET" else method
    if path.endswith("/messages"):
        return _message_operation(method, asked)
    if method == "PUT" and asked.query.get("metaoverride", "").lower() == "true":
        return "SetQueueAttributes"
    names = {"PUT": "CreateQueue", "GET": "GetQueueAttributes", "DELETE": "DeleteQueue"}
    return names.get(method, method)


def _message_operation(method: str, asked: Asked) -> str:
    if method == "GET":
        batch = "Batch" if "numOfMessages" in asked.query else ""
        return f"{batch}PeekMessage" if asked.query.get("peekonly") == "true" else f"{batch}ReceiveMessage"
    if method == "POST":
        return "BatchSendMessage" if b"<Messages" in asked.body[:200] else "SendMessage"
    if method == "DELETE":
        return "DeleteMessage" if "ReceiptHandle" in asked.query else "BatchDeleteMessage"
    return "ChangeMessageVisibility" if method == "PUT" else method


def _faulted(request: web.Request, row: Row, fault: Fault, status: int) -> web.Response:
    if fault.kind == "error":
        return _refused(request, row, MnsError(fault.code or "InternalError", fault.status or 500, fault.message))
    return _refused(request, row, MnsError("QpsLimitExceeded", status, "The QPS limit is exceeded."))


def _refused(request: web.Request, row: Row, refusal: MnsError) -> web.Response:
    row.code = refusal.code
    host = f"{request.scheme}://{request.host}"
    xml = wire.error(refusal.code, refusal.message, row.request_id, host)
    return _respond(row, Answer(refusal.status, xml))


def _respond(row: Row, answer: Answer) -> web.Response:
    # The SDK looks this header up in a dict of names as sent, so it must go out in lower case.
    headers = {"x-mns-request-id": row.request_id, "x-mns-version": "2015-06-06", **answer.headers}
    body = answer.xml.encode("utf-8", "replace")
    if not body:
        return web.Response(status=answer.status, headers=headers)
    return web.Response(status=answer.status, body=body, headers=headers, content_type="text/xml", charset="utf-8")
