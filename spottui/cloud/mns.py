"""One SMQ/MNS queue through the official SDK, made safe: effective time-outs, a working stop, strict bodies.

The SDK is not thread-safe and blocks: a `Queue` belongs to one thread, and only `stop` may be called from another
(docs/sdk-traps.md 4).
"""

import socket
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from spottui.cloud.batches import in_halves
from spottui.cloud.bodies import text_of
from spottui.cloud.codes import kind_of
from spottui.cloud.credentials import CredentialSource
from spottui.cloud.errors import CloudError, ErrorKind, meaning_of
from spottui.cloud.fields import date_of
from spottui.cloud.sdk import (
    MnsAccount,
    MNSClientNetworkException,
    MNSExceptionBase,
    MNSServerException,
    ResponseInternal,
)
from spottui.domain.clock import CloudClock
from spottui.domain.dates import date_from_outside

T = TypeVar("T")

BATCH = 16
"""The most messages of one receive and of one delete (docs/alibaba-facts.md 8.4)."""

BRIEFLY_S = 1

EMPTY = "MessageNotExist"
_GONE = ("ReceiptHandleError", "MessageNotExist")


class Message(msgspec.Struct, frozen=True):
    """One received message; `body` is raw: not decoded and not trusted.

    `enqueued` is None where the service gave no time; `deliveries` is how often it was received, this time included.
    """

    message_id: str
    receipt_handle: str
    body: str
    enqueued: datetime | None
    deliveries: int = 1


class Queue:
    """The calls of one queue, for one thread. Every method but `stop` raises `CloudError`.

    `clock` is told the date of every answer.
    """

    def __init__(
        self, endpoint: str, name: str, credentials: CredentialSource, long_poll_s: int, clock: CloudClock | None = None
    ) -> None:
        address = endpoint if "://" in endpoint else f"https://{endpoint}"
        self.name = name
        self._long_poll_s = long_poll_s
        self._clock = clock
        self._account = MnsAccount(address, credentials_provider=credentials)
        self._http = self._account.get_client().http
        self._queue = self._account.get_queue(name)
        self._queue.set_encoding(False)
        self._stopped = threading.Event()
        self._answer = ""
        self._bound_calls()

    def receive(self, *, briefly: bool = False) -> list[Message]:
        """Wait for messages, up to the long poll or a second, and return at most 16, or none."""
        wait_s = min(self._long_poll_s, BRIEFLY_S) if briefly else self._long_poll_s
        try:
            return [as_message(message) for message in self._call("ReceiveMessage", self._receive_batch, wait_s)]
        except CloudError as error:
            if error.code == EMPTY:
                return []
            raise

    def delete(self, messages: Sequence[Message]) -> None:
        """Delete received messages; those whose receipt has expired come again and are no error.

        A refused message does not prevent the others from being deleted: its `CloudError` is raised after them. A
        missing permission concerns the whole queue, so messages are then not tried one by one.
        """
        denials: list[CloudError] = []

        def delete(handles: Sequence[str]) -> dict[str, None]:
            try:
                return self._delete_batch(handles)
            except CloudError as error:
                if error.kind is not ErrorKind.DENIED:
                    raise
                denials.append(error)
                return {}

        deleted = in_halves((message.receipt_handle for message in messages), delete, BATCH)
        for refusal in (*denials, *deleted.refused.values()):
            raise refusal

    def give_back(self, message: Message, after_s: int = 1) -> None:
        """Make a received message visible again, also for others, after so many seconds."""
        self._call("ChangeMessageVisibility", self._queue.change_message_visibility, message.receipt_handle, after_s)

    def stop(self) -> None:
        """End a receive under way at once, from any thread; the queue cannot be used any more."""
        self._stopped.set()
        sock = self._http.conn.sock
        if sock is not None:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                return

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stopped.is_set()

    def _delete_batch(self, handles: Sequence[str]) -> dict[str, None]:
        try:
            self._call("DeleteMessage", self._queue.batch_delete_message, list(handles))
        except CloudError as error:
            if error.code not in _GONE:
                raise
        return dict.fromkeys(handles)

    def _receive_batch(self, wait_s: int) -> list[Any]:
        try:
            return list(self._queue.batch_receive_message(BATCH, wait_s))
        except MNSServerException:
            raise
        except Exception as error:
            salvaged = _salvage(self._answer)
            if not salvaged:
                raise error from None
            return salvaged

    def _call(self, action: str, method: Callable[..., T], *args: object) -> T:
        self._answer = ""
        try:
            return method(*args)
        except CloudError as error:
            raise CloudError(action, error.kind, error.code, error.message, error.request_id) from None
        except Exception as error:
            raise _translate(action, error) from None

    def _bound_calls(self) -> None:
        """Give every call a time-out over HTTPS too, end the silent resend of a stopped queue, and keep the answer.

        A connection that is shut down is opened again by the SDK and the request sent twice: once stopped, it may
        not connect. The raw answer is kept because the SDK throws it away with a body that it cannot read. A body in
        another encoding than UTF-8 is no reason to lose the batch either.
        """
        timeout_s = self._long_poll_s + 5
        self._http.conn.timeout = timeout_s
        self._http.conn.connection_timeout = timeout_s
        connect, send, respond = self._http.conn.connect, self._http.send_request, self._http.conn.getresponse

        def connect_unless_stopped() -> None:
            if self._stopped.is_set():
                raise OSError("the queue was stopped")
            connect()

        def send_and_keep(request: Any) -> ResponseInternal:
            asked = time.monotonic()
            answer = send(request)
            self._answer = answer.data
            if self._clock and (date := date_of(answer.header)):
                self._clock.heard(date, time.monotonic() - asked)
            return answer

        def respond_in_utf_8() -> Any:
            answer = respond()
            raw = answer.read()
            answer.read = lambda: text_of(raw).encode()
            return answer

        self._http.conn.getresponse = respond_in_utf_8
        self._http.conn.connect = connect_unless_stopped
        self._http.send_request = send_and_keep


