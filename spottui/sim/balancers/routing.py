"""Which server the next request of a listener goes to."""

from spottui.sim.balancers import health
from spottui.sim.balancers.model import BackendServer, Listener, LoadBalancer
from spottui.sim.services import Mode
from spottui.sim.world import World


def balancer_at(world: World, address: str, port: int) -> tuple[LoadBalancer, Listener] | None:
    """The load balancer and listener of an address and port."""
    for balancer in world.load_balancers.values():
        if balancer.address == address:
            return listener_of(balancer, port)
    return None


def listener_of(balancer: LoadBalancer, port: int) -> tuple[LoadBalancer, Listener] | None:
    """A listener of a load balancer by its port."""
    return next(((balancer, listener) for listener in balancer.listeners if listener.port == port), None)


def choose(world: World, listener: Listener) -> BackendServer | None:
    """A healthy server by weighted round robin, its turn taken; None when there is none.

    Weight 0 gets no new requests, nor does a server that is being added or removed.
    """
    servers = [server for server in world.server_groups[listener.group_id].servers if _takes_part(server)]
    if not servers:
        return None
    for server in servers:
        server.credit += server.weight
    chosen = max(servers, key=lambda server: server.credit)
    chosen.credit -= sum(server.weight for server in servers)
    return chosen


def mode_of(world: World, listener: Listener, server: BackendServer, at: float) -> Mode:
    """What a request sent to the server comes to, whatever health checks think of it."""
    return health.reach(world, server, server.port or listener.backend_port, at)


def _takes_part(server: BackendServer) -> bool:
    return server.weight > 0 and server.health == "Healthy" and server.status in ("Available", "Configuring")
