"""Of what people are told by a notification."""

from collections.abc import Callable
from typing import Any

from spottui.domain import facts as f
from spottui.domain.interruption import Evidence
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.text import plain
from spottui.words.driving import decided
from spottui.words.failures import LONGEST
from spottui.words.phrases import clock_utc, region
from spottui.words.reasons import reason

Letter = tuple[str, str]
"""Title and text; the title begins with the name of the instance."""


def letter(logged: f.Logged, recovery: Recovery) -> Letter | None:
    """Return title and text of what people are told of a fact, None where it is nothing to be told of.

    That is the first sign, a recovery that needs a person, each decision, and the end. `recovery` is as the fact left
    it.
    """
    compose = _LETTERS.get(type(logged.fact))
    composed = compose(logged.fact, recovery) if compose else None
    if composed is None:
        return None
    title, text = composed
    return plain(f"{recovery.name or recovery.instance_id}{title}", LONGEST), plain(text, LONGEST)


def _sign(fact: f.SignSeen, recovery: Recovery) -> Letter | None:
    """Of the first one only."""
    if not fact.epoch:
        return None
    if fact.source is Evidence.ENGINEER:
        return ": an engineer requested its recovery", _where(recovery)
    certain = "lock seen" if fact.source is Evidence.LOCK else "no lock seen yet: it may be a drill"
    return ": reclaim notice", f"{_where(recovery)}, deadline {clock_utc(fact.deadline)}, {certain}"


def _decision(fact: f.Decided, recovery: Recovery) -> Letter:
    return f": {decided(fact.decision)} by {fact.who}", reason(recovery.reason, recovery.region)


def _state(fact: f.StateEntered, recovery: Recovery) -> Letter | None:
    where, why = _where(recovery), reason(fact.reason, recovery.region)
    if fact.state is RecoveryState.NEEDS_YOU and recovery.interruption.is_manual:
        return " needs you", f"{where}. {why}"
    if fact.state is RecoveryState.NEEDS_YOU:
        return " is being reclaimed and needs you", f"{where}, deadline {clock_utc(recovery.deadline)}. {why}"
    return (f": {fact.state}", f"{where}: {why}") if fact.state.is_final else None


def _where(recovery: Recovery) -> str:
    return f"{recovery.instance_id} in {region(recovery.region)}"


_LETTERS: dict[type[f.Fact], Callable[[Any, Recovery], Letter | None]] = {
    f.SignSeen: _sign,
    f.Decided: _decision,
    f.StateEntered: _state,
}
TOLD_OF = tuple(_LETTERS)
"""The facts of which people may be told."""
