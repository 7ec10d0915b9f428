"""The event feed: every message, lock and step as one line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

NOBODY: Mapping[str, Sequence[str]] = MappingProxyType({})
"""No instance id for any word of a search."""


class EventKind(StrEnum):
    """What a line of the feed speaks of."""

    RECLAIM = "RECLAIM"
    LOCK = "LOCK"
    DUPLICATE = "DUPLICATE"
    MESSAGE = "MESSAGE"
    POISON = "POISON"
    STATE = "STATE"
    CALL = "CALL"
    AUTO = "AUTO"
    CONFIRMED = "CONFIRMED"
    VETOED = "VETOED"
    HELD = "HELD"
    STOPPED = "STOPPED"
    RETRIED = "RETRIED"
    DECIDED = "DECIDED"
    SOURCE = "SOURCE"


@dataclass(frozen=True, slots=True)
class Line:
    """What one line of the feed says; `text` is untrusted where it came from outside.

    `body` is the raw message, kept for poison only.
    """

    kind: EventKind
    region: str
    instance_id: str
    text: str
    recovery_id: str = ""
    request_id: str = ""
    body: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(Line):
    """A line that was written; `seq` grows by one and is the row's key."""

    seq: int
    at: datetime
