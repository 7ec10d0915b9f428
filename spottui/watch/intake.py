"""From observations to one recovery per instance and reclaim, committed before anything acts on it.

Only disk protection is sent before that: it is harmless and comes first after a notice.
"""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial

import msgspec

from spottui.cloud.messages import Reclaim, Released
from spottui.cloud.mns import Message
from spottui.domain.clock import Clock
from spottui.domain.facts import MessageSeen
from spottui.domain.instance import Instance, InstanceStatus
from spottui.domain.interruption import Evidence, Observation, Release
from spottui.domain.recovery import Recovery
from spottui.journal import Journal
from spottui.journal.reclaims import NameOf, Sighting, take_in, unlocked
from spottui.journal.store import JournalAway, JournalProblem
from spottui.journal.writer import Urgency
from spottui.watch.doubts import Doubts
from spottui.watch.reading import CLOCKS_APART, Reading, poison, read, released_line
from spottui.watch.strangers import Existence, Strangers

log = logging.getLogger("spottui.watch")

PATIENCE_S = 10.0
KNOWN_AWAY_S = 0.5
"""How long a source waits for a journal that accepts nothing, and for one that is known to be away."""
SAID_AGAIN_S = 600.0
"""How often repeated messages for others are reported, for each region and account."""
MOST_SAID = 100
"""A flood that names a thousand regions must not make a thousand lines."""
NAMED = 3
"""How many unlisted instances are named in the line about them."""

Protect = Callable[[str, Sequence[str]], None]
"""Protects the disks of instances of a region without waiting."""


class Handled(msgspec.Struct, frozen=True):
    """The result for messages: those that may be deleted, and those that are for other consoles.

    A message in neither waits for the cloud's answer: it stays in the queue until that is committed.
    """

    settled: Sequence[Message]
    for_others: Sequence[Message]


