"""Of what people are told by a notification."""

from spottui.domain import facts as f
from spottui.domain.interruption import Evidence
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.text import plain
from spottui.words.driving import decided
from spottui.words.failures import LONGEST
from spottui.words.phrases import clock_utc, region
from spottui.words.reasons import reason


def letter(logged: f.Logged, recovery: Recovery) -> tuple[str, str] | None:
    """Return title and text of what people are told of a fact, None where it is nothing to be told of.

    That is the first sign, a recovery that needs a person, each decision, and the end. `recovery` is as the fact left
    it.
    """
    told = _told(logged.fact, recovery)
    if told is None:
        return None
    title, text = told
    return plain(f"{recovery.name or recovery.instance_id}{title}", LONGEST), plain(text, LONGEST)


def _told(fact: f.Fact, recovery: Recovery) -> tuple[str, str] | None:
    where = f"{recovery.instance_id} in {region(recovery.region)}"
    match fact:
        case f.SignSeen() if fact.epoch:
            return _sign(fact, where)
        case f.Decided():
            return f": {decided(fact.decision)} by {fact.who}", reason(recovery.reason, recovery.region)
        case f.StateEntered(state=RecoveryState.NEEDS_YOU):
            why = reason(fact.reason, recovery.region)
            if recovery.interruption.is_manual:
                return " needs you", f"{where}. {why}"
            return " is being reclaimed and needs you", f"{where}, deadline {clock_utc(recovery.deadline)}. {why}"
        case f.StateEntered() if fact.state.is_final:
            return f": {fact.state}", f"{where}: {reason(fact.reason, recovery.region)}"
    return None


def _sign(fact: f.SignSeen, where: str) -> tuple[str, str]:
    if fact.source is Evidence.ENGINEER:
        return ": an engineer requested its recovery", where
    certain = "lock seen" if fact.source is Evidence.LOCK else "no lock seen yet: it may be a drill"
    return ": reclaim notice", f"{where}, deadline {clock_utc(fact.deadline)}, {certain}"
