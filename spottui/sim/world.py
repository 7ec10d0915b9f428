"""The world: everything the simulated account owns, and the time it lives in. No I/O."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import TypeVar

from spottui.sim import model as m
from spottui.sim.balancers.model import Job, LoadBalancer, ServerGroup
from spottui.sim.balancers.traffic_log import TrafficLog
from spottui.sim.clock import Clock
from spottui.sim.coverage import Coverage
from spottui.sim.errors import ApiError, not_found
from spottui.sim.faults import Faults
from spottui.sim.ids import Ids
from spottui.sim.ledger import Ledger
from spottui.sim.mns.queues import Queues
from spottui.sim.schedule import Schedule
from spottui.sim.settings import Settings
from spottui.sim.throttle import Buckets
from spottui.sim.tokens import Tokens

_T = TypeVar("_T", m.Instance, m.Disk, m.Image, m.Snapshot, m.VSwitch, m.Eip, m.Eni)


@dataclass(slots=True)
class World:
    """State by id, in order of creation. Call `settle()` before reading it."""

    clock: Clock
    ids: Ids
    account_id: str
    keys: dict[str, str]
    """AccessKey id to secret."""
    settings: Settings = field(default_factory=Settings)
    schedule: Schedule = field(default_factory=Schedule)
    regions: dict[str, m.Region] = field(default_factory=dict)
    instances: dict[str, m.Instance] = field(default_factory=dict)
    disks: dict[str, m.Disk] = field(default_factory=dict)
    images: dict[str, m.Image] = field(default_factory=dict)
    snapshots: dict[str, m.Snapshot] = field(default_factory=dict)
    vswitches: dict[str, m.VSwitch] = field(default_factory=dict)
    eips: dict[str, m.Eip] = field(default_factory=dict)
    enis: dict[str, m.Eni] = field(default_factory=dict)
    """Secondary network interfaces; the primary ones are parts of their instances."""
    snapshot_groups: dict[str, m.SnapshotGroup] = field(default_factory=dict)
    launch_templates: dict[str, m.LaunchTemplate] = field(default_factory=dict)
    load_balancers: dict[str, LoadBalancer] = field(default_factory=dict)
    server_groups: dict[str, ServerGroup] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    services: dict[str, m.Service] = field(default_factory=dict)
    """Instance id to what listens on it."""
    dns_zones: dict[str, m.DnsZone] = field(default_factory=dict)
    stock: dict[tuple[str, str], int] = field(default_factory=dict)
    """(instance type, zone) to what is left; a pair that is not here has plenty."""
    prices: dict[tuple[str, str], list[tuple[float, float]]] = field(default_factory=dict)
    """(instance type, zone) to the prices that were set, each with the time since when."""
    invocations: dict[str, m.Invocation] = field(default_factory=dict)
    security_tokens: dict[str, m.SecurityToken] = field(default_factory=dict)
    """Temporary AccessKey id to its secret and token."""
    role_keys: dict[str, str] = field(default_factory=dict)
    """Instance id to the temporary AccessKey id that its metadata gives out."""
    topics: dict[str, m.Topic] = field(default_factory=dict)
    logging_bucket: str = ""
    """Where MNS logs to, an attribute of the account."""
    buckets: Buckets = field(default_factory=Buckets)
    queues: Queues = field(default_factory=Queues)
    event_rules: dict[str, m.EventRule] = field(default_factory=dict)
    notices: list[m.Notice] = field(default_factory=list)
    tokens: Tokens = field(default_factory=Tokens)
    ledger: Ledger = field(default_factory=Ledger)
    traffic: TrafficLog = field(default_factory=TrafficLog)
    coverage: Coverage = field(default_factory=Coverage)
    faults: Faults = field(default_factory=Faults)
    nonces: dict[str, float] = field(default_factory=dict)
    """Signature nonces seen, with the wall time they were seen at."""
    order: Iterator[int] = field(default_factory=lambda: count(1))
    others: "dict[str, World]" = field(default_factory=dict)
    """Account id to what another account owns; clock, settings, ledger, faults and temporary keys are shared."""

    @property
    def every(self) -> "tuple[World, ...]":
        """This account's world and those of the others."""
        return (self, *self.others.values())

    def settle(self) -> float:
        """Let everything happen that was due, in every account; returns simulated now."""
        now = self.clock.now()
        for world in self.every:
            world.schedule.run_until(world, now)
        return now

    def owner_of(self, access_key_id: str) -> "World":
        """The world of the account that a key, or the role of a temporary one, belongs to."""
        temporary = self.security_tokens.get(access_key_id)
        account_id = temporary.arn.split(":")[3] if temporary and temporary.arn else ""
        if temporary is None:
            account_id = next((world.account_id for world in self.every if access_key_id in world.keys), "")
        return self.others.get(account_id, self)

    def advance(self, seconds: float) -> None:
        """Jump ahead; everything due on the way happens in its order."""
        self.clock.advance(seconds)
        self.settle()

    def region(self, region_id: str) -> m.Region:
        """The region.

        Raises:
            ApiError: 404 InvalidRegionId.NotFound.
        """
        if region_id not in self.regions:
            raise ApiError("InvalidRegionId.NotFound", 404, f"The specified RegionId does not exist: {region_id}")
        return self.regions[region_id]

    def instance(self, instance_id: str, region: str = "") -> m.Instance:
        """The instance, which must be in `region` if one is given.

        Raises:
            ApiError: 404 InvalidInstanceId.NotFound.
        """
        return _find(self.instances, instance_id, region, "InstanceId")

    def disk(self, disk_id: str, region: str = "") -> m.Disk:
        """The disk, or 404 InvalidDiskId.NotFound."""
        return _find(self.disks, disk_id, region, "DiskId")

    def image(self, image_id: str, region: str = "") -> m.Image:
        """The image, or 404 InvalidImageId.NotFound."""
        return _find(self.images, image_id, region, "ImageId")

    def snapshot(self, snapshot_id: str, region: str = "") -> m.Snapshot:
        """The snapshot, or 404 InvalidSnapshotId.NotFound."""
        return _find(self.snapshots, snapshot_id, region, "SnapshotId")

    def vswitch(self, vswitch_id: str, region: str = "") -> m.VSwitch:
        """The vSwitch, or 404 InvalidVSwitchId.NotFound."""
        return _find(self.vswitches, vswitch_id, region, "VSwitchId")

    def eip(self, allocation_id: str, region: str = "") -> m.Eip:
        """The EIP, or 404 InvalidAllocationId.NotFound."""
        return _find(self.eips, allocation_id, region, "AllocationId")

    def eni(self, eni_id: str, region: str = "") -> m.Eni:
        """The secondary network interface, or 404 InvalidEniId.NotFound."""
        return _find(self.enis, eni_id, region, "EniId")

    def disks_of(self, instance: m.Instance) -> list[m.Disk]:
        """The disks attached to the instance, system disk first."""
        return [self.disks[disk_id] for disk_id in instance.disk_ids]


def _find(table: dict[str, _T], key: str, region: str, kind: str) -> _T:
    found = table.get(key)
    if found is None or (region and found.region != region):
        raise not_found(kind, key)
    return found
