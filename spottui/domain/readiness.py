"""How an instance would come back if it was reclaimed now, and what is missing to be back at once."""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from spottui.domain.clock import NOTICE_S
from spottui.domain.forecast import ImageTiming, Verdict, before_image
from spottui.domain.instance import InstanceStatus
from spottui.domain.launch_spec import LaunchSpec
from spottui.domain.plan import WarmImage, routes_for
from spottui.domain.ready import KeptReady, ReadyPolicy, is_recent, snapshots_every_s
from spottui.domain.routes import Route


class Missing(StrEnum):
    """What an instance lacks to be back at once."""

    DISKS_NOT_KNOWN = "disks not known"
    NOT_RUNNING = "not running"
    NOT_KEPT_READY = "not kept ready"
    BEYOND_CAP = "beyond cap"
    NO_SYSTEM_IMAGE = "no system image"
    SYSTEM_IMAGE_TOO_OLD = "system image too old"
    NO_DATA_SNAPSHOTS = "no data snapshots"
    SLOW_DATA_DISKS = "slow data disks"
    LOCAL_DISKS = "local disks"


class Readiness(msgspec.Struct, frozen=True, gc=False):
    """What would happen if an instance was reclaimed now: its route and its verdict.

    `image_s` is the expected time of an image of all disks, `system_image` the newest one of the system disk,
    `data_made` the time of the newest finished snapshot group of the data disks. `per_month` is the highest cost of
    keeping it ready, None if it is not kept ready or no price is configured.
    """

    spec: LaunchSpec
    route: Route
    verdict: Verdict
    image_s: float
    system_image: WarmImage | None
    data_made: datetime | None
    missing: tuple[Missing, ...]
    per_month: float | None


class FleetReadiness(msgspec.Struct, frozen=True, gc=False):
    """The readiness of the spot instances `at` a time; `missing` says, by region, what could not be learned and why."""

    at: datetime
    instances: tuple[Readiness, ...]
    missing: tuple[str, ...] = ()


def readiness(
    spec: LaunchSpec,
    policy: ReadyPolicy | None,
    kept: KeptReady | None,
    timing: ImageTiming,
    system_image: WarmImage | None,
    data_made: datetime | None,
    now: datetime,
) -> Readiness:
    """Judge one instance by what is known of it."""
    is_young = is_recent(policy, system_image, now)
    forecast = before_image(now, now + timedelta(seconds=NOTICE_S), spec.image_gib, timing)
    routes = routes_for(spec, is_ready=is_young)
    route, verdict = routes[0], forecast.verdict
    if not spec.disks:
        verdict = Verdict.NOT_KNOWN
    elif route.traits.serves_at_once:
        verdict = Verdict.IMAGE_READY
    elif not route.traits.needs_image_in_time:
        verdict = Verdict.DATA_KEPT
    elif verdict is Verdict.WILL_NOT:
        route, verdict = routes[-1], Verdict.DATA_KEPT
    holds = {
        Missing.DISKS_NOT_KNOWN: not spec.disks,
        Missing.NOT_RUNNING: spec.instance.status is not InstanceStatus.RUNNING,
        Missing.NOT_KEPT_READY: policy is None,
        Missing.BEYOND_CAP: bool(kept and kept.beyond_cap),
        Missing.NO_SYSTEM_IMAGE: bool(policy) and system_image is None,
        Missing.SYSTEM_IMAGE_TOO_OLD: bool(policy and system_image) and not is_young,
        Missing.NO_DATA_SNAPSHOTS: _wants_data(kept) and data_made is None,
        Missing.SLOW_DATA_DISKS: not spec.has_instant_data,
        Missing.LOCAL_DISKS: any(disk.is_local for disk in spec.disks),
    }
    missing = tuple(name for name, is_missing in holds.items() if is_missing)
    image_s = timing.estimate_s(spec.image_gib)
    per_month = kept.per_month if kept and not kept.beyond_cap else None
    return Readiness(spec, route, verdict, image_s, system_image, data_made, missing, per_month)


def _wants_data(kept: KeptReady | None) -> bool:
    return bool(kept and snapshots_every_s(kept.schedule) and kept.spec.data_disks)
