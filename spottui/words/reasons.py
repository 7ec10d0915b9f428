"""Why a recovery stands where it stands."""

from collections.abc import Callable

from spottui.domain.probe import Miss, Missed
from spottui.domain.readiness import Missing
from spottui.domain.reasons import Reason, Why
from spottui.domain.text import plain
from spottui.words.failures import LONGEST, failure_line
from spottui.words.market import symbol
from spottui.words.phrases import clock_utc, span
from spottui.words.phrases import region as in_words

_SENTENCES = {
    Why.NO_LOCK_YET: "no lock seen yet: a drill never gets one",
    Why.NO_LOCK_AUTO_STAYS_AWAY: "no lock seen: auto-mode leaves it to you",
    Why.REPLACED_ALREADY: "already replaced by {resource}; y launches another",
    Why.HELD: "held by {detail}; plan ready",
    Why.VETO_WINDOW: "auto-mode proceeds unless you veto",
    Why.PLAN_READY: "plan ready",
    Why.DENY_TAG: "its tag {detail} excludes it from auto-mode (deny_tags)",
    Why.SCALING_GROUP: "its scaling group (ESS) replaces it",
    Why.OWNED: "left to its owner, {detail} {resource}",
    Why.PLACES_REST: (
        "waiting: {count} auto-mode replacements in {detail} failed or were reclaimed within an hour; next try at {at}"
    ),
    Why.COST_NOT_KNOWN: "waiting: its added cost is not known yet, and auto-mode has a cost ceiling",
    Why.CANCELLED_EARLY: "cancelled before anything was launched",
    Why.VETOED: "vetoed by {detail}",
    Why.RELEASED_BEFORE_LOCK: (
        "released at {at} before a lock was seen, deadline {deadline}: only retained images and disks are left"
    ),
    Why.NOTICE_TOO_LATE: "the notice arrived after its deadline at {deadline}; check whether the instance still exists",
    Why.NO_LOCK_BY_DEADLINE: "no lock seen by {deadline}: a drill, a withdrawn reclaim, or an unseen release",
    Why.RUNS_AGAIN: "{resource} is running again: no replacement launched",
    Why.IMAGE_NOT_READY: "image {resource} not ready after {span}",
    Why.NO_EARLIER_IMAGE: "no earlier image of this instance",
    Why.REMOVED_AGAIN: "{resource} was launched, then removed by the cloud",
    Why.SYSTEM_DISK_NOT_KEPT: "its system disk was not kept",
    Why.DISK_TAKEN: "disk {resource} is now attached to {detail}",
    Why.DISK_GONE: "disk {resource} no longer exists",
    Why.DISKS_NOT_FREE: "kept disks not available within {span} of the deadline",
    Why.PUBLIC_IP_LOST: "public IP {resource} is lost: it could not be converted to an EIP",
    Why.PRIVATE_IP_TAKEN: "LAUNCHED WITHOUT ITS private IP {resource}: {failure}",
    Why.PRIVATE_IP_IN_USE: "LAUNCHED WITHOUT ITS private IP {resource}: {detail} still has it",
    Why.PRIVATE_IP_NO_ROOM: "LAUNCHED WITHOUT ITS private IP {resource}: no capacity in {detail}",
    Why.SNAPSHOT_FAILED: "snapshot {resource} failed",
    Why.SNAPSHOT_NOT_READY: "snapshot {resource} not finished after {span}",
    Why.NOT_STOPPED: "{resource} not seen stopped within {span} of its deadline",
    Why.NOT_STARTED: "not started: {failure}",
    Why.NO_STOCK_TO_START: "{resource} could not be started: no stock",
    Why.RUNS_WITHOUT: "LAUNCHED WITHOUT ITS {resource}: {failure}",
    Why.EIP_GONE: "EIP {resource} is gone",
    Why.EIP_TAKEN: "EIP {resource} is now bound to {detail}",
    Why.INTERFACE_ELSEWHERE: "network interface {resource} is left behind: it cannot leave {detail}",
    Why.INTERFACE_TAKEN: "network interface {resource} is now attached to {detail}",
    Why.INTERFACE_GONE: "network interface {resource} is gone",
    Why.INTERFACE_NOT_MOVED: "network interface {resource} was not moved: {failure}; attach it manually",
    Why.INTERFACE_LEFT: "network interface {resource} is kept when its instance is released: {failure}; delete it then",
    Why.EIP_LEFT: "its public IP {detail} is EIP {resource} now, which cannot be undone: billed until you release it",
    Why.BACKEND_NOT_ADDED: "{detail} {resource} does not send traffic to it: {failure}; add it manually",
    Why.BACKEND_LEFT: "the old entry is left in {detail} {resource}: {failure}; remove it manually",
    Why.WEIGHT_LEFT: "the old entry is left at weight 0 in {detail} {resource}: {failure}; set it back to {count}",
    Why.BALANCERS_UNKNOWN: "its {detail} groups are unknown: {failure}; add it manually wherever the old one was",
    Why.EARLIER_VERSION: "{detail}",
}
_LEFT = (
    Why.BACKEND_NOT_ADDED,
    Why.BACKEND_NOT_HEALTHY,
    Why.BACKEND_LEFT,
    Why.WEIGHT_LEFT,
    Why.BALANCERS_UNKNOWN,
    Why.INTERFACE_LEFT,
    Why.EIP_LEFT,
)
_TELL_CAUSES = (Why.RUNS, Why.ROUTES, Why.THEN, Why.NOT_ATTACHED, Why.NO_PLAN_BY_DEADLINE)
_LIMITS = (Why.AT_ONCE, Why.PER_HOUR)
_PRESS_Y, _GO_NOW, _ANYWAY = "press y", "press y to start now", "press y to recover it anyway"
_LIFTS = {
    Why.NO_LOCK_AUTO_STAYS_AWAY: _PRESS_Y,
    Why.HELD: _PRESS_Y,
    Why.PLAN_READY: _PRESS_Y,
    Why.DENY_TAG: _ANYWAY,
    Why.NO_ALLOW_TAG: _ANYWAY,
    Why.SCALING_GROUP: _ANYWAY,
    Why.OWNED: _ANYWAY,
    Why.PLACES_REST: _GO_NOW,
    Why.COST_NOT_KNOWN: _PRESS_Y,
    Why.COST_CEILING: "press y, or raise max_added_cost_per_hour",
    Why.AT_ONCE: _GO_NOW,
    Why.PER_HOUR: _GO_NOW,
}


