"""Which instances are kept ready in calm time, before a notice, and what that costs."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import msgspec

from spottui.domain.billed_resources import SNAPSHOT_PRICE
from spottui.domain.dates import seconds_of
from spottui.domain.instance import Disk, Instance
from spottui.domain.launch_spec import LaunchSpec
from spottui.domain.plan import WarmImage
from spottui.domain.settings import ReadySettings, Settings

READY_TAG = "spottui:ready"
"""On an instance: how old its system disk may be, such as `6h`. On a resource of `[[ready]]`: the id of its
instance."""
IMAGE_EVERY = "30m", "30d"
"""The shortest and the longest time between two images of an instance."""
SNAPSHOTS_EVERY = "5m", "7d"
MOST_KEPT = 50
"""A disk may have 256 manual snapshots."""
YOUNGEST_S, OLDEST_S = 60.0, 30 * 86_400.0
"""The limits of the age in a tag; others are ignored."""
OVERLAP_S = 150.0
"""How long a new resource and the one that it replaces usually exist both, until the old one is deleted."""


class ReadyPolicy(msgspec.Struct, frozen=True, gc=False):
    """The readiness policy of one instance; all times in seconds.

    `system_age_s` is how old the image of its system disk may be for the route `instant`. Without `schedule`, the
    `[[ready]]` table that matches the instance, nothing is created for it.
    """

    system_age_s: float
    schedule: ReadySettings | None = None


def ready_policy(settings: Settings, instance: Instance) -> ReadyPolicy | None:
    """Return the policy of the first matching `[[ready]]`; the instance's own tag limits the age of its system disk.

    A tag alone allows an older system disk and schedules nothing; an invalid duration is ignored.
    """
    tags = dict(instance.tags)
    schedule = next((ready for ready in settings.ready if _matches(ready.match, tags)), None)
    system_age_s = _tagged_age_s(tags)
    if schedule and system_age_s is None:
        system_age_s = 2 * image_every_s(schedule)
    return None if system_age_s is None else ReadyPolicy(system_age_s, schedule)


def is_recent(policy: ReadyPolicy | None, image: WarmImage | None, now: datetime) -> bool:
    """Whether there is an image of the system disk that is as young as the policy wants it."""
    return bool(policy and image and now - image.made <= timedelta(seconds=policy.system_age_s))


class KeptReady(msgspec.Struct, frozen=True, gc=False):
    """An instance that a `[[ready]]` matches; `per_month` is its highest cost, None without a price.

    One that is `beyond_cap` exceeds the table's `max_cost_per_month`: nothing new is created for it.
    """

    spec: LaunchSpec
    schedule: ReadySettings
    per_month: float | None
    beyond_cap: bool = False


def kept_ready(settings: Settings, specs: Iterable[LaunchSpec]) -> tuple[KeptReady, ...]:
    """Return the spot instances of the whole fleet that are kept ready, by region and id.

    Those that come first within a table's cap are kept ready, so the same ones while the fleet does not change.
    """
    spent: dict[int, float] = {}
    kept = []
    for spec in sorted(specs, key=lambda spec: (spec.instance.region, spec.instance.instance_id)):
        policy = ready_policy(settings, spec.instance) if spec.instance.is_spot else None
        if policy and policy.schedule:
            schedule, number = policy.schedule, settings.ready.index(policy.schedule)
            per_month = cost_per_month(schedule, spec, settings.storage_price)
            together = spent.get(number, 0.0) + (per_month or 0.0)
            beyond_cap = bool(schedule.max_cost_per_month) and together > schedule.max_cost_per_month
            spent[number] = spent.get(number, 0.0) if beyond_cap else together
            kept.append(KeptReady(spec, schedule, per_month, beyond_cap))
    return tuple(kept)


def cost_per_month(schedule: ReadySettings, spec: LaunchSpec, prices: Mapping[str, float]) -> float | None:
    """Return the highest cost per month of keeping an instance ready, each snapshot at its disk's size.

    None if the price of snapshots is not configured. The cloud bills only the changes between two snapshots.
    """
    price, system = prices.get(SNAPSHOT_PRICE), system_disk(spec)
    if price is None:
        return None
    gib = (system.size_gib if system else 0) * _copies(schedule.keep, image_every_s(schedule))
    every_s = snapshots_every_s(schedule)
    if every_s:
        gib += sum(disk.size_gib for disk in spec.data_disks) * _copies(schedule.keep, every_s)
    return price * gib


def system_disk(spec: LaunchSpec) -> Disk | None:
    """Return the system disk, None if no sweep has seen it or it cannot have a snapshot."""
    return next((disk for disk in spec.cloud_disks if disk.kind == "system"), None)


def image_every_s(ready: ReadySettings) -> float:
    """Return the seconds between two images of an instance; the configuration was checked when it was read."""
    return _checked(ready.image_every)


def snapshots_every_s(ready: ReadySettings) -> float | None:
    """Return the seconds between two snapshot groups of an instance, None where none are made."""
    return _checked(ready.snapshots_every) if ready.snapshots_every else None


def _checked(duration: str) -> float:
    seconds = seconds_of(duration)
    if seconds is None:
        raise ValueError(f"no duration: {duration!r}")
    return seconds


def _copies(keep: int, every_s: float) -> float:
    return keep + OVERLAP_S / every_s


def _tagged_age_s(tags: Mapping[str, str]) -> float | None:
    age_s = seconds_of(tags.get(READY_TAG, ""))
    return age_s if age_s is not None and YOUNGEST_S <= age_s <= OLDEST_S else None


def _matches(match: Mapping[str, str], tags: Mapping[str, str]) -> bool:
    return all(key in tags and value in ("", tags[key]) for key, value in match.items())
