"""The plan of a recovery: made once from the captured launch spec, then frozen."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from spottui.cloud.ecs import Ecs
from spottui.domain.clock import Clock
from spottui.domain.instance import InterruptionBehavior
from spottui.domain.launch_spec import LaunchSpec
from spottui.domain.places import Offers, rank
from spottui.domain.plan import Drain, PlaceRules, Plan, Route
from spottui.domain.reasons import Doing, NextStep
from spottui.domain.settings import Settings
from spottui.domain.text import plain
from spottui.domain.tokens import image_name
from spottui.journal import Journal
from spottui.journal.fleet import Captured

T = TypeVar("T")

DETAILS_MAX_AGE = timedelta(hours=2)

KEPT = "kept disk"
"""The kind of what a life-raft has changed: a disk that does not go with its instance any more."""
DRAIN_TAG = "spottui:drain"
"""The tag by which an instance names its `[drain.NAME]`; an empty one is for none."""


def capture(ecs: Ecs, journal: Journal, clock: Clock, instance_id: str) -> LaunchSpec | None:
    """Return the complete launch spec of an instance: the captured one if it is young, else read anew.

    What the cloud no longer lists is taken from the journal, whatever its age; None when neither knows the instance.
    Disks that only a life-raft has kept are as they were before. Raises `CloudError`.
    """
    spec = _captured(ecs, journal, clock, instance_id)
    if spec is None:
        return None
    kept = {disk_id for one in journal.recoveries.of_instance(ecs.region, instance_id) for disk_id in one.made(KEPT)}
    disks = (replace(disk, delete_with_instance=True) if disk.disk_id in kept else disk for disk in spec.disks)
    return replace(spec, disks=tuple(disks))


def known_spec(journal: Journal, clock: Clock, region: str, instance_id: str) -> LaunchSpec | None:
    """Return the complete launch spec of an instance that a console captured lately and that no recovery has touched.

    None where the cloud must be asked, or disks were kept by an earlier recovery (`capture`).
    """
    known = journal.fleet.of(region).get(instance_id)
    is_complete = known is not None and known.details_at is not None and _is_young(known, clock)
    if known is None or not is_complete or any(not disk.delete_with_instance for disk in known.spec.disks):
        return None
    return known.spec


def known_disks(
    journal: Journal, clock: Clock, region: str, instance_id: str, of: Callable[[LaunchSpec], T]
) -> T | None:
    """Return what `of` makes of an instance that the fleet has seen lately, None where it has not."""
    known = journal.fleet.of(region).get(instance_id)
    return of(known.spec) if known and _is_young(known, clock) else None


def spec_with_disks(ecs: Ecs, journal: Journal, clock: Clock, instance_id: str) -> LaunchSpec | None:
    """Return what the sweeps have seen of an instance, else what the cloud says now; enough to protect its disks."""
    known = journal.fleet.get(ecs.region, instance_id)
    return known.spec if known and _is_young(known, clock) else _read_anew(ecs, instance_id)


def _captured(ecs: Ecs, journal: Journal, clock: Clock, instance_id: str) -> LaunchSpec | None:
    known = journal.fleet.get(ecs.region, instance_id)
    if known and known.details_at and _is_young(known, clock):
        return known.spec
    spec = _read_anew(ecs, instance_id)
    if spec is None:
        return known.spec if known and known.spec.disks else None
    role = ecs.ram_roles([instance_id]).get(instance_id, "")
    spec = replace(spec, ram_role=role, user_data=ecs.user_data(instance_id))
    journal.fleet.put(ecs.region, [Captured(spec, clock.now(), clock.now())])
    return spec


def _is_young(known: Captured, clock: Clock) -> bool:
    """Whether a console was watching lately: it writes each spot instance's spec again at least every hour."""
    return bool(known.spec.disks) and clock.now() - known.seen_at < DETAILS_MAX_AGE


def _read_anew(ecs: Ecs, instance_id: str) -> LaunchSpec | None:
    spec = ecs.launch_specs([instance_id]).get(instance_id)
    return replace(spec, disks=ecs.disks(instance_id)) if spec else None