class Intake:
    """Takes in the observations of the sources. Thread-safe.

    `on_seen` is told of the recovery of every observation after the commit, of duplicates too. An instance that neither
    a sweep nor a recovery knows is looked up by `strangers` before anything is begun for it, and so is one that a
    message says to be gone; without them every message is believed. `account_id` gives the id of a region's account,
    empty while it is not known.
    """

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        regions: Iterable[str],
        name_of: NameOf,
        protect: Protect,
        on_seen: Callable[[Recovery], None],
        strangers: Strangers | None = None,
        account_id: Callable[[str], str] = lambda _region: "",
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._regions = frozenset(regions)
        self._name_of = name_of
        self._protect = protect
        self._on_seen = on_seen
        self._strangers = strangers
        self._account_id = account_id
        self._doubts = Doubts()
        self._said: dict[str, float] = {}
        if strangers:
            strangers.on_answer = self._answered

    def messages(self, queue_region: str, messages: Sequence[Message]) -> Handled:
        """Commit a batch of messages, and return which may be deleted, earlier ones among them."""
        account_id, now = self._account_id(queue_region), self._clock.now()
        readings = [read(message, queue_region, self._regions, account_id, now) for message in messages]
        for reading in readings:
            self._put_in_doubt(reading)
        self._announce(self._committed(readings))
        if self._strangers:
            for region, ids in self._doubts.add(readings).items():
                self._strangers.ask(region, ids)
        settled = self._doubts.settled(queue_region, readings)
        return Handled(settled, [reading.message for reading in readings if reading.for_others])

    def has_doubts(self, queue_region: str) -> bool:
        """Whether messages of a queue wait for the cloud's answer, or got it and are not deleted yet."""
        return self._doubts.has_any(queue_region)

    def history(self, region: str, past: Sequence[Reclaim | Released]) -> None:
        """Commit the events of CloudMonitor's history of a region; an event without a time is left out.

        The history is trusted about instances that are gone by now. A reported release is looked up all the same,
        because a drill can report one. Raises `CloudError` if that is not possible.
        """
        signs = [
            Observation(region, event.instance_id, Evidence.BACKFILL, event.at, event.action)
            for event in past
            if isinstance(event, Reclaim) and event.at
        ]
        self._announce(self._write(Sighting(signs)))
        releases = [
            Release(region, event.instance_id, event.at)
            for event in past
            if isinstance(event, Released) and event.at and self._is_known(region, event.instance_id)
        ]
        ids = sorted({release.instance_id for release in releases})
        gone = self._strangers.exist(region, ids).gone if self._strangers and ids else frozenset(ids)
        self._announce(self._write(Sighting(releases=[release for release in releases if release.instance_id in gone])))

    def locks(self, instances: Sequence[Instance], not_before: datetime | None = None) -> None:
        """Commit the locks that are new since the last poll, which was at `not_before` if there was one."""
        now = self._clock.now()
        signs = [
            Observation(instance.region, instance.instance_id, Evidence.LOCK, now, not_before=not_before)
            for instance in instances
        ]
        self._announce(self._write(Sighting(signs)))

    def seen_unlocked(self, region: str, instances: Iterable[Instance]) -> None:
        """Note instances that the cloud lists without their earlier lock.

        A running instance no longer has it. A stopped one may get it back at its start, until its notice is over.
        """
        free = {
            instance.instance_id: instance.status is InstanceStatus.RUNNING
            for instance in instances
            if not instance.recycling
        }
        now = self._clock.now()
        freed = [
            recovery.instance_id
            for recovery in self._journal.recoveries.lately()
            if (recovery.region, recovery.interruption.locked, recovery.interruption.unlocked_at)
            == (region, True, None)
            and recovery.instance_id in free
            and (free[recovery.instance_id] or recovery.interruption.over_at < now)
        ]
        if freed:
            self._journal.run(lambda t: unlocked(t, region, freed, now), Urgency.EVIDENCE)

    def without_lock(self, region: str, instance_ids: Iterable[str]) -> frozenset[str]:
        """Return the instances whose last lock is over by the journal: a lock on them is a new one."""
        wanted, newest = frozenset(instance_ids), dict[str, Recovery]()
        for recovery in self._journal.recoveries.lately() if wanted else ():
            before = newest.get(recovery.instance_id)
            if recovery.region == region and recovery.instance_id in wanted and recovery.interruption.locked:
                is_newer = before is None or before.interruption.epoch < recovery.interruption.epoch
                newest[recovery.instance_id] = recovery if is_newer or before is None else before
        return frozenset(key for key, recovery in newest.items() if recovery.interruption.unlocked_at)

    def _announce(self, recoveries: Iterable[Recovery]) -> None:
        for recovery in recoveries:
            self._on_seen(recovery)

    def _committed(self, readings: Sequence[Reading]) -> tuple[Recovery, ...]:
        """Commit all together, or one by one if that fails: an unwritable message must not block the others.

        A message that fails alone is poison; if the journal does not even accept that, nothing may be deleted.
        """
        seen = Sighting()
        for each in readings:
            self._gather(each, seen)
        try:
            return self._write(seen)
        except JournalProblem:
            # A broken journal proves nothing about the message: it comes again.
            raise
        except Exception as error:
            if len(readings) > 1:
                return tuple(recovery for reading in readings for recovery in self._committed([reading]))
            why = f"not written ({type(error).__name__})"
            reading = readings[0]
            return self._write(Sighting(others=[(poison(reading.message, why), reading.queue_region, "")]))

    def _put_in_doubt(self, reading: Reading) -> None:
        if self._strangers is None:
            reading.rest.others += [
                (released_line(), release.region, release.instance_id) for release in reading.releases
            ]
            return
        observations = [
            observation
            for observation in reading.reclaims
            if self._is_known(observation.region, observation.instance_id)
        ]
        reading.doubtful += [observation for observation in reading.reclaims if observation not in observations]
        # An unknown instance has no recovery to close.
        reading.doubtful += [
            release for release in reading.releases if self._is_known(release.region, release.instance_id)
        ]
        unknown = [release for release in reading.releases if release not in reading.doubtful]
        reading.rest.others += [(released_line(), release.region, release.instance_id) for release in unknown]
        reading.reclaims, reading.releases = observations, []

    def _gather(self, reading: Reading, seen: Sighting) -> None:
        """Add the part of a message that may be taken in at once, and now and then a line about the part for others."""
        seen.others += [line for line in reading.for_others if self._is_news(line[0])]
        if not self._doubts.was_taken_in(reading.message):
            seen.observations += reading.reclaims
            seen.releases += reading.releases
            seen.others += reading.rest.others

    def _is_known(self, region: str, instance_id: str) -> bool:
        """Whether a sweep has seen the instance, or it has a recovery; always true without `strangers`."""
        journal = self._journal
        return (
            self._strangers is None
            or instance_id in journal.fleet.of(region)
            or journal.recoveries.was_reclaimed(region, instance_id)
        )

    def _is_news(self, line: MessageSeen) -> bool:
        about, now = line.unconfigured_region or line.other_account, time.monotonic()
        is_new = about not in self._said
        if (is_new and len(self._said) >= MOST_SAID) or (not is_new and now - self._said[about] < SAID_AGAIN_S):
            return False
        log.warning("the queue has reclaims of %s: they are left for another console", about)
        self._said[about] = now
        return True

    def _answered(self, region: str, asked: Sequence[str], answer: Existence) -> None:
        """Take in what the cloud's answer confirms, and one line about the rest."""
        with self._doubts.resolved(region, asked) as doubtful:
            seen = _believed(doubtful, answer)
            seen.others += [(released_line(), release.region, release.instance_id) for release in doubtful.releases]
            unlisted = list(
                dict.fromkeys(
                    observation.instance_id
                    for observation in doubtful.observations
                    if observation.instance_id not in answer.listed
                )
            )
            if unlisted:
                line = MessageSeen("reclaim", ", ".join(unlisted[:NAMED]), not_listed=len(unlisted))
                seen.others.append((line, region, unlisted[0]))
            self._announce(self._write(seen))

    def _write(self, seen: Sighting) -> tuple[Recovery, ...]:
        if not (seen.observations or seen.releases or seen.others):
            return ()
        self._protect_first(seen.observations)
        change = partial(
            take_in, seen=seen, name_of=self._name_of, driver=self._journal.consoles.own, now=self._clock.now()
        )
        problem = self._journal.writer.problem
        try:
            return self._journal.run(change, Urgency.EVIDENCE, KNOWN_AWAY_S if problem else PATIENCE_S)
        except TimeoutError:
            # Later notices must be protected all the same: the source continues and sees this one again.
            cause = self._journal.writer.problem or "it takes nothing"
            raise JournalAway(self._journal.store.address, cause) from None

    def _protect_first(self, observations: Iterable[Observation]) -> None:
        """A message from an hour ago is no reason to change disks."""
        now, by_region = self._clock.now(), dict[str, list[str]]()
        for observation in observations:
            if now - observation.at < OLD:
                by_region.setdefault(observation.region, []).append(observation.instance_id)
        for region, ids in by_region.items():
            self._protect(region, ids)


OLD: timedelta = CLOCKS_APART * 2
"""What is dated so long ago protects no disks."""


def _believed(doubtful: Sighting, answer: Existence) -> Sighting:
    """Return what the cloud confirms: reclaims of listed instances, and releases of those that are gone."""
    return Sighting(
        [observation for observation in doubtful.observations if observation.instance_id in answer.listed],
        [release for release in doubtful.releases if release.instance_id in answer.gone],
    )
