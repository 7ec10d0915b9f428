"""From observations of several sources to one interruption per instance and reclaim."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from spottui.domain.clock import NOTICE_S

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
class Release:
    """The cloud's word that an instance is gone, with the time that its event gives, or at which it was found gone.

    An event can be a drill: whoever acts on it asks the cloud first.
    """

    region: str
    instance_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Interruption:
    """One reclaim of one instance, whatever number of sources and messages spoke of it.

    `deadline` is the earliest that any source gives; `latest` the latest, after which nothing more is awaited: a drill
    shortly before must not date the real reclaim. `epoch` is the UTC second of the first observation and tells the
    reclaims of a `Stop` instance apart; `duplicates` counts the observations beyond the first of each source.
    `unlocked_at` is when the fleet positively showed the instance without its lock again, `released_at` when it was
    gone for good; both None while nothing says so.
    """

    region: str
    instance_id: str
    epoch: int
    first_seen: datetime
    deadline: datetime
    evidence: tuple[Evidence, ...]
    action: str = ""
    duplicates: int = 0
    latest: datetime | None = None
    unlocked_at: datetime | None = None
    released_at: datetime | None = None

    @property
    def id(self) -> str:
        """The identity of the reclaim, of its recovery and of its durable workflow."""
        return f"{self.region}.{self.instance_id}.{self.epoch}"

    @property
    def locked(self) -> bool:
        """Whether the cloud's own lock has confirmed it: the only evidence on which auto-mode acts."""
        return Evidence.LOCK in self.evidence

    @property
    def confirmed(self) -> bool:
        """Whether something stronger than an event speaks for it: the lock, or the engineer."""
        return self.locked or Evidence.ENGINEER in self.evidence

    @property
    def is_wish(self) -> bool:
        """Whether only an engineer asked for the recovery: the cloud takes nothing back, there is no deadline."""
        return self.evidence == (Evidence.ENGINEER,)

    @property
    def is_upper_bound(self) -> bool:
        """Whether the deadline may be nearer than it says: a lock alone does not tell since when it is there."""
        return self.evidence == (Evidence.LOCK,)

    @property
    def over_at(self) -> datetime:
        """When nothing more is to be expected of it."""
        return (self.latest or self.deadline) + timedelta(seconds=EVENT_GRACE_S)

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
        latest=deadline_of(seen),
        evidence=(seen.source,),
        action=seen.action,
    )


def fuse(known: Interruption, seen: Observation) -> Interruption:
    """Add an observation of the same reclaim: evidence joins, the deadline only ever comes nearer."""
    if seen.source in known.evidence:
        nearer = min(known.deadline, deadline_of(seen))
        return replace(known, duplicates=known.duplicates + 1, deadline=nearer)
    return replace(
        known,
        evidence=(*known.evidence, seen.source),
        deadline=min(known.deadline, deadline_of(seen)),
        latest=max(known.latest or known.deadline, deadline_of(seen)),
        action=known.action or seen.action,
    )


def same_reclaim(known: Interruption, seen: Observation, *, closed: bool, acting: bool = False) -> bool:
    """Whether an observation speaks of a reclaim that is known already.

    `closed` when its recovery came to nothing, `acting` when it was allowed and is under way.

    A message speaks of the reclaim in whose time it is dated, however late it comes. A lock is one reclaim until the
    fleet has positively shown the instance without it: rows that vanish and pages that come back empty are no
    evidence. An engineer who asks again after a recovery came to nothing means a new one, and so does a lock where
    there was none. A recovery under way that no lock has confirmed yet, since a person allowed it, is what every later
    sign means: a second one beside it would launch twice.
    """
    if seen.source is Evidence.LOCK and known.locked:
        return known.unlocked_at is None or seen.at <= known.unlocked_at
    if closed and seen.source in (Evidence.LOCK, Evidence.ENGINEER):
        return False
    began = datetime.fromtimestamp(known.epoch, seen.at.tzinfo)
    if seen.at < began - timedelta(seconds=NOTICE_S + EVENT_GRACE_S):
        return False
    return seen.at <= known.over_at or (acting and not known.locked)


def deadline_of(seen: Observation) -> datetime:
    """When the cloud takes the instance back as far as this observation knows."""
    return seen.release_at or seen.at + timedelta(seconds=NOTICE_S)
