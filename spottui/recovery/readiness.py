"""The readiness of every spot instance of a region, by what the cloud and the journal say."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import chain

from msgspec.structs import replace

from spottui.cloud.ecs import Ecs
from spottui.cloud.errors import CloudError
from spottui.cloud.ready import ready_groups, ready_images
from spottui.domain.instance import Disk, Instance
from spottui.domain.launch_spec import LaunchSpec
from spottui.domain.readiness import FleetReadiness, Readiness, readiness
from spottui.domain.ready import KeptReady, kept_ready, ready_policy
from spottui.domain.settings import Settings
from spottui.journal import Journal
from spottui.recovery.background import newest_system_image
from spottui.recovery.ready_steps import MadeReady, made_ready


def spot_fleet(ecs: Ecs) -> tuple[LaunchSpec, ...]:
    """Return the spot instances of a region with their disks; raises `CloudError`."""
    specs = [spec for page in ecs.fleet() for spec in page if spec.instance.is_spot]
    if not specs:
        ecs.check_permission()
    disks: dict[str, tuple[Disk, ...]] = {}
    for page in ecs.disks_by_instance():
        for instance_id, more in page.items():
            # Those of one instance may be on two pages.
            disks[instance_id] = disks.get(instance_id, ()) + more
    return tuple(replace(spec, disks=disks.get(spec.instance.instance_id, ())) for spec in specs)


def readiness_of_fleet(
    settings: Settings, journal: Journal, fleets: Iterable[tuple[Ecs, tuple[LaunchSpec, ...]]], now: datetime
) -> tuple[Readiness, ...]:
    """Judge every instance of the fleets of all regions; raises `CloudError`."""
    regions = tuple(fleets)
    every = [spec for _, specs in regions for spec in specs]
    kept = {
        (ready.spec.instance.region, ready.spec.instance.instance_id): ready for ready in kept_ready(settings, every)
    }
    return tuple(chain.from_iterable(_of_region(settings, journal, ecs, specs, kept, now) for ecs, specs in regions))


def readiness_of_watched(
    settings: Settings, journal: Journal, regions: Mapping[str, Ecs], instances: Iterable[Instance], now: datetime
) -> FleetReadiness:
    """Judge the watched spot instances by the disks that sweeps have captured; only images and snapshots are asked for.

    Nothing raises: a region of which the cloud says nothing is missing.
    """
    specs: dict[str, list[LaunchSpec]] = {region: [] for region in regions}
    for instance in instances:
        captured = journal.fleet.get(instance.region, instance.instance_id)
        if instance.is_spot and captured and instance.region in specs:
            specs[instance.region].append(replace(captured.spec, instance=instance))
    every = [spec for of_region in specs.values() for spec in of_region]
    kept = {
        (ready.spec.instance.region, ready.spec.instance.instance_id): ready for ready in kept_ready(settings, every)
    }
    judged: list[Readiness] = []
    missing: list[str] = []
    for region, of_region in specs.items():
        try:
            judged += _of_region(settings, journal, regions[region], tuple(of_region), kept, now) if of_region else ()
        except CloudError as error:
            missing.append(f"{region}: {error.line}")
    return FleetReadiness(now, tuple(judged), tuple(missing))


def _of_region(
    settings: Settings,
    journal: Journal,
    ecs: Ecs,
    specs: tuple[LaunchSpec, ...],
    kept: dict[tuple[str, str], KeptReady],
    now: datetime,
) -> Iterable[Readiness]:
    ready, ours = ready_images(ecs), tuple(ecs.our_images().values())
    groups = made_ready((), (), ready_groups(ecs))
    for spec in specs:
        old = spec.instance
        made = groups.get(old.instance_id, MadeReady()).groups
        yield readiness(
            spec,
            ready_policy(settings, old),
            kept.get((old.region, old.instance_id)),
            journal.image_timings.timing(spec.main_category),
            newest_system_image(spec, (*ready, *ours)),
            max((group.made for _, group in made if group.finished and group.made), default=None),
            now,
        )
