"""An ECS instance, its disks and the DNS records of its address, as the cloud shows them."""

from datetime import datetime
from enum import StrEnum

import msgspec


class InstanceStatus(StrEnum):
    """The status of an instance as the ECS API names it."""

    PENDING = "Pending"
    STARTING = "Starting"
    RUNNING = "Running"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    UNKNOWN = "Unknown"


class InterruptionBehavior(StrEnum):
    """What the cloud does to the instance at the deadline; fixed at creation (`SpotInterruptionBehavior`)."""

    TERMINATE = "Terminate"
    STOP = "Stop"


class Instance(msgspec.Struct, frozen=True, gc=False):
    """One instance of the fleet; every text field is untrusted text from the cloud."""

    region: str
    instance_id: str
    name: str
    instance_type: str
    zone: str
    status: InstanceStatus
    spot_strategy: str
    recycling: bool
    behavior: InterruptionBehavior = InterruptionBehavior.TERMINATE
    private_ip: str = ""
    public_ip: str = ""
    eip_id: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    created: datetime | None = None
    vcpus: int = 0
    memory_gib: float = 0.0

    @property
    def is_spot(self) -> bool:
        """Whether the instance can be reclaimed: any strategy but `NoSpot`."""
        return self.spot_strategy not in ("", "NoSpot")


class Disk(msgspec.Struct, frozen=True, gc=False):
    """One cloud or local disk of an instance; `size_gib` is in GiB."""

    disk_id: str
    device: str
    kind: str
    category: str
    size_gib: int
    performance_level: str = ""
    delete_with_instance: bool = True
    status: str = ""
    instance_id: str = ""
    encrypted: bool = False
    tags: tuple[tuple[str, str], ...] = ()
    name: str = ""
    description: str = ""
    kms_key_id: str = ""
    provisioned_iops: int | None = None
    bursting: bool | None = None
    snapshot_policy_id: str = ""

    @property
    def is_local(self) -> bool:
        """Whether the disk lives in the host and cannot outlive the instance."""
        return self.category.startswith(("local_", "ephemeral"))


class DnsRecord(msgspec.Struct, frozen=True, gc=False):
    """One A record: its host `rr` within `zone`, its address, and for how many seconds clients may remember that."""

    record_id: str
    rr: str
    zone: str
    value: str
    ttl: int
    line: str = "default"
    weight: int = 1

    @property
    def name(self) -> str:
        """The domain name; `@` is the zone itself."""
        return self.zone if self.rr == "@" else f"{self.rr}.{self.zone}"
