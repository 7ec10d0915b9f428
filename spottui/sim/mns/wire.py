"""The XML of MNS: requests parsed without entities, responses written with escaping."""

from collections.abc import Iterable, Mapping, Sequence
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from spottui.sim.errors import MnsError
from spottui.sim.mns.queues import Attributes, Message, Queue

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_XMLNS = 'xmlns="http://mns.aliyuncs.com/doc/v1/"'

_ATTRIBUTE_TAGS = {
    "VisibilityTimeout": ("visibility_timeout", 1, 43200),
    "MaximumMessageSize": ("maximum_message_size", 1024, 65536),
    "MessageRetentionPeriod": ("message_retention_period", 60, 1296000),
    "DelaySeconds": ("delay_seconds", 0, 604800),
    "PollingWaitSeconds": ("polling_wait_seconds", 0, 30),
}


def parse(body: bytes, root: str) -> ElementTree.Element:
    """The document element, named `root`; a document type is refused, so no entity is ever expanded.

    Raises:
        MnsError: 400 MalformedXML.
    """
    try:
        text = body.decode("utf-8")
        if "<!DOCTYPE" in text:
            raise ValueError("document type")
        element = ElementTree.fromstring(text)
    except (ValueError, ElementTree.ParseError):
        raise malformed() from None
    if _local(element) != root:
        raise malformed()
    return element


def malformed() -> MnsError:
    """The refusal of a body that is not the XML it should be."""
    return MnsError("MalformedXML", 400, "The XML you provided was not well-formed.")


def fields(element: ElementTree.Element) -> dict[str, str]:
    """Child tags to their text."""
    return {_local(child): child.text or "" for child in element}


def children(element: ElementTree.Element, tag: str) -> list[ElementTree.Element]:
    """The children named `tag`."""
    return [child for child in element if _local(child) == tag]


def queue_attributes(body: bytes, base: Attributes) -> Attributes:
    """`base` changed by a `<Queue>` document.

    Raises:
        MnsError: 400 InvalidArgument for a value out of range.
    """
    given = fields(parse(body, "Queue")) if body.strip() else {}
    changed = Attributes(
        base.visibility_timeout, base.maximum_message_size, base.message_retention_period,
        base.delay_seconds, base.polling_wait_seconds, base.logging_enabled,
    )  # fmt: skip
    for tag, (name, low, high) in _ATTRIBUTE_TAGS.items():
        if tag in given:
            setattr(changed, name, whole_number(tag, given[tag], low, high))
    if "LoggingEnabled" in given:
        changed.logging_enabled = given["LoggingEnabled"].lower() == "true"
    return changed


def whole_number(name: str, text: str, low: int, high: int) -> int:
    """The number in `text`.

    Raises:
        MnsError: 400 InvalidArgument.
    """
    try:
        number = int(text)
    except ValueError:
        number = low - 1
    if not low <= number <= high:
        raise MnsError("InvalidArgument", 400, f"The value of {name} should between {low} and {high}.")
    return number


def error(code: str, message: str, request_id: str, host: str) -> str:
    """An `<Error>` with the four children the SDK wants."""
    return document("Error", {"Code": code, "Message": message, "RequestId": request_id, "HostId": host})


def queue(found: Queue, now: float) -> str:
    """All twelve attributes of a queue."""
    return document("Queue", _queue_fields(found, now))


def queue_list(found: Iterable[Queue], base_url: str, marker: str, now: float, *, with_meta: bool) -> str:
    """A page of queues."""
    rows = "".join(
        f"<Queue>{_elements({'QueueURL': f'{base_url}/queues/{q.name}'})}"
        f"{_elements(_queue_fields(q, now)) if with_meta else ''}</Queue>"
        for q in found
    )
    return f"{_HEAD}<Queues {_XMLNS}>{rows}{_elements({'NextMarker': marker}) if marker else ''}</Queues>"


def document(root: str, content: Mapping[str, str]) -> str:
    """A document of one element with children."""
    return f"{_HEAD}<{root} {_XMLNS}>{_elements(content)}</{root}>"


