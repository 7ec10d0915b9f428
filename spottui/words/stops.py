"""Why auto-mode is not armed."""

from spottui.domain.facts import Stop, Stopped
from spottui.domain.text import plain
from spottui.words.failures import LONGEST

_SENTENCES = {
    Stop.STOP_FILE: "the stop file {detail} exists; remove it, then arm again",
    Stop.STOP_FILE_UNREADABLE: "the stop file {detail} cannot be checked ({cause}); fix that, then arm again",
    Stop.BREAKER: "{count} auto-mode recoveries in a row failed; find out why, then arm again",
    Stop.CONSOLE_ENDED: "the console that armed it has exited; arm it again",
    Stop.PERSON: "disarmed by {detail}",
}


def stopped(known: Stopped | None) -> str:
    """Return what keeps auto-mode from being armed and what lifts that; empty for nothing."""
    if known is None:
        return ""
    fields = {"detail": known.detail, "cause": known.cause, "count": known.count}
    return plain(_SENTENCES[known.stop].format(**fields), LONGEST)
