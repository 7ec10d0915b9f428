"""From observations of several sources to one interruption per instance and reclaim."""

from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property

import msgspec
from msgspec.structs import replace

from spottui.domain.clock import NOTICE_S
from spottui.domain.dates import AHEAD, is_sane

NOTICE = timedelta(seconds=NOTICE_S)
EVENT_GRACE_S = 60.0
"""Seconds past its deadline after which an event that no lock ever confirmed is closed as a drill."""
GRACE = timedelta(seconds=EVENT_GRACE_S)


class Evidence(StrEnum):
    """The source of a sign of a reclaim, with the letter that the console shows."""

    QUEUE = "Q"
    LOCK = "L"
    BACKFILL = "B"
    ENGINEER = "E"


_STRONGEST_FIRST = (Evidence.LOCK, Evidence.ENGINEER, Evidence.BACKFILL, Evidence.QUEUE)


class Observation(msgspec.Struct, frozen=True, gc=False):
    """One sign, from one source, that an instance is being reclaimed.

    `at` is when the reclaim began as far as this source knows: the event's own time, else the enqueue time,
    or when the lock was first seen. `message_id` is the queue's, for messages only. `not_before` is the last poll
    without this lock: the lock cannot be older, whatever a message claims.
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
    """The course of a reclaim's recovery, as it matters for another sign of the same instance."""

    OPEN = "open"
    REPLACED = "replaced"
    """Recovered: another instance runs in its place."""
    RESTARTED = "restarted"
    """The instance itself was started again: the next lock is another reclaim."""
    STOPPED = "stopped by a person"
    CAME_TO_NOTHING = "came to nothing"


class Release(msgspec.Struct, frozen=True, gc=False):
    """A report that an instance is gone, with the time of the event, or when it was found gone.

    An event can be a drill: ask the cloud before acting on it.
    """

    region: str
    instance_id: str
    at: datetime


class Interruption(msgspec.Struct, frozen=True, dict=True):
    """One reclaim of one instance, however many sources and messages reported it.

    `deadline` is the earliest that any source gives; `latest` the latest, after which nothing more is awaited: a drill
    shortly before must not set the time of the real
    reclaim. `epoch` is the UTC second of the first observation and tells the
    reclaims of a `Stop` instance apart; `duplicates` counts the observations beyond the first of each source.
    `not_before` is the last poll before its lock appeared, None if there was none: the notice is not older.
    `unlocked_at` is when the cloud listed the instance running without its lock again, `released_at` when it was gone
    for good; both None while unknown.
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

    @cached_property
    def id(self) -> str:
        """The identity of the reclaim, of its recovery and of its durable workflow."""
        return f"{self.region}.{self.instance_id}.{self.epoch}"

    @property
    def locked(self) -> bool:
        """Whether the cloud's own lock has confirmed it: the only evidence on which auto-mode acts."""
        return Evidence.LOCK in self.evidence

    @property
    def confirmed(self) -> bool:
        """Whether there is stronger evidence than an event: the lock, or an engineer."""
        return self.locked or Evidence.ENGINEER in self.evidence

    @property
    def is_manual(self) -> bool:
        """Whether only an engineer requested the recovery: the cloud reclaims nothing, there is no deadline."""
        return self.evidence == (Evidence.ENGINEER,)

    @property
    def is_upper_bound(self) -> bool:
        """Whether the real deadline may be earlier: a lock that exists at the first poll may be old."""
        is_dated = self.not_before is not None and self.first_seen - self.not_before < GRACE
        return self.evidence == (Evidence.LOCK,) and not is_dated

    @property
    def over_at(self) -> datetime:
        """When no further sign of it is expected."""
        return (self.latest or self.deadline) + GRACE

    @property
    def marks(self) -> str:
        """The letters of the evidence, the strongest first: `LQ` for example, whichever came first."""
        return "".join(sorted(self.evidence, key=_STRONGEST_FIRST.index))


def first_sight(seen: Observation, now: datetime) -> Interruption:
    """Return the interruption whose first sign an observation is."""
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


