"""What the simulated cloud is made of. Times are simulated epoch seconds, sizes are GiB."""

from dataclasses import dataclass, field
from typing import Any

Tags = dict[str, str]


@dataclass(slots=True)
class VSwitch:
    """A subnet in one zone; `used` holds the taken host numbers of its network."""

    id: str
    region: str
    zone: str
    vpc_id: str
    cidr: str
    used: set[int] = field(default_factory=set)
    cursor: int = 10
    tags: Tags = field(default_factory=dict)


@dataclass(slots=True)
class Region:
    """A region: zones in order, one vSwitch each, and the queue its spot events go to."""

    id: str
    zones: tuple[str, ...]
    vpc_id: str
    security_group_id: str
    vswitches: dict[str, str]
    queue: str


@dataclass(slots=True)
class Instance:
    """An ECS instance. `locks` are operation-lock reasons, `release_at` is set by a reclaim."""

    seq: int
    id: str
    name: str
    region: str
    zone: str
    type: str
    vswitch_id: str
    private_ip: str
    image_id: str
    created_at: float
    status: str = "Running"
    host_name: str = ""
    description: str = ""
    spot_strategy: str = "NoSpot"
    spot_price_limit: float = 0.0
    spot_duration: int = 1
    behavior: str = "Terminate"
    public_ip: str = ""
    bandwidth_out: int = 0
    eip_id: str = ""
    key_pair: str = ""
    ram_role: str = ""
    user_data: str = ""
    security_group_ids: tuple[str, ...] = ()
    resource_group_id: str = ""
    deployment_set_id: str = ""
    http_tokens: str = "optional"
    deletion_protection: bool = False
    eni_id: str = ""
    mac: str = ""
    serial: str = ""
    started_at: float = 0.0
    locks: tuple[str, ...] = ()
    release_at: float | None = None
    stopped_mode: str = "Not-applicable"
    listed_at: float = 0.0
    disk_ids: list[str] = field(default_factory=list)
    tags: Tags = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    """What was asked for at the launch and is only shown, by field of DescribeInstances."""
    ipv6_addresses: tuple[str, ...] = ()
    more_private_ips: tuple[str, ...] = ()
    """Secondary private addresses of the primary interface."""

    @property
    def is_spot(self) -> bool:
        """Whether the instance is preemptible."""
        return self.spot_strategy != "NoSpot"


@dataclass(slots=True)
class Disk:
    """A disk, attached (`instance_id`) or not. Category `ephemeral*` is local to its host."""

    seq: int
    id: str
    region: str
    zone: str
    name: str
    type: str
    device: str
    category: str
    size_gib: int
    created_at: float
    instance_id: str = ""
    status: str = "In_use"
    delete_with_instance: bool = True
    performance_level: str = ""
    encrypted: bool = False
    kms_key_id: str = ""
    image_id: str = ""
    source_snapshot_id: str = ""
    snapshots_done: int = 0
    snapshot_at: float = 0.0
    tags: Tags = field(default_factory=dict)
    ports: tuple[int, ...] = ()
    """What software on a system disk listens on."""

    @property
    def is_local(self) -> bool:
        """Whether the disk lives and dies with its host."""
        return self.category.startswith("ephemeral") or self.category.startswith("local")


@dataclass(slots=True)
class Snapshot:
    """A snapshot of one disk; made by an image or on its own."""

    seq: int
    id: str
    region: str
    disk_id: str
    disk_type: str
    size_gib: int
    started_at: float
    done_at: float
    name: str = ""
    status: str = "progressing"
    usage: str = ""
    tags: Tags = field(default_factory=dict)
    encrypted: bool = False
    kms_key_id: str = ""
    available_at: float | None = None
    """When disks can be made of it, although its upload goes on; None: only when it is accomplished."""
    ports: tuple[int, ...] = ()


@dataclass(slots=True)
class SnapshotGroup:
    """Snapshots of the disks of one instance, all of one moment."""

    seq: int
    id: str
    region: str
    name: str
    instance_id: str
    snapshot_ids: tuple[str, ...]
    started_at: float
    description: str = ""
    tags: Tags = field(default_factory=dict)


@dataclass(slots=True)
class Mapping:
    """One disk of an image."""

    device: str
    type: str
    size_gib: int
    snapshot_id: str


