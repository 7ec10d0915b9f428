"""The facts of what the sources see, and of how they fare. Part of the union in `domain/facts.py`."""

from datetime import datetime

from spottui.domain.fact_base import FactBase
from spottui.domain.interruption import Evidence
from spottui.domain.reasons import Failure


class SignSeen(FactBase, frozen=True, tag="sign"):
    """A source saw that an instance is being reclaimed: since `began`, until `deadline` as all signs together say.

    `again` counts the repeated signs so far, 0 for the first of its source. The first sign of all opens the recovery:
    it has the `epoch`, and the instance's `name` if known. `marks` are the letters of all signs, this one
    included (`Interruption.marks`). For a lock, `not_before` is when it was last looked for in vain (`Observation`).
    """

    source: Evidence
    began: datetime
    deadline: datetime
    own_deadline: datetime
    action: str = ""
    message_id: str = ""
    again: int = 0
    epoch: int = 0
    name: str = ""
    marks: str = ""
    not_before: datetime | None = None


class LockGone(FactBase, frozen=True, tag="lock gone"):
    """The cloud listed the instance without its lock, or it was restarted: the next lock is a new one."""


class Released(FactBase, frozen=True, tag="released"):
    """The instance is gone for good, since `released`."""

    released: datetime
    deadline: datetime | None = None


class MessageSeen(FactBase, frozen=True, tag="message"):
    """A queue message about something else; `name` is the event's, `text` includes its content, both untrusted.

    A reclaim for another console names its `unconfigured_region` or its `other_account`. `not_listed` counts reclaims
    of instances that the cloud does not list; `text` has the ids of the first.
    """

    name: str
    text: str = ""
    message_id: str = ""
    unconfigured_region: str = ""
    other_account: str = ""
    not_listed: int = 0


class PoisonSeen(FactBase, frozen=True, tag="poison"):
    """A queue message that cannot be read: why, and the kept part of its body; untrusted."""

    why: str
    message_id: str = ""
    body: str = ""
    length: int = 0


class SourceFailed(FactBase, frozen=True, tag="source failed"):
    """A source fails; written once until the cause changes."""

    source: str
    failure: Failure


class SourceAnswers(FactBase, frozen=True, tag="source answers"):
    """A source that failed answers again."""

    source: str
