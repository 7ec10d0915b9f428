"""From what the sources see to one interruption per instance and reclaim, committed before anything acts on it."""

import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy.exc import OperationalError

from spottui.cloud.messages import OtherEvent, Poison, Reclaim, parse
from spottui.cloud.mns import Message
from spottui.domain.clock import Clock
from spottui.domain.feed import EventKind
from spottui.domain.instance import Instance
from spottui.domain.interruption import Evidence, Interruption, Observation
from spottui.journal import Journal
from spottui.journal.events import Line
from spottui.journal.interruptions import NameOf, Recorded

CLOCKS_APART = timedelta(minutes=5)
"""An event that claims to be later than its arrival by more than this is dated by its arrival."""


class Intake:
    """Takes what sources see. Thread-safe.

    `on_seen` is told of the interruption of every observation after the commit, of duplicates too: whoever acts on it
    must be able to hear it twice, and hears it again when it failed the first time.
    """

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        regions: Iterable[str],
        name_of: NameOf,
        on_seen: Callable[[Interruption], None],
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._regions = frozenset(regions)
        self._name_of = name_of
        self._on_seen = on_seen
        self._lock = threading.Lock()
        self._locked = {
            (known.region, known.instance_id)
            for known in journal.interruptions.latest(1000)
            if Evidence.LOCK in known.evidence
        }

    def messages(self, queue_region: str, messages: Sequence[Message]) -> None:
        """Commit a batch of messages: when this returns they may be deleted."""
        for recorded in self._committed(queue_region, messages):
            self._on_seen(recorded.interruption)

    def locks(self, instances: Sequence[Instance]) -> None:
        """Commit the locks that were not there at the last look."""
        now = self._clock.now()
        with self._lock:
            self._locked.update((instance.region, instance.instance_id) for instance in instances)
        self._record([Observation(one.region, one.instance_id, Evidence.LOCK, now) for one in instances])

    def engineer(self, region: str, instance_id: str) -> Interruption:
        """Commit that an engineer wants an instance recovered, whatever the sources say."""
        seen = Observation(region, instance_id, Evidence.ENGINEER, self._clock.now())
        return self._record([seen])[0].interruption

    def seen_unlocked(self, region: str, instances: Iterable[Instance]) -> None:
        """Note instances that the fleet positively shows without the lock they once had."""
        free = [one.instance_id for one in instances if not one.recycling]
        with self._lock:
            freed = [instance_id for instance_id in free if (region, instance_id) in self._locked]
        if freed:
            done = self._journal.interruptions.unlocked(region, freed, self._clock.now())
            with self._lock:
                self._locked.difference_update((region, instance_id) for instance_id in done)

    def _committed(self, queue_region: str, messages: Sequence[Message]) -> tuple[Recorded, ...]:
        """Commit all, or each alone when that fails: one message that cannot be written must not hold the others.

        A message that fails alone is poison, unless the journal takes not even that and nothing may be deleted.
        """
        observations: list[Observation] = []
        lines: list[Line] = []
        for message in messages:
            self._read(queue_region, message, observations, lines)
        try:
            return self._write(observations, lines)
        except OperationalError:
            # A journal that is locked or full for now says nothing about the message: it comes again.
            raise
        except Exception as error:
            if len(messages) > 1:
                return tuple(one for message in messages for one in self._committed(queue_region, [message]))
            text = f"not written ({type(error).__name__}), message {messages[0].message_id}"
            return self._write([], [Line(EventKind.POISON, queue_region, "", text)])

    def _record(self, observations: Sequence[Observation]) -> tuple[Recorded, ...]:
        recorded = self._write(observations, [])
        for one in recorded:
            self._on_seen(one.interruption)
        return recorded

    def _write(self, observations: Sequence[Observation], lines: Sequence[Line]) -> tuple[Recorded, ...]:
        return self._journal.interruptions.record(observations, lines, self._name_of, self._clock.now())

    def _read(self, queue_region: str, message: Message, observations: list[Observation], lines: list[Line]) -> None:
        parsed = parse(message.body)
        match parsed:
            case Reclaim():
                region = parsed.region or queue_region
                if region in self._regions:
                    observations.append(_observation(region, parsed, message))
                else:
                    text = f"reclaim in {region}, a region that is not configured, message {message.message_id}"
                    lines.append(Line(EventKind.MESSAGE, region, parsed.instance_id, text))
            case OtherEvent():
                lines.append(Line(EventKind.MESSAGE, queue_region, parsed.instance_id, parsed.text))
            case Poison():
                text = f"{parsed.reason}, message {message.message_id}"
                lines.append(Line(EventKind.POISON, queue_region, "", text, body=message.body))


def _observation(region: str, reclaim: Reclaim, message: Message) -> Observation:
    return Observation(
        region=region,
        instance_id=reclaim.instance_id,
        source=Evidence.QUEUE,
        at=_plausible(reclaim.at, message.enqueued),
        action=reclaim.action,
        message_id=message.message_id,
    )


def _plausible(at: datetime | None, enqueued: datetime) -> datetime:
    return enqueued if at is None or at > enqueued + CLOCKS_APART else at
