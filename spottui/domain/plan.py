"""What a recovery is going to do, frozen when it is confirmed."""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from functools import cached_property

import msgspec
from msgspec.structs import replace

from spottui.domain.balancers import Backend
from spottui.domain.instance import DnsRecord, InstanceStatus, InterruptionBehavior
from spottui.domain.launch_spec import USER_DATA, LaunchSpec
from spottui.domain.losses import Loss, lost
from spottui.domain.probe import Probe
from spottui.domain.reasons import Doing, NextStep
from spottui.domain.refusal import Refused
from spottui.domain.routes import EarlierImage, Route
from spottui.domain.savings import PlacePrice


class Stock(StrEnum):
    """What DescribeAvailableResource says of a type in a zone; advisory (docs/alibaba-facts.md 5)."""

    UNKNOWN = ""
    GOOD = "in stock"
    LOW = "low stock"
    NONE = "sold out"


class Candidate(msgspec.Struct, frozen=True, gc=False):
    """A place where the replacement may run: an instance type, a zone and the vSwitch that decides the zone.

    `price_per_hour` is in the account's currency, None if unknown; `interruption_rate` is in the cloud's words, such as
    `0-3%`; `disk_category` is the category of all cloud disks if the old one is not available, empty to keep it.
    `problem` is the error of a DryRun, empty if it passed or was not possible.
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
        """The unit of stock and refusals: type, zone, and whether it is on-demand."""
        return self.instance_type, self.zone, self.on_demand


class TiredPool(msgspec.Struct, frozen=True, gc=False):
    """A type in a zone where an instance or its predecessors were reclaimed so often `within` a duration."""

    instance_type: str
    zone: str
    reclaims: int
    within: str


class PlaceRules(msgspec.Struct, frozen=True, gc=False):
    """The rules for candidates, frozen from the configuration with the plan.

    `vswitches` maps zone id to vSwitch id, in the order in which the zones are preferred; `types` are tried in their
    order after the old type; `other_types` allows any type with at least the old vCPUs and memory after those. Spot
    instances use a `tired` pool only if nothing else has capacity.
    """

    vswitches: dict[str, str] = msgspec.field(default_factory=dict)
    types: tuple[str, ...] = ()
    other_types: bool = True
    on_demand: bool = False
    tired: tuple[TiredPool, ...] = ()

    def __repr__(self) -> str:
        """Leave out `tired`: the order of places covers it in the digest, which stays as in earlier versions."""
        named = ((name, getattr(self, name)) for name in self.__struct_fields__ if name != "tired")
        return f"PlaceRules({', '.join(f'{name}={value!r}' for name, value in named)})"

    def tired_of(self, candidate: Candidate) -> TiredPool | None:
        """Return the tired pool that a place is in; on-demand is in none."""
        pair = (candidate.instance_type, candidate.zone)
        pools = () if candidate.on_demand else self.tired
        return next((pool for pool in pools if (pool.instance_type, pool.zone) == pair), None)


class Drain(msgspec.Struct, frozen=True, gc=False):
    """A configured command that runs on the instance before its image is started, with a timeout."""

    name: str
    command: str
    timeout_s: float


class WarmImage(msgspec.Struct, frozen=True, gc=False):
    """An earlier image of all cloud disks of the instance or of its system disk; `made` is the time of its data."""

    image_id: str
    made: datetime


class CautionKind(StrEnum):
    """Kinds of cautions before a confirmation, besides the losses, each with its `what`."""

    STOPPED_ONLY = "stopped, not released"
    SCALING_GROUP = "scaling group"  # its id; an earlier version knew no other owners
    OWNED = "owned"  # the owner's kind and id
    ONE_ZONE = "one zone"
    NO_TAGGED_VSWITCH = "no tagged vSwitch"
    UNKNOWN_DRAIN = "unknown drain"  # the name in the instance's tag
    UNKNOWN_PROBE = "unknown probe"  # the name in the instance's tag
    UNKNOWN_PRIVATE_IP = "unknown private IP"  # the value of the instance's tag
    NOT_LOOKED_UP = "not looked up"  # what, and why not
    BACK_TO_SPOT = "back to spot"  # the region and the id of the on-demand instance, which goes on running


class Caution(msgspec.Struct, frozen=True, gc=False):
    """One caution: `what` are ids, names or the cloud's words, untrusted text."""

    kind: CautionKind
    what: tuple[str, ...] = ()


