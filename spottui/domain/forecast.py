"""The forecast: will the image be ready before the instance is reclaimed?"""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

TIGHT_S = 30.0
"""Slack in seconds below which the outcome is called tight."""

TRUSTED_AFTER_S = 60.0
STUCK_FACTOR = 1.25


class Verdict(StrEnum):
    """The verdict, as the console shows it; the first three come from a forecast."""

    WILL_MAKE_IT = "WILL MAKE IT"
    TIGHT = "TIGHT"
    WILL_NOT = "WILL NOT"
    IMAGE_READY = "IMAGE READY"
    """The image is there, the replacement is not."""
    DATA_KEPT = "DATA KEPT"
    """By this route nothing happens before the deadline; the disks outlive it."""
    NO_ROOM = "NO ROOM"
    """Every place for the replacement is sold out as far as is known."""
    NOT_KNOWN = "NOT KNOWN"
    """The image was refused, or its progress is unknown."""


class ImageTiming(msgspec.Struct, frozen=True, gc=False):
    """The duration of this account's past images: a fixed part in seconds, and seconds per GiB."""

    base_s: float = 20.0
    s_per_gib: float = 1.5

    def estimate_s(self, gib: int) -> float:
        """Return the seconds that an image of this many GiB is expected to take."""
        return self.base_s + self.s_per_gib * gib


class Forecast(msgspec.Struct, frozen=True, gc=False):
    """When the image is expected, and the deadline."""

    ready_at: datetime
    deadline: datetime

    @property
    def slack_s(self) -> float:
        """Seconds between the expected image and the deadline; negative when it comes too late."""
        return (self.deadline - self.ready_at).total_seconds()

    @property
    def verdict(self) -> Verdict:
        """The slack as a word."""
        if self.slack_s < 0:
            return Verdict.WILL_NOT
        return Verdict.TIGHT if self.slack_s < TIGHT_S else Verdict.WILL_MAKE_IT


def before_image(now: datetime, deadline: datetime, gib: int, timing: ImageTiming) -> Forecast:
    """Forecast an image that has not been started."""
    return Forecast(now + timedelta(seconds=timing.estimate_s(gib)), deadline)


def while_imaging(
    now: datetime, started: datetime, progress: int, deadline: datetime, gib: int, timing: ImageTiming
) -> Forecast:
    """Forecast a running image from its progress in percent, at first mostly from past images.

    The progress is rounded down to a whole number: it is fully trusted after `TRUSTED_AFTER_S`. An image without
    progress when past images were finished is expected to take a quarter longer than it has taken so far.
    """
    expected_s = timing.estimate_s(gib)
    elapsed_s = max((now - started).total_seconds(), 0.0)
    if 0 < progress < 100:
        share = (progress + 0.5) / 100
        trust = max(share, min(elapsed_s / TRUSTED_AFTER_S, 1.0))
        expected_s = trust * elapsed_s / share + (1 - trust) * expected_s
    elif progress <= 0 and elapsed_s > expected_s:
        expected_s = STUCK_FACTOR * elapsed_s
    return Forecast(max(started + timedelta(seconds=expected_s), now), deadline)
