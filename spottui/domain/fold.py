"""What facts come to: `apply` makes of a recovery and the next fact the recovery after it, and nothing else."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from spottui.domain import facts as f
from spottui.domain.balancers import Change
from spottui.domain.hook import HookRun
from spottui.domain.interruption import Interruption, Observation, first_sight, fuse, plausible
from spottui.domain.recovery import (
    AutoAnswer,
    AutoAsked,
    Created,
    Decision,
    LeftRoute,
    PastRun,
    Recovery,
    RecoveryState,
)

REMOVED = "removed"
"""The kind of a launch's failure when the cloud took the instance away again."""


def fold(logged: Iterable[f.Logged]) -> Recovery | None:
    """Return what all facts of one recovery come to, oldest first; None for none."""
    recovery: Recovery | None = None
    for one in logged:
        # The lines of an earlier version stand before what was carried over.
        if recovery is not None or not isinstance(one.fact, f.EarlierLine):
            recovery = apply(recovery, one)
    return recovery


def apply(recovery: Recovery | None, logged: f.Logged) -> Recovery:
    """Return the recovery after a fact of its own; the first one is the sign that opens it. Pure."""
    fact = logged.fact
    if isinstance(fact, f.CarriedOver):
        return replace(fact.recovery, version=logged.seq)
    if recovery is None:
        if not isinstance(fact, f.SignSeen):
            raise ValueError(f"a recovery begins with a sign, not with {type(fact).__name__}")
        seen = _observation(fact, logged.region, logged.instance_id, logged.at)
        opened = replace(first_sight(seen, logged.at), epoch=fact.epoch)
        return Recovery(opened, name=fact.name, version=logged.seq)
    change = _CHANGES.get(type(fact))
    changed = change(recovery, fact, logged.at) if change else recovery
    return replace(changed, version=logged.seq)


def _observation(fact: f.SignSeen, region: str, instance_id: str, at: datetime) -> Observation:
    own = fact.own_deadline
    seen = Observation(region, instance_id, fact.source, fact.began, fact.action, fact.message_id, own, fact.not_before)
    return plausible(seen, at)


def _sign(known: Recovery, fact: f.SignSeen, at: datetime) -> Recovery:
    seen = _observation(fact, known.region, known.instance_id, at)
    return replace(known, interruption=fuse(known.interruption, seen))


def _with_reclaim(known: Recovery, **changes: Any) -> Recovery:
    reclaim: Interruption = replace(known.interruption, **changes)
    return replace(known, interruption=reclaim)


def _plan(known: Recovery, fact: f.PlanMade, at: datetime) -> Recovery:
    return replace(
        known,
        name=fact.name or known.name,
        next_step=fact.next_step,
        route=fact.route,
        image_s=fact.image_s,
        has_plan=True,
    )


def _survey(known: Recovery, fact: f.PlanSurveyed, at: datetime) -> Recovery:
    if known.new_instance_id or known.state.is_final:
        return known
    step = fact.next_step if known.state.waits_for_permission else known.next_step
    return replace(known, next_step=step, no_room=fact.no_room)


def _retry(known: Recovery, fact: f.Retried, at: datetime) -> Recovery:
    """What it made stays its own, and so do its tokens: what was begun is settled before anything new."""
    ended = PastRun(known.run, known.state, known.ended or at, known.who, known.auto)
    return replace(
        known,
        past_runs=(*known.past_runs, ended),
        state=RecoveryState.PROTECTING if fact.who else RecoveryState.SUSPECTED,
        reason=None,
        ended=None,
        run=fact.run,
        decision=Decision.CONFIRM if fact.who else Decision.NONE,
        who=fact.who,
        auto=None,
        cancel=False,
        veto_until=None,
        forecast_at=None,
        routes_left=(),
        private_ip_lost=None,
        drain_begun=None,
        drained=False,
        driver="",
    )


