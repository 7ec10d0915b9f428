"""Instances come up: Pending, Starting, Running."""

from spottui.sim.model import Instance
from spottui.sim.world import World

_PENDING_SHARE = 0.4


def boot_new(world: World, instance: Instance, now: float) -> None:
    """A launched instance is Pending for a part of the boot time, then Starting, then Running."""
    boot_s = world.settings.boot_s
    instance.status = "Pending"
    world.schedule.plan(now + boot_s * _PENDING_SHARE, lambda at: _enter(instance, "Pending", "Starting"))
    world.schedule.plan(now + boot_s, lambda at: _run(instance, at))


def boot_stopped(world: World, instance: Instance, now: float) -> None:
    """A stopped instance is Starting for the boot time, then Running."""
    instance.status = "Starting"
    world.schedule.plan(now + world.settings.boot_s, lambda at: _run(instance, at))


def _run(instance: Instance, at: float) -> None:
    if instance.status == "Starting":
        instance.started_at = at
        instance.stopped_mode = "Not-applicable"
        instance.status = "Running"


def _enter(instance: Instance, before: str, status: str) -> None:
    # A launch can be overtaken by a release; what is gone does not come up.
    if instance.status == before:
        instance.status = status