@dataclass(slots=True)
class Image:
    """An image. Between `started_at` and `done_at` it is Creating; `usable_at` may be earlier than done."""

    seq: int
    id: str
    region: str
    name: str
    owner: str
    started_at: float
    done_at: float
    usable_at: float
    mappings: tuple[Mapping, ...]
    status: str = "Creating"
    failed_at: float | None = None
    description: str = ""
    family: str = ""
    source_instance_id: str = ""
    listed_at: float = 0.0
    tags: Tags = field(default_factory=dict)
    architecture: str = "x86_64"
    boot_mode: str = "UEFI-Preferred"
    imds: str = "v2"
    is_copied: bool = False


@dataclass(slots=True)
class Eip:
    """An elastic public address; `instance_id` is empty while it is not bound."""

    id: str
    region: str
    address: str
    allocated_at: float
    bandwidth: int = 5
    instance_id: str = ""
    tags: Tags = field(default_factory=dict)
    busy: str = ""
    """`Associating` or `Unassociating` while that takes its time."""


@dataclass(slots=True)
class Eni:
    """A secondary network interface; its first private address is the primary one."""

    seq: int
    id: str
    region: str
    vswitch_id: str
    mac: str
    private_ips: tuple[str, ...]
    created_at: float
    instance_id: str = ""
    name: str = ""
    description: str = ""
    delete_on_release: bool = True
    security_group_ids: tuple[str, ...] = ()
    ipv6_addresses: tuple[str, ...] = ()
    tags: Tags = field(default_factory=dict)
    busy: str = ""
    """`Attaching` or `Detaching` while that takes its time."""


@dataclass(slots=True)
class Service:
    """What listens on an instance, and how it is doing (`services.Mode`)."""

    ports: tuple[int, ...]
    mode: str


@dataclass(slots=True)
class DnsRecord:
    """A record of a private zone; `rr` is the host, `@` for the zone itself."""

    id: int
    rr: str
    type: str
    value: str
    ttl: int
    created_at: float
    updated_at: float
    priority: int = 1
    weight: int = 1
    status: str = "ENABLE"
    remark: str = ""


@dataclass(slots=True)
class DnsZone:
    """A zone of PrivateZone, bound to the VPCs of its account."""

    id: str
    name: str
    created_at: float
    updated_at: float
    records: dict[str, DnsRecord] = field(default_factory=dict)
    """By id, written as text: JSON has no other keys."""


@dataclass(slots=True)
class LaunchTemplate:
    """A launch template: for each version, from 1, the parameters of a launch as they came."""

    seq: int
    id: str
    region: str
    name: str
    created_at: float
    versions: list[dict[str, str]] = field(default_factory=list)
    default_version: int = 1
    tags: Tags = field(default_factory=dict)


@dataclass(slots=True)
class Invocation:
    """A Cloud Assistant command on instances; `content` is Base64 as it came, times are its own."""

    seq: int
    id: str
    region: str
    command_id: str
    type: str
    content: str
    name: str
    timeout_s: int
    instance_ids: list[str]
    started_at: float
    done_at: float
    exit_code: int
    error_code: str = ""
    """Why it did not run at all, `ClientNotRunning` for one without an agent."""


@dataclass(slots=True)
class SecurityToken:
    """A temporary AccessKey of STS, of an assumed role where `arn` is not empty."""

    secret: str
    token: str
    expires_at: float
    arn: str = ""


@dataclass(slots=True)
class Subscription:
    """Where messages of a topic go: a queue's name as an ARN, or an HTTP endpoint."""

    name: str
    endpoint: str
    created_at: float
    modified_at: float
    filter_tag: str = ""
    strategy: str = "BACKOFF_RETRY"
    format: str = "XML"


@dataclass(slots=True)
class Topic:
    """A topic of MNS with its subscriptions by name."""

    name: str
    created_at: float
    modified_at: float
    maximum_message_size: int = 65536
    logging_enabled: bool = False
    published: int = 0
    subscriptions: dict[str, Subscription] = field(default_factory=dict)


@dataclass(slots=True)
class EventRule:
    """A CloudMonitor rule: which system events go to which queues."""

    name: str
    state: str = "ENABLED"
    description: str = ""
    group_id: str = ""
    event_names: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    targets: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Target id to (region, queue name)."""
    levels: tuple[str, ...] = ()
    """`CRITICAL`, `WARN`, `INFO` or `*`; none is all, as with the event types, the statuses and the names."""
    event_types: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    other_targets: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    """Kind (`WebhookParameters`, …) to target id to what was given: kept and shown, nothing is sent there."""


@dataclass(slots=True)
class Notice:
    """A system event that happened, as CloudMonitor's history keeps it; `content` for others than reclaims."""

    id: str
    name: str
    at: float
    region: str
    instance_id: str
    instance_name: str
    action: str
    content: dict[str, Any] = field(default_factory=dict)
    level: str = "WARN"
    product: str = "ECS"
