"""Queues with visibility timeouts and rotating receipt handles. No I/O; times are simulated seconds."""

import base64
import binascii
import hashlib
import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import msgspec

from spottui.sim.errors import MnsError


@dataclass(slots=True)
class Attributes:
    """What CreateQueue and SetQueueAttributes set; seconds and bytes."""

    visibility_timeout: int = 30
    maximum_message_size: int = 65536
    message_retention_period: int = 345600
    delay_seconds: int = 0
    polling_wait_seconds: int = 0
    logging_enabled: bool = False


@dataclass(slots=True)
class Message:
    """One message. `handle` is the one receipt handle that is good now, empty before the first receive."""

    seq: int
    id: str
    body: str
    enqueued_at: float
    visible_at: float
    priority: int = 8
    dequeue_count: int = 0
    first_dequeued_at: float = 0.0
    handle: str = ""
    verbatim: bool = False
    """Goes out unescaped in the XML of an answer."""

    @property
    def md5(self) -> str:
        """Upper-case hexadecimal MD5 of the stored body."""
        return hashlib.md5(self.body.encode("utf-8", "replace"), usedforsecurity=False).hexdigest().upper()


class Queue:
    """One queue. Priority first, then order of arrival."""

    def __init__(self, name: str, attributes: Attributes, now: float) -> None:
        self.name = name
        self.attributes = attributes
        self.created_at = now
        self.modified_at = now
        self.listeners: set[Callable[[], None]] = set()
        """Called when something may have become receivable."""
        self._messages: dict[int, Message] = {}
        self._ready: list[tuple[int, int]] = []
        self._hidden: list[tuple[float, int, str]] = []
        # With the handle: a message hidden twice until the same moment must not wake twice.
        self._order = count(1)

    def send(self, body: str, now: float, priority: int = 8, delay_s: float | None = None) -> Message:
        """Enqueue; invisible for `delay_s` (None: the queue's DelaySeconds)."""
        seq = next(self._order)
        visible_at = now + (self.attributes.delay_seconds if delay_s is None else delay_s)
        message = Message(seq, _message_id(self.name, seq, now), body, now, visible_at, priority)
        self._messages[seq] = message
        if visible_at > now:
            message.handle = self._new_handle(message)
            heapq.heappush(self._hidden, (visible_at, seq, message.handle))
        else:
            heapq.heappush(self._ready, (priority, seq))
        self.ring()
        return message

    def receive(self, limit: int, now: float, pick: Callable[[int], int] | None = None) -> list[Message]:
        """Up to `limit` messages, each invisible from now on with a new receipt handle.

        With `pick`, a choice of a number below a number, they come in any order.
        """
        self._wake_hidden(now)
        taken: list[Message] = []
        while self._ready and len(taken) < limit:
            _, seq = heapq.heappop(self._ready) if pick is None else self._ready.pop(pick(len(self._ready)))
            if pick is not None:
                heapq.heapify(self._ready)
            message = self._messages.get(seq)
            if message is not None:
                taken.append(message)
        for message in taken:
            message.dequeue_count += 1
            message.first_dequeued_at = message.first_dequeued_at or now
            self._hide(message, now + self.attributes.visibility_timeout)
        return taken

    def peek(self, limit: int, now: float) -> list[Message]:
        """Up to `limit` receivable messages, left as they are."""
        self._wake_hidden(now)
        ready = (self._messages[seq] for _, seq in sorted(self._ready) if seq in self._messages)
        return [message for message, _ in zip(ready, range(limit), strict=False)]

    def delete(self, handle: str, now: float) -> None:
        """Delete by the receipt handle.

        Raises:
            MnsError: 404 MessageNotExist (already gone), 400 ReceiptHandleError (expired or wrong).
        """
        del self._messages[self._held(handle, now).seq]

    def change_visibility(self, handle: str, timeout_s: int, now: float) -> Message:
        """Hide the message for `timeout_s` from now; its handle is a new one, the old one is dead."""
        message = self._held(handle, now)
        self._hide(message, now + timeout_s)
        self.ring()
        return message

    def counts(self, now: float) -> tuple[int, int, int]:
        """Active, inactive (received, not deleted) and delayed messages."""
        self._wake_hidden(now)
        hidden = [m for m in self._messages.values() if m.visible_at > now]
        delayed = sum(1 for m in hidden if m.dequeue_count == 0)
        return len(self._messages) - len(hidden), len(hidden) - delayed, delayed

    def save(self) -> dict[str, Any]:
        """The queue with its messages."""
        return {
            "name": self.name, "attributes": self.attributes, "created_at": self.created_at,
            "modified_at": self.modified_at, "messages": list(self._messages.values()),
        }  # fmt: skip

    @classmethod
    def load(cls, saved: dict[str, Any]) -> "Queue":
        """A queue that was saved; receipt handles given out before stay good."""
        queue = cls(saved["name"], msgspec.convert(saved["attributes"], Attributes), saved["created_at"])
        queue.modified_at = saved["modified_at"]
        for message in msgspec.convert(saved["messages"], list[Message]):
            queue._messages[message.seq] = message
            # Where it was visible it wakes at the next look, as every hidden message does in its time.
            heapq.heappush(queue._hidden, (message.visible_at, message.seq, message.handle))
        queue._order = count(1 + max(queue._messages, default=0) + _PLENTY)
        return queue

    def next_visible_at(self) -> float | None:
        """When the next hidden message shows up again."""
        return self._hidden[0][0] if self._hidden else None

    def ring(self) -> None:
        """Tell whoever waits that it is worth another look."""
        for listener in tuple(self.listeners):
            listener()

    def _wake_hidden(self, now: float) -> None:
        while self._hidden and self._hidden[0][0] <= now:
            _, seq, handle = heapq.heappop(self._hidden)
            message = self._messages.get(seq)
            if message is not None and message.handle == handle:
                heapq.heappush(self._ready, (message.priority, seq))
        self._expire(now)

    def _expire(self, now: float) -> None:
        # Sequence numbers grow with time, so the first message is the oldest.
        oldest = now - self.attributes.message_retention_period
        while self._messages and next(iter(self._messages.values())).enqueued_at < oldest:
            del self._messages[next(iter(self._messages))]

    def _hide(self, message: Message, until: float) -> None:
        message.visible_at = until
        message.handle = self._new_handle(message)
        heapq.heappush(self._hidden, (until, message.seq, message.handle))

    def _new_handle(self, message: Message) -> str:
        inner = f"{message.seq}-{int(message.visible_at * 1000)}-{next(self._order)}-{message.priority}"
        return f"1-{base64.b64encode(inner.encode()).decode()}"

    def _held(self, handle: str, now: float) -> Message:
        message = self._messages.get(_sequence_of(handle))
        if message is None:
            raise MnsError("MessageNotExist", 404, "Message not exist.")
        if message.handle != handle or message.visible_at <= now:
            raise bad_handle()
        return message


