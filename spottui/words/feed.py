"""Which facts are lines of the event feed, and of what kind."""

from enum import StrEnum

from spottui.domain import facts as f
from spottui.domain.interruption import Evidence
from spottui.domain.reasons import Failure, Reason, Why
from spottui.domain.recovery import Decision
from spottui.domain.text import plain


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


_KINDS: dict[type[f.Fact], EventKind] = {
    f.Released: EventKind.RECLAIM,
    f.MessageSeen: EventKind.MESSAGE,
    f.PoisonSeen: EventKind.POISON,
    f.SourceFailed: EventKind.SOURCE,
    f.SourceAnswers: EventKind.SOURCE,
    f.RouteChosen: EventKind.DECIDED,
    f.RouteTaken: EventKind.DECIDED,
    f.EarlierImageTaken: EventKind.DECIDED,
    f.PrivateIpGivenUp: EventKind.DECIDED,
    f.Drained: EventKind.DECIDED,
    f.WeightKept: EventKind.DECIDED,
    f.BackendServes: EventKind.DECIDED,
    f.Probed: EventKind.STATE,
    f.HookEnded: EventKind.DECIDED,
    f.CancelAsked: EventKind.STOPPED,
    f.Retried: EventKind.RETRIED,
    f.AutoAnswered: EventKind.AUTO,
    f.Armed: EventKind.AUTO,
    f.NotArmed: EventKind.AUTO,
    f.Disarmed: EventKind.AUTO,
    f.StateEntered: EventKind.STATE,
    f.CallAnswered: EventKind.CALL,
    f.CallFailed: EventKind.CALL,
    f.ProgressLost: EventKind.CALL,
    f.ProgressBack: EventKind.CALL,
    f.BeyondCap: EventKind.DECIDED,
    f.OutputLost: EventKind.STATE,
    f.DisksProtected: EventKind.DECIDED,
    f.ProtectionUndone: EventKind.DECIDED,
}
_DECISIONS = {
    Decision.CONFIRM: EventKind.CONFIRMED,
    Decision.VETO: EventKind.VETOED,
    Decision.HOLD: EventKind.HELD,
}


def event_kind(fact: f.Fact) -> EventKind | None:
    """Return the kind of a fact's line; None for one that the feed does not show: a call begun, a progress."""
    match fact:
        case f.SignSeen():
            return _sign(fact)
        case f.EarlierLine():
            return EventKind(fact.event) if fact.event in EventKind.__members__ else EventKind.STATE
        case f.Decided():
            return _DECISIONS.get(fact.decision, EventKind.DECIDED)
        # Each is told by another fact: the yes, that auto-mode is off, and the route that was left.
        case f.AutoAnswered(reason=Reason(why=Why.PLAN_READY)) | f.AutoAnswered(again=True) | f.RouteTaken(reason=None):
            return None
    return _KINDS.get(type(fact))


def request_id(fact: f.Fact) -> str:
    """Return the RequestId of the call that a fact is about, empty where there is none."""
    match fact:
        case f.CallAnswered() | f.EarlierLine():
            return plain(fact.request_id)
        case f.CallFailed() | f.LaunchRefused() | f.ProgressLost() | f.SourceFailed():
            return plain(fact.failure.request_id)
        case f.ProtectionUndone(failure=Failure() as failure):
            return plain(failure.request_id)
    return ""


def _sign(fact: f.SignSeen) -> EventKind:
    if fact.again:
        return EventKind.DUPLICATE
    return EventKind.LOCK if fact.source is Evidence.LOCK else EventKind.RECLAIM
