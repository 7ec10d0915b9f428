"""A recovery of a journal of version 2, read from rows of several tables."""

from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from msgspec.structs import replace

from spottui.domain.fold import REMOVED
from spottui.domain.forecast import Verdict
from spottui.domain.interruption import Interruption
from spottui.domain.plan import Plan
from spottui.domain.reasons import Doing, Failure, NextStep, Reason, Why
from spottui.domain.recovery import (
    AutoAnswer,
    AutoAsked,
    Created,
    Decision,
    ImageOf,
    LeftRoute,
    PastRun,
    Recovery,
    RecoveryState,
    Try,
)
from spottui.domain.routes import Route
from spottui.journal.encoding import decode, moment

_ROW = sa.text(
    "SELECT earlier_recovery.data, decision, who, cancel, interruption.data AS interruption, plan.data AS plan "
    "FROM interruption JOIN earlier_recovery ON earlier_recovery.id = interruption.id "
    "LEFT JOIN plan ON plan.recovery_id = interruption.id WHERE interruption.id = :id"
)
_AUDIT = sa.text("SELECT at, action, phase, client_token, detail FROM audit WHERE recovery_id = :id ORDER BY seq")
_AUTO = sa.text(
    "SELECT run, answer, why, at, added_cost, veto_until FROM auto_answer WHERE recovery_id = :id ORDER BY run"
)


class _Try(Struct):
    place: tuple[str, str, bool]
    vswitch_id: str
    image_id: str
    client_token: str
    data_disks: bool = True
    disk_category: str = ""
    at: datetime | None = None
    refused: str = ""
    kind: str = ""


class _Earlier(Struct):
    """The row of a recovery; reason, next step, trouble and `refused` were sentences."""

    name: str
    state: RecoveryState
    started: datetime
    reason: str = ""
    route: Route = Route.IMAGE
    verdict: Verdict | None = None
    forecast_at: datetime | None = None
    progress: int = 0
    veto_until: datetime | None = None
    image_id: str = ""
    imaging_since: datetime | None = None
    new_instance_id: str = ""
    next_step: str = ""
    ended: datetime | None = None
    created: tuple[Created, ...] = ()
    tries: tuple[_Try, ...] = ()
    run: int = 0
    snapshots: tuple[tuple[str, str], ...] = ()
    image_of: str = ""
    image_s: float | None = None
    queued: int | None = None
    no_room: bool = False
    awaits_release: bool = False
    unseen_since: datetime | None = None
    trouble: str = ""


_EARLIER = msgspec.json.Decoder(_Earlier)


class _Rows(msgspec.Struct, frozen=True):
    known: _Earlier
    plan: Plan | None
    audit: tuple[Any, ...]
    auto: dict[int, AutoAsked]
    decision: Decision
    who: str


def recovery_of(connection: sa.Connection, recovery_id: str) -> Recovery:
    """Return the recovery that all its rows make; nobody drives it."""
    row = connection.execute(_ROW, {"id": recovery_id}).one()
    plan = decode(row.plan, Plan) if row.plan else None
    audit = tuple(connection.execute(_AUDIT, {"id": recovery_id}))
    auto = {row.run: _asked(row) for row in connection.execute(_AUTO, {"id": recovery_id})}
    rows = _Rows(_EARLIER.decode(row.data), plan, audit, auto, Decision(row.decision), row.who)
    shown = _shown(rows, decode(row.interruption, Interruption), cancel=bool(row.cancel))
    return _with_work(shown, rows)


def _shown(rows: _Rows, interruption: Interruption, *, cancel: bool) -> Recovery:
    """Return the recovery from its row and people's decisions."""
    earlier = rows.known
    return Recovery(
        interruption,
        name=earlier.name,
        state=earlier.state,
        reason=Reason(Why.EARLIER_VERSION, detail=earlier.reason) if earlier.reason else None,
        next_step=_next_step(earlier, interruption),
        route=earlier.route,
        verdict=earlier.verdict,
        forecast_at=earlier.forecast_at,
        progress=earlier.progress,
        veto_until=earlier.veto_until,
        decision=rows.decision,
        who=rows.who,
        digest=rows.plan.digest if rows.plan and rows.decision is Decision.CONFIRM else "",
        auto=rows.auto.get(earlier.run),
        cancel=cancel,
        ended=_ended(rows) if earlier.state.is_final else None,
        run=earlier.run,
        past_runs=_past_runs(rows),
        image_s=earlier.image_s,
        queued=earlier.queued,
        no_room=earlier.no_room,
        unseen_since=earlier.unseen_since,
        trouble=_trouble(earlier.trouble) if earlier.trouble else None,
        has_plan=rows.plan is not None,
    )


