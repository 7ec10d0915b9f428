"""What a fact is called as a step of a timeline, and what it says there."""

from spottui.domain import facts as f
from spottui.domain.text import plain
from spottui.words.facts import IMAGE_POLL, text
from spottui.words.failures import LONGEST, said
from spottui.words.moments import clock

_CALLED: dict[type[f.Fact], tuple[str, str]] = {
    f.Decided: ("Decision", ""),
    f.CancelAsked: ("Decision", ""),
    f.Retried: ("Retry", ""),
    f.RouteChosen: ("Route", "route "),
    f.RouteTaken: ("Route", "route "),
    f.EarlierImageTaken: ("WarmImage", ""),
    f.AutoAnswered: ("auto-mode", "auto-mode: "),
    f.Drained: ("Drain", "drain "),
    f.PrivateIpGivenUp: ("PrivateIp", ""),
    f.WeightKept: ("Traffic", ""),
    f.BackendServes: ("Traffic", ""),
    f.Probed: ("Probe", "probe "),
    f.HookBegun: ("Hook", "hook "),
    f.HookEnded: ("Hook", "hook "),
    f.StateEntered: ("State", ""),
    f.ProgressBack: (IMAGE_POLL, f"{IMAGE_POLL} "),
}
"""What a step is called, and with what its line begins that need not be said twice."""


def step(logged: f.Logged) -> tuple[str, str]:
    """Return the name of a step, an API's action for a call, and what it says."""
    match logged.fact:
        case f.SignSeen() as fact:
            message = f", message {fact.message_id}" if fact.message_id else ""
            dated = f"dated {fact.began:%Y-%m-%d %H:%M:%S}Z, deadline {clock(fact.deadline)}Z{message}"
            return fact.source.name.lower(), plain(dated, LONGEST)
        case f.Released() as fact:
            return "release", f"dated {fact.released:%Y-%m-%d %H:%M:%S}Z"
        case f.EarlierLine() as fact:
            return plain(fact.event).lower(), text(logged)
        case f.CallBegun() as fact:
            return plain(fact.action), plain(f"{fact.target}, requested by {fact.who}", LONGEST) if fact.who else ""
        case f.CallAnswered() as fact:
            return plain(fact.action), plain(text(logged).removeprefix(fact.action).lstrip(), LONGEST)
        case f.CallFailed(failure=failure, action=action):
            return plain(action), said(failure)
        case f.ProgressLost(failure=failure):
            return plain(failure.action or IMAGE_POLL), said(failure)
    called, begins = _CALLED.get(type(logged.fact), (type(logged.fact).__name__, ""))
    return called, text(logged).removeprefix(begins)
