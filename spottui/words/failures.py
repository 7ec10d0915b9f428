"""What a call that failed is called, what the cloud said of it, and what a person can do."""

from spottui.domain.reasons import Failure
from spottui.domain.recovery import Recovery
from spottui.domain.text import plain

LONGEST = 4_000
"""Characters of a sentence that are shown; the longest is the output of a drain."""

_ASKED_AGAIN = "retried every 2 s"
_ADVICE = {
    "credentials": "Fix the access key, the role or the clock; a changed file is reloaded automatically.",
    "quota": "Free some quota or ask Alibaba Cloud for more, then press t to retry.",
    "permission": "Grant this action to the RAM identity; `spottui setup --policy recover` prints the policy.",
    "not found": "Check the names in the configuration.",
    "no answer": "Check the endpoint, the network and the proxy.",
}
"""By the value of an `ErrorKind`."""


def failure(failure: Failure | None) -> str:
    """Return what failed in few words, `CreateImage: Forbidden.RAM`; empty for none."""
    return plain(f"{failure.action}: {failure.code or failure.kind}", LONGEST) if failure else ""


def said(failure: Failure) -> str:
    """Return what the cloud said, where action and RequestId have a place of their own: `Code: message`."""
    return plain(_joined(failure.code or failure.kind, failure.message), LONGEST)


def failure_line(failure: Failure) -> str:
    """Return all of it on one line: `Action: Code: message [RequestId …]`."""
    text = _joined(failure.action, failure.code or failure.kind, failure.message)
    return plain(f"{text} [RequestId {failure.request_id}]" if failure.request_id else text, LONGEST)


def advice(failure: Failure) -> str:
    """Return what a person can do about it, empty where waiting is all there is."""
    return _ADVICE.get(failure.kind, "")


def fault(failure: Failure) -> str:
    """Return the line with the advice behind it."""
    told = advice(failure)
    return f"{failure_line(failure)}. {told}" if told else failure_line(failure)


def trouble(recovery: Recovery) -> str:
    """Return what a recovery is in trouble with, empty for nothing; what only is not seen is asked again and again."""
    what = failure(recovery.trouble)
    return f"{what}, {_ASKED_AGAIN}" if what and recovery.unseen_since else what


def _joined(*parts: str) -> str:
    return ": ".join(part for part in parts if part)
