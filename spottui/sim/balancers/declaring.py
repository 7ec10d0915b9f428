"""Load balancers as a world, a scenario or a test declares them: each table is one listener with its group.

[[load_balancer]]  name, product (clb, alb, nlb), port, backend_port; region, address, protocol (HTTP, TCP, …),
                   group (its name; of a CLB none is the default group), tags,
                   servers = ["web-1", …] or [{instance, weight, port, description, type}],
                   check = {protocol, port, interval_s, healthy, unhealthy}

A name that is there already gets one more listener. An address in 127.0.0.0/8 has a real socket.
"""

from typing import Any

from spottui.sim import services
from spottui.sim.balancers import health
from spottui.sim.balancers.model import CLB, PRODUCTS, BackendServer, HealthCheck, Listener, LoadBalancer, ServerGroup
from spottui.sim.control_request import Given
from spottui.sim.errors import ControlError
from spottui.sim.world import World

_PROTOCOLS = ("HTTP", "HTTPS", "QUIC", "TCP", "UDP", "TCPSSL")
_PREFIXES = {"clb": "lb", "alb": "alb", "nlb": "nlb"}


def add(world: World, given: Given, now: float) -> dict[str, Any]:
    """A load balancer, or one more listener of it.

    Raises:
        ControlError: a field is wrong.
    """
    name, product = given.text("name"), given.choice("product", PRODUCTS, CLB)
    region = world.regions[given.choice("region", tuple(world.regions), next(iter(world.regions)))]
    port = int(given.number("port", None, 1, 65_535))
    backend_port = int(given.number("backend_port", port, 1, 65_535))
    protocol = given.choice("protocol", _PROTOCOLS, "TCP" if product == "nlb" else "HTTP")
    group_name, address, tags = given.text("group", ""), given.text("address", ""), given.mapping("tags")
    wanted = _wanted(given)
    check = _check(Given(given.table("check")), protocol)
    given.end()
    servers = [_server(world, row, 0 if product == CLB and not group_name else backend_port) for row in wanted]
    load_balancers = [row for row in world.load_balancers.values() if (row.name, row.product) == (name, product)]
    balancer = load_balancers[0] if load_balancers else _new(world, product, region.id, name, address, now)
    if any(listener.port == port for listener in balancer.listeners):
        raise ControlError("port", f"{name} listens on {port} already", "another port")
    balancer.tags |= tags
    group = _group(world, balancer, group_name, check, now)
    if not any(listener.group_id == group.id for listener in balancer.listeners):
        health.begin(world, group, now)
    listener = Listener(next(world.order), world.ids.resource("lsn"), protocol, port, group.id, backend_port)
    balancer.listeners.append(listener)
    group.servers += servers
    health.believe(world, group, now)
    return {"load_balancer_id": balancer.id, "listener_id": listener.id, "server_group_id": group.id}


def _new(world: World, product: str, region_id: str, name: str, address: str, now: float) -> LoadBalancer:
    region = world.regions[region_id]
    zone = region.zones[0]
    balancer = LoadBalancer(
        next(world.order), world.ids.resource(_PREFIXES[product]), product, region_id, zone, region.vpc_id,
        region.vswitches[zone], name, address or f"10.255.0.{len(world.load_balancers) % 250 + 1}", now,
    )  # fmt: skip
    world.load_balancers[balancer.id] = balancer
    if product == CLB:
        world.server_groups[balancer.id] = ServerGroup(
            next(world.order), balancer.id, CLB, region_id, region.vpc_id, "", now, balancer.id
        )
    return balancer


def _group(world: World, balancer: LoadBalancer, name: str, check: HealthCheck, now: float) -> ServerGroup:
    if balancer.product == CLB and not name:
        group = world.server_groups[balancer.id]
        group.check = check
        return group
    group_id = world.ids.resource("rsp" if balancer.product == CLB else "sgp")
    group = ServerGroup(
        next(world.order), group_id, balancer.product, balancer.region, balancer.vpc_id, name or balancer.name, now,
        balancer.id, protocol="TCP" if balancer.product == "nlb" else "HTTP", check=check,
    )  # fmt: skip
    world.server_groups[group.id] = group
    return group


def _wanted(given: Given) -> list[Given]:
    """Each server as a table; a name alone is one with nothing else said."""
    return [Given({"instance": server} if isinstance(server, str) else server) for server in given.items("servers")]


def _server(world: World, given: Given, port: int) -> BackendServer:
    instance = services.named(world, given.text("instance"))
    kind = given.choice("type", ("ecs", "eni", "ip"), "ecs")
    server_id = {"ecs": instance.id, "eni": instance.eni_id, "ip": instance.private_ip}[kind]
    # The default group of a CLB knows no ports: theirs stays 0 whatever is said.
    said = int(given.number("port", port or 1, 1, 65_535))
    server = BackendServer(
        next(world.order), server_id, kind, instance.private_ip, said if port else 0,
        int(given.number("weight", 100, 0, 100)), given.text("description", ""),
    )  # fmt: skip
    given.end()
    return server


def _check(given: Given, protocol: str) -> HealthCheck:
    check = HealthCheck(
        given.choice("protocol", ("HTTP", "TCP"), "HTTP" if protocol.startswith("HTTP") else "TCP"),
        int(given.number("port", 0, 0, 65_535)), given.number("interval_s", 2, 0.1, 300),
        int(given.number("healthy", 3, 1, 10)), int(given.number("unhealthy", 3, 1, 10)),
    )  # fmt: skip
    given.end()
    return check
