"""The cloud takes a spot instance back: lock, and after the notice period release or stop."""

from spottui.sim import addresses, events
from spottui.sim.balancers import backends
from spottui.sim.imaging import fail_snapshots_of, lose_snapshots_of
from spottui.sim.model import Disk, Eni, Instance
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
    world.services.pop(instance.id, None)
    backends.leave(world, instance)
    for address in (instance.private_ip, *instance.more_private_ips):
        addresses.give_back(world.vswitches[instance.vswitch_id], address)
    for eni in [eni for eni in world.enis.values() if eni.instance_id == instance.id]:
        _leave_eni(world, eni)
    if instance.eip_id in world.eips:
        world.eips[instance.eip_id].instance_id = ""
        if not world.settings.eip_survives:
            del world.eips[instance.eip_id]
    for disk in world.disks_of(instance):
        _leave(world, disk, at)
    events.notify_state(world, instance, "Deleted", at)


def stop(world: World, instance: Instance, at: float, *, charging: bool) -> None:
    """The instance is Stopping, and after a while Stopped; its snapshots that are not finished fail."""
    for disk in world.disks_of(instance):
        fail_snapshots_of(world, disk, at)
    begin_stop(world, instance, at, world.settings.stop_s, charging=charging)


def begin_stop(world: World, instance: Instance, at: float, takes_s: float, *, charging: bool) -> None:
    """Stopping for `takes_s`; without charging its compute goes back when it is Stopped."""
    instance.status = "Stopping"
    events.notify_state(world, instance, "Stopping", at)
    if takes_s > 0:
        world.schedule.plan(at + takes_s, be_stopped, instance.id, charging)
    else:
        be_stopped(world, at, instance.id, charging)


@happening
def be_stopped(world: World, at: float, instance_id: str, charging: bool) -> None:
    """Stopping becomes Stopped: a Recycling lock ends, without charging an automatic public address is lost."""
    instance = world.instances.get(instance_id)
    if instance is None or instance.status != "Stopping":
        return
    instance.locks = tuple(reason for reason in instance.locks if reason != "Recycling")
    instance.release_at = None
    instance.status = "Stopped"
    instance.stopped_mode = "KeepCharging" if charging else "StopCharging"
    if not charging:
        instance.public_ip = ""
    events.notify_state(world, instance, "Stopped", at)


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
    if world.settings.stop_fails_snapshots:
        for disk in world.disks_of(instance):
            fail_snapshots_of(world, disk, at)
    if instance.behavior == "Stop":
        begin_stop(world, instance, at, world.settings.reclaim_stop_s, charging=False)
    else:
        release(world, instance, at)


@happening
def be_detached(world: World, at: float, disk_id: str) -> None:
    """A disk that outlived its instance is Available."""
    disk = world.disks.get(disk_id)
    if disk and disk.status == "Detaching":
        disk.status = "Available"


def _leave(world: World, disk: Disk, at: float) -> None:
    if disk.delete_with_instance or disk.is_local:
        lose_snapshots_of(world, disk, at)
        del world.disks[disk.id]
        return
    disk.status, disk.instance_id, disk.device = "Available", "", ""
    if world.settings.kept_disk_s > 0:
        disk.status = "Detaching"
        world.schedule.plan(at + world.settings.kept_disk_s, be_detached, disk.id)


def _leave_eni(world: World, eni: Eni) -> None:
    if eni.delete_on_release:
        for address in eni.private_ips:
            addresses.give_back(world.vswitches[eni.vswitch_id], address)
        del world.enis[eni.id]
    else:
        eni.instance_id = ""
