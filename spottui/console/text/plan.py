"""A plan as text: its head, what it changes, routes and places; below that everything in full."""

from datetime import datetime

import msgspec
from msgspec.structs import replace
from textual.content import Content

from spottui import words
from spottui.console.text.cells import hanging
from spottui.console.text.places import place_in_short, places_in_short
from spottui.console.text.plan_details import backend_in_short, in_full, settings_in_full, size_of, unchanged_settings
from spottui.console.text.plan_lines import LABEL_END, Line, change, joined, lost
from spottui.console.text.plan_table import places_table
from spottui.console.text.recovery_summary import forecast_line
from spottui.domain.interruption import Interruption
from spottui.domain.plan import Plan
from spottui.domain.recovery import Recovery
from spottui.domain.routes import Route, Source
from spottui.domain.text import plain
from spottui.domain.verdicts import as_planned
from spottui.tables.moments import when
from spottui.tables.prices import price

_TABLE_CELLS = 130
"""From this width on the places are a table."""
_SURVEYED = "   price, stock, interruption rate"
_NOT_SURVEYED = "   stock and prices are looked up during imaging"


class Subject(msgspec.Struct, frozen=True):
    """The instance of a plan, as it is known now; `recovery` is None before one is started by hand."""

    region: str
    instance_id: str
    name: str
    recovery: Recovery | None = None
    interruption: Interruption | None = None


def plan_head(subject: Subject, plan: Plan | None, now: datetime) -> Content:
    """Return the instance, its deadline and the forecast of this plan, with a warning while no lock is seen."""
    if plan and subject.recovery:
        subject = replace(subject, recovery=as_planned(subject.recovery, plan))
    lines: list[Line] = [
        [
            (plain(subject.name) or "(no name)", "bold"),
            (f"  {plain(subject.instance_id)}  {plain(words.region(subject.region))}", ""),
        ],
        _deadline(subject, now),
    ]
    if subject.interruption and not subject.interruption.confirmed:
        lines.append([("NO LOCK SEEN: may be a drill; the old instance may keep running", "bold $error")])
    if plan and plan.keeps_private_ip and subject.interruption and not subject.interruption.is_manual:
        lines.append([(f"launched after the release, expected {when(subject.interruption.deadline, now)}", "$warning")])
    return joined(lines)


def plan_body(plan: Plan, room: int, *, other: Route | None = None, reused: str = "") -> Content:
    """Return the plan in lines of `room` cells: what changes and where it may run, and below that everything in full.

    `other` is the route that `w` puts first, `reused` is what a retry need not make again.
    """
    warnings = [Content.styled(f"! {warning}", "bold $warning") for warning in words.warnings(plan)]
    reuses = [Content.assemble(("Reused   ", "bold"), reused)] if reused else []
    if room >= _TABLE_CELLS:
        warned = [part for line in warnings for part in hanging(line, room, 2)]
        kept = [part for line in reuses for part in hanging(line, room, LABEL_END)]
        return Content("\n").join([*warned, *kept, *_wide(plan, room, other, reuses=bool(reused))])
    changes = [Content.assemble(*line) for line in (_legend(plan), *_changes(plan))]
    # What stays and the places are below in full: cut here, so that both stand above the fold of 24 lines.
    short: list[Line] = [
        *_unchanged(plan),
        *_routes(plan, other),
        [("Tried in this order", "bold"), (_SURVEYED if plan.surveyed else _NOT_SURVEYED, "dim")],
        *places_in_short(plan),
    ]
    lines = [part for line in (*warnings, *reuses, *changes) for part in hanging(line, room, LABEL_END)]
    lines += [Content.assemble(*line).truncate(room, ellipsis=True) for line in short]
    return Content("\n").join([*lines, Content(""), in_full(plan, reuses=bool(reused))])


def _wide(plan: Plan, room: int, other: Route | None, *, reuses: bool) -> list[Content]:
    """Return the plan with its places as one table, and nothing twice."""
    head = [_legend(plan), *_losses(plan), *_moved(plan), *_routes(plan, other)]
    places = [Content.styled(f"Tried in this order{'' if plan.surveyed else _NOT_SURVEYED}", "bold")]
    places += places_table(plan, room) if plan.route.traits.launches else []
    settings = [Content.assemble(*line) for line in settings_in_full(plan, reuses=reuses)]
    lines = [*(Content.assemble(*line) for line in head), Content(""), *places, Content(""), *settings]
    return [part for line in lines for part in hanging(line, room, LABEL_END)]


def _legend(plan: Plan) -> Line:
    return [("Old → new", "bold"), ("   = unchanged   ~ may change   ✕ lost   ", "dim"), (f"plan {plan.digest}", "")]


def _deadline(subject: Subject, now: datetime) -> Line:
    if (subject.interruption is None and subject.recovery is None) or (
        subject.interruption is not None and subject.interruption.is_manual
    ):
        return [("No reclaim is known: the instance keeps running alongside its replacement.", "$warning")]
    deadline = subject.interruption.deadline if subject.interruption else subject.recovery.deadline  # type: ignore[union-attr]
    recovery = subject.recovery
    if recovery and not recovery.state.is_final:
        return forecast_line(recovery, deadline, now)
    line: Line = [(f"reclaimed {when(deadline, now)}", "bold")]
    if recovery is None:
        return [*line, (" · no forecast yet", "dim")]
    failed = words.trouble(recovery) or words.reason(recovery.reason, recovery.region) or str(recovery.state)
    return [*line, (" · last time ", ""), (plain(failed, 300), "bold $error")]


