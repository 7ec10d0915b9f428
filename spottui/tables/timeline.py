"""The facts of a recovery as steps for people: each call with its result and how long it took."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from spottui import words
from spottui.domain import facts as f
from spottui.words import Sign


class Step(msgspec.Struct, frozen=True):
    """One line of a timeline.

    `seconds` is how long a call took, or has taken so far while in progress; None if the step is no call. `begun` is
    the fact of a call's start, `fact` its result, or what the step shows; a call in progress has no `fact`.
    """

    at: datetime
    sign: Sign
    action: str
    detail: str = ""
    request_id: str = ""
    seconds: float | None = None
    begun: f.CallBegun | None = None
    fact: f.Fact | None = None


_Call = tuple[str, str]
"""Identifies a call: its action, and its ClientToken or its target."""


def steps(log: Sequence[f.Logged], now: datetime) -> tuple[Step, ...]:
    """Return the steps of a recovery, oldest first; a call that has no answer yet stands last.

    A call repeated with the same ClientToken is a step for each answer.
    """
    begun: dict[_Call, datetime] = {}
    waits: dict[_Call, datetime] = {}
    intents: dict[_Call, f.CallBegun] = {}
    made: list[Step] = []
    for logged in log:
        sign = words.sign_of(logged.fact)
        call = _call(logged.fact)
        if isinstance(logged.fact, f.CallBegun) and call:
            begun[call] = waits[call] = logged.at
            intents[call] = logged.fact
        elif sign:
            since, intent = (begun.get(call), intents.get(call)) if call else (None, None)
            made.append(_step(logged, sign, since, intent))
        if isinstance(logged.fact, f.CallAnswered | f.CallFailed) and call:
            # A repeated call is timed from its last answer; without a start its duration is unknown.
            if call in begun:
                begun[call] = logged.at
            waits.pop(call, None)
    return (*made, *(_under_way(intents[call], at, now) for call, at in waits.items()))


def last_failure(made: Sequence[Step]) -> Step | None:
    """Return the newest call that failed, None when none did."""
    return next((step for step in reversed(made) if step.sign in (Sign.FAILED, Sign.UNKNOWN)), None)


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
