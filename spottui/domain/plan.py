"""What a recovery is going to do, frozen when it is confirmed."""

import hashlib
from dataclasses import dataclass, replace
from enum import StrEnum

from spottui.domain.instance import InstanceStatus
from spottui.domain.launch_spec import LaunchSpec


class Route(StrEnum):
    """The way by which an instance comes back."""

    IMAGE = "image"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place where the replacement may run: an instance type, a zone and the vSwitch that decides the zone."""

    instance_type: str
    zone: str
    vswitch_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The launch spec, the route and the candidates in the order in which they are tried."""

    route: Route
    spec: LaunchSpec
    candidates: tuple[Candidate, ...]
    image_name: str
    warnings: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """A short fingerprint: what was confirmed on the screen is what runs.

        Whatever the image will be called, and whether the lock came while the plan was read.
        """
        instance = replace(self.spec.instance, recycling=False, status=InstanceStatus.UNKNOWN)
        launched = replace(self, image_name="", spec=replace(self.spec, instance=instance))
        user_data = self.spec.user_data.value if self.spec.user_data else ""
        return hashlib.sha256(f"{launched!r}{user_data}".encode()).hexdigest()[:12]


def same_place_first(spec: LaunchSpec, vswitches: dict[str, str]) -> tuple[Candidate, ...]:
    """Rank the same type in its own zone first, then in the other zones that have a vSwitch.

    `vswitches` maps zone id to vSwitch id, in the order in which the configuration prefers the zones.
    """
    old = spec.instance
    home = Candidate(old.instance_type, old.zone, spec.vswitch_id, "same type, zone and vSwitch")
    others = (
        Candidate(old.instance_type, zone, vswitch, "same type, other zone")
        for zone, vswitch in vswitches.items()
        if zone != old.zone
    )
    return (home, *others)
