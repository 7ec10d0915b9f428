"""Messages that wait for the cloud's word about the instances they name: until then they are not deleted."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from spottui.cloud.mns import Message
from spottui.domain.interruption import Observation, Release
from spottui.journal.reclaims import Sighting
from spottui.watch.reading import Reading

MOST = 10_000
"""More wait in the queue, where a flood does no harm."""
REMEMBERED = 1_000
"""Messages that are left for others of which it is known that what was ours in them was taken in."""

_Doubt = tuple[str, str]
"""Region and id of an instance."""


@dataclass(slots=True)
class _Held:
    """A message as it was read last, and the instances of which the cloud has not spoken yet."""

    reading: Reading
    doubts: set[_Doubt]


class Doubts:
    """Holds what messages say of instances until the cloud has spoken. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._signs: dict[_Doubt, list[Observation | Release]] = {}
        self._held: dict[str, _Held] = {}
        self._settled: dict[str, list[Message]] = {}
        self._taken_in: dict[str, None] = {}

    def was_taken_in(self, message: Message) -> bool:
        """Whether what may be taken in of a message was, when it was received before, and it is in the queue still."""
        with self._lock:
            return message.message_id in self._held or message.message_id in self._taken_in

    def has_any(self, queue_region: str) -> bool:
        """Whether messages of a queue wait for the cloud's word, or have had it since they were asked for last."""
        with self._lock:
            waits = any(held.reading.queue_region == queue_region for held in self._held.values())
            return waits or bool(self._settled.get(queue_region))

    def add(self, readings: Sequence[Reading]) -> dict[str, list[str]]:
        """Hold what is in doubt, and return the ids to ask the cloud for, by region.

        A message that comes again while it waits is asked for again, and what it says counts once.
        """
        wanted: dict[str, list[str]] = {}
        with self._lock:
            for reading in readings:
                for region, instance_id in self._hold(reading):
                    wanted.setdefault(region, []).append(instance_id)
        return wanted

    def settled(self, queue_region: str, readings: Sequence[Reading]) -> list[Message]:
        """Return the messages of a queue that may be deleted: of these all that wait for nothing, and earlier ones."""
        with self._lock:
            done = self._settled.pop(queue_region, [])
            for reading in readings:
                if not reading.doubtful or reading.message.message_id in self._taken_in:
                    self._settle(reading, done)
            return done

    @contextmanager
    def resolved(self, region: str, instance_ids: Sequence[str]) -> Iterator[Sighting]:
        """Give all that was held about instances; when the block ends, their messages wait for it no more.

        Where it raises they are forgotten, and come again from the queue.
        """
        doubts = {(region, one) for one in instance_ids}
        with self._lock:
            signs = [sign for doubt in doubts for sign in self._signs.pop(doubt, [])]
        is_taken_in = False
        try:
            yield Sighting(
                [one for one in signs if isinstance(one, Observation)],
                [one for one in signs if isinstance(one, Release)],
            )
            is_taken_in = True
        finally:
            with self._lock:
                self._let_go(doubts, is_taken_in=is_taken_in)

    def _hold(self, reading: Reading) -> set[_Doubt]:
        message_id = reading.message.message_id
        known = self._held.get(message_id)
        if known:
            known.reading = reading
            return known.doubts
        if not reading.doubtful or message_id in self._taken_in or len(self._held) >= MOST:
            return set()
        for one in reading.doubtful:
            self._signs.setdefault((one.region, one.instance_id), []).append(one)
        doubts = {(one.region, one.instance_id) for one in reading.doubtful}
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
        """What is for others too stays in the queue; what was ours in it is not taken in again."""
        if not reading.for_others:
            done.append(reading.message)
            return
        self._taken_in[reading.message.message_id] = None
        while len(self._taken_in) > REMEMBERED:
            del self._taken_in[next(iter(self._taken_in))]
