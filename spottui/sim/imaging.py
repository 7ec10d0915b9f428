"""How an image comes to be: one snapshot per cloud disk, then Available; or lost with its disks."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from spottui.sim import events
from spottui.sim.errors import ApiError
from spottui.sim.model import Disk, Image, Mapping, Snapshot, Tags
from spottui.sim.schedule import happening
from spottui.sim.world import World

UNFINISHED = ("Waiting", "Creating")
INSTANT = ("cloud_essd", "cloud_auto", "cloud_essd_entry", "cloud_regional_disk_auto")
"""Disk categories whose snapshots can be used within seconds (docs/alibaba-facts.md 13)."""
SNAPSHOTS_PER_DISK = 256


@dataclass(frozen=True, slots=True)
class ImageOrder:
    """What CreateImage asked for, apart from its source."""

    region: str
    name: str
    description: str = ""
    family: str = ""
    tags: Tags = field(default_factory=dict)
    source_instance_id: str = ""
    architecture: str = "x86_64"
    boot_mode: str = "BIOS"
    imds: str = "v1"


def image_from_disks(world: World, now: float, order: ImageOrder, disks: Sequence[Disk]) -> Image:
    """Start an image of cloud disks; each gets a snapshot that is lost if its disk goes first."""
    done_at = now + world.settings.image_waiting_s + duration_s(world, disks)
    snapshots = [start_snapshot(world, now, done_at, disk, order.tags) for disk in disks]
    mappings = tuple(Mapping(d.device, d.type, d.size_gib, s.id) for d, s in zip(disks, snapshots, strict=True))
    return _new_image(world, now, done_at, order, mappings)


def image_from_mappings(world: World, now: float, order: ImageOrder, mappings: tuple[Mapping, ...]) -> Image:
    """Start an image of finished snapshots; nothing is copied, so it takes the base time only."""
    knobs = world.settings
    return _new_image(world, now, now + knobs.image_waiting_s + knobs.image_base_s, order, mappings)


def copy_of(world: World, now: float, order: ImageOrder, source: Image) -> Image:
    """Start a copy of an image in another region; its snapshots are copies too, of no disk there."""
    size_gib = sum(mapping.size_gib for mapping in source.mappings)
    done_at = now + world.settings.image_base_s + world.settings.image_s_per_gib * size_gib
    copies = []
    for mapping in source.mappings:
        snapshot = Snapshot(
            next(world.order), world.ids.resource("s"), order.region, "", mapping.type, mapping.size_gib, now, done_at,
            tags=dict(order.tags), usage="image", ports=_ports_of(world, mapping.snapshot_id),
        )  # fmt: skip
        world.snapshots[snapshot.id] = snapshot
        world.schedule.plan(done_at, finish_snapshot, snapshot.id)
        copies.append(replace(mapping, snapshot_id=snapshot.id))
    image = _new_image(world, now, done_at, order, tuple(copies))
    image.is_copied = True
    return image


def _ports_of(world: World, snapshot_id: str) -> tuple[int, ...]:
    snapshot = world.snapshots.get(snapshot_id)
    return snapshot.ports if snapshot else ()


def start_snapshot(
    world: World, now: float, done_at: float, disk: Disk, tags: Tags, name: str = "", usage: str = "image"
) -> Snapshot:
    """Start a snapshot that is finished at `done_at`."""
    snapshot = Snapshot(
        next(world.order), world.ids.resource("s"), disk.region, disk.id, disk.type, disk.size_gib,
        now, done_at, name=name or f"sp-{disk.id}", tags=dict(tags), usage=usage, encrypted=disk.encrypted,
        kms_key_id=disk.kms_key_id, available_at=_available_at(world, now, disk, usage),
        ports=disk.ports,
    )  # fmt: skip
    world.snapshots[snapshot.id] = snapshot
    world.schedule.plan(done_at, finish_snapshot, snapshot.id)
    return snapshot


def _available_at(world: World, now: float, disk: Disk, usage: str) -> float | None:
    # Instant access is for snapshots of their own, not for those of images.
    return now + world.settings.instant_access_s if disk.category in INSTANT and not usage else None


def is_available(snapshot: Snapshot, now: float) -> bool:
    """Whether disks can be made of the snapshot now."""
    if snapshot.status == "failed":
        return False
    instantly = snapshot.available_at is not None and now >= snapshot.available_at
    return instantly or snapshot.status == "accomplished"


def duration_s(world: World, disks: Sequence[Disk]) -> float:
    """Seconds to copy the disks; of one that has a snapshot only what changed since."""
    copied = sum(_changed_gib(world, disk) for disk in disks)
    return world.settings.image_base_s + world.settings.image_s_per_gib * copied


def _changed_gib(world: World, disk: Disk) -> float:
    rate = world.settings.disk_change_gib_per_h
    if not disk.snapshots_done:
        return disk.size_gib
    if rate is None:
        return disk.size_gib * world.settings.image_incremental
    return min(disk.size_gib, rate * (world.clock.now() - disk.snapshot_at) / 3600)


def check_snapshots(world: World, now: float, disks: Sequence[Disk]) -> None:
    """Raise what CreateSnapshot and CreateImage say of disks that cannot have a snapshot now."""
    ids = {disk.id for disk in disks}
    of_disks = [s for s in world.snapshots.values() if s.disk_id in ids]
    if any(s.status == "progressing" for s in of_disks):
        raise ApiError("IncorrectDiskStatus.CreatingSnapshot", 403, "A previous snapshot creation is in process.")
    if any(sum(s.disk_id == disk.id for s in of_disks) >= SNAPSHOTS_PER_DISK for disk in disks):
        raise ApiError("QuotaExceed.Snapshot", 403, "The snapshot quota of the disk is exceeded.")
    if any(now - disk.created_at < world.settings.snapshot_min_age_s for disk in disks):
        raise ApiError("IncorrectDiskStatus.NeverAttached", 403, "The specified disk is too young for a snapshot.")


def lose_snapshots_of(world: World, disk: Disk, at: float) -> None:
    """The disk goes at `at`: snapshots still being made of it, and their images, are lost.

    Documented for expired disks (CreateSnapshot); assumed the same for a reclaimed instance's.
    """
    if not world.settings.snapshot_needs_disk:
        return
    for snapshot in (lost := _unfinished_of(world, disk)):
        del world.snapshots[snapshot.id]
        events.notify_snapshot(world, snapshot, "failed", at)
    _fail_images_of(world, lost, at)


def fail_snapshots_of(world: World, disk: Disk, at: float) -> None:
    """The instance of the disk stops at `at`: snapshots still being made of it fail, and their images."""
    for snapshot in (failed := _unfinished_of(world, disk)):
        snapshot.status, snapshot.done_at = "failed", at
        events.notify_snapshot(world, snapshot, "failed", at)
    _fail_images_of(world, failed, at)


def _unfinished_of(world: World, disk: Disk) -> list[Snapshot]:
    return [s for s in world.snapshots.values() if s.disk_id == disk.id and s.status == "progressing"]


def _fail_images_of(world: World, snapshots: list[Snapshot], at: float) -> None:
    gone = {snapshot.id for snapshot in snapshots}
    for image in world.images.values():
        if image.status in UNFINISHED and any(m.snapshot_id in gone for m in image.mappings):
            image.status, image.failed_at = "CreateFailed", at


def progress(started_at: float, done_at: float, now: float) -> int:
    """Whole per cent done, below 100 until it is done."""
    if now >= done_at:
        return 100
    return min(99, int(100 * (now - started_at) / (done_at - started_at)))


def is_usable(image: Image, now: float) -> bool:
    """Whether instances can be launched from the image now."""
    return image.status in ("Available", *UNFINISHED) and now >= image.usable_at


@happening
def leave_queue(world: World, at: float, image_id: str) -> None:
    """Waiting becomes Creating."""
    image = world.images.get(image_id)
    if image and image.status == "Waiting":
        image.status = "Creating"


@happening
def finish_snapshot(world: World, at: float, snapshot_id: str) -> None:
    """A snapshot is accomplished; the next one of its disk is incremental."""
    snapshot = world.snapshots.get(snapshot_id)
    if snapshot is None or snapshot.status == "failed":
        return
    snapshot.status = "accomplished"
    if snapshot.disk_id in world.disks:
        disk = world.disks[snapshot.disk_id]
        disk.snapshots_done += 1
        # What was written while it was being made is not in it.
        disk.snapshot_at = snapshot.started_at
    events.notify_snapshot(world, snapshot, "accomplished", at)


@happening
def finish_image(world: World, at: float, image_id: str) -> None:
    """An image that was not lost becomes Available, unless it is one of those that fail."""
    image = world.images.get(image_id)
    if image is None or image.status not in UNFINISHED:
        return
    if world.settings.images_that_fail > 0:
        world.settings.images_that_fail -= 1
        image.status, image.failed_at = "CreateFailed", at
    else:
        image.status = "Available"


def _new_image(world: World, now: float, done_at: float, order: ImageOrder, mappings: tuple[Mapping, ...]) -> Image:
    knobs = world.settings
    image = Image(
        next(world.order), world.ids.resource("m"), order.region, order.name, "self", now, done_at,
        _usable_at(world, now, done_at), mappings,
        description=order.description, family=order.family, source_instance_id=order.source_instance_id,
        tags=dict(order.tags), listed_at=now + knobs.image_unlisted_s, architecture=order.architecture,
        boot_mode=order.boot_mode, imds=order.imds,
    )  # fmt: skip
    image.name = order.name or image.id
    world.images[image.id] = image
    if knobs.image_waiting_s > 0:
        image.status = "Waiting"
        world.schedule.plan(now + knobs.image_waiting_s, leave_queue, image.id)
    world.schedule.plan(done_at, finish_image, image.id)
    return image


def _usable_at(world: World, now: float, done_at: float) -> float:
    knobs = world.settings
    early = done_at if knobs.image_usable_s is None else min(done_at, now + knobs.image_usable_s)
    return done_at + knobs.image_usable_after_s if knobs.image_usable_after_s else early
