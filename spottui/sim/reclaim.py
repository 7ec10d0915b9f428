"""The cloud takes a spot instance back: lock, and after the notice period release or stop."""

from spottui.sim import addresses, events
from spottui.sim.imaging import lose_snapshots_of
from spottui.sim.model import Disk, Instance
from spottui.sim.schedule import happening
from spottui.sim.world import World


def lock(world: World, instance: Instance, release_at: float) -> None:
    """Set the Recycling lock and plan the release; an instance already locked keeps its deadline."""
    if "Recycling" in instance.locks:
        return
    instance.locks = (*instance.locks, "Recycling")
    instance.release_at = release_at
    if world.settings.locked_status is not None:
        instance.status = world.settings.locked_status
    world.schedule.plan(release_at, take_back, instance.id)


def release(world: World, instance: Instance, at: float) -> None:
    """The instance is gone: disks with DeleteWithInstance with it, addresses free, EIP unbound."""
    instance.status = "Deleted"
    del world.instances[instance.id]
    addresses.give_back(world.vswitches[instance.vswitch_id], instance.private_ip)
    if instance.eip_id in world.eips:
        world.eips[instance.eip_id].instance_id = ""
        if not world.settings.eip_survives:
            del world.eips[instance.eip_id]
    for disk in world.disks_of(instance):
        _leave(world, disk, at)
    events.tell_state(world, instance, "Deleted", at)


def stop(world: World, instance: Instance, at: float, *, charging: bool) -> None:
    """The instance is Stopped; without charging its compute goes back and its automatic public address is lost."""
    instance.status = "Stopped"
    instance.stopped_mode = "KeepCharging" if charging else "StopCharging"
    if not charging:
        instance.public_ip = ""
    events.tell_state(world, instance, "Stopped", at)


@happening
def lock_later(world: World, at: float, instance_id: str, release_at: float) -> None:
    """The lock of a reclaim that was announced before."""
    if instance_id in world.instances:
        lock(world, world.instances[instance_id], max(at, release_at))


@happening
def take_back(world: World, at: float, instance_id: str) -> None:
    """The notice period is over."""
    instance = world.instances.get(instance_id)
    if instance is None or instance.release_at is None:
        return
    if instance.behavior == "Stop":
        instance.locks = tuple(reason for reason in instance.locks if reason != "Recycling")
        instance.release_at = None
        stop(world, instance, at, charging=False)
    else:
        release(world, instance, at)


def _leave(world: World, disk: Disk, at: float) -> None:
    if disk.delete_with_instance or disk.is_local:
        lose_snapshots_of(world, disk, at)
        del world.disks[disk.id]
    else:
        disk.status, disk.instance_id, disk.device = "Available", "", ""
