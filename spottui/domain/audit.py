"""The audit of a recovery: what it stands on, what was decided, and every call before and after it was made."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Phase(StrEnum):
    """Where in a call an audit line stands: before it, or after it with what came of it."""

    INTENT = "intent"
    RESULT = "result"
    ERROR = "error"
    UNKNOWN = "unknown"
    """It failed in a way that leaves open whether it took effect."""
    DECISION = "decision"
    """No call: what a person, auto-mode or the recovery itself has decided, and why."""
    STATE = "state"
    """No call: the recovery came into another state."""
    EVIDENCE = "evidence"
    """No call: an observation that opened the interruption or made it stronger, under the name of its source."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the audit; `detail` holds no secret."""

    recovery_id: str
    action: str
    phase: Phase
    client_token: str = ""
    request_id: str = ""
    detail: str = ""
    at: datetime | None = None
