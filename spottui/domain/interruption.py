"""From observations of several sources to one interruption per instance and reclaim."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from spottui.domain.clock import NOTICE_S

SAME_RECLAIM_S = 600.0
"""Observations of one instance this close together speak of one reclaim: 300 s of notice and 4 min of delay fit in."""

EVENT_GRACE_S = 60.0
"""Seconds past its deadline after which an event that no lock ever confirmed is closed as a drill."""


class Evidence(StrEnum):
    """Where a sign of a reclaim came from, with the letter that the console shows."""

    QUEUE = "Q"
    LOCK = "L"
    BACKFILL = "B"
    ENGINEER = "E"


@dataclass(frozen=True, slots=True)
class Observation:
    """One sign, from one source, that an instance is being reclaimed.

    `at` is when the reclaim began as far as this source knows: the event's own time, else the enqueue time,
    or when the lock was first seen. `message_id` is the queue's, for messages only.
    """

    region: str
    instance_id: str
    source: Evidence
    at: datetime
    action: str = ""
    message_id: str = ""
    release_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Interruption:
    """One reclaim of one instance, whatever number of sources and messages spoke of it.

    `epoch` is the UTC second of the first observation and tells reclaims of a `Stop` instance apart;
    `duplicates` counts the observations beyond the first of each source.
    """

    region: str
    instance_id: str
    epoch: int
    first_seen: datetime
    deadline: datetime
    evidence: tuple[Evidence, ...]
    action: str = ""
    duplicates: int = 0
    unlocked_at: datetime | None = None

    @property
    def id(self) -> str:
        """The identity of the reclaim, of its recovery and of its durable workflow."""
        return f"{self.region}.{self.instance_id}.{self.epoch}"

    @property
    def confirmed(self) -> bool:
        """Whether something stronger than an event speaks for it: the lock, or the engineer."""
        return Evidence.LOCK in self.evidence or Evidence.ENGINEER in self.evidence

    @property
    def marks(self) -> str:
        """The letters of the evidence in the order in which it came, `QL` for example."""
        return "".join(self.evidence)


def first_sight(seen: Observation, now: datetime) -> Interruption:
    """Open the interruption that an observation is the first sign of."""
    return Interruption(
        region=seen.region,
        instance_id=seen.instance_id,
        epoch=int(seen.at.timestamp()),
        first_seen=now,
        deadline=deadline_of(seen),
        evidence=(seen.source,),
        action=seen.action,
    )


def fuse(known: Interruption, seen: Observation) -> Interruption:
    """Add an observation of the same reclaim: evidence joins, the deadline only ever comes nearer."""
    if seen.source in known.evidence:
        return replace(known, duplicates=known.duplicates + 1)
    return replace(
        known,
        evidence=(*known.evidence, seen.source),
        deadline=min(known.deadline, deadline_of(seen)),
        action=known.action or seen.action,
    )


def same_reclaim(known: Interruption, seen: Observation) -> bool:
    """Whether an observation speaks of a reclaim that is known already.

    A lock is one reclaim until the fleet has positively shown the instance without it: rows that vanish and
    pages that come back empty are no evidence. An event is the same reclaim when it began at about the same time.
    """
    near = abs(seen.at - datetime.fromtimestamp(known.epoch, seen.at.tzinfo)) < timedelta(seconds=SAME_RECLAIM_S)
    if near or Evidence.LOCK not in known.evidence or seen.source is not Evidence.LOCK:
        return near
    return known.unlocked_at is None or seen.at <= known.unlocked_at


def deadline_of(seen: Observation) -> datetime:
    """When the cloud takes the instance back as far as this observation knows."""
    return seen.release_at or seen.at + timedelta(seconds=NOTICE_S)