def fuse(reclaim: Interruption, seen: Observation) -> Interruption:
    """Add an observation of the same reclaim: evidence is added, and the deadline may become earlier.

    A lock that the previous poll did not show marks the start of the notice: no other date can then move the deadline
    to less than five minutes after that poll. A lock after the instance was listed without one begins anew.
    """
    if seen.source is Evidence.LOCK and reclaim.unlocked_at and seen.at > reclaim.unlocked_at:
        return _locked_again(reclaim, seen)
    is_new = seen.source not in reclaim.evidence
    not_before = seen.not_before if is_new and seen.source is Evidence.LOCK else reclaim.not_before
    # Our own observation counts, whatever date a message gave.
    counts = seen.source is Evidence.LOCK or _begins_late_enough(reclaim, seen)
    own = deadline_of(seen) if counts else reclaim.deadline
    nearest = min(reclaim.deadline, own)
    return replace(
        reclaim,
        evidence=(*reclaim.evidence, seen.source) if is_new else reclaim.evidence,
        duplicates=reclaim.duplicates + (not is_new),
        deadline=max(nearest, not_before + NOTICE) if not_before else nearest,
        latest=max(reclaim.latest or reclaim.deadline, own) if is_new else reclaim.latest,
        action=reclaim.action or (seen.action if is_new else ""),
        not_before=not_before,
    )


def same_reclaim(reclaim: Interruption, seen: Observation, course: Course) -> bool:
    """Whether an observation belongs to this reclaim; `course` is that of its recovery.

    Every sign of an instance belongs to its open recovery, or to one that has just replaced it, whatever the clocks
    say: a second recovery would launch twice. A lock is the same reclaim until the cloud has listed the instance
    without it, or the instance was restarted: missing rows and empty pages are no evidence. A new request of an
    engineer after a failed recovery is a new one, and so is a lock where there was none. Any other sign belongs to the
    reclaim in whose period it is dated, however late it comes.
    """
    is_over = reclaim.unlocked_at is not None and seen.at > reclaim.unlocked_at
    if course is Course.OPEN:
        return True
    if is_over:
        return False
    is_lock, is_manual = seen.source is Evidence.LOCK, seen.source is Evidence.ENGINEER
    if (is_lock and reclaim.locked) or (course is Course.REPLACED and not is_manual):
        return True
    if (is_manual and course in (Course.CAME_TO_NOTHING, Course.STOPPED)) or (
        is_lock and course is Course.CAME_TO_NOTHING
    ):
        return False
    return is_dated_in(reclaim, seen)


def is_dated_in(reclaim: Interruption, seen: Observation) -> bool:
    """Whether an observation is dated within the period of a reclaim."""
    return _begins_late_enough(reclaim, seen) and seen.at <= reclaim.over_at


def deadline_of(seen: Observation) -> datetime:
    """Return the deadline by this observation alone."""
    return seen.release_at or seen.at + NOTICE


def plausible(seen: Observation, now: datetime) -> Observation:
    """Return an observation with plausible dates: one of the year 1 or 9999 is replaced by now."""
    at = seen.at if is_sane(seen.at, now) else now
    release_at = seen.release_at if seen.release_at and abs(seen.release_at - at) < AHEAD else None
    return seen if (at, release_at) == (seen.at, seen.release_at) else replace(seen, at=at, release_at=release_at)


def _begins_late_enough(reclaim: Interruption, seen: Observation) -> bool:
    """An older date belongs to an earlier reclaim, or to none."""
    return seen.at >= datetime.fromtimestamp(reclaim.epoch, seen.at.tzinfo) - NOTICE - GRACE


def _locked_again(reclaim: Interruption, seen: Observation) -> Interruption:
    deadline = deadline_of(seen)
    latest = max(reclaim.latest or reclaim.deadline, deadline)
    duplicates = reclaim.duplicates + 1
    return replace(
        reclaim, unlocked_at=None, not_before=seen.not_before, deadline=deadline, latest=latest, duplicates=duplicates
    )


class Notice(msgspec.Struct, frozen=True, gc=False):
    """This instance is reclaimed at `deadline`, UTC; a drill announces no deadline of its own.

    `is_confirmed` is whether the metadata service announced or confirmed it.
    """

    deadline: datetime
    is_drill: bool = False
    is_confirmed: bool = True
