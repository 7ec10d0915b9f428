"""The plan of a recovery: made once from the captured launch spec, then frozen."""

from dataclasses import replace
from datetime import timedelta

from spottui.cloud.ecs import Ecs
from spottui.domain.clock import Clock
from spottui.domain.instance import InterruptionBehavior
from spottui.domain.launch_spec import LaunchSpec
from spottui.domain.plan import Plan, Route, same_place_first
from spottui.domain.settings import Settings
from spottui.domain.tokens import image_name
from spottui.journal import Journal
from spottui.journal.fleet import Captured

DETAILS_MAX_AGE = timedelta(hours=2)


def capture(ecs: Ecs, journal: Journal, clock: Clock, instance_id: str) -> LaunchSpec | None:
    """Return the complete launch spec of an instance: the captured one if it is young, else read anew.

    What the cloud no longer lists is taken from the journal, whatever its age; None when neither knows the instance.
    Raises `CloudError`.
    """
    known = journal.fleet.get(ecs.region, instance_id)
    if known and known.details_at and _is_young(known, clock):
        return known.spec
    spec = _read_anew(ecs, instance_id)
    if spec is None:
        return known.spec if known and known.spec.disks else None
    role = ecs.ram_roles([instance_id]).get(instance_id, "")
    spec = replace(spec, ram_role=role, user_data=ecs.user_data(instance_id))
    journal.fleet.save(ecs.region, [Captured(spec, clock.now(), clock.now())])
    return spec


def spec_with_disks(ecs: Ecs, journal: Journal, clock: Clock, instance_id: str) -> LaunchSpec | None:
    """Return what the sweeps have seen of an instance, else what the cloud says now; enough to protect its disks."""
    known = journal.fleet.get(ecs.region, instance_id)
    return known.spec if known and _is_young(known, clock) else _read_anew(ecs, instance_id)


def _is_young(known: Captured, clock: Clock) -> bool:
    """Whether a console was watching lately: it writes each spot instance's spec again at least every hour."""
    return bool(known.spec.disks) and clock.now() - known.seen_at < DETAILS_MAX_AGE


def _read_anew(ecs: Ecs, instance_id: str) -> LaunchSpec | None:
    spec = ecs.launch_specs([instance_id]).get(instance_id)
    return replace(spec, disks=ecs.disks(instance_id)) if spec else None


def make_plan(spec: LaunchSpec, interruption_id: str, settings: Settings) -> Plan:
    """Make the plan of the image route: the same type, here first, then in the configured zones."""
    vswitches = next(region.vswitches for region in settings.regions if region.id == spec.instance.region)
    return Plan(
        routes=(Route.RESTART, Route.IMAGE)
        if spec.instance.behavior is InterruptionBehavior.STOP
        else (Route.IMAGE, Route.KEPT_DISK),
        spec=spec,
        candidates=same_place_first(spec, vswitches),
        image_name=image_name(interruption_id),
        warnings=_warnings(spec, vswitches),
    )


def _warnings(spec: LaunchSpec, vswitches: dict[str, str]) -> tuple[str, ...]:
    """What the engineer must know before saying yes."""
    old = spec.instance
    found = [f"new private IP: {old.private_ip} stays taken until the release"] if old.private_ip else []
    if old.public_ip:
        found.append(f"new public IP: {old.public_ip} is lost")
    if old.behavior is InterruptionBehavior.STOP:
        found.append("at a reclaim the instance is stopped, not released: starting it later would be a second one")
    found += [f"disk {disk.disk_id} is local and lost" for disk in spec.disks if disk.is_local]
    if not [zone for zone in vswitches if zone != old.zone]:
        found.append("no other zone has a vSwitch in the configuration")
    return tuple(found)