_PLENTY = 1_000_000
"""Numbers given out before a save, for handles, are below this."""


class Queues:
    """All queues of the account, by name."""

    def __init__(self) -> None:
        self._queues: dict[str, Queue] = {}
        self.deleted_at: dict[str, float] = {}

    def __getitem__(self, name: str) -> Queue:
        """The queue.

        Raises:
            MnsError: 404 QueueNotExist.
        """
        if name not in self._queues:
            raise MnsError("QueueNotExist", 404, "The queue name you provided is not exist.")
        return self._queues[name]

    def __iter__(self) -> Iterator[Queue]:
        return iter(self._queues.values())

    def get(self, name: str) -> Queue | None:
        """The queue, if it exists."""
        return self._queues.get(name)

    def create(self, name: str, attributes: Attributes, now: float) -> bool:
        """Create the queue; False if it exists with the same attributes.

        Raises:
            MnsError: 409 QueueAlreadyExist, if it has other attributes.
        """
        queue = self._queues.get(name)
        if queue is None:
            self._queues[name] = Queue(name, attributes, now)
        elif queue.attributes != attributes:
            raise MnsError("QueueAlreadyExist", 409, "The queue you want to create is already exist.")
        return queue is None

    def add(self, queue: Queue) -> None:
        """Take over a queue."""
        self._queues[queue.name] = queue

    def delete(self, name: str, now: float) -> None:
        """Delete the queue and its messages; deleting one that is not there is fine."""
        queue = self._queues.pop(name, None)
        if queue is not None:
            self.deleted_at[name] = now
            queue.ring()

    def ring_all(self) -> None:
        """Time was moved: every waiting poll looks again."""
        for queue in self:
            queue.ring()


def bad_handle() -> MnsError:
    """The refusal of a receipt handle that is expired or wrong."""
    return MnsError("ReceiptHandleError", 400, "The receipt handle you provide is not valid.")


def _message_id(queue: str, seq: int, now: float) -> str:
    prefix = hashlib.md5(queue.encode(), usedforsecurity=False).hexdigest()[:16].upper()
    return f"{prefix}-2-{int(now * 1000):X}-{200000000 + seq}"


def _sequence_of(handle: str) -> int:
    version, _, inner = handle.partition("-")
    try:
        decoded = base64.b64decode(inner, validate=True).decode("ascii")
        if version == "1":
            return int(decoded.split("-")[0])
    except (binascii.Error, ValueError):
        pass
    raise bad_handle()
