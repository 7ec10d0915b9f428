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
    """Return the complete launch spec of an instance: the captured one if it is young, else with what it lacks.

    None when neither the cloud nor the journal knows the instance. Raises `CloudError`.
    """
    known = journal.fleet.get(ecs.region, instance_id)
    if known and known.spec.disks and known.details_at and clock.now() - known.details_at < DETAILS_MAX_AGE:
        return known.spec
    spec = spec_with_disks(ecs, journal, instance_id)
    if spec is None:
        return None
    role = ecs.ram_roles([instance_id]).get(instance_id, "")
    spec = replace(spec, ram_role=role, user_data=ecs.user_data(instance_id))
    journal.fleet.save(ecs.region, [Captured(spec, clock.now())])
    return spec


def spec_with_disks(ecs: Ecs, journal: Journal, instance_id: str) -> LaunchSpec | None:
    """Return what the last sweep saw of an instance, else what the cloud says now; enough to protect its disks."""
    known = journal.fleet.get(ecs.region, instance_id)
    if known and known.spec.disks:
        return known.spec
    spec = ecs.launch_specs([instance_id]).get(instance_id)
    return replace(spec, disks=ecs.disks(instance_id)) if spec else None


def make_plan(spec: LaunchSpec, interruption_id: str, settings: Settings) -> Plan:
    """Make the plan of the image route: the same type, here first, then in the configured zones."""
    vswitches = next(region.vswitches for region in settings.regions if region.id == spec.instance.region)
    return Plan(
        route=Route.IMAGE,
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
        found.append("the instance is stopped, not released: starting it later would be a second one")
    found += [f"disk {disk.disk_id} is local and lost" for disk in spec.disks if disk.is_local]
    if not [zone for zone in vswitches if zone != old.zone]:
        found.append("no other zone has a vSwitch in the configuration")
    return tuple(found)
