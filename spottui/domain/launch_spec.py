"""Everything that is needed to launch an instance again exactly as it was."""

from dataclasses import dataclass

from spottui.domain.instance import Disk, Instance


@dataclass(frozen=True, slots=True)
class LaunchSpec:
    """An instance's launch parameters, captured while it still exists.

    DescribeInstances does not return disks, RAM role or user data, so they come from calls of their own
    (alibaba_facts.md 1.3). `user_data` is Base64 as the API returns it and may hold secrets: it is kept out
    of every `repr`, log and screen.
    """

    instance: Instance
    vswitch_id: str
    security_group_ids: tuple[str, ...]
    disks: tuple[Disk, ...]
    key_pair: str = ""
    ram_role: str = ""
    host_name: str = ""
    description: str = ""
    resource_group_id: str = ""
    spot_price_limit: float = 0.0
    spot_duration: int | None = None
    internet_bandwidth_out: int = 0
    internet_charge_type: str = ""
    deletion_protection: bool = False
    credit_specification: str = ""
    deployment_set_id: str = ""
    http_tokens: str = ""
    http_endpoint: str = ""
    image_id: str = ""
    user_data: "Secret | None" = None
    vpc_id: str = ""
    tenancy: str = ""
    hpc_cluster_id: str = ""
    deployment_set_group: int | None = None
    private_dns: "PrivateDns | None" = None
    ipv6_addresses: int = 0
    network_interfaces: int = 1

    @property
    def cloud_disks(self) -> tuple[Disk, ...]:
        """The disks that can outlive the instance."""
        return tuple(disk for disk in self.disks if not disk.is_local)

    @property
    def image_gib(self) -> int:
        """The GiB that an image of this instance must read: all its cloud disks."""
        return sum(disk.size_gib for disk in self.cloud_disks)

    @property
    def main_category(self) -> str:
        """The category of most of those GiB, by which image times are remembered."""
        gib: dict[str, int] = {}
        for disk in self.cloud_disks:
            gib[disk.category] = gib.get(disk.category, 0) + disk.size_gib
        return max(gib, key=lambda category: gib[category], default="")


@dataclass(frozen=True, slots=True)
class PrivateDns:
    """How the instance's private DNS names are made (`PrivateDnsNameOptions`)."""

    host_name_type: str = ""
    instance_id_a: bool | None = None
    instance_id_aaaa: bool | None = None
    ip_a: bool | None = None
    ip_ptr: bool | None = None


@dataclass(frozen=True, slots=True)
class Secret:
    """A text that must not be shown: its `repr` and `str` are masked."""

    value: str

    def __repr__(self) -> str:
        return "Secret('***')"

    __str__ = __repr__