def _with_work(recovery: Recovery, rows: _Rows) -> Recovery:
    """Add what it has made and begun, so that each step sees what was done."""
    earlier, image_of = rows.known, _image_of(rows.known)
    drained = [row for row in rows.audit if row.action == "Drain"]
    begun = [moment(row.at) for row in rows.audit if (row.action, row.phase) == ("RunCommand", "intent")]
    return replace(
        recovery,
        image_id=earlier.image_id,
        image_of=image_of,
        imaging_since=earlier.imaging_since,
        images=len([created for created in earlier.created if created.kind == "image"]),
        new_instance_id=earlier.new_instance_id,
        created=earlier.created,
        tries=tuple(_try(attempt) for attempt in earlier.tries),
        snapshots=earlier.snapshots,
        routes_left=_routes_left(rows),
        unsettled=_unsettled(rows),
        drain_begun=begun[-1] if begun else None,
        drained=bool(drained),
        # This is the first call about free disks.
        disks_free=bool(earlier.snapshots) or any(row.action == "CreateSnapshot" for row in rows.audit),
        whole_image=earlier.route is Route.KEPT_DISK and (image_of is ImageOf.KEPT_DISKS or len(earlier.snapshots) > 1),
    )


def _next_step(earlier: _Earlier, interruption: Interruption) -> NextStep | None:
    if earlier.awaits_release:
        kept = sum(created.kind == "kept disk" for created in earlier.created)
        return NextStep(Doing.AWAIT_RELEASE, at=interruption.deadline, count=kept)
    return NextStep(Doing.EARLIER_VERSION, earlier.next_step) if earlier.next_step else None


def _image_of(earlier: _Earlier) -> ImageOf | None:
    """Whether an unanswered image was started shows only in what came next."""
    said = (earlier.image_of, earlier.next_step)
    return next((image_of for text in said for image_of in ImageOf if image_of.value == text), None)


def _try(row: _Try) -> Try:
    failure = None
    if row.refused and row.kind == REMOVED:
        failure = Failure("RunInstances", row.refused.rpartition(": ")[2], REMOVED, row.refused.partition(" ")[0])
    elif row.refused:
        failure = _failure(row.refused, row.kind)
    return Try(
        row.place, row.vswitch_id, row.image_id, row.client_token, row.data_disks, row.disk_category, row.at, failure
    )


def _failure(line: str, kind: str) -> Failure:
    """Read `Action: Code: message [RequestId …]`."""
    said, _, request = line.removesuffix("]").partition(" [RequestId ")
    action, code, message = (*said.split(": ", 2), "", "")[:3]
    return Failure(action, code, kind, message, request)


def _trouble(said: str) -> Failure:
    """Read `Action: Code`, perhaps followed by a note about a retry."""
    action, _, code = said.partition(",")[0].partition(": ")
    return Failure(action, code)


def _unsettled(rows: _Rows) -> tuple[str, ...]:
    last = {row.client_token: row.phase for row in rows.audit if row.client_token}
    return tuple(token for token, phase in last.items() if phase in ("intent", "unknown"))


def _routes_left(rows: _Rows) -> tuple[LeftRoute, ...]:
    """A route that was taken instead of another names that one and why; the plan's earlier routes were left as well."""
    order = rows.plan.routes if rows.plan else ()
    route = order[0] if order else rows.known.route
    left: tuple[LeftRoute, ...] = ()
    for row in rows.audit:
        if row.action == "Retry":
            left, route = (), route if rows.known.created else (order or (route,))[0]
        taken, because, why = row.detail.removeprefix("route ").partition(", because ")
        if row.action == "Route" and because and taken in set(Route):
            before = order[: order.index(Route(taken))] if Route(taken) in order else ()
            closed = {route} | {other for left_route in left for other in (left_route.route, *left_route.excluded)}
            excluded = tuple(other for other in before if other not in closed)
            left = (*left, LeftRoute(route, Reason(Why.EARLIER_VERSION, detail=why), excluded))
            route = Route(taken)
    return left


def _asked(row: Any) -> AutoAsked:
    until = None if row.veto_until is None else moment(row.veto_until)
    reason = Reason(Why.EARLIER_VERSION, detail=row.why)
    return AutoAsked(AutoAnswer(row.answer), reason, moment(row.at), row.added_cost, until)


def _past_runs(rows: _Rows) -> tuple[PastRun, ...]:
    """A run that auto-mode never answered left only the line of its end."""
    ends = [row for row in rows.audit if row.phase == "state" and _entered(row.detail) in _FINAL]
    return tuple(
        PastRun(run, _FINAL[_entered(end.detail)], moment(end.at), _who(rows.auto.get(run)), rows.auto.get(run))
        for run, end in zip(range(rows.known.run), ends, strict=False)
    )


_FINAL = {recovery_state.value: recovery_state for recovery_state in RecoveryState if recovery_state.is_final}


def _entered(detail: str) -> str:
    return detail.partition(" → ")[2].partition(":")[0]


def _who(auto: AutoAsked | None) -> str:
    return "auto-mode" if auto and auto.answer is AutoAnswer.CONFIRMED else ""


def _ended(rows: _Rows) -> datetime:
    if rows.known.ended:
        return rows.known.ended
    return moment(rows.audit[-1].at) if rows.audit else rows.known.started
