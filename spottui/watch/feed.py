"""The queue of one region: receive, commit, and only then delete."""

from collections.abc import Callable

from spottui.cloud.errors import CloudError
from spottui.cloud.mns import Queue
from spottui.watch.backfill import Gap
from spottui.watch.intake import Intake


class QueueFeed:
    """Receives batches from one queue; made in the thread that uses it. `gap` is told whether the queue answers."""

    def __init__(self, region: str, open_queue: Callable[[], Queue], intake: Intake, gap: Gap) -> None:
        self._region = region
        self._open_queue = open_queue
        self._intake = intake
        self._gap = gap
        self._queue: Queue | None = None
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
            messages = queue.receive()
            if messages:
                self._intake.messages(self._region, messages)
                queue.delete(messages)
        except CloudError:
            self._queue = None
            self._gap.failed()
            raise
        self._gap.answered()

    def stop(self) -> None:
        """End a long poll that is under way; from any thread."""
        self._stopped = True
        if self._queue is not None:
            self._queue.stop()
