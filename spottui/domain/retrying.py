"""A retry: the route that it takes first, and what it reuses of the runs before it."""

from datetime import datetime
from enum import StrEnum

import msgspec

from spottui.domain.plan import Plan
from spottui.domain.recovery import ImageOf, Recovery
from spottui.domain.routes import Route, Source


class ReusedKind(StrEnum):
    """What a retry need not make again."""

    REPLACEMENT = "replacement"
    IMAGE = "image"
    UNFINISHED_IMAGE = "unfinished image"
    SNAPSHOT_GROUP = "snapshot group"


class Reused(msgspec.Struct, frozen=True, gc=False):
    """A resource that a retry continues with; what was written after `since` is not in it."""

    kind: ReusedKind
    resource_id: str
    since: datetime | None = None


def retried_route(recovery: Recovery, plan: Plan) -> Route:
    """Return the route that a retry takes first: the one that a person chose, else the one that failed."""
    resumes = recovery.created and not plan.route_chosen and recovery.route in plan.choices
    return recovery.route if resumes else plan.route


def reused(recovery: Recovery, route: Route) -> tuple[Reused, ...]:
    """Return what a retry by this route continues with."""
    if recovery.new_instance_id:
        return (Reused(ReusedKind.REPLACEMENT, recovery.new_instance_id),)
    reused_parts: list[Reused] = []
    if recovery.snapshot_group and route.traits.source is Source.EARLIER_IMAGE_AND_SNAPSHOTS:
        reused_parts.append(Reused(ReusedKind.SNAPSHOT_GROUP, recovery.snapshot_group, recovery.snapshots_since))
    if recovery.image_id and recovery.image_of in _IMAGES_OF.get(route.traits.source, ()):
        kind = ReusedKind.IMAGE if recovery.progress == _FINISHED else ReusedKind.UNFINISHED_IMAGE
        reused_parts.append(Reused(kind, recovery.image_id, recovery.imaging_since))
    return tuple(reused_parts)


_FINISHED = 100
_IMAGES_OF: dict[Source, tuple[ImageOf | None, ...]] = {
    # An earlier version did not say of what an image is.
    Source.IMAGE_OF_INSTANCE: (ImageOf.ALL_DISKS, None),
    Source.KEPT_DISKS: (ImageOf.KEPT_DISKS, ImageOf.KEPT_SYSTEM_DISK),
    Source.EARLIER_IMAGE_AND_SNAPSHOTS: (ImageOf.SYSTEM_DISK,),
}