def reason(reason: Reason | None, region: str = "") -> str:
    """Return why, and what lifts it where a person can; `region` is that of the recovery. Empty for none."""
    if reason is None:
        return ""
    told = lift(reason)
    text = f"{_why(reason, region)}{_ahead(reason)}"
    return plain(f"{text}: {told}" if told else text, LONGEST)


def why(reason: Reason, region: str = "") -> str:
    """Return why alone: neither who is before it nor what lifts it."""
    return plain(_why(reason, region), LONGEST)


def lift(reason: Reason) -> str:
    """Return what a person can press or change, empty where nothing is to be done."""
    return _LIFTS.get(reason.why, "")


def against(known: Reason | None, region: str = "") -> str:
    """Return what speaks against going on by itself; empty where a yes is all that is missing."""
    if known is None or known.why is Why.PLAN_READY:
        return ""
    return plain(f"held by {known.detail}") if known.why is Why.HELD else reason(known, region)


def in_line(reason: Reason | None, region: str = "") -> str:
    """Return the same of a queued recovery, where its place in the line is said beside it."""
    if reason is None or reason.why not in _LIMITS:
        return against(reason, region)
    return plain(f"{_limit(reason)}: {lift(reason)}", LONGEST)


def _why(reason: Reason, region: str) -> str:
    """What is left changed stands behind any reason that does not tell its causes itself."""
    causes = () if reason.why in _TELL_CAUSES else (cause for cause in reason.causes if cause.why in _LEFT)
    return "; ".join((_alone(reason, region), *(_alone(cause, region) for cause in causes)))


def _alone(reason: Reason, region: str) -> str:
    told = _TOLD.get(reason.why)
    if told:
        return told(reason, region)
    return _SENTENCES[reason.why].format(
        resource=reason.resource,
        detail=reason.detail,
        at=clock_utc(reason.at),
        deadline=clock_utc(reason.deadline),
        span=span(reason.seconds),
        count=reason.count or 0,
        failure=_failed(reason),
    )


def _ahead(reason: Reason) -> str:
    if reason.why not in _LIMITS or not reason.count:
        return ""
    return f"; {'1 other has' if reason.count == 1 else f'{reason.count} others have'} a nearer deadline"


def _failed(reason: Reason) -> str:
    return failure_line(reason.failure) if reason.failure else "unknown cause"


def _amount(reason: Reason, index: int) -> float:
    return reason.amounts[index] if index < len(reason.amounts) else 0.0


def _no_plan_yet(reason: Reason, region: str) -> str:
    return f"no plan yet: {_no_plan(reason, region)}"


def _no_plan(reason: Reason, region: str) -> str:
    if reason.failure:
        return failure_line(reason.failure)
    where = in_words(reason.detail or region)
    return f"{reason.resource} is not listed" + (f" in {where}" if where else "")


