"""Real sockets for simulated addresses in 127.0.0.0/8: of load balancers, and of what listens on instances.

A vSwitch of 127.10.0.0/24 gives instances addresses that a probe on this machine reaches as it would reach the real
ones. An address outside of 127.0.0.0/8 has no socket; `/_sim/balancer` and `/_sim/service` lead there as well.
"""

import asyncio
import logging
import ssl
from contextlib import suppress

from aiohttp import web

from spottui.sim import services
from spottui.sim.balancers import routing, traffic
from spottui.sim.cloud import Cloud
from spottui.sim.world import World

LOG = logging.getLogger("spottui.sim")
Place = tuple[str, int]


class Doors:
    """The open sockets; `follow` opens and closes them as the world has it now."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._open: dict[Place, web.TCPSite] = {}
        self._refused: set[Place] = set()
        self._turn = asyncio.Lock()
        self._tls: ssl.SSLContext | None = None
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", self._enter)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)

    async def start(self, tls: ssl.SSLContext | None) -> None:
        """Open what is there from the start; `tls` is for the ports that the setting `tls_ports` names."""
        self._tls = tls
        await self._runner.setup()
        await self.follow()

    async def stop(self) -> None:
        """Close all."""
        await self._runner.cleanup()

    async def follow(self) -> None:
        """Let the sockets be those of the world, at its time now."""
        world = self._cloud.world
        if not (world.services or world.load_balancers or self._open):
            return
        async with self._turn:
            wanted = _places(world)
            for place in self._open.keys() - wanted:
                await self._open.pop(place).stop()
            for place in sorted(wanted - self._open.keys() - self._refused):
                await self._open_at(place)

    async def watch(self) -> None:
        """Follow whenever time brings something about by itself, until cancelled."""
        with suppress(asyncio.CancelledError):
            while True:
                await self._cloud.something_happened()
                await self.follow()

    async def _open_at(self, place: Place) -> None:
        context = self._tls if place[1] in self._cloud.world.settings.tls_ports else None
        site = web.TCPSite(self._runner, *place, ssl_context=context)
        try:
            await site.start()
        except OSError as problem:
            # Not every system has all of 127.0.0.0/8, nor lets everybody listen below 1024.
            LOG.warning("nothing listens on %s:%d of the simulated cloud: %s", *place, problem.strerror)
            self._refused.add(place)
        else:
            self._open[place] = site

    async def _enter(self, request: web.Request) -> web.Response:
        world = self._cloud.world
        world.settle()
        address, port = request.transport.get_extra_info("sockname") if request.transport else ("", 0)
        balancer = routing.balancer_at(world, address, port)
        if balancer:
            return await traffic.to_balancer(world, request, *balancer)
        return await traffic.to_service(world, request, services.instance_at(world, address), port)


def _places(world: World) -> set[Place]:
    now = world.settle()
    balancers = {(row.address, listener.port) for row in world.load_balancers.values() for listener in row.listeners}
    return {place for place in (*balancers, *services.listening(world, now)) if place[0].startswith("127.")}
