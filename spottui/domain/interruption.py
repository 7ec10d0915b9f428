"""From observations of several sources to one interruption per instance and reclaim."""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from spottui.domain.clock import NOTICE_S
from spottui.domain.dates import AHEAD, is_sane

NOTICE = timedelta(seconds=NOTICE_S)
EVENT_GRACE_S = 60.0
"""Seconds past its deadline after which an event that no lock ever confirmed is closed as a drill."""
GRACE = timedelta(seconds=EVENT_GRACE_S)


class Evidence(StrEnum):
    """Where a sign of a reclaim came from, with the letter that the console shows."""

    QUEUE = "Q"
    LOCK = "L"
    BACKFILL = "B"
    ENGINEER = "E"


class Observation(msgspec.Struct, frozen=True):
    """One sign, from one source, that an instance is being reclaimed.

    `at` is when the reclaim began as far as this source knows: the event's own time, else the enqueue time,
    or when the lock was first seen. `message_id` is the queue's, for messages only. `not_before` is when the locks were
    last looked at and this one was not there: it cannot be older, whatever a message claims.
    """

    region: str
    instance_id: str
    source: Evidence
    at: datetime
    action: str = ""
    message_id: str = ""
    release_at: datetime | None = None
    not_before: datetime | None = None


class Course(StrEnum):
    """How the recovery of a reclaim stands, for a further sign of the same instance."""

    OPEN = "open"
    REPLACED = "replaced"
    """Recovered: another instance runs in its place."""
    RESTARTED = "restarted"
    """The instance itself was started again: the next lock is another reclaim."""
    STOPPED = "stopped by a person"
    CAME_TO_NOTHING = "came to nothing"


class Release(msgspec.Struct, frozen=True):
    """The cloud's word that an instance is gone, with the time that its event gives, or at which it was found gone.

    An event can be a drill: whoever acts on it asks the cloud first.
    """

    region: str
    instance_id: str
    at: datetime


class Interruption(msgspec.Struct, frozen=True):
    """One reclaim of one instance, whatever number of sources and messages spoke of it.

    `deadline` is the earliest that any source gives; `latest` the latest, after which nothing more is awaited: a drill
    shortly before must not date the real reclaim. `epoch` is the UTC second of the first observation and tells the
    reclaims of a `Stop` instance apart; `duplicates` counts the observations beyond the first of each source.
    `not_before` is when its lock was looked for in vain shortly before it was there, None where nobody had looked: the
    notice is not older. `unlocked_at` is when the cloud positively showed the instance running without its lock again,
    `released_at` when it was gone for good; both None while nothing says so.
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
    not_before: datetime | None = None

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
    def is_manual(self) -> bool:
        """Whether only an engineer asked for the recovery: the cloud takes nothing back, there is no deadline."""
        return self.evidence == (Evidence.ENGINEER,)

    @property
    def is_upper_bound(self) -> bool:
        """Whether the deadline may be nearer than it says: a lock that is there at the first look may be old."""
        is_dated = self.not_before is not None and self.first_seen - self.not_before < GRACE
        return self.evidence == (Evidence.LOCK,) and not is_dated

    @property
    def over_at(self) -> datetime:
        """When nothing more is to be expected of it."""
        return (self.latest or self.deadline) + GRACE

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
        not_before=seen.not_before,
    )


def fuse(known: Interruption, seen: Observation) -> Interruption:
    """Add an observation of the same reclaim: evidence joins, and the deadline comes nearer where it may.

    A lock that was looked for in vain a moment before is the start of the notice: from then on no other date brings the
    deadline nearer than five minutes after that look. A lock after the instance was shown without one begins anew.
    """
    if seen.source is Evidence.LOCK and known.unlocked_at and seen.at > known.unlocked_at:
        return _locked_again(known, seen)
    is_new = seen.source not in known.evidence
    not_before = seen.not_before if is_new and seen.source is Evidence.LOCK else known.not_before
    # What we saw ourselves counts, however a message has dated the reclaim.
    counts = seen.source is Evidence.LOCK or _begins_late_enough(known, seen)
    own = deadline_of(seen) if counts else known.deadline
    nearest = min(known.deadline, own)
    return replace(
        known,
        evidence=(*known.evidence, seen.source) if is_new else known.evidence,
        duplicates=known.duplicates + (not is_new),
        deadline=max(nearest, not_before + NOTICE) if not_before else nearest,
        latest=max(known.latest or known.deadline, own) if is_new else known.latest,
        action=known.action or (seen.action if is_new else ""),
        not_before=not_before,
    )


def same_reclaim(known: Interruption, seen: Observation, course: Course) -> bool:
    """Whether an observation speaks of a reclaim that is known already; `course` is how its recovery stands.

    A recovery that is open, or has just replaced the instance, is what every sign of that instance means, whatever a
    clock says: a second one beside it would launch twice. A lock is one reclaim until the cloud has positively shown
    the instance without it, or it was started again: rows that vanish and pages that come back empty are no evidence.
    An engineer who asks again after a recovery came to nothing means a new one, and so does a lock where there was
    none. Any other sign speaks of the reclaim in whose time it is dated, however late it comes.
    """
    is_over = known.unlocked_at is not None and seen.at > known.unlocked_at
    if course is Course.OPEN:
        return True
    if is_over:
        return False
    is_lock, is_manual = seen.source is Evidence.LOCK, seen.source is Evidence.ENGINEER
    if (is_lock and known.locked) or (course is Course.REPLACED and not is_manual):
        return True
    if (is_manual and course in (Course.CAME_TO_NOTHING, Course.STOPPED)) or (
        is_lock and course is Course.CAME_TO_NOTHING
    ):
        return False
    return is_dated_in(known, seen)


def is_dated_in(known: Interruption, seen: Observation) -> bool:
    """Whether an observation is dated in the time of a reclaim."""
    return _begins_late_enough(known, seen) and seen.at <= known.over_at


def deadline_of(seen: Observation) -> datetime:
    """When the cloud takes the instance back as far as this observation knows."""
    return seen.release_at or seen.at + NOTICE


def plausible(seen: Observation, now: datetime) -> Observation:
    """Return an observation with no date that cannot be true: what claims the year 1 or 9999 is of now."""
    at = seen.at if is_sane(seen.at, now) else now
    release_at = seen.release_at if seen.release_at and abs(seen.release_at - at) < AHEAD else None
    return seen if (at, release_at) == (seen.at, seen.release_at) else replace(seen, at=at, release_at=release_at)


def _begins_late_enough(known: Interruption, seen: Observation) -> bool:
    """An older date is of an earlier reclaim, or of nothing."""
    return seen.at >= datetime.fromtimestamp(known.epoch, seen.at.tzinfo) - NOTICE - GRACE


def _locked_again(known: Interruption, seen: Observation) -> Interruption:
    deadline = deadline_of(seen)
    latest = max(known.latest or known.deadline, deadline)
    duplicates = known.duplicates + 1
    return replace(
        known, unlocked_at=None, not_before=seen.not_before, deadline=deadline, latest=latest, duplicates=duplicates
    )


class Notice(msgspec.Struct, frozen=True):
    """This instance is taken back at `deadline`, UTC; not so after a drill, which has no time of its own.

    `is_confirmed` is whether the metadata said so, or agreed.
    """

    deadline: datetime
    is_drill: bool = False
    is_confirmed: bool = True
