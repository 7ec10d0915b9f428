"""What a recovery is going to do, frozen when it is confirmed."""

import hashlib
from datetime import datetime
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from spottui.domain.balancers import Backend
from spottui.domain.instance import InstanceStatus, InterruptionBehavior
from spottui.domain.launch_spec import USER_DATA, LaunchSpec
from spottui.domain.losses import Loss, lost
from spottui.domain.probe import Probe
from spottui.domain.refusal import Refused
from spottui.domain.routes import Route, Source
from spottui.domain.savings import PlacePrice


class Stock(StrEnum):
    """What DescribeAvailableResource says of a type in a zone; advisory (docs/alibaba-facts.md 5)."""

    UNKNOWN = ""
    GOOD = "in stock"
    LOW = "low stock"
    NONE = "sold out"


class Candidate(msgspec.Struct, frozen=True):
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


class TiredPool(msgspec.Struct, frozen=True):
    """A type in a zone where an instance, or one that it replaced, was reclaimed so often `within` a duration."""

    instance_type: str
    zone: str
    reclaims: int
    within: str


class PlaceRules(msgspec.Struct, frozen=True):
    """Within what the candidates are looked for, frozen from the configuration with the plan.

    `vswitches` maps zone id to vSwitch id, in the order in which the zones are preferred; `types` are tried in their
    order after the old type; `other_types` allows any type with at least the old vCPUs and memory after those. Spot
    instances go to a `tired` pool only where nothing else has room.
    """

    vswitches: dict[str, str] = msgspec.field(default_factory=dict)
    types: tuple[str, ...] = ()
    other_types: bool = True
    on_demand: bool = False
    tired: tuple[TiredPool, ...] = ()

    def __repr__(self) -> str:
        """Leave `tired` out: the order of the places says it in a plan's digest, which stays as it was without them."""
        named = ((name, getattr(self, name)) for name in self.__struct_fields__ if name != "tired")
        return f"PlaceRules({', '.join(f'{name}={value!r}' for name, value in named)})"

    def tired_of(self, candidate: Candidate) -> TiredPool | None:
        """Return the tired pool that a place is in; on-demand is in none."""
        pair = (candidate.instance_type, candidate.zone)
        pools = () if candidate.on_demand else self.tired
        return next((pool for pool in pools if (pool.instance_type, pool.zone) == pair), None)


class Drain(msgspec.Struct, frozen=True):
    """A command of the configuration that runs on the instance before its image is begun, in a box of time."""

    name: str
    command: str
    timeout_s: float


class WarmImage(msgspec.Struct, frozen=True):
    """An earlier image of the instance, of all its cloud disks or of the system disk; `made` is as old as its data."""

    image_id: str
    made: datetime


class CautionKind(StrEnum):
    """What a person should know before a yes, beside what the replacement will lack; behind it its `what`."""

    STOPPED_ONLY = "stopped, not released"
    SCALING_GROUP = "scaling group"  # its id; an earlier version knew no other owners
    OWNED = "owned"  # the owner's kind and id
    ONE_ZONE = "one zone"
    NO_TAGGED_VSWITCH = "no tagged vSwitch"
    UNKNOWN_DRAIN = "unknown drain"  # the name in the instance's tag
    UNKNOWN_PROBE = "unknown probe"  # the name in the instance's tag
    NOT_LOOKED_UP = "not looked up"  # what, and why not


class Caution(msgspec.Struct, frozen=True):
    """One such thing: `what` are its ids, names or the cloud's words, untrusted text."""

    kind: CautionKind
    what: tuple[str, ...] = ()


class Plan(msgspec.Struct, frozen=True):
    """The launch spec, the routes in the order in which they are taken, and the candidates in that of the trying.

    Before it is `surveyed` the candidates are only what the configuration names; stock, prices and other types are
    looked up while the plan is read or the image is made, within the `rules`.
    """

    routes: tuple[Route, ...]
    spec: LaunchSpec
    candidates: tuple[Candidate, ...]
    image_name: str
    cautions: tuple[Caution, ...] = ()
    rules: PlaceRules = msgspec.field(default_factory=PlaceRules)
    drain: Drain | None = None
    probe: Probe | None = None
    warm_image: WarmImage | None = None
    """The newest of all cloud disks."""
    system_image: WarmImage | None = None
    """The newest of the system disk alone, where each data disk can be made of a snapshot at once."""
    backends: tuple[Backend, ...] = ()
    """Its entries of load balancers, which the replacement gets with the same weights."""
    surveyed: bool = False
    price_per_hour: float | None = None
    """What the old instance costs an hour now, None when it is not known."""
    currency: str = ""
    """Of all prices of the plan, the cloud's code, such as CNY; empty if unknown."""
    prices: tuple[PlacePrice, ...] = ()
    """What the old place and the candidates' cost as spot and on-demand when it was surveyed, as far as it is known."""
    first_digest: str = ""
    """The digest before it was surveyed: who has confirmed that has confirmed the rules."""
    kept_digest: str = ""
    """The digest that it had before its user data was forgotten."""

    @property
    def route(self) -> Route:
        """The route that is taken first."""
        return self.routes[0]

    @property
    def choices(self) -> tuple[Route, ...]:
        """The routes that a person may put first: the plan's own, and what an earlier image makes possible."""
        offered = (Route.INSTANT,) if self.system_image and Route.INSTANT not in self.routes else ()
        return (*self.routes, *offered)

    def earlier_image(self, route: Route) -> WarmImage | None:
        """Return the image that is there already and that a route launches from; None where there is none."""
        sources = {Source.EARLIER_IMAGE: self.warm_image, Source.EARLIER_IMAGE_AND_SNAPSHOTS: self.system_image}
        return sources.get(route.traits.source)

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
        spec = replace(self.spec, instance=instance, disks=disks, eni_id="")
        launched = (
            self.routes,
            spec,
            places,
            self.rules,
            self.drain,
            self.warm_image,
            *(backend.key for backend in self.backends),
            # A plan without them has the digest that an earlier version gave it.
            *(part for part in (self.system_image, self.probe) if part),
        )
        user_data = self.spec.user_data.value if self.spec.user_data else ""
        return hashlib.sha256(f"{launched!r}{user_data}".encode()).hexdigest()[:12]

    @property
    def added_cost_per_hour(self) -> float:
        """The most that the replacement may cost an hour beyond the old instance, as far as prices are known."""
        prices = [one.price_per_hour for one in self.candidates if one.price_per_hour is not None]
        if not prices or self.price_per_hour is None:
            return 0.0
        return max(0.0, max(prices) - self.price_per_hour)


def routes_for(spec: LaunchSpec, *, is_ready: bool) -> tuple[Route, ...]:
    """Return the routes in their order; `instant` comes first where `is_ready` lets the system disk be older."""
    if spec.instance.behavior is InterruptionBehavior.STOP:
        return Route.RESTART, Route.IMAGE
    instant = (Route.INSTANT,) if is_ready and spec.has_instant_data else ()
    return (*instant, Route.IMAGE, Route.KEPT_DISK)


def by_route(plan: Plan, route: Route) -> Plan:
    """Return the plan with this route first; raises `Refused` when it cannot lead anywhere."""
    if route.traits.serves_at_once and plan.earlier_image(route) is None:
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