def _no_plan_by_deadline(reason: Reason, region: str) -> str:
    causes = (
        _no_plan(cause, region) if cause.why is Why.NO_PLAN_YET else _why(cause, region) for cause in reason.causes
    )
    return ": ".join((f"no plan by the deadline at {clock_utc(reason.deadline)}", *causes))


def _no_allow_tag(reason: Reason, _region: str) -> str:
    return f"auto-mode requires the tag {' or '.join(reason.resources)} (allow_tags)"


def _cost_ceiling(reason: Reason, _region: str) -> str:
    cost, ceiling = (f"{symbol(reason.detail)}{_amount(reason, index):.3f}/h" for index in (0, 1))
    return f"auto-mode would add {cost}, above its ceiling of {ceiling}"


def _queued(reason: Reason, _region: str) -> str:
    return f"queued: {_limit(reason)}"


def _limit(reason: Reason) -> str:
    if reason.why is Why.AT_ONCE:
        return f"limit of {_amount(reason, 0):g} recoveries at once"
    free = f", next slot at {clock_utc(reason.at)}" if reason.at else ""
    return f"limit of {_amount(reason, 0):g} recoveries an hour{free}"


def _cancelled(reason: Reason, _region: str) -> str:
    return f"left behind: {', '.join(reason.resources)}" if reason.resources else "nothing was created"


def _nobody_confirmed(reason: Reason, _region: str) -> str:
    kept = f"; data kept on {', '.join(reason.resources)}: press t to recover from it"
    return f"not confirmed by the deadline at {clock_utc(reason.deadline)}{kept if reason.resources else ''}"


def _called_off(reason: Reason, _region: str) -> str:
    return f"{reason.resource} still {'runs' if reason.detail else 'exists'} without a lock: reclaim withdrawn"


def _not_done(what: str) -> Callable[[Reason, str], str]:
    """A call came to nothing, or nobody knows whether it did."""

    def told(reason: Reason, _region: str) -> str:
        if reason.failure is None or not reason.failure.effect_unknown:
            return f"{what.format(reason.resource)}: {_failed(reason)}"
        tag = f"spottui={reason.detail}" if reason.detail else "spottui"
        return f"{_failed(reason)}; it may exist anyway: look for the tag {tag} before you retry"

    return told


def _image_lost(reason: Reason, _region: str) -> str:
    return f"image {reason.resource} is {reason.detail or 'not listed'}"


_ROOM = ("no stock", "price limit", "no room")
"""The kinds of refusals that say that there is no room, by the value of an `ErrorKind`."""


def _no_room(reason: Reason, _region: str) -> str:
    """What a person can fix is said: a security group or a key that is gone, a type that does not fit."""
    kept = f"; image {reason.resource} is kept" if reason.resource else ""
    if reason.failure is None or reason.failure.kind in _ROOM:
        return f"no capacity at any place{kept}"
    return (
        f"every place refused the launch, the last with {_failed(reason)}{kept}; fix the cause, then press t to retry"
    )


def _not_seen_running(reason: Reason, _region: str) -> str:
    return f"{reason.resource} not seen running within {(reason.seconds or 0) / 60:.0f} min; check it manually"


def _stopped_running(reason: Reason, _region: str) -> str:
    what = f"was {reason.detail}" if reason.detail else "was not seen again; check it manually"
    return f"{reason.resource} ran, then {what}"


def _not_healthy(reason: Reason, _region: str) -> str:
    group = f"{reason.detail} {reason.resource}"
    if reason.failure:
        return f"unknown whether it is healthy behind {group}: {_failed(reason)}"
    return f"{group} has not reported it healthy within {reason.seconds or 0:.0f} s"


def _not_served(reason: Reason, _region: str) -> str:
    probe = " of ".join((f"probe {reason.detail}", *reason.resources))
    last = missed(reason.missed) if reason.missed else "did not pass"
    patience = f"for {reason.seconds or 0:.0f} s"
    return f"{reason.resource} runs but does not serve: {probe}: {last}, {patience}; t probes it again"


def _not_attached(reason: Reason, region: str) -> str:
    causes = "; ".join(_why(cause, region) for cause in reason.causes) or "its data disks are not attached"
    return f"{reason.resource} runs, but {causes}; press t to retry"


def _disk_not_attached(reason: Reason, _region: str) -> str:
    return f"disk {reason.resource} is not {f'attached: {_failed(reason)}' if reason.failure else 'listed'}"


