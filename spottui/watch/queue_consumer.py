"""The queue of one region: receive, commit, and only then delete; what is for others is left in it."""

from collections.abc import Callable, Sequence

from spottui.cloud.errors import CloudError, ErrorKind
from spottui.cloud.mns import Message, Queue
from spottui.watch.backfill import Gap
from spottui.watch.intake import Intake

GIVEN_BACK = 4
"""Of one batch: each is a call, and a flood of what is for others must not hold up what is ours."""
GIVE_BACK_S = (1, 1, 2, 4, 8, 16, 30)
"""When a message is there again, by how often it was received; later only when its visibility timeout is over."""


class QueueConsumer:
    """Receives batches from one queue; made in the thread that uses it. `gap` is told whether the queue answers."""

    def __init__(self, region: str, open_queue: Callable[[], Queue], intake: Intake, gap: Gap) -> None:
        self._region = region
        self._open_queue = open_queue
        self._intake = intake
        self._gap = gap
        self._queue: Queue | None = None
        self._may_give_back = True
        self._stopped = False

    def look(self) -> None:
        """Wait for one batch and take it in; raises `CloudError`.

        After an error the connection is made anew. Messages that were received but not committed come again when
        their visibility timeout is over.
        """
        try:
            queue = self._queue = self._queue or self._open_queue()
            if self._stopped:
                return
            # What waits for the cloud's word is to be deleted soon after it: not only when the next message comes.
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
        """Let another console have what is for it, at first in a second, and ever less often when nobody takes it.

        Without the permission, or where there are many, they come by themselves when their visibility timeout is over.
        """
        for message in messages[:GIVEN_BACK] if self._may_give_back else ():
            try:
                if message.deliveries < len(GIVE_BACK_S):
                    queue.give_back(message, GIVE_BACK_S[message.deliveries])
            except CloudError as error:
                self._may_give_back = error.kind is not ErrorKind.DENIED
                return

    def stop(self) -> None:
        """End a long poll that is under way; from any thread."""
        self._stopped = True
        if self._queue is not None:
            self._queue.stop()
