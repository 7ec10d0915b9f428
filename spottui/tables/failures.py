"""Recoveries that have failed and that nobody has taken up yet: what a person must hear of."""

from datetime import timedelta

from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.view import DeskView

_REMEMBERED = timedelta(hours=24)

_MENDS = (
    (("Forbidden", "NoPermission"), "grant {action}, then t tries again"),
    (("Quota", "LimitExceed"), "make room or have the quota raised, then t tries again"),
    (("InvalidAccessKey", "SignatureDoesNotMatch", "InvalidSecurityToken"), "mend the key, then t tries again"),
    (("InvalidAccountStatus", "NotEnoughBalance"), "pay the account up, then t tries again"),
)


def failures(view: DeskView) -> tuple[Recovery, ...]:
    """Return the recoveries that failed within a day, newest first, as long as none of the same instance is newer."""
    newest: dict[tuple[str, str], Recovery] = {}
    for one in sorted(view.recoveries, key=lambda recovery: recovery.started):
        newest[one.region, one.instance_id] = one
    failed = [one for one in newest.values() if one.state is RecoveryState.FAILED and one.ended]
    recent = [one for one in failed if one.ended and view.at - one.ended < _REMEMBERED]
    return tuple(sorted(recent, key=lambda one: one.ended or one.started, reverse=True))


def code(recovery: Recovery) -> str:
    """Return the cloud's Code of the last call that failed; empty when none did."""
    return recovery.trouble.partition(": ")[2]


def remedy(recovery: Recovery) -> str:
    """Return what a person can do about a recovery that failed."""
    action, _, cause = recovery.trouble.partition(": ")
    for marks, told in _MENDS:
        if any(mark in cause for mark in marks):
            return told.format(action=action)
    return "enter on it says why, t tries again"