def _auto(known: Recovery, fact: f.AutoAnswered, at: datetime) -> Recovery:
    same = known.auto is not None and known.auto.answer is fact.answer is not AutoAnswer.CONFIRMED
    since = known.auto.at if same and known.auto else at
    return replace(known, auto=AutoAsked(fact.answer, fact.reason, since, fact.added_cost, fact.veto_until))


def _state(known: Recovery, fact: f.StateEntered, at: datetime) -> Recovery:
    return replace(
        known,
        state=fact.state,
        reason=fact.reason,
        next_step=None if fact.state.is_final else fact.next_step or known.next_step,
        veto_until=fact.veto_until,
        queued=fact.queued,
        ended=at if fact.state.is_final else None,
        no_room=known.no_room and not fact.state.is_final,
    )


def _next(known: Recovery, fact: f.NextStepChanged, at: datetime) -> Recovery:
    return replace(
        known,
        next_step=fact.next_step or known.next_step,
        reason=fact.reason or known.reason,
        queued=fact.queued,
        image_s=known.image_s if fact.image_s is None else fact.image_s,
        no_room=known.no_room if fact.no_room is None else fact.no_room,
    )


def _route_left(known: Recovery, fact: f.RouteLeft, at: datetime) -> Recovery:
    left = LeftRoute(fact.route, fact.reason, fact.excluded)
    return replace(known, routes_left=(*known.routes_left, left), forecast_at=None)


def _call_begun(known: Recovery, fact: f.CallBegun, at: datetime) -> Recovery:
    changed = known
    if fact.token and fact.token not in known.unsettled:
        changed = replace(changed, unsettled=(*known.unsettled, fact.token))
    attempt = fact.attempt
    if attempt and all(one.client_token != attempt.client_token for one in known.tries):
        changed = replace(changed, tries=(*known.tries, attempt))
    if fact.image_of:
        changed = replace(changed, image_of=fact.image_of)
    if fact.action == "CreateSnapshotGroup":
        changed = replace(changed, snapshots_since=changed.snapshots_since or at)
    if fact.action == "ModifyNetworkInterfaceAttribute" and fact.target not in known.kept_interfaces:
        changed = replace(changed, kept_interfaces=(*known.kept_interfaces, fact.target))
    if fact.action == "RunCommand" and fact.target:
        changed = replace(changed, probe_commands=known.probe_commands + 1)
    elif fact.action == "RunCommand" and known.drain_begun is None:
        changed = replace(changed, drain_begun=at)
    return changed


def _call_answered(known: Recovery, fact: f.CallAnswered, at: datetime) -> Recovery:
    settled = replace(_settled(known, fact.token), trouble=None if fact.token else known.trouble)
    made = _CHANGED.get(fact.action) or (_MADE.get(fact.action) if fact.resources else None)
    return made(settled, fact, at) if made else settled


def _image(known: Recovery, fact: f.CallAnswered, at: datetime) -> Recovery:
    image_id = fact.resources[0]
    if known.image_id == image_id:
        return known
    made = known.with_made("image", image_id)
    return replace(made, image_id=image_id, imaging_since=at, images=known.images + 1, progress=0, forecast_at=None)


def _instance(known: Recovery, fact: f.CallAnswered, at: datetime) -> Recovery:
    new_id = fact.resources[0]
    return replace(known.with_made("instance", new_id), new_instance_id=new_id, no_room=False)


def _snapshot(known: Recovery, fact: f.CallAnswered, at: datetime) -> Recovery:
    pair = (fact.target, fact.resources[0])
    made = known.with_made("snapshot", fact.resources[0])
    return made if pair in known.snapshots else replace(made, snapshots=(*known.snapshots, pair))


def _snapshots_usable(known: Recovery, fact: f.SnapshotsUsable, at: datetime) -> Recovery:
    for _, snapshot_id in fact.snapshots:
        known = known.with_made("snapshot", snapshot_id)
    return replace(known, group_snapshots=fact.snapshots)


