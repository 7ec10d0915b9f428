"""What listens on simulated instances: installed on the system disk, so that an image of it brings it along."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from spottui.sim.control_request import Given
from spottui.sim.errors import ControlError
from spottui.sim.model import Instance, Service
from spottui.sim.schedule import happening
from spottui.sim.world import World


class Mode(StrEnum):
    """How a service is doing."""

    UP = "up"
    DOWN = "down"
    """Connections are refused."""
    FAILING = "failing"
    """It answers 500."""
    HANGING = "hanging"
    """It takes connections and never answers."""


def install(world: World, instance: Instance, mode: str) -> None:
    """The instance has what its system disk holds; nothing of it is up before it runs."""
    ports = next((disk.ports for disk in world.disks_of(instance) if disk.type == "system"), ())
    if ports:
        world.services[instance.id] = Service(ports, mode)


def reach(world: World, instance_id: str, port: int, at: float) -> Mode:
    """What a connection to a port of an instance comes to."""
    service, instance = world.services.get(instance_id), world.instances.get(instance_id)
    if service is None or instance is None or port not in service.ports or instance.status != "Running":
        return Mode.DOWN
    return Mode(service.mode) if at >= instance.started_at + world.settings.service_s else Mode.DOWN


def listening(world: World, at: float) -> Iterator[tuple[str, int]]:
    """Address and port of everything that takes connections now."""
    for instance_id, service in world.services.items():
        for port in service.ports:
            if reach(world, instance_id, port, at) is not Mode.DOWN:
                yield world.instances[instance_id].private_ip, port


def instance_at(world: World, address: str) -> Instance | None:
    """The instance that has a private address."""
    return next(
        (row for row in world.instances.values() if address in (row.private_ip, *row.more_private_ips)), None
    )  # fmt: skip


def named(world: World, who: str) -> Instance:
    """An instance by its id or its name, of several the youngest.

    Raises:
        ControlError: there is none.
    """
    instances = [row for row in world.instances.values() if who in (row.id, row.name)]
    if not instances:
        raise ControlError("instance", f"{who!r} is not in this world", "the name or id of an instance")
    return instances[-1]


def change(world: World, given: Given, now: float) -> dict[str, Any]:
    """Control call: `ports` that an `instance` listens on, and the `mode` of what listens there."""
    instance = named(world, given.text("instance"))
    ports = given.ports("ports") if "ports" in given else ()
    mode = given.choice("mode", tuple(Mode), Mode.UP)
    given.end()
    system = next((disk for disk in world.disks_of(instance) if disk.type == "system"), None)
    if ports and system:
        system.ports = ports
    install(world, instance, mode)
    if instance.id not in world.services:
        raise ControlError("ports", f"nothing listens on {instance.id} yet", "ports, once for the instance")
    return {"instance_id": instance.id, "ports": list(world.services[instance.id].ports), "mode": mode}


@happening
def come_up(world: World, at: float, instance_id: str) -> None:
    """A moment at which a service may have come up: whoever watches sockets looks again."""
