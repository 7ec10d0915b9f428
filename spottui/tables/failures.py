"""Failed recoveries that nobody has retried yet: what a person has to know about."""

from datetime import timedelta

from spottui.domain.reasons import Failure
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.view import DeskView

_REMEMBERED = timedelta(hours=24)

_FIXES = {
    "permission": "grant {action}, then press t",
    "quota": "free or raise the quota, then press t",
    "credentials": "fix the access key, then press t",
}
"""By the value of an `ErrorKind`."""
_UNPAID = ("InvalidAccountStatus", "NotEnoughBalance")


def failures(view: DeskView) -> tuple[Recovery, ...]:
    """Return the recoveries that failed within a day, newest first, as long as none of the same instance is newer."""
    newest: dict[tuple[str, str], Recovery] = {}
    for recovery in sorted(view.recoveries, key=lambda recovery: recovery.started):
        newest[recovery.region, recovery.instance_id] = recovery
    failed = [recovery for recovery in newest.values() if recovery.state is RecoveryState.FAILED and recovery.ended]
    recent = [recovery for recovery in failed if recovery.ended and view.at - recovery.ended < _REMEMBERED]
    return tuple(sorted(recent, key=lambda recovery: recovery.ended or recovery.started, reverse=True))


def code(recovery: Recovery) -> str:
    """Return the cloud's Code of the last call that failed, its kind where it gave none; empty when none did."""
    return recovery.trouble.code or recovery.trouble.kind if recovery.trouble else ""


def remedy(recovery: Recovery) -> str:
    """Return what a person can do about a recovery that failed."""
    return _fix(recovery.trouble) if recovery.trouble else _LOOK


_LOOK = "t retries, enter shows why"


def _fix(trouble: Failure) -> str:
    if any(mark in trouble.code for mark in _UNPAID):
        return "settle the account, then press t"
    return _FIXES.get(trouble.kind, _LOOK).format(action=trouble.action)
