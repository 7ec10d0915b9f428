"""A plan as text: what is there now, what will be there, and what is lost on the way."""

from dataclasses import dataclass, replace
from datetime import datetime

from textual.content import Content

from spottui.console.cells import cell_text
from spottui.console.plan_calls import calls
from spottui.console.readiness import VERDICT_STYLES
from spottui.domain.instance import Disk
from spottui.domain.interruption import Interruption
from spottui.domain.launch_spec import LaunchSpec
from spottui.domain.plan import Candidate, Plan, Route
from spottui.domain.prospect import image_expected, said_of, verdict_of
from spottui.domain.recovery import Recovery
from spottui.domain.text import plain
from spottui.tables.instances import is_wish
from spottui.tables.moments import duration, when

_LABEL_CELLS = 16
_NOT_SURVEYED = "  stock and prices are looked up while the image is made"

Line = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Subject:
    """What a plan is for, as it is known now; without a recovery it is the engineer's own wish."""

    region: str
    instance_id: str
    name: str
    recovery: Recovery | None = None
    interruption: Interruption | None = None


def plan_head(subject: Subject, plan: Plan | None, now: datetime) -> Content:
    """Return the instance, its deadline and the forecast of this plan, and a red line when no lock speaks for it."""
    recovery = subject.recovery
    if plan and recovery and recovery.state.waits_for_permission:
        subject = replace(subject, recovery=replace(recovery, route=plan.route, no_room=plan.has_no_room))
    lines: list[Line] = [
        [
            (plain(subject.name) or "(no name)", "bold"),
            (f"  {plain(subject.instance_id)}  {plain(subject.region)}", ""),
        ],
        _deadline(subject, now),
    ]
    if subject.interruption and not subject.interruption.confirmed:
        lines.append([("NO LOCK SEEN: may be a drill; the old instance may go on running", "bold $error")])
    return _join(lines)


def plan_body(plan: Plan, *, other: Route | None = None) -> Content:
    """Return the plan: warnings, places, and old against new; `other` is the route that `w` puts first."""
    lines: list[Line] = [[(f"! {plain(warning, 500)}", "bold $warning")] for warning in plan.warnings]
    lines += [
        [],
        [("Way      ", "bold"), (f"{', then '.join(plan.routes)} · named {plain(plan.image_name, 128)}", "")],
        *_other_way(other),
        [("Plan     ", "bold"), (plan.digest, ""), ("  enter runs exactly this", "dim")],
        [],
        [("Tried in this order", "bold"), ("" if plan.surveyed else _NOT_SURVEYED, "dim")],
        *(line for number, one in enumerate(plan.candidates, 1) for line in _candidate(number, one)),
        *_drain(plan),
        *_warm_image(plan),
        [],
        [("Old → new", "bold"), ("     = as before   ~ may change   ✕ lost", "dim")],
        *_identity(plan.spec, plan.candidates),
        *_cost(plan),
        *(_disk(disk) for disk in plan.spec.disks),
        *_kept(plan.spec),
        [],
        [("Calls that change something, in this order", "bold")],
        *([(f"  {call}", "")] for call in calls(plan)),
        [],
        [("What the instance writes to its disks after the image has begun is not in the image.", "")],
    ]
    return _join(lines)


def _deadline(subject: Subject, now: datetime) -> Line:
    if (subject.interruption is None and subject.recovery is None) or (
        subject.interruption is not None and is_wish(subject.interruption)
    ):
        return [("No reclaim is known: the instance goes on running beside its replacement.", "$warning")]
    deadline = subject.interruption.deadline if subject.interruption else subject.recovery.deadline  # type: ignore[union-attr]
    line: Line = [(f"taken back {when(deadline, now)}", "bold")]
    recovery = subject.recovery
    if recovery and recovery.state.is_final:
        failed = recovery.trouble or recovery.reason
        return [*line, (" · last time ", ""), (plain(failed or str(recovery.state), 300), "bold $error")]
    if recovery and (image := _image(recovery, now)):
        line.append((f" · {image}", ""))
    if recovery and (verdict := verdict_of(recovery, now)):
        line += [(" · ", ""), (said_of(recovery, now), VERDICT_STYLES[verdict])]
    else:
        line.append((" · no forecast yet", "dim"))
    return line


def _image(recovery: Recovery, now: datetime) -> str:
    """What a yes brings, or what it has brought; by another route no image is awaited."""
    if recovery.route is not Route.IMAGE:
        return ""
    if recovery.state.waits_for_permission:
        return f"image {duration(recovery.image_s)} after your yes" if recovery.image_s else ""
    expected = image_expected(recovery, now) if recovery.is_imaging else None
    return f"image ready in {duration((expected - now).total_seconds())}" if expected else ""