class Plan(msgspec.Struct, frozen=True, dict=True):
    """The launch spec, and the routes and candidates in the order in which they are tried.

    Before it is `surveyed` the candidates are only those of the configuration; stock, prices and other types are looked
    up by the `rules` while the plan is read or the image is made.
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
    """The newest image of all cloud disks."""
    system_image: WarmImage | None = None
    """The newest image of only the system disk, if every data disk can be made of a snapshot at once."""
    fresh_system: bool = False
    """The route `instant` waits until the deadline for an image of the system disk of the notice."""
    backends: tuple[Backend, ...] = ()
    """Its entries of load balancers, which the replacement gets with the same weights."""
    keeps_private_ip: bool = False
    """The launch waits for the release, and requests the old private IP in its vSwitch, or continues without it."""
    private_zone: str = ""
    """In this zone A records that name the old private IP are to name the replacement's."""
    records: tuple[DnsRecord, ...] | None = None
    """The records that exist now; None while unknown."""
    surveyed: bool = False
    route_chosen: bool = False
    """A person has put its first route there: a later survey leaves it there while it is possible."""
    price_per_hour: float | None = None
    """What the old instance costs an hour now, None if unknown."""
    currency: str = ""
    """The currency of all prices of the plan, the cloud's code, such as CNY; empty if unknown."""
    prices: tuple[PlacePrice, ...] = ()
    """The spot and on-demand prices of the old place and the candidates at the survey, as far as known."""
    first_digest: str = ""
    """The digest before the survey: its confirmation covers the rules."""
    kept_digest: str = ""
    """The digest that it had before its user data was forgotten."""

    @property
    def route(self) -> Route:
        """The route that is taken first."""
        return self.routes[0]

    @property
    def choices(self) -> tuple[Route, ...]:
        """The routes that a person may put first: the plan's own, and what an earlier image makes possible."""
        return (*self.routes, *(route for route in Route if route not in self.routes and self._offers(route)))

    def earlier_image(self, route: Route) -> WarmImage | None:
        """Return the existing image from which a route launches, None without one."""
        newest = {EarlierImage.ALL_DISKS: self.warm_image, EarlierImage.SYSTEM_DISK: self.system_image}
        kind = route.traits.earlier_image
        return newest[kind] if kind else None

    def _offers(self, route: Route) -> bool:
        return route.traits.always_offered and self.earlier_image(route) is not None

    @property
    def losses(self) -> tuple[Loss, ...]:
        """What a replacement will not have of the old instance."""
        return lost(self.spec, keeps_private_ip=self.keeps_private_ip)

    @property
    def next_step(self) -> NextStep:
        """What a yes to it does first."""
        if not self.route.traits.launches:
            return NextStep(Doing.PLANNED, route=self.route)
        first, *others = self.candidates
        then_zone = others[0].zone if others else ""
        return NextStep(
            Doing.PLANNED,
            route=self.route,
            instance_type=first.instance_type,
            zone=first.zone,
            then_zone=then_zone,
        )

    @property
    def has_no_room(self) -> bool:
        """Whether every candidate is sold out; unknown before the survey."""
        return bool(self.candidates) and all(candidate.stock is Stock.NONE for candidate in self.candidates)

    @cached_property
    def digest(self) -> str:
        """A short fingerprint: what was confirmed on the screen is what runs.

        It does not depend on the name of the image, a lock that came while the plan was read, or prices.
        """
        if self.kept_digest:
            return self.kept_digest
        instance = replace(self.spec.instance, recycling=False, status=InstanceStatus.UNKNOWN)
        places = tuple(
            (*candidate.place, candidate.vswitch_id, candidate.disk_category) for candidate in self.candidates
        )
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
            # A plan without them keeps its digest of an earlier version.
            *(part for part in (self.system_image, self.probe, self.keeps_private_ip, self.private_zone) if part),
            *(["fresh system"] if self.fresh_system else []),
        )
        user_data = self.spec.user_data.value if self.spec.user_data else ""
        return hashlib.sha256(f"{launched!r}{user_data}".encode()).hexdigest()[:12]

    @property
    def added_cost_per_hour(self) -> float:
        """The highest added cost of the replacement per hour, as far as prices are known."""
        prices = [candidate.price_per_hour for candidate in self.candidates if candidate.price_per_hour is not None]
        if not prices or self.price_per_hour is None:
            return 0.0
        return max(0.0, max(prices) - self.price_per_hour)


