"""Health checks: each group looks at its servers at its interval, in simulated time."""

from spottui.sim import services
from spottui.sim.balancers.model import BackendServer, ServerGroup
from spottui.sim.model import Instance
from spottui.sim.schedule import happening
from spottui.sim.services import Mode
from spottui.sim.world import World


def instance_of(world: World, server: BackendServer) -> Instance | None:
    """The instance that an entry leads to, if there is one now."""
    if server.type == "ip":
        return services.instance_at(world, server.ip)
    if server.type == "eni":
        eni = world.enis.get(server.server_id)
        return world.instances.get(eni.instance_id) if eni else services.instance_at(world, server.ip)
    return world.instances.get(server.server_id)


def reach(world: World, server: BackendServer, port: int, at: float) -> Mode:
    """What a connection to a port of the instance behind an entry comes to."""
    instance = instance_of(world, server)
    return services.reach(world, instance.id, port, at) if instance else Mode.DOWN


def begin(world: World, group: ServerGroup, at: float) -> None:
    """Check the group from now on."""
    world.schedule.plan(at + group.check.interval_s, check, group.id)


def believe(world: World, group: ServerGroup, at: float) -> None:
    """What answers now counts as healthy: it has been there for days."""
    port = _port(world, group)
    for server in group.servers:
        if _answers(world, group, server, port, at):
            server.health, server.streak = "Healthy", group.check.healthy


@happening
def check(world: World, at: float, group_id: str) -> None:
    """One round of checks; enough results in a row change the verdict."""
    group = world.server_groups.get(group_id)
    if group is None:
        return
    port = _port(world, group)
    for server in group.servers:
        if server.status != "Adding":
            _judge(group, server, _answers(world, group, server, port, at))
    world.schedule.plan(at + group.check.interval_s, check, group_id)


def _judge(group: ServerGroup, server: BackendServer, answers: bool) -> None:
    if answers:
        server.streak = max(server.streak, 0) + 1
        if server.streak >= group.check.healthy:
            server.health = "Healthy"
    else:
        server.streak = min(server.streak, 0) - 1
        if -server.streak >= group.check.unhealthy:
            server.health = "Unhealthy"


def _answers(world: World, group: ServerGroup, server: BackendServer, port: int, at: float) -> bool:
    mode = reach(world, server, group.check.port or server.port or port, at)
    return mode is Mode.UP or (group.check.protocol == "TCP" and mode is not Mode.DOWN)


def _port(world: World, group: ServerGroup) -> int:
    """Where entries are checked that do not say it themselves."""
    if group.check.port or group.id != group.load_balancer_id:
        return group.check.port
    listeners = world.load_balancers[group.id].listeners
    return next((listener.backend_port for listener in listeners if listener.group_id == group.id), 0)