def make_plan(spec: LaunchSpec, settings: Settings) -> Plan:
    """Make the plan of a recovery from what is known without asking: a survey finds stock, prices and other types."""
    region = next(region for region in settings.regions if region.id == spec.instance.region)
    policy = settings.policy
    rules = PlaceRules(dict(region.vswitches), policy.types, policy.other_types, policy.on_demand)
    drain, unknown = _drain(spec, settings)
    return Plan(
        routes=_ROUTES[spec.instance.behavior],
        spec=spec,
        candidates=rank(spec, rules, Offers()),
        image_name=image_name(f"{spec.instance.region}.{spec.instance.instance_id}"),
        warnings=(*_lost(spec), *_kept(spec), *_around(spec, rules, region.vswitch_tag), *unknown),
        rules=rules,
        drain=drain,
    )


def next_step(plan: Plan) -> NextStep:
    """Return what a yes to this plan does first."""
    if plan.route is Route.RESTART:
        return NextStep(Doing.PLANNED, route=plan.route)
    first, *others = plan.candidates
    then_zone = others[0].zone if others else ""
    return NextStep(
        Doing.PLANNED, route=plan.route, instance_type=first.instance_type, zone=first.zone, then_zone=then_zone
    )


_ROUTES = {
    InterruptionBehavior.STOP: (Route.RESTART, Route.IMAGE),
    InterruptionBehavior.TERMINATE: (Route.IMAGE, Route.KEPT_DISK),
}


def _drain(spec: LaunchSpec, settings: Settings) -> tuple[Drain | None, tuple[str, ...]]:
    """Return the drain that the instance's tag names, else the policy's, and a warning about a name not configured.

    The tag chooses among the commands of the configuration; what it says is never one.
    """
    tag = dict(spec.instance.tags).get(DRAIN_TAG)
    name = settings.policy.drain if tag is None else tag
    if not name:
        return None, ()
    known = settings.drain.get(name)
    if known is None:
        return None, (f"no drain: {plain(name, 40)} is not a [drain.NAME] of the configuration",)
    return Drain(name, known.command, known.timeout_s), ()


def _lost(spec: LaunchSpec) -> list[str]:
    """What the replacement will not have."""
    old = spec.instance
    found = [f"new private IP: {old.private_ip} stays taken until the release"] if old.private_ip else []
    if old.public_ip:
        found.append(f"new public IP: {old.public_ip} is lost")
    if spec.ipv6_addresses:
        found.append("new IPv6 addresses: the old ones are lost")
    if spec.network_interfaces > 1:
        found.append(f"{spec.network_interfaces - 1} further network interfaces are not made again")
    return found + [f"disk {disk.disk_id} is local and lost" for disk in spec.disks if disk.is_local]


def _kept(spec: LaunchSpec) -> list[str]:
    """What the replacement has of the old instance, and is worth a thought."""
    encrypted = [disk.disk_id for disk in spec.cloud_disks if disk.encrypted]
    found = []
    if encrypted:
        found.append(f"{', '.join(encrypted)} encrypted: the image stays so, with the same key, for this account only")
    if spec.deletion_protection:
        found.append("deletion protection does not stop a reclaim; the replacement has it too")
    return found


def _around(spec: LaunchSpec, rules: PlaceRules, vswitch_tag: str) -> list[str]:
    """What else has a hand in it."""
    old, found = spec.instance, []
    if old.behavior is InterruptionBehavior.STOP:
        found.append(
            "at a reclaim the instance is stopped, not released: it is started again; where that fails and a "
            "replacement is launched, starting the old one later would be a second one"
        )
    if old.scaling_group:
        group = plain(old.scaling_group, 40)
        found.append(f"scaling group {group}: ESS replaces it by itself, a replacement would be a second one")
    if not vswitch_tag and not [zone for zone in rules.vswitches if zone != old.zone]:
        found.append("no other zone has a vSwitch in the configuration")
    return found
