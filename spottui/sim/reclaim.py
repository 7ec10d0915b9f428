"""The cloud takes a spot instance back: lock, and after the notice period release or stop."""

from spottui.sim import addresses
from spottui.sim.imaging import lose_snapshots_of
from spottui.sim.model import Disk, Instance
from spottui.sim.world import World


def lock(world: World, instance: Instance, release_at: float) -> None:
    """Set the Recycling lock and plan the release; an instance already locked keeps its deadline."""
    if "Recycling" in instance.locks:
        return
    instance.locks = (*instance.locks, "Recycling")
    instance.release_at = release_at
    if world.settings.locked_status is not None:
        instance.status = world.settings.locked_status
    world.schedule.plan(release_at, lambda at: _reclaim(world, instance, at))


def release(world: World, instance: Instance, at: float) -> None:
    """The instance is gone: disks with DeleteWithInstance with it, addresses free, EIP unbound."""
    instance.status = "Deleted"
    del world.instances[instance.id]
    addresses.give_back(world.vswitches[instance.vswitch_id], instance.private_ip)
    if instance.eip_id in world.eips:
        world.eips[instance.eip_id].instance_id = ""
    for disk in world.disks_of(instance):
        _leave(world, disk, at)


def _reclaim(world: World, instance: Instance, at: float) -> None:
    if instance.release_at is None or instance.id not in world.instances:
        return
    if instance.behavior == "Stop":
        _stop(instance)
    else:
        release(world, instance, at)


def _stop(instance: Instance) -> None:
    # Economical mode: disks, private address and EIP stay, the automatic public address does not.
    instance.status = "Stopped"
    instance.stopped_mode = "StopCharging"
    instance.locks = tuple(reason for reason in instance.locks if reason != "Recycling")
    instance.release_at = None
    instance.public_ip = ""


def _leave(world: World, disk: Disk, at: float) -> None:
    if disk.delete_with_instance or disk.is_local:
        lose_snapshots_of(world, disk, at)
        del world.disks[disk.id]
    else:
        disk.status, disk.instance_id, disk.device = "Available", "", ""
