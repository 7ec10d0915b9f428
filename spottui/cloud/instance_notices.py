"""The notices of one instance in a queue, for the guard that runs on it."""

from datetime import datetime, timedelta

from spottui.cloud.credentials import CredentialSource
from spottui.cloud.errors import CloudError
from spottui.cloud.messages import Reclaim, parse_all
from spottui.cloud.mns import BATCH, Message
from spottui.cloud.queue_setup import QueueSetup
from spottui.cloud.sdk import quiet_sdks
from spottui.domain.clock import NOTICE_S, CloudClock
from spottui.domain.interruption import Notice

LONG_POLL_S = 10
CLOCKS_APART = timedelta(minutes=5)
"""A notice that claims to be later than its arrival by more than this is dated by its arrival."""


class OwnNotices:
    """Looks for notices that name one instance; for one thread, apart from `stop`.

    All other messages are returned to the queue at once and never deleted. `clock` decides which notices are over, and
    gets the date of every answer.
    """

    def __init__(self, endpoint: str, name: str, instance_id: str, clock: CloudClock) -> None:
        quiet_sdks()
        self._clock = clock
        self._queue = QueueSetup(endpoint, name, CredentialSource(None), LONG_POLL_S, clock)
        self._instance_id = instance_id
        self._mine: list[Message] = []
        self._answered: set[str] = set()

    def poll(self) -> Notice | None:
        """Wait up to ten seconds for a notice of this instance and return it; raises `CloudError`.

        One whose time is over belongs to an earlier reclaim of a restarted instance: it is deleted.
        """
        messages = self._received()
        mine = [message for message in messages if self._names_it(message)]
        for message in messages:
            if message not in mine:
                self._give_back(message)
        self._mine += mine
        now = self._clock.now()
        notices = [notice for message in mine for notice in self._notices(message) if notice.deadline > now]
        if mine and not notices:
            self.done()
        # A notice with its own time is no drill, whatever else the message holds.
        return min(notices, key=lambda notice: (notice.is_drill, notice.deadline), default=None)

    def done(self) -> None:
        """Delete what `poll` returned, once it has been handled; raises `CloudError`.

        A message that also names other instances is made visible again for them, and ignored here.
        """
        shared = [message for message in self._mine if self._names_others(message)]
        self._answered.update(message.message_id for message in shared)
        for message in shared:
            self._give_back(message)
        self._queue.delete([message for message in self._mine if message not in shared])
        self._mine = []

    def check(self) -> str:
        """Check that the queue exists, receiving nothing; raises `CloudError`."""
        backlog = self._queue.backlog()
        return f"{self._queue.name} exists" + (f", {backlog.waiting} messages waiting" if backlog.waiting >= 0 else "")

    def stop(self) -> None:
        """End a look under way at once, from any thread."""
        self._queue.stop()

    def _received(self) -> list[Message]:
        """Receive whole batches until one is not full, so that others' messages cannot hide this instance's."""
        messages = batch = self._queue.receive()
        while len(batch) == BATCH:
            batch = self._queue.receive()
            messages = messages + batch
        return messages

    def _names_it(self, message: Message) -> bool:
        return message.message_id not in self._answered and bool(self._notices(message))

    def _names_others(self, message: Message) -> bool:
        return len(parse_all(message.body)) > len(self._notices(message))

    def _notices(self, message: Message) -> list[Notice]:
        return [
            _notice(said, message.enqueued or self._clock.now())
            for said in parse_all(message.body)
            if isinstance(said, Reclaim) and said.instance_id == self._instance_id
        ]

    def _give_back(self, message: Message) -> None:
        try:
            self._queue.give_back(message)
        except CloudError:
            # Without the permission it reappears when its visibility timeout ends.
            return


def _notice(said: Reclaim, enqueued: datetime) -> Notice:
    """A drill has no time at all; an unreadable or impossible time does not mean a drill."""
    began = said.at if said.at and said.at <= enqueued + CLOCKS_APART else enqueued
    return Notice(began + timedelta(seconds=NOTICE_S), is_drill=not said.is_dated, is_confirmed=False)
