"""The audit of a recovery as the steps that a person reads: each call with what came of it and how long it took."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from spottui.domain.audit import Entry, Phase


class Sign(StrEnum):
    """What a step is, as one character."""

    EVIDENCE = "!"
    DECISION = "?"
    STATE = "·"
    UNDER_WAY = "…"
    GOOD = "✓"
    FAILED = "✕"
    UNKNOWN = "~"


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a timeline.

    `seconds` is what a call took, and for one under way what it has taken so far; None for what is no call.
    """

    at: datetime
    sign: Sign
    action: str
    detail: str = ""
    request_id: str = ""
    seconds: float | None = None


_SIGNS = {
    Phase.RESULT: Sign.GOOD,
    Phase.ERROR: Sign.FAILED,
    Phase.UNKNOWN: Sign.UNKNOWN,
    Phase.DECISION: Sign.DECISION,
    Phase.STATE: Sign.STATE,
    Phase.EVIDENCE: Sign.EVIDENCE,
}
_FAILED = "failed: "
"""The sign says it here, and the action what a decision begins with in the feed."""
_NO_CALL = (Phase.DECISION, Phase.STATE, Phase.EVIDENCE)


def steps(entries: Sequence[Entry], now: datetime) -> tuple[Step, ...]:
    """Return the steps of a recovery, oldest first; a call that has no answer yet stands last.

    A call repeated with the same ClientToken is a step for each answer.
    """
    begun: dict[tuple[str, str], datetime] = {}
    open_calls: dict[tuple[str, str], datetime] = {}
    made: list[Step] = []
    for entry in entries:
        at, call = entry.at or now, (entry.action, entry.client_token)
        if entry.phase is Phase.INTENT:
            begun[call] = open_calls[call] = at
            continue
        since = None if entry.phase in _NO_CALL else begun.get(call)
        seconds = None if since is None else max((at - since).total_seconds(), 0.0)
        said = entry.detail.removeprefix(_FAILED).removeprefix(f"{entry.action.lower()} ")
        made.append(Step(at, _SIGNS[entry.phase], entry.action, said, entry.request_id, seconds))
        if entry.phase not in _NO_CALL:
            # A repeated call goes on from its last answer; of one that nothing announced nobody knows what it took.
            if call in begun:
                begun[call] = at
            open_calls.pop(call, None)
    waits = (
        Step(at, Sign.UNDER_WAY, action, "no answer yet", seconds=max((now - at).total_seconds(), 0.0))
        for (action, _), at in open_calls.items()
    )
    return (*made, *waits)


def last_failure(made: Sequence[Step]) -> Step | None:
    """Return the newest call that failed, None when none did."""
    return next((step for step in reversed(made) if step.sign in (Sign.FAILED, Sign.UNKNOWN)), None)
