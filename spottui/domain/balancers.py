"""An instance as a backend server of load balancers, and the actions that change it (docs/alibaba-facts.md 14)."""

from enum import StrEnum

import msgspec
from msgspec.structs import replace

from spottui.domain.launch_spec import LaunchSpec


class Product(StrEnum):
    """The kinds of load balancers, each with an API of its own."""

    CLB = "CLB"
    ALB = "ALB"
    NLB = "NLB"


class ServerType(StrEnum):
    """The type of a backend server's id in its group: instance, network interface or address."""

    ECS = "ecs"
    ENI = "eni"
    IP = "ip"


class Change(StrEnum):
    """What is done to one backend server of a group."""

    WEIGHT = "weight"
    ADD = "add"
    REMOVE = "remove"


class Server(msgspec.Struct, frozen=True, gc=False):
    """The ids by which an instance can be a backend server; `eni_id` is empty if unknown."""

    instance_id: str
    private_ip: str = ""
    eni_id: str = ""

    def id_as(self, server_type: ServerType) -> str:
        """Return its `ServerId` in an entry of this type, empty if unknown."""
        return {
            ServerType.ECS: self.instance_id,
            ServerType.ENI: self.eni_id,
            ServerType.IP: self.private_ip,
        }[server_type]

    @staticmethod
    def of(spec: LaunchSpec) -> "Server":
        """Return the ids of an instance."""
        return Server(spec.instance.instance_id, spec.instance.private_ip, spec.eni_id)

    @property
    def ids(self) -> tuple[str, ...]:
        """Return every `ServerId` that it may have."""
        return tuple(server_id for server_id in (self.instance_id, self.eni_id, self.private_ip) if server_id)


class Backend(msgspec.Struct, frozen=True, gc=False):
    """A backend server: one entry of a server group, a vServer group or the default group of a CLB.

    `balancer_id` is that of a CLB, empty for ALB and NLB; `group_id` is empty for the default group, whose `port` is 0,
    because its listeners have the
    port. `weight` is 0 to 100, of which 0 takes no new connections. `name` is that of the group or the
    CLB, untrusted text like `description`.
    """

    product: Product
    balancer_id: str
    group_id: str
    server_id: str
    server_type: ServerType = ServerType.ECS
    port: int = 0
    weight: int = 100
    server_ip: str = ""
    description: str = ""
    name: str = ""

    @property
    def group(self) -> str:
        """The id of what it is an entry of."""
        return self.group_id or self.balancer_id

    @property
    def key(self) -> tuple[str, str, int]:
        """The identity of the entry."""
        return self.group, self.server_id, self.port

    def of(self, server: Server) -> "Backend":
        """Return the same entry for another instance."""
        address = "" if self.server_type is ServerType.ECS else server.private_ip
        return replace(self, server_id=server.id_as(self.server_type), server_ip=address)


class BackendStatus(msgspec.Struct, frozen=True, gc=False):
    """An entry as listed now: `settled` if no change is in progress, `healthy` by health checks."""

    backend: Backend
    settled: bool
    healthy: bool


def action_of(backend: Backend, change: Change) -> str:
    """Return the API's action for a change of an entry."""
    if backend.product is not Product.CLB:
        return _ACTIONS[change]
    return _OF_VSERVER_GROUP[change] if backend.group_id else _OF_DEFAULT_GROUP[change]


_ACTIONS = {
    Change.WEIGHT: "UpdateServerGroupServersAttribute",
    Change.ADD: "AddServersToServerGroup",
    Change.REMOVE: "RemoveServersFromServerGroup",
}
_OF_VSERVER_GROUP = {
    Change.WEIGHT: "SetVServerGroupAttribute",
    Change.ADD: "AddVServerGroupBackendServers",
    Change.REMOVE: "RemoveVServerGroupBackendServers",
}
_OF_DEFAULT_GROUP = {
    Change.WEIGHT: "SetBackendServers",
    Change.ADD: "AddBackendServers",
    Change.REMOVE: "RemoveBackendServers",
}
