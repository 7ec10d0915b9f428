"""What was made of an instance in calm time: an image, with its snapshots, that is there from the start."""

from typing import Any

from spottui.sim.control_request import Given
from spottui.sim.errors import ControlError
from spottui.sim.model import Disk, Image, Mapping, Snapshot
from spottui.sim.world import World

_OLDEST_S = 10 * 365 * 86_400


def make_image(world: World, given: Given, now: float) -> dict[str, Any]:
    """Let there be a finished image of an instance's system disk, or of `all` its cloud disks, made `age_s` ago.

    `{instance}` in its `name` and in the values of its `tags` is the instance's id. `instance_tags` are added to the
    instance itself.
    """
    instance_id, disks = given.text("instance_id"), given.choice("disks", ("system", "all"), "system")
    made = now - given.number("age_s", 3600, 0, _OLDEST_S)
    name, tags = given.text("name"), given.mapping("tags")
    instance_tags = given.mapping("instance_tags")
    given.end()
    instance = world.instances.get(instance_id)
    if instance is None:
        raise ControlError("instance_id", f"{instance_id} does not exist", "an id of /_sim/state")
    instance.tags.update(instance_tags)
    own = {key: value.format(instance=instance_id) for key, value in tags.items()}
    wanted = [disk for disk in world.disks_of(instance) if not disk.is_local and disks in ("all", disk.type)]
    mappings = tuple(Mapping(disk.device, disk.type, disk.size_gib, _snapshot(world, disk, made)) for disk in wanted)
    image = Image(
        next(world.order), world.ids.resource("m"), instance.region, name.format(instance=instance_id), "self", made,
        made, made, mappings, status="Available", tags=own, listed_at=made,
    )  # fmt: skip
    world.images[image.id] = image
    return {"image_id": image.id}


def _snapshot(world: World, disk: Disk, made: float) -> str:
    snapshot = Snapshot(
        next(world.order), world.ids.resource("s"), disk.region, disk.id, disk.type, disk.size_gib, made, made,
        status="accomplished", ports=disk.ports,
    )  # fmt: skip
    world.snapshots[snapshot.id] = snapshot
    return snapshot.id
