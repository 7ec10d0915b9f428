"""Requests to load balancers and to services of instances, over HTTP on loopback."""

import asyncio

from aiohttp import web

from spottui.sim import services
from spottui.sim.balancers import health, routing
from spottui.sim.balancers.model import Listener, LoadBalancer
from spottui.sim.balancers.traffic_log import Passage
from spottui.sim.fault_injection import hang_up
from spottui.sim.model import Instance
from spottui.sim.services import Mode
from spottui.sim.world import World

_PATIENCE_S = 60.0
"""Wall time until a load balancer gives a server up that does not answer."""
_TCP = ("TCP", "UDP", "TCPSSL")


async def to_balancer(
    world: World, request: web.Request, balancer: LoadBalancer, listener: Listener
) -> web.Response:  # fmt: skip
    """Send a request on to a server and log what becomes of it: 502, 503 and 504 as an HTTP listener gives them.

    A TCP listener has no answers of its own: its client's connection is cut.
    """
    now = world.settle()
    server = routing.choose(world, listener)
    if server is None:
        status = 503
    else:
        mode = routing.mode_of(world, listener, server, now)
        if mode is Mode.HANGING:
            await asyncio.sleep(_PATIENCE_S)
        status = {Mode.UP: 200, Mode.DOWN: 502, Mode.FAILING: 500, Mode.HANGING: 504}[mode]
    cut = listener.protocol in _TCP and status not in (200, 500)
    server_id = server.server_id if server else ""
    world.traffic.add(
        Passage(now, balancer.id, listener.port, server_id, None if cut else status, lost=status != 200)
    )  # fmt: skip
    if cut:
        return hang_up(request, reset=True)
    instance = health.instance_of(world, server) if server else None
    return _answer(instance, status) if instance and status in (200, 500) else web.Response(status=status)


async def to_service(world: World, request: web.Request, instance: Instance | None, port: int) -> web.Response:
    """A request straight to what listens on an instance; nothing listening is a reset connection."""
    now = world.settle()
    mode = services.reach(world, instance.id, port, now) if instance else Mode.DOWN
    if instance is None or mode is Mode.DOWN:
        return hang_up(request, reset=True)
    if mode is Mode.HANGING:
        await asyncio.sleep(_PATIENCE_S)
        return hang_up(request)
    return _answer(instance, 200 if mode is Mode.UP else 500)


def _answer(instance: Instance, status: int) -> web.Response:
    return web.json_response(
        {"instance_id": instance.id, "name": instance.name, "private_ip": instance.private_ip}, status=status
    )  # fmt: skip
