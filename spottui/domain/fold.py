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
    for entry in logged:
        # The lines of an earlier version stand before what was carried over.
        if recovery is not None or not isinstance(entry.fact, f.EarlierLine):
            recovery = apply(recovery, entry)
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


def _sign(recovery: Recovery, fact: f.SignSeen, at: datetime) -> Recovery:
    seen = _observation(fact, recovery.region, recovery.instance_id, at)
    return replace(recovery, interruption=fuse(recovery.interruption, seen))


def _with_reclaim(recovery: Recovery, **changes: Any) -> Recovery:
    reclaim: Interruption = replace(recovery.interruption, **changes)
    return replace(recovery, interruption=reclaim)


def _plan(recovery: Recovery, fact: f.PlanMade, at: datetime) -> Recovery:
    return replace(
        recovery,
        name=fact.name or recovery.name,
        next_step=fact.next_step,
        route=fact.route,
        image_s=fact.image_s,
        has_plan=True,
    )


def _survey(recovery: Recovery, fact: f.PlanSurveyed, at: datetime) -> Recovery:
    if recovery.new_instance_id or recovery.state.is_final:
        return recovery
    step = fact.next_step if recovery.state.waits_for_permission else recovery.next_step
    return replace(recovery, next_step=step, no_room=fact.no_room)


