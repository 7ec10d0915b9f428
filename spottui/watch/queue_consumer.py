"""The queue of one region: receive, commit, and only then delete; messages for others stay in it."""

from collections.abc import Callable, Sequence

from spottui.cloud.errors import CloudError, ErrorKind
from spottui.cloud.mns import Message, Queue
from spottui.watch.backfill import Gap
from spottui.watch.intake import Intake

GIVEN_BACK = 4
"""Messages of a batch that are returned early: each is a call, and a flood of others' messages must not delay ours."""
GIVE_BACK_S = (1, 1, 2, 4, 8, 16, 30)
"""When a message becomes visible again, by how often it was received; after that, at its visibility timeout."""


class QueueConsumer:
    """Receives batches from one queue; created in the thread that uses it. `gap` learns whether the queue answers."""

    def __init__(self, region: str, open_queue: Callable[[], Queue], intake: Intake, gap: Gap) -> None:
        self._region = region
        self._open_queue = open_queue
        self._intake = intake
        self._gap = gap
        self._queue: Queue | None = None
        self._may_give_back = True
        self._stopped = False

    def poll(self) -> None:
        """Wait for one batch and take it in; raises `CloudError`.

        After an error the connection is opened anew. Messages that were received but not committed come again after
        their visibility timeout.
        """
        try:
            queue = self._queue = self._queue or self._open_queue()
            if self._stopped:
                return
            # Messages that waited for the cloud's answer are deleted soon after it, not only when the next message
            # comes.
            messages = queue.receive(briefly=self._intake.has_doubts(self._region))
            handled = self._intake.messages(self._region, messages)
            if handled.settled:
                queue.delete(handled.settled)
            self._give_back(queue, handled.for_others)
        except CloudError:
            self._queue = None
            self._gap.failed()
            raise
        self._gap.answered()

    def _give_back(self, queue: Queue, messages: Sequence[Message]) -> None:
        """Return another console's messages to the queue, visible at first within a second, then ever later.

        Without the permission, or if there are many, they become visible at their visibility timeout.
        """
        for message in messages[:GIVEN_BACK] if self._may_give_back else ():
            try:
                if message.deliveries < len(GIVE_BACK_S):
                    queue.give_back(message, GIVE_BACK_S[message.deliveries])
            except CloudError as error:
                self._may_give_back = error.kind is not ErrorKind.DENIED
                return

    def stop(self) -> None:
        """End the current long poll; callable from any thread."""
        self._stopped = True
        if self._queue is not None:
            self._queue.stop()
