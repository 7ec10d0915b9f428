"""One line for each fact."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from spottui.domain import facts as f
from spottui.domain.balancers import Backend
from spottui.domain.forecast import Verdict
from spottui.domain.hook import HookEnd
from spottui.domain.recovery import AutoAnswer
from spottui.domain.text import plain
from spottui.words.driving import decided, stopped
from spottui.words.failures import LONGEST, failure_line, fault, said
from spottui.words.feed import event_kind
from spottui.words.moments import clock, clock_utc
from spottui.words.next_steps import next_step
from spottui.words.reasons import lift, missed, reason, why
from spottui.words.regions import region as in_words

IMAGE_POLL = "DescribeImages"
"""The call that shows how far an image is."""

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


def text(logged: f.Logged) -> str:
    """Return what a fact says as one line, without its time and its instance."""
    return plain(_TEXTS[type(logged.fact)](logged.fact, logged.region), LONGEST)


def search(words: Sequence[str], named: Mapping[str, Sequence[str]]) -> Callable[[f.Logged], bool]:
    """Return whether a fact is a line of the feed that holds every word, whatever their case.

    It holds what stands in its kind, region, instance id or text; a line of one of the instances whose ids `named` has
    for a word holds that word too.
    """
    wanted = [(word.casefold(), frozenset(named.get(word, ()))) for word in words]

    def holds(logged: f.Logged) -> bool:
        kind = event_kind(logged.fact)
        said = f"{kind} {logged.region} {logged.instance_id} {text(logged)}".casefold()
        return kind is not None and all(word in said or logged.instance_id in ids for word, ids in wanted)

    return holds


def _sign(fact: f.SignSeen, _region: str) -> str:
    seen = f"seen again ({fact.again} more)" if fact.again else f"evidence {fact.marks or fact.source}"
    message = f", message {fact.message_id}" if fact.message_id else ""
    return f"{seen}, deadline {clock(fact.deadline)}Z{message}"


def _released(fact: f.Released, _region: str) -> str:
    deadline = f", deadline {clock(fact.deadline)}Z" if fact.deadline else ""
    return f"released at {clock(fact.released)}Z{deadline}"


def _message(fact: f.MessageSeen, _region: str) -> str:
    if fact.not_listed:
        return f"ignored {fact.not_listed} reclaims of instances that the cloud does not list: {fact.text}"
    if fact.unconfigured_region:
        said = f"reclaim in {in_words(fact.unconfigured_region)}, which is not configured"
    elif fact.other_account:
        said = f"reclaim in another account, {fact.other_account}"
    else:
        return fact.text or fact.name
    return f"{said}, message {fact.message_id}"


def _poison(fact: f.PoisonSeen, _region: str) -> str:
    return f"{fact.why}, message {fact.message_id}" if fact.message_id else fact.why


def _route_chosen(fact: f.RouteChosen, _region: str) -> str:
    if fact.why is None:
        return f"route {fact.route} chosen by {fact.who}"
    return f"route {fact.route}, because {_BECAUSE.get(fact.why, f'of {fact.why}')}"


def _route_taken(fact: f.RouteTaken, region: str) -> str:
    because = f", because {reason(fact.reason, region)}" if fact.reason else ""
    return f"route {fact.route}{because}"


def _decided(fact: f.Decided, _region: str) -> str:
    return f"{decided(fact.decision)} by {fact.who}"


def _retried(fact: f.Retried, _region: str) -> str:
    by, waits = (f" by {fact.who}", "") if fact.who else ("", ", waits for a decision")
    return f"retry{by}, run {fact.run + 1}{waits}"


def _auto_answered(fact: f.AutoAnswered, region: str) -> str:
    if fact.answer is AutoAnswer.CONFIRMED:
        return "auto-mode: proceeds"
    if fact.answer is AutoAnswer.GRANTED:
        return f"auto-mode: proceeds at {clock_utc(fact.veto_until)} unless vetoed"
    parts = (f"auto-mode: {why(fact.reason, region)}", lift(fact.reason))
    return ": ".join(part for part in parts if part)


def _disarmed(fact: f.Disarmed, _region: str) -> str:
    by_person = fact.stopped is None or fact.stopped.stop is f.Stop.PERSON
    return f"auto-mode disarmed by {fact.who or _LIMITS}" + ("" if by_person else f": {stopped(fact.stopped)}")


def _state(fact: f.StateEntered, region: str) -> str:
    state = f"{fact.was} → {fact.state}" if fact.was else str(fact.state)
    return f"{state}: {reason(fact.reason, region)}" if fact.reason else state


def _route_left(fact: f.RouteLeft, region: str) -> str:
    return f"route {fact.route} left: {reason(fact.reason, region)}"


def _answered(fact: f.CallAnswered, _region: str) -> str:
    if fact.target and fact.detail:
        did = _DID.get(fact.action, "{target}: {detail}").format(target=fact.target, detail=fact.detail)
    else:
        did = fact.detail or " ".join(fact.resources) or fact.target
    return f"{fact.action} {did}".strip()


def _failed(fact: f.CallFailed, _region: str) -> str:
    return f"{fact.action} failed: {said(fact.failure)}"


def _beyond_cap(fact: f.BeyondCap, _region: str) -> str:
    if not fact.count:
        return "max_cost_per_month is enough for every instance that [[ready]] matches again"
    others = f" and {fact.count - 1} more" if fact.count > 1 else ""
    return (
        f"{fact.first}{others} not kept ready: max_cost_per_month of {fact.cap:g} is used up. "
        "`spottui ready` shows what each one costs"
    )


def _output_lost(fact: f.OutputLost, _region: str) -> str:
    if not fact.stream:
        return "a console's output is being read again"
    return f"nobody reads a console's {fact.stream}: output is dropped, its work continues"


def _disks_protected(fact: f.DisksProtected, _region: str) -> str:
    return f"{' '.join(fact.disk_ids)} will outlive the instance, requested by {fact.who}"


def _protection_undone(fact: f.ProtectionUndone, _region: str) -> str:
    disk_ids = " ".join(fact.disk_ids)
    if fact.failure:
        return f"{disk_ids} not protected: {said(fact.failure)}"
    return f"{disk_ids} will be deleted with the instance again, requested by {fact.who}"


def _progress_lost(fact: f.ProgressLost, _region: str) -> str:
    return f"{fact.failure.action or IMAGE_POLL} failed: {said(fact.failure)}"


def _entry(backend: Backend, weight: int | None) -> str:
    port = f":{backend.port}" if backend.port else ""
    become = "removed" if weight is None else f"weight {weight}"
    return f"{backend.product} {backend.group}: {backend.server_id}{port} {become}"


def _kept(fact: f.WeightKept, _region: str) -> str:
    return f"{_entry(fact.backend, fact.backend.weight)} is kept: no other server in the group is healthy"


def _serves(fact: f.BackendServes, _region: str) -> str:
    return f"{_entry(fact.backend, fact.backend.weight)} is healthy after {fact.seconds:.0f} s"


def _drained(fact: f.Drained, _region: str) -> str:
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


def _probed(fact: f.Probed, _region: str) -> str:
    came = missed(fact.missed) if fact.missed else f"passed after {fact.seconds:.1f} s"
    return f"probe {fact.name}{f' of {fact.target}' if fact.target else ''}: {came}"


def _hook_ended(fact: f.HookEnded, _region: str) -> str:
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


_TEXTS: dict[type[f.Fact], Callable[[Any, str], str]] = {
    f.EarlierLine: lambda fact, _region: fact.text,
    f.CarriedOver: lambda _fact, _region: "carried over from the journal of an earlier version",
    f.SignSeen: _sign,
    f.LockGone: lambda _fact, _region: "lock removed",
    f.Released: _released,
    f.MessageSeen: _message,
    f.PoisonSeen: _poison,
    f.SourceFailed: lambda fact, _region: f"{fact.source} fails: {fault(fact.failure)}",
    f.SourceAnswers: lambda fact, _region: f"{fact.source} answers again",
    f.PlanMade: lambda fact, _region: f"plan {fact.digest}: {next_step(fact.next_step)}",
    f.PlanSurveyed: lambda fact, _region: f"plan {fact.digest} surveyed: {next_step(fact.next_step)}",
    f.RouteChosen: _route_chosen,
    f.Decided: _decided,
    f.CancelAsked: lambda fact, _region: f"cancel requested by {fact.who}",
    f.Retried: _retried,
    f.AutoAnswered: _auto_answered,
    f.Armed: lambda fact, _region: f"auto-mode armed by {fact.who}",
    f.NotArmed: lambda fact, _region: f"auto-mode not armed for {fact.who}: {stopped(fact.stopped)}",
    f.Disarmed: _disarmed,
    f.DriverChanged: lambda fact, _region: f"driven by {fact.driver}",
    f.StateEntered: _state,
    f.NextStepChanged: lambda fact, region: f"next: {next_step(fact.next_step) or reason(fact.reason, region)}",
    f.RouteLeft: _route_left,
    f.RouteTaken: _route_taken,
    f.EarlierImageTaken: lambda fact, _region: (
        f"from the earlier image {fact.image_id} as of {fact.made:%Y-%m-%d %H:%M} UTC"
    ),
    f.CallBegun: lambda fact, _region: f"{fact.action} started",
    f.CallAnswered: _answered,
    f.CallFailed: _failed,
    f.LaunchRefused: lambda fact, _region: f"launch refused: {said(fact.failure)}",
    f.ProgressSeen: lambda fact, _region: f"{fact.image_id} {fact.progress} %".strip(),
    f.ProgressLost: _progress_lost,
    f.ProgressBack: lambda _fact, _region: f"{IMAGE_POLL} answers again",
    f.ImageReady: lambda fact, _region: f"image {fact.image_id} ready after {fact.seconds:.0f} s",
    f.ImageGivenUp: lambda fact, _region: f"image {fact.image_id} abandoned",
    f.DisksFree: lambda _fact, _region: "kept disks available",
    f.StartedAgain: lambda _fact, _region: "the instance itself is running again",
    f.PublicIpKept: lambda fact, _region: f"public IP {fact.address} is now EIP {fact.eip_id}",
    f.PrivateIpGivenUp: lambda fact, region: reason(fact.reason, region),
    f.RecordsFound: lambda fact, _region: f"named by {', '.join(record.name for record in fact.records)}",
    f.InterfaceRestored: lambda fact, _region: f"network interface {fact.eni_id} goes with its instance again",
    f.SnapshotsUsable: lambda fact, _region: (
        f"snapshots {', '.join(snapshot_id for _, snapshot_id in fact.snapshots)} usable"
    ),
    f.Drained: _drained,
    f.BackendsFound: lambda fact, _region: f"behind {', '.join(_entry(one, one.weight) for one in fact.backends)}",
    f.BackendChanging: lambda fact, _region: f"{_entry(fact.backend, fact.weight)}: started",
    f.WeightKept: _kept,
    f.WeightRestored: lambda fact, _region: f"{_entry(fact.backend, fact.backend.weight)} restored",
    f.BackendServes: _serves,
    f.Probed: _probed,
    f.HookBegun: lambda fact, _region: f"hook {fact.program} ({fact.on}) started",
    f.HookEnded: _hook_ended,
    f.ReadyCallAnswered: lambda fact, _region: f"{fact.action} {fact.resource}",
    f.BeyondCap: _beyond_cap,
    f.OutputLost: _output_lost,
    f.PricesSeen: lambda fact, _region: f"prices of {len(fact.prices)} places",
    f.DisksProtected: _disks_protected,
    f.ProtectionUndone: _protection_undone,
}
