"""What a recovery is going to do, frozen when it is confirmed."""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from spottui.domain.instance import InstanceStatus, InterruptionBehavior
from spottui.domain.launch_spec import USER_DATA, LaunchSpec
from spottui.domain.losses import Loss, lost
from spottui.domain.refusal import Refused


class Route(StrEnum):
    """The way by which an instance comes back."""

    IMAGE = "image"
    """A full image of the dying instance, launched elsewhere."""
    RESTART = "restart"
    """An instance that is stopped at the deadline is started again, itself."""
    KEPT_DISK = "kept-disk"
    """The kept system disk becomes an image after the release; the kept data disks move over."""
    WARM_IMAGE = "warm-image"
    """An earlier image of this instance, launched now: what was written since is not in it."""


class Stock(StrEnum):
    """What DescribeAvailableResource says of a type in a zone; advisory (docs/alibaba-facts.md 5)."""

    UNKNOWN = ""
    GOOD = "in stock"
    LOW = "low stock"
    NONE = "sold out"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place where the replacement may run: an instance type, a zone and the vSwitch that decides the zone.

    `price_per_hour` is in the account's currency and None when it is not known; `interruption_rate` is the cloud's own
    words, such as `0-3%`; `disk_category` is what every cloud disk gets where the old ones' category is not to be had,
    empty to leave them. `problem` is what a DryRun said against it, empty when it passed or could not be asked.
    """

    instance_type: str
    zone: str
    vswitch_id: str
    reason: str
    on_demand: bool = False
    stock: Stock = Stock.UNKNOWN
    interruption_rate: str = ""
    price_per_hour: float | None = None
    disk_category: str = ""
    problem: str = ""

    @property
    def place(self) -> tuple[str, str, bool]:
        """What is refused or has stock as one: type, zone, and whether it is on-demand."""
        return self.instance_type, self.zone, self.on_demand


@dataclass(frozen=True, slots=True)
class PlaceRules:
    """Within what the candidates are looked for, frozen from the configuration with the plan.

    `vswitches` maps zone id to vSwitch id, in the order in which the zones are preferred; `types` are tried in their
    order after the old type; `other_types` allows any type with at least the old vCPUs and memory after those.
    """

    vswitches: dict[str, str] = field(default_factory=dict)
    types: tuple[str, ...] = ()
    other_types: bool = True
    on_demand: bool = False


@dataclass(frozen=True, slots=True)
class Drain:
    """A command of the configuration that runs on the instance before its image is begun, in a box of time."""

    name: str
    command: str
    timeout_s: float


@dataclass(frozen=True, slots=True)
class WarmImage:
    """An earlier image of the instance; `made` is as old as its data is."""

    image_id: str
    made: datetime


class CautionKind(StrEnum):
    """What a person should know before a yes, beside what the replacement will lack; behind it its `what`."""

    STOPPED_ONLY = "stopped, not released"
    SCALING_GROUP = "scaling group"  # its id
    ONE_ZONE = "one zone"
    NO_TAGGED_VSWITCH = "no tagged vSwitch"
    UNKNOWN_DRAIN = "unknown drain"  # the name in the instance's tag
    NOT_LOOKED_UP = "not looked up"  # what, and why not


@dataclass(frozen=True, slots=True)
class Caution:
    """One such thing: `what` are its ids, names or the cloud's words, untrusted text."""

    kind: CautionKind
    what: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """The launch spec, the routes in the order in which they are taken, and the candidates in that of the trying.

    Before it is `surveyed` the candidates are only what the configuration names; stock, prices and other types are
    looked up while the plan is read or the image is made, within the `rules`.
    """

    routes: tuple[Route, ...]
    spec: LaunchSpec
    candidates: tuple[Candidate, ...]
    image_name: str
    cautions: tuple[Caution, ...] = ()
    rules: PlaceRules = field(default_factory=PlaceRules)
    drain: Drain | None = None
    warm_image: WarmImage | None = None
    surveyed: bool = False
    price_per_hour: float | None = None
    """What the old instance costs an hour now, None when it is not known."""
    currency: str = ""
    """Of all prices of the plan, the cloud's code, such as CNY; empty if unknown."""
    first_digest: str = ""
    """The digest before it was surveyed: who has confirmed that has confirmed the rules."""
    kept_digest: str = ""
    """The digest that it had before its user data was forgotten."""

    @property
    def route(self) -> Route:
        """The route that is taken first."""
        return self.routes[0]

    @property
    def losses(self) -> tuple[Loss, ...]:
        """What a replacement will not have of the old instance."""
        return lost(self.spec)

    @property
    def has_no_room(self) -> bool:
        """Whether every candidate is sold out; before the survey that is not known."""
        return bool(self.candidates) and all(one.stock is Stock.NONE for one in self.candidates)

    @property
    def digest(self) -> str:
        """A short fingerprint: what was confirmed on the screen is what runs.

        Whatever the image will be called, whether the lock came while the plan was read, and how prices moved.
        """
        if self.kept_digest:
            return self.kept_digest
        instance = replace(self.spec.instance, recycling=False, status=InstanceStatus.UNKNOWN)
        places = tuple((*one.place, one.vswitch_id, one.disk_category) for one in self.candidates)
        disks = tuple(replace(disk, status="", instance_id="", tags=()) for disk in self.spec.disks)
        spec = replace(self.spec, instance=instance, disks=disks)
        launched = (self.routes, spec, places, self.rules, self.drain, self.warm_image)
        user_data = self.spec.user_data.value if self.spec.user_data else ""
        return hashlib.sha256(f"{launched!r}{user_data}".encode()).hexdigest()[:12]

    @property
    def added_cost_per_hour(self) -> float:
        """The most that the replacement may cost an hour beyond the old instance, as far as prices are known."""
        prices = [one.price_per_hour for one in self.candidates if one.price_per_hour is not None]
        if not prices or self.price_per_hour is None:
            return 0.0
        return max(0.0, max(prices) - self.price_per_hour)


def by_route(plan: Plan, route: Route) -> Plan:
    """Return the plan with this route first; raises `Refused` when it cannot lead anywhere."""
    if route is Route.WARM_IMAGE and plan.warm_image is None:
        raise Refused("There is no earlier image of this instance.")
    if route is Route.RESTART and plan.spec.instance.behavior is not InterruptionBehavior.STOP:
        raise Refused("The cloud releases this instance at a reclaim: there will be nothing to start again.")
    return replace(plan, routes=(route, *(one for one in plan.routes if one is not route)), kept_digest="")


def without_user_data(plan: Plan) -> Plan:
    """Return the plan without the secrets that user data may hold; a launch by it lacks them, and says so."""
    if plan.spec.user_data is None:
        return plan
    spec = replace(plan.spec, user_data=None, unread=(*plan.spec.unread, USER_DATA))
    return replace(plan, spec=spec, kept_digest=plan.digest)


def same_place_first(spec: LaunchSpec, vswitches: dict[str, str]) -> tuple[Candidate, ...]:
    """Rank the same type in its own zone first, then in the other zones that have a vSwitch.

    `vswitches` maps zone id to vSwitch id, in the order in which the configuration prefers the zones. What was no spot
    instance is launched on-demand again.
    """
    old, on_demand = spec.instance, not spec.instance.is_spot
    home = Candidate(old.instance_type, old.zone, spec.vswitch_id, "same type, zone and vSwitch", on_demand)
    others = (
        Candidate(old.instance_type, zone, vswitch, "same type, other zone", on_demand)
        for zone, vswitch in vswitches.items()
        if zone != old.zone
    )
    return (home, *others)
