"""The event feed: every message, lock and step as one line."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


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
    SOURCE = "SOURCE"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the feed; `seq` grows by one and is the row's key, `text` is untrusted where it came from outside.

    `body` is the raw message, kept for poison only.
    """

    seq: int
    at: datetime
    kind: EventKind
    region: str
    instance_id: str
    text: str
    recovery_id: str = ""
    request_id: str = ""
    body: str = ""
