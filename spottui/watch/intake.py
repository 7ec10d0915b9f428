"""From what the sources see to one interruption per instance and reclaim, committed before anything acts on it."""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.exc import OperationalError

from spottui.cloud.messages import RELEASED, STATE_EVENT, OtherEvent, Poison, Reclaim, Released, parse
from spottui.cloud.mns import Message
from spottui.domain.clock import Clock
from spottui.domain.feed import EventKind, Line
from spottui.domain.instance import Instance
from spottui.domain.interruption import Evidence, Interruption, Observation, Release
from spottui.journal import Journal
from spottui.journal.interruptions import NameOf

CLOCKS_APART = timedelta(minutes=5)
"""An event that claims to be later than its arrival by more than this is dated by its arrival."""
POISON_KEPT = 8_192
"""Characters of a body that are kept to be looked at: a flood of poison must not fill the disk."""
RELEASES_KEPT = timedelta(days=7)


@dataclass(slots=True)
class Sighting:
    """What a batch of a source comes to, before it is committed."""

    observations: list[Observation] = field(default_factory=list)
    releases: list[Release] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)


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
        journal.interruptions.forget_releases(clock.now() - RELEASES_KEPT)
        self._locked = {
            (known.region, known.instance_id) for known in journal.interruptions.latest(1000) if known.locked
        }

    def messages(self, queue_region: str, messages: Sequence[Message]) -> None:
        """Commit a batch of messages: when this returns they may be deleted."""
        self._tell(self._committed(queue_region, messages))

    def history(self, region: str, past: Sequence[Reclaim | Released]) -> None:
        """Commit what CloudMonitor's history tells of a region; an event without a time is left out."""
        seen = Sighting()
        for event in past:
            if event.at is None:
                continue
            if isinstance(event, Released):
                seen.releases.append(Release(region, event.instance_id, event.at))
            else:
                seen.observations.append(
                    Observation(region, event.instance_id, Evidence.BACKFILL, event.at, event.action)
                )
        self._tell(self._write(seen))

    def locks(self, instances: Sequence[Instance]) -> None:
        """Commit the locks that were not there at the last look."""
        now = self._clock.now()
        with self._lock:
            self._locked.update((instance.region, instance.instance_id) for instance in instances)
        observations = [Observation(one.region, one.instance_id, Evidence.LOCK, now) for one in instances]
        self._tell(self._write(Sighting(observations)))

    def engineer(self, region: str, instance_id: str) -> Interruption:
        """Commit that an engineer wants an instance recovered, whatever the sources say."""
        seen = Observation(region, instance_id, Evidence.ENGINEER, self._clock.now())
        (interruption,) = self._write(Sighting([seen]))
        self._on_seen(interruption)
        return interruption

    def seen_unlocked(self, region: str, instances: Iterable[Instance]) -> None:
        """Note instances that the fleet positively shows without the lock they once had."""
        free = [one.instance_id for one in instances if not one.recycling]
        with self._lock:
            freed = [instance_id for instance_id in free if (region, instance_id) in self._locked]
        if freed:
            done = self._journal.interruptions.unlocked(region, freed, self._clock.now())
            with self._lock:
                self._locked.difference_update((region, instance_id) for instance_id in done)

    def _tell(self, interruptions: Iterable[Interruption]) -> None:
        for interruption in interruptions:
            self._on_seen(interruption)

    def _committed(self, queue_region: str, messages: Sequence[Message]) -> tuple[Interruption, ...]:
        """Commit all, or each alone when that fails: one message that cannot be written must not hold the others.

        A message that fails alone is poison, unless the journal takes not even that and nothing may be deleted.
        """
        seen = Sighting()
        for message in messages:
            self._read(queue_region, message, seen)
        try:
            return self._write(seen)
        except OperationalError:
            # A journal that is locked or full for now says nothing about the message: it comes again.
            raise
        except Exception as error:
            if len(messages) > 1:
                return tuple(one for message in messages for one in self._committed(queue_region, [message]))
            why = f"not written ({type(error).__name__})"
            return self._write(Sighting(lines=[_poison(queue_region, messages[0], why)]))

    def _write(self, seen: Sighting) -> tuple[Interruption, ...]:
        return self._journal.interruptions.record(
            seen.observations, seen.releases, seen.lines, self._name_of, self._clock.now()
        )

    def _read(self, queue_region: str, message: Message, seen: Sighting) -> None:
        parsed = parse(message.body)
        match parsed:
            case Reclaim():
                region = parsed.region or queue_region
                if region in self._regions:
                    seen.observations.append(_observation(region, parsed, message))
                else:
                    text = f"reclaim in {region}, a region that is not configured, message {message.message_id}"
                    seen.lines.append(Line(EventKind.MESSAGE, region, parsed.instance_id, text))
            case Released():
                region = parsed.region or queue_region
                at = _plausible(parsed.at, message.enqueued)
                seen.releases.append(Release(region, parsed.instance_id, at))
                seen.lines.append(Line(EventKind.MESSAGE, region, parsed.instance_id, f"{STATE_EVENT} {RELEASED}"))
            case OtherEvent():
                seen.lines.append(Line(EventKind.MESSAGE, queue_region, parsed.instance_id, parsed.text))
            case Poison():
                seen.lines.append(_poison(queue_region, message, parsed.reason))


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


def _poison(queue_region: str, message: Message, why: str) -> Line:
    body = _writable(message.body[:POISON_KEPT])
    if len(message.body) > POISON_KEPT:
        body += f" … the first {POISON_KEPT} of {len(message.body)} characters"
    return Line(EventKind.POISON, queue_region, "", f"{why}, message {_writable(message.message_id)}", body=body)


def _writable(text: str) -> str:
    """What no database takes, half a surrogate pair or a NUL, becomes a mark."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
