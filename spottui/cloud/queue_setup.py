"""Operations on a queue besides consuming it: creating, counting, peeking, sending."""

import base64
import json
import warnings

import msgspec

from spottui.cloud.errors import CloudError, ErrorKind
from spottui.cloud.mns import BATCH, EMPTY, Message, Queue, as_message
from spottui.cloud.sdk import MnsMessage, QueueMeta

VISIBILITY_S = 60
"""A message that a console received and could not commit reappears after this."""
RETENTION_S = 4 * 86_400


class Backlog(msgspec.Struct, frozen=True):
    """How many messages of a queue wait, and how many are held by a consumer; -1 where the service no longer says."""

    waiting: int
    held: int


class QueueSetup(Queue):
    """A queue for `setup`, `doctor`, `drill` and the function; for one thread. Every method raises `CloudError`."""

    def create(self) -> None:
        """Create the queue; one that exists with these attributes is left as it is."""
        meta = QueueMeta(vis_timeout=VISIBILITY_S, msg_ttl=RETENTION_S, polling_wait_sec=0)
        self._call("CreateQueue", self._queue.create, meta)

    def backlog(self) -> Backlog:
        """Return how many messages there are; raises NOT_FOUND when there is no such queue."""
        with warnings.catch_warnings():
            # The SDK warns of its own properties, which the service will drop some day.
            warnings.simplefilter("ignore", DeprecationWarning)
            attributes = self._call("GetQueueAttributes", self._queue.get_attributes)
        return Backlog(int(attributes._active_messages), int(attributes._inactive_messages))

    def peek(self) -> list[Message]:
        """Return at most 16 of the messages that wait, taking none."""
        try:
            return [as_message(message) for message in self._call("PeekMessage", self._queue.batch_peek_message, BATCH)]
        except CloudError as error:
            if error.code == EMPTY:
                return []
            raise

    def check_permission(self) -> None:
        """Raise if the account may not delete messages; the message that it tries to delete does not exist."""
        try:
            self._call("BatchDeleteMessage", self._queue.batch_delete_message, ["spottui-doctor"])
        except CloudError as error:
            if error.kind in (ErrorKind.DENIED, ErrorKind.CREDENTIALS):
                raise

    def send(self, body: object) -> str:
        """Send a value as Base64 of JSON, as CloudMonitor does; return the message id."""
        return self.send_text(json.dumps(body, ensure_ascii=False))

    def send_text(self, text: str) -> str:
        """Send a text as its Base64; return the message id."""
        return self.send_encoded(base64.b64encode(text.encode()).decode())

    def send_encoded(self, body: str) -> str:
        """Send a body as it is; return the message id."""
        message = MnsMessage(body)
        return str(self._call("SendMessage", self._queue.send_message, message).message_id)
