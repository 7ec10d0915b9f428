"""What load balancers are made of. Times are simulated epoch seconds."""

from dataclasses import dataclass, field

CLB, ALB, NLB = "clb", "alb", "nlb"
PRODUCTS = (CLB, ALB, NLB)


@dataclass(slots=True)
class BackendServer:
    """An entry of a server group. `port` is 0 in the default group of a CLB: its listeners know the port."""

    seq: int
    server_id: str
    type: str
    """`ecs`, `eni` or `ip`."""
    ip: str
    port: int
    weight: int = 100
    description: str = ""
    status: str = "Available"
    """`Adding`, `Configuring` or `Removing` while a job of ALB or NLB is at it."""
    health: str = "Initial"
    """`Healthy` or `Unhealthy` once enough checks in a row say so."""
    streak: int = 0
    """Checks in a row with the same result, below 0 for failed ones."""
    credit: int = 0
    """Its standing in the weighted round robin."""

    @property
    def key(self) -> tuple[str, int, str]:
        """What tells it from the other entries of its group."""
        return self.server_id, self.port, self.ip


@dataclass(slots=True)
class HealthCheck:
    """How a group finds out who answers; `port` 0 is the port of each entry."""

    protocol: str = "TCP"
    """`HTTP` needs a 2xx, `TCP` only a connection."""
    port: int = 0
    interval_s: float = 2.0
    healthy: int = 3
    unhealthy: int = 3
    """Checks in a row that change the verdict."""


@dataclass(slots=True)
class ServerGroup:
    """A server group of ALB or NLB, a vServer group of a CLB, or, with the id of a CLB, its default group."""

    seq: int
    id: str
    product: str
    region: str
    vpc_id: str
    name: str
    created_at: float
    load_balancer_id: str = ""
    protocol: str = "HTTP"
    status: str = "Available"
    servers: list[BackendServer] = field(default_factory=list)
    check: HealthCheck = field(default_factory=HealthCheck)
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Listener:
    """A port of a load balancer. `backend_port` is for entries without a port of their own."""

    seq: int
    id: str
    protocol: str
    port: int
    group_id: str
    backend_port: int = 0


@dataclass(slots=True)
class LoadBalancer:
    """A load balancer with its listeners; `busy_until` is when a CLB takes the next change."""

    seq: int
    id: str
    product: str
    region: str
    zone: str
    vpc_id: str
    vswitch_id: str
    name: str
    address: str
    created_at: float
    listeners: list[Listener] = field(default_factory=list)
    busy_until: float = 0.0
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Job:
    """A change of a server group that ALB or NLB carries out by and by."""

    seq: int
    id: str
    product: str
    action: str
    group_id: str
    started_at: float
    done_at: float
