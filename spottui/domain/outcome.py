"""The outcome of a recovery: added cost, retained resources and age of the data; None if unknown."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from math import ceil

import msgspec

from spottui.domain.billed_resources import EIP_PRICE, SNAPSHOT_PRICE, BilledResource, LeftoverKind
from spottui.domain.instance import Disk
from spottui.domain.plan import Plan
from spottui.domain.recovery import ImageOf, Recovery, RecoveryState
from spottui.domain.routes import Source

_OF_SYSTEM = (ImageOf.KEPT_SYSTEM_DISK, ImageOf.SYSTEM_DISK)
"""What an image of the system disk alone is made of."""


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """The figures of one recovery; prices are per hour, as they were for its plan.

    `old_per_hour` is the instance's, `new_per_hour` the one at the place where the replacement was launched; `currency`
    is theirs, the cloud's code, empty if unknown.
    `recovery_s` is from the first sign to the replacement running. `data_age_s` is how old the data was then, 0 if the
    disks themselves came back and nothing is missing; `data_as_of` is when an image of it was started. `kept` are the
    resources that cost money at its end, without those that the janitor deleted.
    """

    old_per_hour: float | None = None
    new_per_hour: float | None = None
    recovery_s: float | None = None
    data_as_of: datetime | None = None
    data_age_s: float | None = None
    kept: tuple[BilledResource, ...] = ()
    currency: str = ""

    @property
    def added_per_hour(self) -> float | None:
        """What the replacement costs an hour beyond the old instance; negative when it is cheaper."""
        if self.old_per_hour is None or self.new_per_hour is None:
            return None
        return round(self.new_per_hour - self.old_per_hour, 6)


def outcome(recovery: Recovery, plan: Plan | None) -> Outcome:
    """Return the outcome of a recovery, by its frozen plan."""
    as_of = data_as_of(recovery, plan)
    return Outcome(
        old_per_hour=plan.price_per_hour if plan else None,
        new_per_hour=_new_per_hour(recovery, plan) if plan else None,
        recovery_s=_seconds(recovery.started, recovery),
        data_as_of=as_of,
        data_age_s=_data_age_s(recovery, as_of),
        kept=tuple(kept_by(recovery, plan)),
        currency=plan.currency if plan else "",
    )


def has_image_in_time(recovery: Recovery) -> bool:
    """Whether its own image was ready before the reclaim: something was launched from it, whatever came of that."""
    return recovery.route.traits.needs_image_in_time and bool(recovery.tries)


def kept_by(recovery: Recovery, plan: Plan | None) -> Iterator[BilledResource]:
    """Yield the resources of a recovery that cost money, with their size if its plan has it."""
    disks = {disk.disk_id: disk for disk in plan.spec.disks} if plan else {}
    snapshots = {snapshot_id: disk_id for disk_id, snapshot_id in (*recovery.snapshots, *recovery.group_snapshots)}
    in_image = _in_image(recovery, disks)
    for image_id in recovery.made(LeftoverKind.IMAGE):
        gib = _image_gib(recovery, plan) if image_id == recovery.image_id else None
        yield BilledResource(LeftoverKind.IMAGE, image_id, gib, SNAPSHOT_PRICE, recovery.started)
    for snapshot_id in (made_id for made_id in recovery.made(LeftoverKind.SNAPSHOT) if made_id not in in_image):
        disk = disks.get(snapshots.get(snapshot_id, ""))
        gib = disk.size_gib if disk else None
        yield BilledResource(LeftoverKind.SNAPSHOT, snapshot_id, gib, SNAPSHOT_PRICE, recovery.started)
    for disk_id in recovery.made(LeftoverKind.DISK):
        disk = disks.get(disk_id)
        if disk_id not in recovery.made("attached disk") and recovery.new_instance_id != recovery.instance_id:
            gib, category = (disk.size_gib, disk.category) if disk else (None, "")
            yield BilledResource(LeftoverKind.DISK, disk_id, gib, category, recovery.started)
    if recovery.eip_id and recovery.new_instance_id in ("", recovery.instance_id):
        yield BilledResource(LeftoverKind.EIP, recovery.eip_id, 0, EIP_PRICE, recovery.started)


def nine_of_ten(times_s: Sequence[float]) -> float | None:
    """Return the shortest of the times that nine of ten did not exceed; None for none."""
    return sorted(times_s)[ceil(len(times_s) * 9 / 10) - 1] if times_s else None


def data_as_of(recovery: Recovery, plan: Plan | None) -> datetime | None:
    """Return the time of the replacement's data: later writes are not in it. None if it has none or all."""
    earlier = plan.earlier_image(recovery.route) if plan else None
    match recovery.route.traits.source:
        case Source.IMAGE_OF_INSTANCE:
            return recovery.imaging_since
        case Source.EARLIER_IMAGE_AND_SNAPSHOTS if recovery.group_snapshots:
            return recovery.snapshots_since
        case _:
            return earlier.made if earlier else None


def _data_age_s(recovery: Recovery, as_of: datetime | None) -> float | None:
    if recovery.route.traits.keeps_all_data and recovery.state is RecoveryState.RECOVERED:
        return 0.0
    return _seconds(as_of, recovery) if as_of else None


def _seconds(since: datetime, recovery: Recovery) -> float | None:
    if recovery.state is not RecoveryState.RECOVERED or recovery.ended is None:
        return None
    # An earlier version used a clock that may have been set meanwhile.
    return max(round((recovery.ended - since).total_seconds(), 1), 0.0)


def _new_per_hour(recovery: Recovery, plan: Plan) -> float | None:
    """Return the price of the replacement's place; a restarted instance is where it was."""
    if not recovery.new_instance_id:
        return None
    if recovery.new_instance_id == recovery.instance_id:
        return plan.price_per_hour
    place = next((attempt.place for attempt in reversed(recovery.tries) if attempt.failure is None), None)
    return next((candidate.price_per_hour for candidate in plan.candidates if candidate.place == place), None)


def _in_image(recovery: Recovery, disks: Mapping[str, Disk]) -> frozenset[str]:
    """The snapshots of which the image is made, and with which they are paid for already."""
    if not recovery.image_id or recovery.image_of in (None, ImageOf.ALL_DISKS):
        return frozenset()
    pairs = recovery.group_snapshots if recovery.image_of is ImageOf.SYSTEM_DISK else recovery.snapshots
    is_whole = recovery.image_of is ImageOf.KEPT_DISKS
    return frozenset(
        snapshot_id
        for disk_id, snapshot_id in pairs
        if is_whole or disk_id not in disks or disks[disk_id].kind == "system"
    )


def _image_gib(recovery: Recovery, plan: Plan | None) -> int | None:
    if plan is None:
        return None
    if recovery.image_of in _OF_SYSTEM:
        return sum(disk.size_gib for disk in plan.spec.cloud_disks if disk.kind == "system")
    return plan.spec.image_gib