def _candidate(number: int, candidate: Candidate) -> list[Line]:
    place = f"{plain(candidate.instance_type, 64)} in {plain(candidate.zone, 64)} ({plain(candidate.vswitch_id, 64)})"
    price = _price(candidate.price_per_hour)
    why = " · ".join(part for part in (price, plain(candidate.reason)) if part)
    lines: list[Line] = [[(f"  {number}. {place}", ""), (f"  {why}", "dim")]]
    if candidate.problem:
        lines.append([(f"     ! {plain(candidate.problem, 300)}", "bold $warning")])
    return lines


def _price(per_hour: float | None) -> str:
    return "" if per_hour is None else f"{per_hour:.4g}/h"


def _other_way(other: Route | None) -> list[Line]:
    return [[(f"         w puts {other} first", "dim")]] if other else []


def _drain(plan: Plan) -> list[Line]:
    if plan.drain is None:
        return []
    return [[("Drain    ", "bold"), (f"{plain(plan.drain.name, 64)} first, {plan.drain.timeout_s:g} s at most", "")]]


def _warm_image(plan: Plan) -> list[Line]:
    if plan.warm_image is None:
        return []
    made = f"{plain(plan.warm_image.image_id, 64)} of {plan.warm_image.made:%Y-%m-%d %H:%M} UTC"
    return [[("Earlier image  ", "bold"), (f"{made}: what was written since is not in it", "")]]


def _cost(plan: Plan) -> list[Line]:
    first = plan.candidates[0].price_per_hour if plan.candidates else None
    if plan.price_per_hour is None and first is None:
        return []
    return [_change("price", _price(plan.price_per_hour) or "not known", _price(first) or "not known")]


def _identity(spec: LaunchSpec, candidates: tuple[Candidate, ...]) -> list[Line]:
    old = spec.instance
    first = candidates[0] if candidates else Candidate("none", "none", "none", "")
    lines = [
        _change("type", old.instance_type, first.instance_type),
        _change("zone", old.zone, first.zone),
        _change("vSwitch", spec.vswitch_id, first.vswitch_id),
    ]
    if old.private_ip:
        lines.append(_lost("private IP", old.private_ip, "another one from the vSwitch"))
    if old.public_ip and not old.eip_id:
        lines.append(_lost("public IP", old.public_ip, "another one, or none"))
    if old.eip_id:
        lines.append(_change("EIP", old.eip_id, f"{old.eip_id}, moved once the replacement runs", same=True))
    return lines


def _disk(disk: Disk) -> Line:
    level = f" {plain(disk.performance_level, 16)}" if disk.performance_level else ""
    what = f"{plain(disk.category, 32)}{level} {disk.size_gib} GiB"
    label = f"{plain(disk.kind, 16)} disk"
    if disk.is_local:
        return _lost(label, what, "a local disk cannot be saved")
    return _change(label, what, f"{what}, from the image", same=True)


def _kept(spec: LaunchSpec) -> list[Line]:
    tags = " ".join(f"{plain(key, 64)}={plain(value, 64)}" for key, value in spec.instance.tags)
    kept = (
        ("security groups", " ".join(plain(group, 64) for group in spec.security_group_ids)),
        ("key pair", plain(spec.key_pair)),
        ("RAM role", plain(spec.ram_role)),
        ("host name", plain(spec.host_name)),
        ("user data", "as before (not shown)" if spec.user_data else ""),
        ("tags", tags),
    )
    return [_change(label, text or "none", text or "none") for label, text in kept]


def _change(label: str, old: str, new: str, *, same: bool | None = None) -> Line:
    is_same = old == new if same is None else same
    if is_same:
        return [("  = ", ""), (cell_text(label, _LABEL_CELLS), "dim"), (plain(new, 400), "")]
    return [
        ("  ~ ", "bold $warning"),
        (cell_text(label, _LABEL_CELLS), "dim"),
        (f"{plain(old)} → ", ""),
        (plain(new), "bold $warning"),
    ]


def _lost(label: str, old: str, new: str) -> Line:
    return [
        ("  ✕ ", "bold $error"),
        (cell_text(label, _LABEL_CELLS), "dim"),
        (f"{plain(old)} → ", ""),
        (plain(new), "bold $error"),
    ]


def _join(lines: list[Line]) -> Content:
    return Content("\n").join(Content.assemble(*line) for line in lines)
