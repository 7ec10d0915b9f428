"""The facts of a recovery as the steps that a person reads: each call with what came of it and how long it took."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

import msgspec

from spottui import words
from spottui.domain import facts as f
from spottui.domain.hook import HookEnd
from spottui.words import EventKind


class Sign(StrEnum):
    """What a step is, as one character."""

    EVIDENCE = "!"
    DECISION = "?"
    STATE = "·"
    UNDER_WAY = "…"
    GOOD = "✓"
    FAILED = "✕"
    UNKNOWN = "~"


class Step(msgspec.Struct, frozen=True):
    """One line of a timeline.

    `seconds` is what a call took, and for one under way what it has taken so far; None for what is no call. `begun` is
    the intent of a call, `fact` what came of it or what the step tells; a call under way has no `fact`.
    """

    at: datetime
    sign: Sign
    action: str
    detail: str = ""
    request_id: str = ""
    seconds: float | None = None
    begun: f.CallBegun | None = None
    fact: f.Fact | None = None


_SIGNS: dict[type[f.Fact], Sign] = {
    f.Released: Sign.EVIDENCE,
    f.RouteChosen: Sign.DECISION,
    f.EarlierImageTaken: Sign.DECISION,
    f.Decided: Sign.DECISION,
    f.CancelAsked: Sign.DECISION,
    f.Retried: Sign.DECISION,
    f.Drained: Sign.DECISION,
    f.WeightKept: Sign.DECISION,
    f.PrivateIpGivenUp: Sign.DECISION,
    f.BackendServes: Sign.GOOD,
    f.StateEntered: Sign.STATE,
    f.HookBegun: Sign.STATE,
    f.CallBegun: Sign.UNDER_WAY,
    f.CallAnswered: Sign.GOOD,
    f.ProgressBack: Sign.GOOD,
    f.ProgressLost: Sign.FAILED,
}
_EARLIER = {
    EventKind.RECLAIM: Sign.EVIDENCE,
    EventKind.LOCK: Sign.EVIDENCE,
    EventKind.STATE: Sign.STATE,
    EventKind.CALL: Sign.GOOD,
    EventKind.DUPLICATE: None,
}
"""What a line of an earlier version is; any other is a decision."""

_Call = tuple[str, str]
"""A call by its action, and its ClientToken or what it changes."""


def sign_of(fact: f.Fact) -> Sign | None:
    """Return the sign of a fact that is a step of its own, None for any other."""
    match fact:
        case f.SignSeen():
            return None if fact.again else Sign.EVIDENCE
        case f.AutoAnswered() | f.RouteTaken():
            return Sign.DECISION if words.event_kind(fact) else None
        case f.CallFailed():
            return Sign.UNKNOWN if fact.failure.effect_unknown else Sign.FAILED
        case f.Probed():
            return Sign.STATE if fact.missed else Sign.GOOD
        case f.HookEnded():
            return Sign.STATE if fact.exit_code or fact.end is not HookEnd.EXITED else Sign.GOOD
        case f.EarlierLine():
            return _sign_of_earlier(fact)
    return _SIGNS.get(type(fact))


def steps(log: Sequence[f.Logged], now: datetime) -> tuple[Step, ...]:
    """Return the steps of a recovery, oldest first; a call that has no answer yet stands last.

    A call repeated with the same ClientToken is a step for each answer.
    """
    begun: dict[_Call, datetime] = {}
    waits: dict[_Call, datetime] = {}
    intents: dict[_Call, f.CallBegun] = {}
    made: list[Step] = []
    for logged in log:
        sign = sign_of(logged.fact)
        call = _call(logged.fact)
        if isinstance(logged.fact, f.CallBegun) and call:
            begun[call] = waits[call] = logged.at
            intents[call] = logged.fact
        elif sign:
            since, intent = (begun.get(call), intents.get(call)) if call else (None, None)
            made.append(_step(logged, sign, since, intent))
        if isinstance(logged.fact, f.CallAnswered | f.CallFailed) and call:
            # A repeated call goes on from its last answer; how long one without a start took is unknown.
            if call in begun:
                begun[call] = logged.at
            waits.pop(call, None)
    return (*made, *(_under_way(intents[call], at, now) for call, at in waits.items()))


def last_failure(made: Sequence[Step]) -> Step | None:
    """Return the newest call that failed, None when none did."""
    return next((step for step in reversed(made) if step.sign in (Sign.FAILED, Sign.UNKNOWN)), None)


def _sign_of_earlier(line: f.EarlierLine) -> Sign | None:
    kind = words.event_kind(line)
    return Sign.FAILED if line.failed else _EARLIER.get(kind, Sign.DECISION) if kind else None


def _call(fact: f.Fact) -> _Call | None:
    if isinstance(fact, f.CallBegun | f.CallAnswered | f.CallFailed):
        return fact.action, fact.token or fact.target
    return None


def _step(logged: f.Logged, sign: Sign, since: datetime | None, intent: f.CallBegun | None) -> Step:
    action, detail = words.step(logged)
    seconds = None if since is None else max((logged.at - since).total_seconds(), 0.0)
    return Step(logged.at, sign, action, detail, words.request_id(logged.fact), seconds, intent, logged.fact)


def _under_way(intent: f.CallBegun, since: datetime, now: datetime) -> Step:
    seconds = max((now - since).total_seconds(), 0.0)
    return Step(since, Sign.UNDER_WAY, intent.action, "no answer yet", seconds=seconds, begun=intent)
