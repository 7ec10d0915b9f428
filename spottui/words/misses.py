"""Why a probe did not pass."""

from spottui.domain.probe import Miss, Missed
from spottui.domain.text import plain

_SENTENCES = {
    Miss.NO_ADDRESS: "the instance has no such address",
    Miss.NO_CONNECTION: "no connection: {}",
    Miss.NO_ANSWER: "no answer in time",
    Miss.NO_HTTP: "the answer is not HTTP",
    Miss.CERTIFICATE: "TLS failed: {}",
    Miss.STATUS: "HTTP status {}",
    Miss.BODY: "the body lacks the expected text",
    Miss.NOT_RUN: "the command did not run: {}",
    Miss.EXIT_CODE: "the command exited with {}",
}


def missed(known: Missed) -> str:
    """Return why one try did not pass."""
    return _SENTENCES[known.miss].format(plain(known.what))
