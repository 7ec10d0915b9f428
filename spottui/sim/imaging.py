"""How an image comes to be: one snapshot per cloud disk, then Available; or lost with its disks."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from spottui.sim.model import Disk, Image, Mapping, Snapshot, Tags
from spottui.sim.world import World


@dataclass(frozen=True, slots=True)
class ImageOrder:
    """What CreateImage asked for, apart from its source."""

    region: str
    name: str
    description: str = ""
    family: str = ""
    tags: Tags = field(default_factory=dict)
    source_instance_id: str = ""


def image_from_disks(world: World, now: float, order: ImageOrder, disks: Sequence[Disk]) -> Image:
    """Start an image of cloud disks; each gets a snapshot that is lost if its disk goes first."""
    done_at = now + _duration_s(world, disks)
    snapshots = [_start_snapshot(world, now, done_at, disk, order.tags) for disk in disks]
    mappings = tuple(Mapping(d.device, d.type, d.size_gib, s.id) for d, s in zip(disks, snapshots, strict=True))
    image = _new_image(world, now, done_at, order, mappings)
    world.schedule.plan(done_at, lambda at: _finish(world, image, snapshots))
    return image


def image_from_snapshot(world: World, now: float, order: ImageOrder, snapshot: Snapshot) -> Image:
    """Start an image of a finished snapshot; nothing is copied, so it takes the base time only."""
    mappings = (Mapping("/dev/xvda", "system", snapshot.size_gib, snapshot.id),)
    image = _new_image(world, now, now + world.settings.image_base_s, order, mappings)
    world.schedule.plan(image.done_at, lambda at: _finish(world, image, []))
    return image


def lose_snapshots_of(world: World, disk: Disk, at: float) -> None:
    """The disk goes at `at`: snapshots still being made of it, and their images, are lost.

    Documented for expired disks (CreateSnapshot); assumed the same for a reclaimed instance's.
    """
    lost = [s for s in world.snapshots.values() if s.disk_id == disk.id and s.status == "progressing"]
    for snapshot in lost:
        del world.snapshots[snapshot.id]
    gone = {snapshot.id for snapshot in lost}
    for image in world.images.values():
        if image.status == "Creating" and any(m.snapshot_id in gone for m in image.mappings):
            image.status, image.failed_at = "CreateFailed", at


def progress(started_at: float, done_at: float, now: float) -> int:
    """Whole per cent done, below 100 until it is done."""
    if now >= done_at:
        return 100
    return min(99, int(100 * (now - started_at) / (done_at - started_at)))


def is_usable(image: Image, now: float) -> bool:
    """Whether instances can be launched from the image now."""
    return image.status == "Available" or (image.status == "Creating" and now >= image.usable_at)


def _duration_s(world: World, disks: Sequence[Disk]) -> float:
    knobs = world.settings
    copied = sum(d.size_gib * (knobs.image_incremental if d.snapshots_done else 1.0) for d in disks)
    return knobs.image_base_s + knobs.image_s_per_gib * copied


def _start_snapshot(world: World, now: float, done_at: float, disk: Disk, tags: Tags) -> Snapshot:
    snapshot = Snapshot(
        next(world.order), world.ids.resource("s"), disk.region, disk.id, disk.type, disk.size_gib,
        now, done_at, name=f"sp-{disk.id}", tags=dict(tags),
    )  # fmt: skip
    world.snapshots[snapshot.id] = snapshot
    return snapshot


def _new_image(world: World, now: float, done_at: float, order: ImageOrder, mappings: tuple[Mapping, ...]) -> Image:
    usable_s = world.settings.image_usable_s
    image = Image(
        next(world.order), world.ids.resource("m"), order.region, order.name, "self", now, done_at,
        done_at if usable_s is None else now + usable_s, mappings, description=order.description,
        family=order.family, source_instance_id=order.source_instance_id, tags=dict(order.tags),
    )  # fmt: skip
    image.name = order.name or image.id
    world.images[image.id] = image
    return image


def _finish(world: World, image: Image, snapshots: Sequence[Snapshot]) -> None:
    for snapshot in snapshots:
        if snapshot.id in world.snapshots:
            snapshot.status = "accomplished"
        if snapshot.disk_id in world.disks:
            world.disks[snapshot.disk_id].snapshots_done += 1
    if image.status == "Creating":
        image.status = "Available"