def _kept(known: Recovery, fact: f.CallAnswered, at: datetime) -> Recovery:
    for disk_id in fact.resources:
        known = known.with_made("kept disk", disk_id)
    return known


def _deleted(known: Recovery, fact: f.CallAnswered, at: datetime) -> Recovery:
    gone = {fact.target}
    if fact.target == known.snapshot_group:
        gone.update(snapshot_id for _, snapshot_id in known.group_snapshots)
        known = replace(known, snapshot_group="", snapshots_since=None, group_snapshots=())
    return replace(known, created=tuple(created for created in known.created if created.resource_id not in gone))


_MADE: dict[str, Callable[[Recovery, f.CallAnswered, datetime], Recovery]] = {
    "ModifyDiskAttribute": _kept,
    "CreateImage": _image,
    "CreateSnapshot": _snapshot,
    "CreateSnapshotGroup": lambda known, fact, at: replace(known, snapshot_group=fact.resources[0]),
    "RunInstances": _instance,
}
"""What an answer makes of a recovery that names what was made, by its action."""
_CHANGED: dict[str, Callable[[Recovery, f.CallAnswered, datetime], Recovery]] = {
    "AttachDisk": lambda known, fact, at: known.with_made("attached disk", fact.target),
    "DeleteImage": _deleted,
    "DeleteSnapshot": _deleted,
    "DeleteDisk": _deleted,
    "DeleteSnapshotGroup": _deleted,
}
"""What an answer makes of a recovery by the thing that was changed."""


def _call_failed(known: Recovery, fact: f.CallFailed, at: datetime) -> Recovery:
    settled = known if fact.failure.effect_unknown else _settled(known, fact.token)
    return replace(settled, trouble=fact.failure) if fact.token else settled


def _settled(known: Recovery, token: str) -> Recovery:
    if token not in known.unsettled:
        return known
    return replace(known, unsettled=tuple(one for one in known.unsettled if one != token))


def _launch_refused(known: Recovery, fact: f.LaunchRefused, at: datetime) -> Recovery:
    tries = tuple(replace(one, failure=fact.failure) if one.client_token == fact.token else one for one in known.tries)
    refused = replace(_settled(known, fact.token), tries=tries)
    if not fact.instance_id:
        return refused
    gone = Created("instance", fact.instance_id)
    return replace(refused, created=tuple(created for created in known.created if created != gone), new_instance_id="")


def _progress(known: Recovery, fact: f.ProgressSeen, at: datetime) -> Recovery:
    """One that was committed late speaks of an image that is ready, or is not the recovery's any more."""
    if known.state is not RecoveryState.IMAGING or fact.image_id not in ("", known.image_id):
        return known
    return replace(
        known,
        progress=fact.progress,
        forecast_at=fact.forecast_at or known.forecast_at,
        verdict=fact.verdict or known.verdict,
    )


def _image_given_up(known: Recovery, fact: f.ImageGivenUp, at: datetime) -> Recovery:
    return replace(
        known,
        image_id="",
        imaging_since=None,
        forecast_at=None,
        progress=0,
        whole_image=known.whole_image or fact.whole,
    )


def _records(known: Recovery, fact: f.RecordsFound, at: datetime) -> Recovery:
    ids = {record.record_id for record in known.records}
    return replace(known, records=(*known.records, *(new for new in fact.records if new.record_id not in ids)))


def _backends(known: Recovery, fact: f.BackendsFound, at: datetime) -> Recovery:
    """What was found first counts: later its weight is lowered already."""
    keys = {backend.key for backend in known.backends}
    return replace(known, backends=(*known.backends, *(new for new in fact.backends if new.key not in keys)))


