"""From what the sources see to one recovery per instance and reclaim, committed before anything acts on it.

Only disk protection goes out before that: it is harmless, and the first bytes after a notice.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial

from spottui.cloud.messages import RELEASED, STATE_EVENT, OtherEvent, Parsed, Poison, Reclaim, Released, parse_all
from spottui.cloud.mns import Message
from spottui.domain.clock import Clock
from spottui.domain.facts import MessageSeen, PoisonSeen
from spottui.domain.instance import Instance
from spottui.domain.interruption import Evidence, Observation, Release
from spottui.domain.recovery import Recovery
from spottui.journal import Journal
from spottui.journal.reclaims import NameOf, Sighting, take_in, unlocked
from spottui.journal.store import JournalAway, JournalProblem
from spottui.journal.writer import Urgency

CLOCKS_APART = timedelta(minutes=5)
"""An event that claims to be later than its arrival by more than this is dated by its arrival."""
POISON_KEPT = 8_192
"""Characters of a body that are kept to be looked at: a flood of poison must not fill the disk."""
PATIENCE_S = 10.0
KNOWN_AWAY_S = 0.5
"""So long a source is held up by a journal that takes nothing, and by one of which that is known."""

Protect = Callable[[str, Sequence[str]], None]
"""Protects the disks of instances of a region; waits for nothing."""


class Intake:
    """Takes what sources see. Thread-safe.

    `on_seen` is told of the recovery of every observation after the commit, of duplicates too.
    """

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        regions: Iterable[str],
        name_of: NameOf,
        protect: Protect,
        on_seen: Callable[[Recovery], None],
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._regions = frozenset(regions)
        self._name_of = name_of
        self._protect = protect
        self._on_seen = on_seen
        self._lock = threading.Lock()
        self._locked = {(one.region, one.instance_id) for one in journal.recoveries.lately() if _has_lock(one)}

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

    def seen_unlocked(self, region: str, instances: Iterable[Instance]) -> None:
        """Note instances that the fleet positively shows without the lock they once had."""
        free = [one.instance_id for one in instances if not one.recycling]
        with self._lock:
            freed = [instance_id for instance_id in free if (region, instance_id) in self._locked]
        if freed:
            now = self._clock.now()
            done = self._journal.run(lambda t: unlocked(t, region, freed, now), Urgency.EVIDENCE)
            with self._lock:
                self._locked.difference_update((region, instance_id) for instance_id in done)

    def _tell(self, recoveries: Iterable[Recovery]) -> None:
        for recovery in recoveries:
            self._on_seen(recovery)

    def _committed(self, queue_region: str, messages: Sequence[Message]) -> tuple[Recovery, ...]:
        """Commit all, or each alone when that fails: one message that cannot be written must not hold the others.

        A message that fails alone is poison, unless the journal takes not even that and nothing may be deleted.
        """
        seen = Sighting()
        for message in messages:
            self._read(queue_region, message, seen)
        try:
            return self._write(seen)
        except JournalProblem:
            # A journal that is broken says nothing about the message: it comes again.
            raise
        except Exception as error:
            if len(messages) > 1:
                return tuple(one for message in messages for one in self._committed(queue_region, [message]))
            why = f"not written ({type(error).__name__})"
            return self._write(Sighting(others=[(_poison(messages[0], why), queue_region, "")]))

    def _write(self, seen: Sighting) -> tuple[Recovery, ...]:
        self._protect_first(seen.observations)
        change = partial(
            take_in, seen=seen, name_of=self._name_of, driver=self._journal.consoles.own, now=self._clock.now()
        )
        problem = self._journal.writer.problem
        try:
            return self._journal.run(change, Urgency.EVIDENCE, KNOWN_AWAY_S if problem else PATIENCE_S)
        except TimeoutError:
            # Whoever comes next is to be protected all the same: the source goes on, and sees this one again.
            cause = self._journal.writer.problem or "it takes nothing"
            raise JournalAway(self._journal.store.address, cause) from None

    def _protect_first(self, observations: Iterable[Observation]) -> None:
        """A message of an hour ago is no reason to touch disks."""
        young = self._clock.now() - CLOCKS_APART * 2
        by_region: dict[str, list[str]] = {}
        for one in observations:
            if one.at > young:
                by_region.setdefault(one.region, []).append(one.instance_id)
        for region, ids in by_region.items():
            self._protect(region, ids)

    def _read(self, queue_region: str, message: Message, seen: Sighting) -> None:
        for parsed in parse_all(message.body):
            self._sort(queue_region, message, parsed, seen)

    def _sort(self, queue_region: str, message: Message, parsed: Parsed, seen: Sighting) -> None:
        match parsed:
            case Reclaim():
                region = parsed.region or queue_region
                if region in self._regions:
                    seen.observations.append(_observation(region, parsed, message))
                else:
                    fact = MessageSeen("reclaim", message_id=message.message_id, unconfigured_region=region)
                    seen.others.append((fact, region, parsed.instance_id))
            case Released():
                region = parsed.region or queue_region
                at = _plausible(parsed.at, message.enqueued)
                seen.releases.append(Release(region, parsed.instance_id, at))
                seen.others.append((MessageSeen(STATE_EVENT, f"{STATE_EVENT} {RELEASED}"), region, parsed.instance_id))
            case OtherEvent():
                seen.others.append((MessageSeen(parsed.name, parsed.text), queue_region, parsed.instance_id))
            case Poison():
                seen.others.append((_poison(message, parsed.reason), queue_region, ""))


def _has_lock(recovery: Recovery) -> bool:
    return recovery.interruption.locked and recovery.interruption.unlocked_at is None


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


def _poison(message: Message, why: str) -> PoisonSeen:
    body, length = message.body, len(message.body)
    return PoisonSeen(why, _writable(message.message_id), _writable(body[:POISON_KEPT]), length)


def _writable(text: str) -> str:
    """What no database takes, half a surrogate pair or a NUL, becomes a mark."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
