"""Messages that are not deleted until the cloud has answered about the instances that they name."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from spottui.cloud.mns import Message
from spottui.domain.interruption import Observation, Release
from spottui.journal.reclaims import Sighting
from spottui.watch.reading import Reading

MOST = 10_000
"""Further ones stay in the queue, where a flood does no harm."""
REMEMBERED = 1_000
"""How many messages for other consoles are remembered as having been taken in as far as they are ours."""

_Doubt = tuple[str, str]
"""Region and id of an instance."""


@dataclass(slots=True)
class _Held:
    """A message as last received, and its instances about which the cloud has not answered yet."""

    reading: Reading
    doubts: set[_Doubt]


class Doubts:
    """Holds the observations of messages until the cloud has answered about their instances. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._signs: dict[_Doubt, list[Observation | Release]] = {}
        self._held: dict[str, _Held] = {}
        self._settled: dict[str, list[Message]] = {}
        self._taken_in: dict[str, None] = {}

    def was_taken_in(self, message: Message) -> bool:
        """Whether our part of a message was taken in at an earlier receipt, while the message is still in the queue."""
        with self._lock:
            return message.message_id in self._held or message.message_id in self._taken_in

    def has_any(self, queue_region: str) -> bool:
        """Whether messages of a queue wait for the cloud's word, or have had it since they were asked for last."""
        with self._lock:
            waits = any(held.reading.queue_region == queue_region for held in self._held.values())
            return waits or bool(self._settled.get(queue_region))

    def add(self, readings: Sequence[Reading]) -> dict[str, list[str]]:
        """Hold unconfirmed observations, and return the ids to look up, by region.

        A message that comes again while it waits is looked up again, and counts once.
        """
        wanted: dict[str, list[str]] = {}
        with self._lock:
            for reading in readings:
                for region, instance_id in self._hold(reading):
                    wanted.setdefault(region, []).append(instance_id)
        return wanted

    def settled(self, queue_region: str, readings: Sequence[Reading]) -> list[Message]:
        """Return a queue's messages that may be deleted: those of these that wait for nothing, and earlier ones."""
        with self._lock:
            done = self._settled.pop(queue_region, [])
            for reading in readings:
                if not reading.doubtful or reading.message.message_id in self._taken_in:
                    self._settle(reading, done)
            return done

    @contextmanager
    def resolved(self, region: str, instance_ids: Sequence[str]) -> Iterator[Sighting]:
        """Give the held observations of instances; at the end of the block their messages no longer wait for them.

        If the block raises, they are dropped, and come again from the queue.
        """
        doubts = {(region, instance_id) for instance_id in instance_ids}
        with self._lock:
            signs = [sign for doubt in doubts for sign in self._signs.pop(doubt, [])]
        is_taken_in = False
        try:
            yield Sighting(
                [observation for observation in signs if isinstance(observation, Observation)],
                [release for release in signs if isinstance(release, Release)],
            )
            is_taken_in = True
        finally:
            with self._lock:
                self._let_go(doubts, is_taken_in=is_taken_in)

    def _hold(self, reading: Reading) -> set[_Doubt]:
        message_id = reading.message.message_id
        held = self._held.get(message_id)
        if held:
            held.reading = reading
            return held.doubts
        if not reading.doubtful or message_id in self._taken_in or len(self._held) >= MOST:
            return set()
        for sign in reading.doubtful:
            self._signs.setdefault((sign.region, sign.instance_id), []).append(sign)
        doubts = {(sign.region, sign.instance_id) for sign in reading.doubtful}
        self._held[message_id] = _Held(reading, doubts)
        return doubts

    def _let_go(self, doubts: set[_Doubt], *, is_taken_in: bool) -> None:
        concerned = [key for key, held in self._held.items() if not held.doubts.isdisjoint(doubts)]
        for message_id in concerned:
            held = self._held[message_id]
            held.doubts -= doubts
            if not is_taken_in:
                del self._held[message_id]
            elif not held.doubts:
                del self._held[message_id]
                self._settle(held.reading, self._settled.setdefault(held.reading.queue_region, []))

    def _settle(self, reading: Reading, done: list[Message]) -> None:
        """A message that is also for others stays in the queue; our part is not taken in again."""
        if not reading.for_others:
            done.append(reading.message)
            return
        self._taken_in[reading.message.message_id] = None
        while len(self._taken_in) > REMEMBERED:
            del self._taken_in[next(iter(self._taken_in))]