def _backend_changing(known: Recovery, fact: f.BackendChanging, at: datetime) -> Recovery:
    backend = fact.backend
    is_lowered = fact.change is Change.WEIGHT and fact.weight == 0
    if not is_lowered or backend in known.lowered or backend not in known.backends:
        return known
    return replace(known, lowered=(*known.lowered, backend))


def _weight_restored(known: Recovery, fact: f.WeightRestored, at: datetime) -> Recovery:
    return replace(known, lowered=tuple(backend for backend in known.lowered if backend.key != fact.backend.key))


def _interface_restored(known: Recovery, fact: f.InterfaceRestored, at: datetime) -> Recovery:
    return replace(known, kept_interfaces=tuple(eni_id for eni_id in known.kept_interfaces if eni_id != fact.eni_id))


def _hook_begun(known: Recovery, fact: f.HookBegun, at: datetime) -> Recovery:
    begun = HookRun(fact.on, fact.number, fact.run, fact.console, fact.program)
    return replace(known, hooks=(*known.hooks, begun))


def _hook_ended(known: Recovery, fact: f.HookEnded, at: datetime) -> Recovery:
    ended = (fact.on, fact.number, fact.run)
    hooks = (replace(run, ended=True) if (run.on, run.number, run.run) == ended else run for run in known.hooks)
    return replace(known, hooks=tuple(hooks))


_CHANGES: dict[type, Callable[[Recovery, Any, datetime], Recovery]] = {
    f.SignSeen: _sign,
    f.LockGone: lambda known, fact, at: _with_reclaim(known, unlocked_at=at),
    f.Released: lambda known, fact, at: _with_reclaim(known, released_at=fact.released),
    f.PlanMade: _plan,
    f.PlanSurveyed: _survey,
    f.RouteChosen: lambda known, fact, at: replace(known, route=fact.route, next_step=fact.next_step),
    f.Decided: lambda known, fact, at: replace(known, decision=fact.decision, who=fact.who, digest=fact.digest),
    f.CancelAsked: lambda known, fact, at: replace(known, cancel=True),
    f.Retried: _retry,
    f.AutoAnswered: _auto,
    f.DriverChanged: lambda known, fact, at: replace(known, driver=fact.driver, fence=fact.fence),
    f.StateEntered: _state,
    f.NextStepChanged: _next,
    f.RouteLeft: _route_left,
    f.RouteTaken: lambda known, fact, at: replace(known, route=fact.route),
    f.CallBegun: _call_begun,
    f.CallAnswered: _call_answered,
    f.CallFailed: _call_failed,
    f.LaunchRefused: _launch_refused,
    f.ProgressSeen: _progress,
    f.ProgressLost: lambda known, fact, at: replace(
        known, unseen_since=known.unseen_since or fact.since, trouble=fact.failure
    ),
    f.ProgressBack: lambda known, fact, at: replace(known, unseen_since=None, trouble=None),
    f.ImageReady: lambda known, fact, at: replace(known, progress=100, forecast_at=at, unseen_since=None),
    f.ImageGivenUp: _image_given_up,
    f.SnapshotsUsable: _snapshots_usable,
    f.DisksFree: lambda known, fact, at: replace(known, disks_free=True),
    f.PublicIpKept: lambda known, fact, at: replace(known, eip_id=fact.eip_id),
    f.PrivateIpGivenUp: lambda known, fact, at: replace(known, private_ip_lost=fact.reason),
    f.RecordsFound: _records,
    f.InterfaceRestored: _interface_restored,
    f.StartedAgain: lambda known, fact, at: replace(known, new_instance_id=known.instance_id),
    f.Drained: lambda known, fact, at: replace(known, drained=True),
    f.BackendsFound: _backends,
    f.BackendChanging: _backend_changing,
    f.WeightKept: lambda known, fact, at: replace(known, kept=(*known.kept, fact.backend)),
    f.WeightRestored: _weight_restored,
    f.HookBegun: _hook_begun,
    f.HookEnded: _hook_ended,
}
