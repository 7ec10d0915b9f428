"""Who drives, what a person or auto-mode has decided, and why auto-mode is not armed."""

from spottui.domain.facts import Stop, Stopped
from spottui.domain.recovery import Decision
from spottui.domain.text import plain
from spottui.domain.view import LiveConsole
from spottui.words.failures import LONGEST


def unread_console(console: LiveConsole) -> str:
    """Say that nobody reads what a console prints, and that this stops nothing."""
    return plain(
        f"console {console.host} pid {console.pid}: nobody reads its {console.unread} · its lines are dropped, "
        "its work continues"
    )


def silent_console(console: LiveConsole) -> str:
    """Say that a console holds its place and is not heard of, and what ends it: a stopped process takes no other."""
    return plain(
        f"console {console.host} pid {console.pid} is not responding · end it there with kill -9 {console.pid}"
    )


_DECIDED = {Decision.CONFIRM: "confirmed", Decision.VETO: "vetoed", Decision.HOLD: "held"}


def decided(decision: Decision) -> str:
    """Return `confirmed`, `vetoed` or `held`; `decision withdrawn` for one that no longer stands."""
    return _DECIDED.get(decision, "decision withdrawn")


_SENTENCES = {
    Stop.STOP_FILE: "the stop file {detail} exists; remove it, then arm again",
    Stop.STOP_FILE_UNREADABLE: "the stop file {detail} cannot be checked ({cause}); fix that, then arm again",
    Stop.BREAKER: "{count} auto-mode recoveries in a row failed; find out why, then arm again",
    Stop.CONSOLE_ENDED: "the console that armed it has exited; arm it again",
    Stop.PERSON: "disarmed by {detail}",
}


def stopped(stopped: Stopped | None) -> str:
    """Return what keeps auto-mode from being armed and what lifts that; empty for nothing."""
    if stopped is None:
        return ""
    fields = {"detail": stopped.detail, "cause": stopped.cause, "count": stopped.count}
    return plain(_SENTENCES[stopped.stop].format(**fields), LONGEST)
