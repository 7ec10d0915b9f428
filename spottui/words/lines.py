"""The lines of those facts that take more than a template; the table of `words/facts.py` names them."""

from spottui.domain import facts as f
from spottui.domain.balancers import Backend
from spottui.domain.forecast import Verdict
from spottui.domain.hook import HookEnd
from spottui.domain.recovery import AutoAnswer
from spottui.words.driving import stopped
from spottui.words.failures import failure_line, said
from spottui.words.phrases import clock, clock_utc
from spottui.words.phrases import region as in_words
from spottui.words.reasons import lift, missed, reason, why

_LIMITS = "its safety limits"
_DELETED = "{target} deleted, requested by {detail}"
_DID = {
    "AttachDisk": "{target} to {detail}",
    "DeleteImage": _DELETED,
    "DeleteSnapshot": _DELETED,
    "DeleteDisk": _DELETED,
    "DeleteInstance": _DELETED,
    "DeleteSnapshotGroup": _DELETED,
}
"""What a call did to its target, by its action."""
_BECAUSE = {Verdict.WILL_NOT: "a new image will not be ready in time"}


def sign_seen(fact: f.SignSeen, _region: str) -> str:
    """Return by which evidence a reclaim is known, and its deadline."""
    seen = f"seen again ({fact.again} more)" if fact.again else f"evidence {fact.marks or fact.source}"
    message = f", message {fact.message_id}" if fact.message_id else ""
    return f"{seen}, deadline {clock(fact.deadline)}Z{message}"


def released(fact: f.Released, _region: str) -> str:
    """Return when an instance was released, and when that was expected."""
    deadline = f", deadline {clock(fact.deadline)}Z" if fact.deadline else ""
    return f"released at {clock(fact.released)}Z{deadline}"


def message_seen(fact: f.MessageSeen, _region: str) -> str:
    """Return what a message about something else says, or why its reclaim is not for this console."""
    if fact.not_listed:
        return f"ignored {fact.not_listed} reclaims of instances that the cloud does not list: {fact.text}"
    if fact.unconfigured_region:
        said = f"reclaim in {in_words(fact.unconfigured_region)}, which is not configured"
    elif fact.other_account:
        said = f"reclaim in another account, {fact.other_account}"
    else:
        return fact.text or fact.name
    return f"{said}, message {fact.message_id}"


def route_chosen(fact: f.RouteChosen, _region: str) -> str:
    """Return which route was put first: by whom, or why."""
    if fact.why is None:
        return f"route {fact.route} chosen by {fact.who}"
    return f"route {fact.route}, because {_BECAUSE.get(fact.why, f'of {fact.why}')}"


def route_taken(fact: f.RouteTaken, region: str) -> str:
    """Return the route that is taken, and why the one before was left."""
    because = f", because {reason(fact.reason, region)}" if fact.reason else ""
    return f"route {fact.route}{because}"


def retried(fact: f.Retried, _region: str) -> str:
    """Return which run begins, and by whom."""
    by, waits = (f" by {fact.who}", "") if fact.who else ("", ", waits for a decision")
    return f"retry{by}, run {fact.run + 1}{waits}"


def auto_answered(fact: f.AutoAnswered, region: str) -> str:
    """Return whether auto-mode proceeds, or what keeps it and what lifts that."""
    if fact.answer is AutoAnswer.CONFIRMED:
        return "auto-mode: proceeds"
    if fact.answer is AutoAnswer.GRANTED:
        return f"auto-mode: proceeds at {clock_utc(fact.veto_until)} unless vetoed"
    parts = (f"auto-mode: {why(fact.reason, region)}", lift(fact.reason))
    return ": ".join(part for part in parts if part)


def disarmed(fact: f.Disarmed, _region: str) -> str:
    """Return who disarmed auto-mode, or which of its limits did."""
    by_person = fact.stopped is None or fact.stopped.stop is f.Stop.PERSON
    return f"auto-mode disarmed by {fact.who or _LIMITS}" + ("" if by_person else f": {stopped(fact.stopped)}")


def state_entered(fact: f.StateEntered, region: str) -> str:
    """Return the state, the one before and why."""
    state = f"{fact.was} → {fact.state}" if fact.was else str(fact.state)
    return f"{state}: {reason(fact.reason, region)}" if fact.reason else state


def did(fact: f.CallAnswered) -> str:
    """Return what a call made or changed."""
    if fact.target and fact.detail:
        return _DID.get(fact.action, "{target}: {detail}").format(target=fact.target, detail=fact.detail)
    return fact.detail or " ".join(fact.resources) or fact.target


def beyond_cap(fact: f.BeyondCap, _region: str) -> str:
    """Return which instances are not kept ready for their cost."""
    if not fact.count:
        return "max_cost_per_month is enough for every instance that [[ready]] matches again"
    others = f" and {fact.count - 1} more" if fact.count > 1 else ""
    return (
        f"{fact.first}{others} not kept ready: max_cost_per_month of {fact.cap:g} is used up. "
        "`spottui ready` shows what each one costs"
    )


def output_lost(fact: f.OutputLost, _region: str) -> str:
    """Return which output of a console nobody reads."""
    if not fact.stream:
        return "a console's output is being read again"
    return f"nobody reads a console's {fact.stream}: output is dropped, its work continues"


def protection_undone(fact: f.ProtectionUndone, _region: str) -> str:
    """Return which disks go with their instance again: because of whom, or of a refusal."""
    disk_ids = " ".join(fact.disk_ids)
    if fact.failure:
        return f"{disk_ids} not protected: {said(fact.failure)}"
    return f"{disk_ids} will be deleted with the instance again, requested by {fact.who}"


def entry(backend: Backend, weight: int | None) -> str:
    """Return an entry of a load balancer with a weight, or that it is removed for None."""
    port = f":{backend.port}" if backend.port else ""
    become = "removed" if weight is None else f"weight {weight}"
    return f"{backend.product} {backend.group}: {backend.server_id}{port} {become}"


def drained(fact: f.Drained, _region: str) -> str:
    """Return the result of a drain, or why there is none."""
    if fact.failure:
        came = f"did not run: {failure_line(fact.failure)}"
    elif fact.status:
        output = f": {fact.output}" if fact.output else ""
        came = f"{fact.status}, exit code {fact.exit_code}{output}"
    elif fact.seconds < 1:
        came = "skipped: not enough time"
    else:
        came = f"timed out after {fact.seconds:.0f} s; the recovery continues"
    return f"drain {fact.name} {came}"


def probed(fact: f.Probed, _region: str) -> str:
    """Return what was probed, and the result."""
    came = missed(fact.missed) if fact.missed else f"passed after {fact.seconds:.1f} s"
    return f"probe {fact.name}{f' of {fact.target}' if fact.target else ''}: {came}"


def hook_ended(fact: f.HookEnded, _region: str) -> str:
    """Return the result of a hook, with its output."""
    said = f": {fact.output}" if fact.output else ""
    match fact.end:
        case HookEnd.EXITED:
            came = f"exited with {fact.exit_code} after {fact.seconds:.1f} s{said}"
        case HookEnd.TIMED_OUT:
            came = f"killed after {fact.seconds:.1f} s{said}"
        case HookEnd.NOT_STARTED:
            came = f"did not start: {failure_line(fact.failure) if fact.failure else fact.output}"
        case HookEnd.NOT_KNOWN if fact.failure:
            came = f"unknown whether it ran: {failure_line(fact.failure)}; it will not be run again"
        case HookEnd.NOT_KNOWN:
            came = "unknown whether it ran: its console ended first; it will not be run again"
    return f"hook {fact.program} ({fact.on}) {came}"
