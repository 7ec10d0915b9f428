"""Instance types of the simulated cloud, with list prices in CNY an hour."""

import zlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InstanceType:
    """An instance type; `local_gib` > 0 means it comes with one local disk, `architecture` is X86 or ARM."""

    name: str
    vcpu: int
    memory_mib: int
    list_price: float
    local_gib: int = 0
    architecture: str = "X86"

    @property
    def enis(self) -> int:
        """How many network interfaces an instance may have, the primary one counted."""
        return 2 if self.vcpu <= 2 else 4

    @property
    def family(self) -> str:
        """`ecs.g7` of `ecs.g7.large`."""
        return self.name.rsplit(".", 1)[0]

    @property
    def image_architecture(self) -> str:
        """The architecture as images say it: `x86_64` or `arm64`."""
        return "arm64" if self.architecture == "ARM" else "x86_64"


TYPES = {
    t.name: t
    for t in (
        InstanceType("ecs.g6.large", 2, 8192, 0.50),
        InstanceType("ecs.g7.large", 2, 8192, 0.55),
        InstanceType("ecs.g7.xlarge", 4, 16384, 1.10),
        InstanceType("ecs.g7.2xlarge", 8, 32768, 2.20),
        InstanceType("ecs.g8i.large", 2, 8192, 0.60),
        InstanceType("ecs.g8i.xlarge", 4, 16384, 1.20),
        InstanceType("ecs.c6.large", 2, 4096, 0.39),
        InstanceType("ecs.c7.large", 2, 4096, 0.43),
        InstanceType("ecs.c7.xlarge", 4, 8192, 0.86),
        InstanceType("ecs.c8i.large", 2, 4096, 0.46),
        InstanceType("ecs.r7.large", 2, 16384, 0.72),
        InstanceType("ecs.r7.xlarge", 4, 32768, 1.44),
        InstanceType("ecs.g8y.large", 2, 8192, 0.45, architecture="ARM"),
        InstanceType("ecs.i3.xlarge", 4, 32768, 2.00, local_gib=894),
    )
}

_BUILT_IN = frozenset(TYPES)


def add(kind: InstanceType) -> None:
    """One more type, for a world that declares it."""
    TYPES[kind.name] = kind


def added() -> list[InstanceType]:
    """The types that worlds declared."""
    return [kind for name, kind in TYPES.items() if name not in _BUILT_IN]


def spot_price(type_name: str, zone: str) -> float:
    """The spot price of a type in a zone: 15-39 % of the list price, the same in every run."""
    share = 0.15 + (zlib.crc32(f"{type_name}@{zone}".encode()) % 25) / 100
    return round(TYPES[type_name].list_price * share, 3)