def as_message(message: Any) -> Message:
    """Convert a message of the SDK; one that was only peeked at has no receipt."""
    return Message(
        message_id=str(message.message_id),
        receipt_handle=str(message.receipt_handle),
        body=str(message.message_body),
        enqueued=date_from_outside(str(message.enqueue_time)),
        deliveries=_number(message.dequeue_count) or 1,
    )


def _number(text: object) -> int:
    """A value that is not a number must not hold up a batch."""
    return int(str(text)) if str(text).isascii() and str(text).isdigit() else 0


class _Salvaged(msgspec.Struct, frozen=True):
    message_id: str
    receipt_handle: str
    message_body: str
    enqueue_time: int
    dequeue_count: int


def _salvage(answer: str) -> list[_Salvaged]:
    """Read the messages of a batch that the SDK gave up for one bad body (nested XML, a missing field)."""
    try:
        root = ET.fromstring(answer)
    except ET.ParseError:
        return []
    salvageds = (_salvaged(element) for element in root if element.tag.endswith("Message"))
    return [message for message in salvageds if message.receipt_handle]


def _salvaged(element: ET.Element) -> _Salvaged:
    fields = {child.tag.rpartition("}")[2]: child for child in element}

    def text(name: str) -> str:
        return "".join(fields[name].itertext()) if name in fields else ""

    body = fields.get("MessageBody")
    return _Salvaged(
        message_id=text("MessageId"),
        receipt_handle=text("ReceiptHandle"),
        message_body=_inner_xml(body) if body is not None else "",
        enqueue_time=_number(text("EnqueueTime")),
        dequeue_count=_number(text("DequeueCount")),
    )


def _inner_xml(element: ET.Element) -> str:
    """The unescaped XML of a topic is in the body as elements."""
    return (element.text or "") + "".join(ET.tostring(child, "unicode") for child in element)


def _translate(action: str, error: Exception) -> CloudError:
    if isinstance(error, MNSServerException):
        code = str(error.type)
        kind = ErrorKind.REFUSED if code == EMPTY else kind_of(code, None)
        return CloudError(action, kind, code, str(error.message), str(error.req_id or ""))
    if isinstance(error, MNSClientNetworkException) and error.type == "NetWorkException":
        return CloudError(action, ErrorKind.UNREACHABLE, message=meaning_of(str(error.message)) or "network error")
    if isinstance(error, MNSExceptionBase):
        return CloudError(action, ErrorKind.BROKEN, message="an answer that is no MNS XML; the HTTP status is lost")
    return CloudError(action, ErrorKind.BROKEN, message=f"an answer that cannot be read ({type(error).__name__})")