def _records_moved(reason: Reason, _region: str) -> str:
    point = "points" if len(reason.resources) == 1 else "point"
    ttl = f"clients may use the old address for {reason.seconds or 0:.0f} s"
    return f"DNS: {', '.join(reason.resources)} {point} to {reason.detail}; {ttl}"


def _records_not_moved(reason: Reason, _region: str) -> str:
    what = ", ".join(reason.resources) or f"the records of {reason.resource}"
    return f"DNS: {what} may still point to {reason.detail}: {_failed(reason)}; update manually"


def _records_unsure(reason: Reason, _region: str) -> str:
    points = "points" if len(reason.resources) == 1 else "point"
    names = ", ".join(reason.resources)
    return f"DNS: {names} still {points} to {reason.detail}, which {reason.resource} has now; update manually if wrong"


def _eip_not_moved(reason: Reason, _region: str) -> str:
    if reason.failure or not reason.detail:
        return f"EIP {reason.resource} was not moved: {_failed(reason)}"
    return f"EIP {reason.resource} was not seen on {reason.detail}"


def _routes(reason: Reason, region: str) -> str:
    """A single route is not named."""
    if len(reason.causes) == 1:
        return _why(reason.causes[0], region)
    told = (f"{cause.route}: {_why(cause, region)}" if cause.route else _why(cause, region) for cause in reason.causes)
    return "; ".join(told) or "no route left"


def _then(reason: Reason, region: str) -> str:
    return ", then ".join(_why(cause, region) for cause in reason.causes) or "it failed again"


def _runs(reason: Reason, region: str) -> str:
    parts = [f"{reason.resource} runs in {reason.detail} after {int(reason.seconds or 0)} s"]
    if reason.at:
        parts.append(f"data as of {reason.at:%Y-%m-%d %H:%M:%S} UTC")
    return "; ".join((*parts, *(_why(cause, region) for cause in reason.causes)))


_TOLD = {
    Why.NO_PLAN_YET: _no_plan_yet,
    Why.NO_PLAN_BY_DEADLINE: _no_plan_by_deadline,
    Why.NO_ALLOW_TAG: _no_allow_tag,
    Why.COST_CEILING: _cost_ceiling,
    Why.AT_ONCE: _queued,
    Why.PER_HOUR: _queued,
    Why.CANCELLED: _cancelled,
    Why.NOBODY_CONFIRMED: _nobody_confirmed,
    Why.CALLED_OFF: _called_off,
    Why.NO_IMAGE: _not_done("no image"),
    Why.NOT_LAUNCHED: _not_done("not launched"),
    Why.NO_SNAPSHOT: _not_done("no snapshot of {}"),
    Why.IMAGE_LOST: _image_lost,
    Why.NO_ROOM: _no_room,
    Why.NOT_SEEN_RUNNING: _not_seen_running,
    Why.NOT_SERVED: _not_served,
    Why.STOPPED_RUNNING: _stopped_running,
    Why.NOT_ATTACHED: _not_attached,
    Why.DISK_NOT_ATTACHED: _disk_not_attached,
    Why.BACKEND_NOT_HEALTHY: _not_healthy,
    Why.SECONDARY_IPS_LOST: lambda reason, _region: (
        f"no secondary private IPs instead of {', '.join(reason.resources)}: {_failed(reason)}; assign them manually"
    ),
    Why.RECORDS_MOVED: _records_moved,
    Why.RECORDS_UNSURE: _records_unsure,
    Why.RECORDS_NOT_MOVED: _records_not_moved,
    Why.EIP_NOT_MOVED: _eip_not_moved,
    Why.ROUTES: _routes,
    Why.THEN: _then,
    Why.RUNS: _runs,
}


_MISSES = {
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


def missed(missed: Missed) -> str:
    """Return why one try did not pass."""
    return _MISSES[missed.miss].format(plain(missed.what))


_MISSING = {
    Missing.DISKS_NOT_KNOWN: "its disks are unknown",
    Missing.NOT_RUNNING: "it is not running",
    Missing.NOT_KEPT_READY: "no [[ready]] matches it and it has no tag spottui:ready",
    Missing.BEYOND_CAP: "max_cost_per_month is used up",
    Missing.NO_SYSTEM_IMAGE: "no image of its system disk yet",
    Missing.SYSTEM_IMAGE_TOO_OLD: "the image of its system disk is too old",
    Missing.NO_DATA_SNAPSHOTS: "no finished snapshot of its data disks yet",
    Missing.SLOW_DATA_DISKS: "a data disk is not an ESSD: its snapshots take minutes",
    Missing.LOCAL_DISKS: "data on local disks is lost at every reclaim",
}


def missing(what: Missing) -> str:
    """Return one thing that an instance lacks."""
    return _MISSING[what]