def _retry(recovery: Recovery, fact: f.Retried, at: datetime) -> Recovery:
    """What it made stays its own, and so do its tokens: what was begun is settled before anything new."""
    ended = PastRun(recovery.run, recovery.state, recovery.ended or at, recovery.who, recovery.auto)
    return replace(
        recovery,
        past_runs=(*recovery.past_runs, ended),
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


def _auto(recovery: Recovery, fact: f.AutoAnswered, at: datetime) -> Recovery:
    same = recovery.auto is not None and recovery.auto.answer is fact.answer is not AutoAnswer.CONFIRMED
    since = recovery.auto.at if same and recovery.auto else at
    return replace(recovery, auto=AutoAsked(fact.answer, fact.reason, since, fact.added_cost, fact.veto_until))


def _state(recovery: Recovery, fact: f.StateEntered, at: datetime) -> Recovery:
    return replace(
        recovery,
        state=fact.state,
        reason=fact.reason,
        next_step=None if fact.state.is_final else fact.next_step or recovery.next_step,
        veto_until=fact.veto_until,
        queued=fact.queued,
        ended=at if fact.state.is_final else None,
        no_room=recovery.no_room and not fact.state.is_final,
    )


def _next(recovery: Recovery, fact: f.NextStepChanged, at: datetime) -> Recovery:
    return replace(
        recovery,
        next_step=fact.next_step or recovery.next_step,
        reason=fact.reason or recovery.reason,
        queued=fact.queued,
        image_s=recovery.image_s if fact.image_s is None else fact.image_s,
        no_room=recovery.no_room if fact.no_room is None else fact.no_room,
    )


def _route_left(recovery: Recovery, fact: f.RouteLeft, at: datetime) -> Recovery:
    left = LeftRoute(fact.route, fact.reason, fact.excluded)
    return replace(recovery, routes_left=(*recovery.routes_left, left), forecast_at=None)


def _call_begun(recovery: Recovery, fact: f.CallBegun, at: datetime) -> Recovery:
    changed = recovery
    if fact.token and fact.token not in recovery.unsettled:
        changed = replace(changed, unsettled=(*recovery.unsettled, fact.token))
    attempt = fact.attempt
    if attempt and all(known_try.client_token != attempt.client_token for known_try in recovery.tries):
        changed = replace(changed, tries=(*recovery.tries, attempt))
    if fact.image_of:
        changed = replace(changed, image_of=fact.image_of)
    if fact.action == "CreateSnapshotGroup":
        changed = replace(changed, snapshots_since=changed.snapshots_since or at)
    if fact.action == "ModifyNetworkInterfaceAttribute" and fact.target not in recovery.kept_interfaces:
        changed = replace(changed, kept_interfaces=(*recovery.kept_interfaces, fact.target))
    if fact.action == "RunCommand" and fact.target:
        changed = replace(changed, probe_commands=recovery.probe_commands + 1)
    elif fact.action == "RunCommand" and recovery.drain_begun is None:
        changed = replace(changed, drain_begun=at)
    return changed


def _call_answered(recovery: Recovery, fact: f.CallAnswered, at: datetime) -> Recovery:
    settled = replace(_settled(recovery, fact.token), trouble=None if fact.token else recovery.trouble)
    made = _CHANGED.get(fact.action) or (_MADE.get(fact.action) if fact.resources else None)
    return made(settled, fact, at) if made else settled


def _image(recovery: Recovery, fact: f.CallAnswered, at: datetime) -> Recovery:
    image_id = fact.resources[0]
    if recovery.image_id == image_id:
        return recovery
    made = recovery.with_made("image", image_id)
    return replace(made, image_id=image_id, imaging_since=at, images=recovery.images + 1, progress=0, forecast_at=None)


def _instance(recovery: Recovery, fact: f.CallAnswered, at: datetime) -> Recovery:
    new_id = fact.resources[0]
    return replace(recovery.with_made("instance", new_id), new_instance_id=new_id, no_room=False)


def _snapshot(recovery: Recovery, fact: f.CallAnswered, at: datetime) -> Recovery:
    pair = (fact.target, fact.resources[0])
    made = recovery.with_made("snapshot", fact.resources[0])
    return made if pair in recovery.snapshots else replace(made, snapshots=(*recovery.snapshots, pair))


def _snapshots_usable(recovery: Recovery, fact: f.SnapshotsUsable, at: datetime) -> Recovery:
    for _, snapshot_id in fact.snapshots:
        recovery = recovery.with_made("snapshot", snapshot_id)
    return replace(recovery, group_snapshots=fact.snapshots)


def _kept(recovery: Recovery, fact: f.CallAnswered, at: datetime) -> Recovery:
    for disk_id in fact.resources:
        recovery = recovery.with_made("kept disk", disk_id)
    return recovery


def _deleted(recovery: Recovery, fact: f.CallAnswered, at: datetime) -> Recovery:
    gone = {fact.target}
    if fact.target == recovery.snapshot_group:
        gone.update(snapshot_id for _, snapshot_id in recovery.group_snapshots)
        recovery = replace(recovery, snapshot_group="", snapshots_since=None, group_snapshots=())
    return replace(recovery, created=tuple(created for created in recovery.created if created.resource_id not in gone))


_MADE: dict[str, Callable[[Recovery, f.CallAnswered, datetime], Recovery]] = {
    "ModifyDiskAttribute": _kept,
    "CreateImage": _image,
    "CreateSnapshot": _snapshot,
    "CreateSnapshotGroup": lambda recovery, fact, at: replace(recovery, snapshot_group=fact.resources[0]),
    "RunInstances": _instance,
}
"""What an answer makes of a recovery that names what was made, by its action."""
_CHANGED: dict[str, Callable[[Recovery, f.CallAnswered, datetime], Recovery]] = {
    "AttachDisk": lambda recovery, fact, at: recovery.with_made("attached disk", fact.target),
    "DeleteImage": _deleted,
    "DeleteSnapshot": _deleted,
    "DeleteDisk": _deleted,
    "DeleteSnapshotGroup": _deleted,
}
"""What an answer makes of a recovery by the thing that was changed."""


def _call_failed(recovery: Recovery, fact: f.CallFailed, at: datetime) -> Recovery:
    settled = recovery if fact.failure.effect_unknown else _settled(recovery, fact.token)
    return replace(settled, trouble=fact.failure) if fact.token else settled


def _settled(recovery: Recovery, token: str) -> Recovery:
    if token not in recovery.unsettled:
        return recovery
    return replace(recovery, unsettled=tuple(other for other in recovery.unsettled if other != token))


def _launch_refused(recovery: Recovery, fact: f.LaunchRefused, at: datetime) -> Recovery:
    tries = tuple(
        replace(attempt, failure=fact.failure) if attempt.client_token == fact.token else attempt
        for attempt in recovery.tries
    )
    refused = replace(_settled(recovery, fact.token), tries=tries)
    if not fact.instance_id:
        return refused
    gone = Created("instance", fact.instance_id)
    return replace(
        refused, created=tuple(created for created in recovery.created if created != gone), new_instance_id=""
    )


def _progress(recovery: Recovery, fact: f.ProgressSeen, at: datetime) -> Recovery:
    """Ignores progress that was committed late: its image is ready, or no longer the recovery's."""
    if recovery.state is not RecoveryState.IMAGING or fact.image_id not in ("", recovery.image_id):
        return recovery
    return replace(
        recovery,
        progress=fact.progress,
        forecast_at=fact.forecast_at or recovery.forecast_at,
        verdict=fact.verdict or recovery.verdict,
    )


def _image_given_up(recovery: Recovery, fact: f.ImageGivenUp, at: datetime) -> Recovery:
    return replace(
        recovery,
        image_id="",
        imaging_since=None,
        forecast_at=None,
        progress=0,
        whole_image=recovery.whole_image or fact.whole,
    )


def _records(recovery: Recovery, fact: f.RecordsFound, at: datetime) -> Recovery:
    ids = {record.record_id for record in recovery.records}
    return replace(recovery, records=(*recovery.records, *(new for new in fact.records if new.record_id not in ids)))


def _backends(recovery: Recovery, fact: f.BackendsFound, at: datetime) -> Recovery:
    """What was found first counts: later its weight is lowered already."""
    keys = {backend.key for backend in recovery.backends}
    return replace(recovery, backends=(*recovery.backends, *(new for new in fact.backends if new.key not in keys)))


def _backend_changing(recovery: Recovery, fact: f.BackendChanging, at: datetime) -> Recovery:
    backend = fact.backend
    is_lowered = fact.change is Change.WEIGHT and fact.weight == 0
    if not is_lowered or backend in recovery.lowered or backend not in recovery.backends:
        return recovery
    return replace(recovery, lowered=(*recovery.lowered, backend))


def _weight_restored(recovery: Recovery, fact: f.WeightRestored, at: datetime) -> Recovery:
    return replace(recovery, lowered=tuple(backend for backend in recovery.lowered if backend.key != fact.backend.key))


def _interface_restored(recovery: Recovery, fact: f.InterfaceRestored, at: datetime) -> Recovery:
    return replace(
        recovery, kept_interfaces=tuple(eni_id for eni_id in recovery.kept_interfaces if eni_id != fact.eni_id)
    )


def _hook_begun(recovery: Recovery, fact: f.HookBegun, at: datetime) -> Recovery:
    begun = HookRun(fact.on, fact.number, fact.run, fact.console, fact.program)
    return replace(recovery, hooks=(*recovery.hooks, begun))


def _hook_ended(recovery: Recovery, fact: f.HookEnded, at: datetime) -> Recovery:
    ended = (fact.on, fact.number, fact.run)
    hooks = (replace(run, ended=True) if (run.on, run.number, run.run) == ended else run for run in recovery.hooks)
    return replace(recovery, hooks=tuple(hooks))


_CHANGES: dict[type, Callable[[Recovery, Any, datetime], Recovery]] = {
    f.SignSeen: _sign,
    f.LockGone: lambda recovery, fact, at: _with_reclaim(recovery, unlocked_at=at),
    f.Released: lambda recovery, fact, at: _with_reclaim(recovery, released_at=fact.released),
    f.PlanMade: _plan,
    f.PlanSurveyed: _survey,
    f.RouteChosen: lambda recovery, fact, at: replace(recovery, route=fact.route, next_step=fact.next_step),
    f.Decided: lambda recovery, fact, at: replace(recovery, decision=fact.decision, who=fact.who, digest=fact.digest),
    f.CancelAsked: lambda recovery, fact, at: replace(recovery, cancel=True),
    f.Retried: _retry,
    f.AutoAnswered: _auto,
    f.DriverChanged: lambda recovery, fact, at: replace(recovery, driver=fact.driver, fence=fact.fence),
    f.StateEntered: _state,
    f.NextStepChanged: _next,
    f.RouteLeft: _route_left,
    f.RouteTaken: lambda recovery, fact, at: replace(recovery, route=fact.route),
    f.CallBegun: _call_begun,
    f.CallAnswered: _call_answered,
    f.CallFailed: _call_failed,
    f.LaunchRefused: _launch_refused,
    f.ProgressSeen: _progress,
    f.ProgressLost: lambda recovery, fact, at: replace(
        recovery, unseen_since=recovery.unseen_since or fact.since, trouble=fact.failure
    ),
    f.ProgressBack: lambda recovery, fact, at: replace(recovery, unseen_since=None, trouble=None),
    f.ImageReady: lambda recovery, fact, at: replace(recovery, progress=100, forecast_at=at, unseen_since=None),
    f.ImageGivenUp: _image_given_up,
    f.SnapshotsUsable: _snapshots_usable,
    f.DisksFree: lambda recovery, fact, at: replace(recovery, disks_free=True),
    f.PublicIpKept: lambda recovery, fact, at: replace(recovery, eip_id=fact.eip_id),
    f.PrivateIpGivenUp: lambda recovery, fact, at: replace(recovery, private_ip_lost=fact.reason),
    f.RecordsFound: _records,
    f.InterfaceRestored: _interface_restored,
    f.StartedAgain: lambda recovery, fact, at: replace(recovery, new_instance_id=recovery.instance_id),
    f.Drained: lambda recovery, fact, at: replace(recovery, drained=True),
    f.BackendsFound: _backends,
    f.BackendChanging: _backend_changing,
    f.WeightKept: lambda recovery, fact, at: replace(recovery, kept=(*recovery.kept, fact.backend)),
    f.WeightRestored: _weight_restored,
    f.HookBegun: _hook_begun,
    f.HookEnded: _hook_ended,
}
