"""What it means for an instance to be kept ready in calm time, before anybody has given notice."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from spottui.domain.instance import Instance
from spottui.domain.settings import ReadySettings, Settings

READY_TAG = "spottui:ready"
"""On an instance: how old its system disk may be, such as `6h`. On what is made ready: the id of its instance."""
IMAGE_EVERY = "30m", "30d"
"""The shortest and the longest time between two images of an instance."""
SNAPSHOTS_EVERY = "5m", "7d"
MOST_KEPT = 50
"""A disk may have 256 manual snapshots."""
OLDEST_S = 30 * 86_400.0
"""A tag that allows an older system disk than this is ignored."""


@dataclass(frozen=True, slots=True)
class ReadyPolicy:
    """What is made ready for one instance; all times in seconds.

    `system_age_s` is how old the image of its system disk may be for a launch with the data of the notice. Without
    `schedule`, the `[[ready]]` table that matches the instance, nothing is made for it.
    """

    system_age_s: float
    schedule: ReadySettings | None = None


def ready_policy(settings: Settings, instance: Instance) -> ReadyPolicy | None:
    """Return the policy of the first `[[ready]]` that matches; the instance's own tag says how old its system may be.

    A tag alone allows the launch from an older system and schedules nothing; one that is no duration is ignored.
    """
    tags = dict(instance.tags)
    schedule = next((ready for ready in settings.ready if _matches(ready.match, tags)), None)
    system_age_s = _tagged_age_s(tags)
    if schedule and system_age_s is None:
        system_age_s = 2 * image_every_s(schedule)
    return None if system_age_s is None else ReadyPolicy(system_age_s, schedule)


def image_every_s(ready: ReadySettings) -> float:
    """Return the seconds between two images of an instance; the configuration was checked when it was read."""
    return _checked(ready.image_every)


def snapshots_every_s(ready: ReadySettings) -> float | None:
    """Return the seconds between two snapshot groups of an instance, None where none are made."""
    return _checked(ready.snapshots_every) if ready.snapshots_every else None


def seconds_of(duration: str) -> float | None:
    """Return the seconds of a duration such as `15m`, `6h` or `2d`; None for anything else, zero included."""
    found = re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", duration)
    return float(found[1]) * _SECONDS[found[2]] if found else None


_SECONDS = {"m": 60.0, "h": 3600.0, "d": 86_400.0}


def _checked(duration: str) -> float:
    seconds = seconds_of(duration)
    if seconds is None:
        raise ValueError(f"no duration: {duration!r}")
    return seconds


def _tagged_age_s(tags: Mapping[str, str]) -> float | None:
    age_s = seconds_of(tags.get(READY_TAG, ""))
    return age_s if age_s is not None and age_s <= OLDEST_S else None


def _matches(match: Mapping[str, str], tags: Mapping[str, str]) -> bool:
    return all(key in tags and value in ("", tags[key]) for key, value in match.items())
