"""Instances come up: Pending, Starting, Running; or they are taken away before."""

from spottui.sim import events, reclaim, services
from spottui.sim.model import Instance
from spottui.sim.schedule import happening
from spottui.sim.world import World

_PENDING_SHARE = 0.4


def boot_new(world: World, instance: Instance, now: float) -> None:
    """A launched instance is Pending for a part of the boot time, then Starting, then Running."""
    knobs = world.settings
    instance.status = "Pending"
    events.notify_state(world, instance, "Created", now)
    world.schedule.plan(now + knobs.boot_s * _PENDING_SHARE, start, instance.id)
    world.schedule.plan(now + knobs.boot_s, run, instance.id)
    if knobs.launches_that_fail > 0:
        knobs.launches_that_fail -= 1
        world.schedule.plan(now + knobs.launch_fails_after_s, fail, instance.id)


def create_stopped(world: World, instance: Instance) -> None:
    """CreateInstance makes an instance that waits, Stopped, to be started."""
    instance.status, instance.stopped_mode = "Stopped", "KeepCharging"


def boot_stopped(world: World, instance: Instance, now: float) -> None:
    """A stopped instance is Starting for the boot time, then Running."""
    instance.status = "Starting"
    events.notify_state(world, instance, "Starting", now)
    world.schedule.plan(now + world.settings.boot_s, run, instance.id)


def reboot(world: World, instance: Instance, now: float) -> None:
    """A Running instance is Stopping, then Starting for the boot time, then Running again."""
    instance.status = "Stopping"
    events.notify_state(world, instance, "Stopping", now)
    world.schedule.plan(now + world.settings.stop_s, start_again, instance.id)


@happening
def start_again(world: World, at: float, instance_id: str) -> None:
    """The second half of a reboot."""
    instance = world.instances.get(instance_id)
    if instance and instance.status == "Stopping":
        boot_stopped(world, instance, at)


@happening
def start(world: World, at: float, instance_id: str) -> None:
    """Pending becomes Starting."""
    # A launch can be overtaken by a release; what is gone does not come up.
    instance = world.instances.get(instance_id)
    if instance and instance.status == "Pending":
        instance.status = "Starting"
        events.notify_state(world, instance, "Starting", at)


@happening
def run(world: World, at: float, instance_id: str) -> None:
    """Starting becomes Running."""
    instance = world.instances.get(instance_id)
    if instance and instance.status == "Starting":
        instance.started_at = at
        instance.stopped_mode = "Not-applicable"
        instance.status = "Running"
        events.notify_state(world, instance, "Running", at)
        if instance_id in world.services:
            world.schedule.plan(at + world.settings.service_s, services.come_up, instance_id)


@happening
def fail(world: World, at: float, instance_id: str) -> None:
    """The launch turns out to have failed: the instance is gone, as `SystemFailure.Delete` says."""
    instance = world.instances.get(instance_id)
    if instance:
        events.notify_failed_launch(world, instance, at)
        reclaim.release(world, instance, at)