def _routes(plan: Plan, other: Route | None) -> list[Line]:
    choose = f" · w puts {other} first" if other else ""
    lines: list[Line] = [[("Route    ", "bold"), (", else ".join(plan.routes), ""), (choose, "dim")]]
    if plan.drain:
        text = f"{plain(plan.drain.name, 64)} first, {plan.drain.timeout_s:g} s at most"
        lines.append([("Drain    ", "bold"), (text, "")])
    if plan.probe:
        text = f"{plain(plan.probe.name, 64)} must pass, {plain(plan.probe.settings.patience, 8)} at most"
        lines.append([("Probe    ", "bold"), (text, "")])
    return lines


def _changes(plan: Plan) -> list[Line]:
    """Return what changes, losses first."""
    launched = [_place(plan), *_cost(plan), *_moved(plan)] if plan.route.traits.launches else []
    return [*_losses(plan), *launched]


def _unchanged(plan: Plan) -> list[Line]:
    """Return what a replacement has as before; an instance that is started again has all of it."""
    if not plan.route.traits.launches:
        return []
    cloud_disks = ", ".join(f"{plain(disk.kind, 16)} {size_of(disk)}" for disk in plan.spec.disks if not disk.is_local)
    names = ", ".join(label for label, text in unchanged_settings(plan.spec) if text)
    return [change("disks", cloud_disks, cloud_disks), change("unchanged", names, names)]


def _losses(plan: Plan) -> list[Line]:
    """Return what is lost, and what a restart keeps."""
    old = plan.spec.instance
    lines: list[Line] = [_data(plan)]
    lines += [lost("local disk", size_of(disk), "lost") for disk in plan.spec.disks if disk.is_local]
    if not plan.route.traits.launches:
        started = change("instance", old.instance_id, f"{old.instance_id}, started again", same=True)
        return [*lines, started, *_load_balancers(plan)]
    if plan.keeps_private_ip:
        kept = f"{old.private_ip} after the release; another one if it is taken or {old.zone} has no capacity"
        lines.append(change("private IP", old.private_ip, kept, same=True))
    elif old.private_ip:
        lines.append(lost("private IP", old.private_ip, "a new one from the vSwitch"))
    if old.public_ip and not old.eip_id:
        lines.append(change("public IP", old.public_ip, f"{old.public_ip}, as an EIP; lost if the cloud refuses that"))
    return lines


def _moved(plan: Plan) -> list[Line]:
    """Return what moves to a replacement; a restarted instance keeps everything."""
    if not plan.route.traits.launches:
        return []
    eip = plan.spec.instance.eip_id
    moved = [change("EIP", eip, f"{eip}, moved to the replacement", same=True)] if eip else []
    enis = ", ".join(plan.spec.interfaces)
    moved += [change("interfaces", enis, f"{enis}, moved in their own zone only", same=True)] if enis else []
    return [*moved, *_records(plan), *_load_balancers(plan)]


def _records(plan: Plan) -> list[Line]:
    """Return the DNS records that are to name the replacement, and for how long clients may not hear of it."""
    if not plan.private_zone:
        return []
    names = ", ".join(plain(dns_record.name, 80) for dns_record in plan.records or ())
    ttl = max((dns_record.ttl for dns_record in plan.records or ()), default=0)
    is_same = " if that is another one" if plan.keeps_private_ip else ""
    to = f"{names}: the replacement's address{is_same} once it serves, known within {ttl} s" if names else ""
    unknown = f"what points to it in {plan.private_zone}" if not plan.surveyed else f"none in {plan.private_zone}"
    return [change("DNS", names, to or unknown, same=True)]


def _load_balancers(plan: Plan) -> list[Line]:
    if not plan.backends:
        return []
    behind = ", ".join(backend_in_short(backend) for backend in plan.backends)
    after = "back once it runs again" if not plan.route.traits.launches else "then the replacement"
    return [change("load balancers", behind, f"{behind}: weight 0 at once, {after}", same=True)]


def _data(plan: Plan) -> Line:
    """Return which data the first route loses."""
    earlier, source = plan.earlier_image(plan.route), plan.route.traits.source
    made = f"as of {earlier.made:%Y-%m-%d %H:%M} UTC" if earlier else ""
    if source is Source.EARLIER_IMAGE_AND_SNAPSHOTS:
        system = f"system disk {made or 'as of its last image'}"
        if plan.fresh_system:
            system = f"system disk as of your yes if its image is ready by the deadline, else {made}"
        return lost("data", "all", f"{system}; data disks as of your yes" if plan.spec.data_disks else system)
    if earlier:
        return lost("data", "all", f"{made}, nothing written since")
    if source is Source.IMAGE_OF_INSTANCE:
        return lost("data", "all", "nothing written after the image was started")
    return change("data", "all", "all" if plan.route.traits.launches else "all, once it is stopped", same=True)


def _place(plan: Plan) -> Line:
    old = plan.spec.instance
    before = place_in_short(old.instance_type, old.zone, old.region, plan.spec.vswitch_id)
    first = plan.candidates[0] if plan.candidates else None
    after = place_in_short(first.instance_type, first.zone, old.region, first.vswitch_id) if first else "nowhere"
    return change("place", before, after)


def _cost(plan: Plan) -> list[Line]:
    first = plan.candidates[0].price_per_hour if plan.candidates else None
    if plan.price_per_hour is None and first is None:
        return []
    old, new = (price(known, plan.currency) or "unknown" for known in (plan.price_per_hour, first))
    return [change("price", old, new)]