def listing(root: str, tag: str, rows: Iterable[Mapping[str, str]], marker: str) -> str:
    """A page of elements named `tag`."""
    inside = "".join(f"<{tag}>{_elements(row)}</{tag}>" for row in rows)
    return f"{_HEAD}<{root} {_XMLNS}>{inside}{_elements({'NextMarker': marker}) if marker else ''}</{root}>"


def sent(message: Message) -> str:
    """The answer to SendMessage."""
    return document("Message", _sent_fields(message))


def sent_batch(results: Sequence[Message | MnsError]) -> str:
    """The answer to BatchSendMessage, in the order of the request."""
    rows = "".join(f"<Message>{_elements(_sent_fields(r))}</Message>" for r in results)
    return f"{_HEAD}<Messages {_XMLNS}>{rows}</Messages>"


def received(message: Message, *, peeked: bool) -> str:
    """One message."""
    return document("Message", _message_fields(message, peeked=peeked))


def received_batch(messages: Sequence[Message], *, peeked: bool) -> str:
    """Several messages."""
    rows = "".join(f"<Message>{_elements(_message_fields(m, peeked=peeked))}</Message>" for m in messages)
    return f"{_HEAD}<Messages {_XMLNS}>{rows}</Messages>"


def delete_errors(failed: Sequence[tuple[str, MnsError]]) -> str:
    """What of a BatchDeleteMessage failed."""
    rows = "".join(
        "<Error>" + _elements({"ErrorCode": e.code, "ErrorMessage": e.message, "ReceiptHandle": handle}) + "</Error>"
        for handle, e in failed
    )
    return f"{_HEAD}<Errors {_XMLNS}>{rows}</Errors>"


def visibility(message: Message) -> str:
    """The answer to ChangeMessageVisibility."""
    return document("ChangeVisibility", {"ReceiptHandle": message.handle, "NextVisibleTime": _ms(message.visible_at)})


def _sent_fields(result: Message | MnsError) -> dict[str, str]:
    if isinstance(result, MnsError):
        return {"ErrorCode": result.code, "ErrorMessage": result.message}
    answer = {"MessageId": result.id, "MessageBodyMD5": result.md5}
    return {**answer, "ReceiptHandle": result.handle} if result.handle else answer


def _message_fields(message: Message, *, peeked: bool) -> dict[str, str]:
    held = {"ReceiptHandle": message.handle, "NextVisibleTime": _ms(message.visible_at)}
    body = Verbatim(message.body) if message.verbatim else message.body
    return {
        "MessageId": message.id, **({} if peeked else held),
        "MessageBodyMD5": message.md5, "MessageBody": body,
        "EnqueueTime": _ms(message.enqueued_at),
        "FirstDequeueTime": _ms(message.first_dequeued_at or message.enqueued_at),
        "DequeueCount": str(message.dequeue_count), "Priority": str(message.priority),
    }  # fmt: skip


def _queue_fields(found: Queue, now: float) -> dict[str, str]:
    active, inactive, delayed = found.counts(now)
    values = {tag: str(getattr(found.attributes, name)) for tag, (name, _, _) in _ATTRIBUTE_TAGS.items()}
    return {
        "QueueName": found.name, "CreateTime": str(int(found.created_at)),
        "LastModifyTime": str(int(found.modified_at)), **values,
        "ActiveMessages": str(active), "InactiveMessages": str(inactive), "DelayMessages": str(delayed),
        "LoggingEnabled": str(found.attributes.logging_enabled),
    }  # fmt: skip


def _elements(content: Mapping[str, str]) -> str:
    return "".join(
        f"<{tag}>{text if isinstance(text, Verbatim) else escape(text)}</{tag}>" for tag, text in content.items()
    )


class Verbatim(str):
    """Text that is not escaped."""

    __slots__ = ()


def _local(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _ms(at: float) -> str:
    return str(int(at * 1000))