def in_old_vswitch_first(candidates: Iterable[Candidate], spec: LaunchSpec) -> tuple[Candidate, ...]:
    """Return the candidates with those where the old private IP can be had before the others, which say so."""
    every = list(candidates)
    elsewhere = (candidate for candidate in every if candidate.vswitch_id != spec.vswitch_id)
    return (
        *(candidate for candidate in every if candidate.vswitch_id == spec.vswitch_id),
        *(replace(candidate, reason=f"{candidate.reason}; without its private IP") for candidate in elsewhere),
    )


def routes_for(spec: LaunchSpec, *, is_ready: bool) -> tuple[Route, ...]:
    """Return the routes in their order; `instant` comes first where `is_ready` lets the system disk be older."""
    if spec.instance.behavior is InterruptionBehavior.STOP:
        return Route.RESTART, Route.IMAGE
    instant = (Route.INSTANT,) if is_ready and spec.has_instant_data else ()
    return (*instant, Route.IMAGE, Route.KEPT_DISK)


def routes_surveyed(plan: Plan, *, is_ready: bool, may_serve_earlier: bool) -> tuple[Route, ...]:
    """Return the routes of a plan that names its earlier images: those of them that a policy allows, in their place.

    `is_ready` lets the system disk be as old as its image, `may_serve_earlier` all disks. What a person chose stays.
    """
    chosen = plan.route_chosen and plan.earlier_image(plan.route) is not None
    if plan.spec.back_to_spot or chosen:
        return plan.routes
    instant = (Route.INSTANT,) if is_ready and Route.INSTANT in plan.routes else ()
    warm = (Route.WARM_IMAGE,) if may_serve_earlier and plan.warm_image else ()
    return (*instant, *(route for route in plan.routes if not route.traits.serves_at_once), *warm)


def by_route(plan: Plan, route: Route) -> Plan:
    """Return the plan with this route first; raises `Refused` if that route is impossible."""
    if route.traits.serves_at_once and plan.earlier_image(route) is None:
        raise Refused("There is no earlier image of this instance.")
    if route is Route.RESTART and plan.spec.instance.behavior is not InterruptionBehavior.STOP:
        raise Refused("The cloud releases this instance at a reclaim: nothing will be left to start.")
    return replace(plan, routes=(route, *(other for other in plan.routes if other is not route)), kept_digest="")


def without_user_data(plan: Plan) -> Plan:
    """Return the plan without user data, which may hold secrets; a launch from it lacks that, and reports it."""
    if plan.spec.user_data is None:
        return plan
    spec = replace(plan.spec, user_data=None, unread=(*plan.spec.unread, USER_DATA))
    return replace(plan, spec=spec, kept_digest=plan.digest)


def same_place_first(spec: LaunchSpec, vswitches: dict[str, str]) -> tuple[Candidate, ...]:
    """Rank the same type in its own zone first, then in the other zones that have a vSwitch.

    `vswitches` maps zone id to vSwitch id, in the order in which the configuration prefers the zones. What was no spot
    instance is launched on-demand again, unless it goes back to spot.
    """
    old, on_demand = spec.instance, spec.spot_terms is None
    home = Candidate(old.instance_type, old.zone, spec.vswitch_id, "same type, zone and vSwitch", on_demand)
    others = (
        Candidate(old.instance_type, zone, vswitch, "same type, other zone", on_demand)
        for zone, vswitch in vswitches.items()
        if zone != old.zone
    )
    return (home, *others)
