"""Everything that is needed to launch an instance again exactly as it was."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

import msgspec

from spottui.domain.instance import Disk, Instance, InterruptionBehavior

OUR_TAG = "spottui"
"""The tag key of everything that a recovery creates; its value is the interruption's id."""
OWN_TAGS = 1
"""How many tags a recovery adds to an instance that it launches."""
MOST_TAGS = 20
RESERVED_TAGS = ("aliyun", "acs:")
"""Prefixes of the cloud's own keys: it refuses a launch that sets them."""
RAM_ROLE, USER_DATA, DISKS = "RAM role", "user data", "disks"
"""Details of a launch spec that are read by separate calls, as named in `LaunchSpec.unread`."""


INSTANT_CATEGORIES = ("cloud_essd", "cloud_auto", "cloud_essd_entry", "cloud_regional_disk_auto")


class Part(StrEnum):
    """Parts that a launch can omit if the cloud refuses them: the instance runs, and the missing part is reported."""

    KEY_PAIR = "key pair"
    RAM_ROLE = "RAM role"
    RESOURCE_GROUP = "resource group"
    DEPLOYMENT_SET = "deployment set"
    SECURITY_GROUP = "security group"
    """One of several; at least one is needed for a launch."""
    PASSWORD = "password of the image"


_CAPTURED_LATER = ("internet_bandwidth_in", "interfaces", "back_to_spot")
PRICE_LIMITED = "SpotWithPriceLimit"
"""The strategy with a price limit; the other one is `SpotAsPriceGo`."""


class LaunchSpec(msgspec.Struct, frozen=True, gc=False):
    """An instance's launch parameters, captured while it still exists.

    DescribeInstances does not return disks, RAM role or user data, so they come from calls of their own
    (docs/alibaba-facts.md 1.3). `user_data` is Base64 as the API returns it and may hold secrets: it is kept out
    of every `repr`, log and screen. `unread` names the details that were refused when they were asked for; `beyond` are
    the fields that no launch can ask for, by name and value (domain.launch_fields).
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
    auto_release: datetime | None = None
    cpu_options: "CpuOptions | None" = None
    nested_virtualization: bool = False
    dedicated_host_id: str = ""
    affinity: str = ""
    ptp: bool = False
    hibernation: bool = False
    secure_boot: bool = False
    secondary_ips: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    beyond: tuple[tuple[str, str], ...] = ()
    unread: tuple[str, ...] = ()
    eni_id: str = ""
    """Its primary network interface."""
    image: "ImageTraits | None" = None
    internet_bandwidth_in: int = 0
    """Mbit/s, 0 if unknown."""
    interfaces: tuple[str, ...] = ()
    """Its secondary network interfaces."""
    back_to_spot: "SpotTerms | None" = None
    """As what its replacement is launched although it is on-demand itself."""

    def __repr__(self) -> str:
        """Leave out unknown fields that earlier versions did not capture, so that their plans keep their digest."""
        named = ((name, getattr(self, name)) for name in self.__struct_fields__)
        shown = (f"{name}={value!r}" for name, value in named if value or name not in _CAPTURED_LATER)
        return f"LaunchSpec({', '.join(shown)})"

    @property
    def spot_terms(self) -> "SpotTerms | None":
        """As what spot instance it is launched again; None where it is launched on-demand."""
        instance = self.instance
        if self.back_to_spot or not instance.is_spot:
            return self.back_to_spot
        return SpotTerms(instance.spot_strategy, self.spot_price_limit, self.spot_duration, instance.behavior)

    @property
    def cloud_disks(self) -> tuple[Disk, ...]:
        """The disks that can outlive the instance."""
        return tuple(disk for disk in self.disks if not disk.is_local)

    @property
    def data_disks(self) -> tuple[Disk, ...]:
        """The cloud disks other than the system disk."""
        return tuple(disk for disk in self.cloud_disks if disk.kind == "data")

    @property
    def has_instant_data(self) -> bool:
        """Whether a snapshot of each data disk can be used within seconds and in any zone: ESSD disks only.

        docs/alibaba-facts.md 13.
        """
        return all(disk.category in INSTANT_CATEGORIES for disk in self.data_disks)

    @property
    def has_instant_disks(self) -> bool:
        """Whether the same is true of every cloud disk."""
        return all(disk.category in INSTANT_CATEGORIES for disk in self.cloud_disks)

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


class SpotTerms(msgspec.Struct, frozen=True, gc=False):
    """What makes an instance a spot instance: `price_limit` an hour counts for the strategy `SpotWithPriceLimit`."""

    strategy: str
    price_limit: float = 0.0
    duration: int | None = None
    behavior: InterruptionBehavior = InterruptionBehavior.TERMINATE

    @property
    def limit(self) -> float:
        """The most that it pays an hour, 0 for no limit below on-demand."""
        return self.price_limit if self.strategy == PRICE_LIMITED else 0.0


class LaunchSource(msgspec.Struct, frozen=True, gc=False):
    """The source of a replacement: an image, and where its data disks come from.

    They are in the image, or made of `snapshots` (pairs of old disk and snapshot); with `data_disks` False there are
    none: they are attached afterwards. `zone`, where it is not empty, keeps the launch to one zone.
    """

    image_id: str
    data_disks: bool = True
    snapshots: tuple[tuple[str, str], ...] = ()
    zone: str = ""


def carried_tags(tags: Iterable[tuple[str, str]]) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """Return the tags that a replacement gets besides the recovery's own, and the keys that exceed the limit.

    Tags of the cloud, and of the recovery that made the old instance, are in neither.
    """
    free = [(key, value) for key, value in tags if key != OUR_TAG and not key.lower().startswith(RESERVED_TAGS)]
    room = MOST_TAGS - OWN_TAGS
    return tuple(free[:room]), tuple(key for key, _ in free[room:])


class CpuOptions(msgspec.Struct, frozen=True, gc=False):
    """CPU options other than the instance type's own; `threads_per_core` is 1 without hyper-threading."""

    cores: int
    threads_per_core: int
    numa: str = ""
    topology: str = ""


class ImageTraits(msgspec.Struct, frozen=True, gc=False):
    """Properties that an image made from snapshots lacks, taken from the instance's own image.

    By default the cloud assumes x86_64, Others Linux and metadata v1, and then refuses an ARM type or
    `HttpTokens=required` (docs/alibaba-facts.md 3.1).
    """

    architecture: str = ""
    platform: str = ""
    boot_mode: str = ""
    imds_support: str = ""


class PrivateDns(msgspec.Struct, frozen=True, gc=False):
    """How the instance's private DNS names are made (`PrivateDnsNameOptions`)."""

    host_name_type: str = ""
    instance_id_a: bool | None = None
    instance_id_aaaa: bool | None = None
    ip_a: bool | None = None
    ip_ptr: bool | None = None


class Secret(msgspec.Struct, frozen=True, gc=False):
    """A text that must not be shown: its `repr` and `str` are masked."""

    value: str

    def __repr__(self) -> str:
        return "Secret('***')"

    __str__ = __repr__
