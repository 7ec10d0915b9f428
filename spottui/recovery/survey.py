"""Surveying the places of a plan: other types and zones, stock, prices, and a DryRun of each candidate.

A survey never fails: a failed look-up becomes a caution of the plan, and the places are ranked without it.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from msgspec.structs import replace

from spottui.cloud.balancers import MOST_SERVERS
from spottui.cloud.ecs_shapes import Image
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.cloud.launch_request import check_key
from spottui.cloud.market import Market
from spottui.cloud.thread_pools import ThreadPools
from spottui.domain.background import Background
from spottui.domain.balancers import Backend, Product, Server
from spottui.domain.clock import Clock
from spottui.domain.instance import DnsRecord, Instance
from spottui.domain.launch_spec import LaunchSpec
from spottui.domain.places import InstanceType, Offers, Pair, Price, priced_types, rank, refused_last, sold_out
from spottui.domain.plan import (
    Candidate,
    Caution,
    CautionKind,
    PlaceRules,
    Plan,
    Stock,
    in_old_vswitch_first,
    routes_surveyed,
)
from spottui.domain.ready import is_recent, ready_policy
from spottui.domain.routes import Route
from spottui.domain.settings import Settings
from spottui.journal import Journal
from spottui.recovery.arrivals import arrival
from spottui.recovery.background import (
    IMAGES_S,
    background,
    images_key,
    newest_system_image,
    newest_warm_image,
    ready_images_key,
)
from spottui.recovery.fleet_market import STOCK_S, FleetMarket, fleet_market
from spottui.recovery.lookups import Batch, Inquiry, Lookups

LIMIT_S = 15.0
"""Default limit of a survey: what has not been answered by then is unknown."""
CHECK_S = 30.0
PRICES_S = 300.0
VSWITCHES_S = 300.0
BACKENDS_S = 3.0
"""How long looked-up weights are reused; survey and recovery share a look-up."""
RATES_S = 600.0
RECORDS_S = 3.0
"""Likewise: another recovery may just have moved a record to the instance."""
TYPES_S = 3600.0

OTHER_DISKS = ("cloud_essd", "cloud_auto")
"""The categories that the newest types need (docs/alibaba-facts.md 4.1)."""
_NOT_OF_STOCK = ("InvalidSpotPriceLimit", "QuotaExceeded.PrivateIpAddress")
"""Refusals that do not mean that a place is out of stock."""
_OF_A_SURVEY = (CautionKind.NOT_LOOKED_UP, CautionKind.NO_TAGGED_VSWITCH)


class Surveys:
    """Surveys plans; recoveries of a region share the calls. Thread-safe, usable in any event loop."""

    def __init__(
        self,
        markets: Mapping[str, Market],
        thread_pools: ThreadPools,
        journal: Journal,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._markets = markets
        self._lookups = Lookups(thread_pools, clock)
        # These differ for each instance: in a storm, stock and prices must not wait behind them.
        self._balancer_lookups = Lookups(thread_pools, clock)
        self._journal = journal
        self._clock = clock
        self._settings = settings
        self._backends = {region: _backends(market, region) for region, market in markets.items()}
        self._vswitch_tags: dict[str, str] = {region.key: region.vswitch_tag for region in settings.regions}

    async def survey(self, plan: Plan, limit_s: float = LIMIT_S) -> Plan:
        """Return the plan with all that can be learned within `limit_s` of its candidates, warm image and prices."""
        spec, region = plan.spec, plan.spec.instance.region
        inquiry, of_balancers = Inquiry(self._lookups, limit_s), Inquiry(self._balancer_lookups, limit_s)
        survey = _Survey(self._markets[region], region, inquiry, of_balancers, self._backends[region])
        tag = self._vswitch_tags[region]
        rules, images, backends, records, offers, resting = await asyncio.gather(
            survey.rules(plan, tag),
            survey.earlier_images(),
            survey.backends(spec),
            survey.records(plan),
            survey.offers(spec, plan.rules),
            asyncio.to_thread(self._journal.cool_downs.resting, region, self._clock.now()),
        )
        prices = await survey.prices(priced_types(spec, rules, offers))
        offers = replace(offers, prices=prices, resting=resting)
        candidates = await asyncio.gather(*(survey.checked(spec, place) for place in rank(spec, rules, offers)))
        best = refused_last(candidates)
        plan = replace(
            plan,
            warm_image=newest_warm_image(spec, images),
            system_image=newest_system_image(spec, images) if spec.has_instant_data else None,
        )
        home = (spec.instance.instance_type, spec.instance.zone)
        return replace(
            plan,
            routes=self._routes(plan),
            candidates=in_old_vswitch_first(best, spec) if plan.keeps_private_ip else best,
            rules=rules,
            # Entries found before the release count: a CLB drops them at the release.
            backends=backends or plan.backends,
            records=records,
            cautions=(*_kept(plan.cautions), *_new_cautions(spec, rules, tag), *survey.missing),
            price_per_hour=offers.old_price(spec),
            currency=offers.currency,
            prices=offers.recorded([home, *((place.instance_type, place.zone) for place in candidates)]),
            surveyed=True,
        )

    async def backends(self, spec: LaunchSpec, product: Product) -> tuple[Backend, ...]:
        """Return an instance's entries of a kind of load balancers, as they are now; raises `CloudError`."""
        batch = self._backends[spec.instance.region][product]
        asked = self._balancer_lookups.ask_about(spec.instance.instance_id, Server.of(spec), BACKENDS_S, batch)
        return await arrival(asked)

    def _routes(self, plan: Plan) -> tuple[Route, ...]:
        policy = ready_policy(self._settings, plan.spec.instance)
        return routes_surveyed(
            plan,
            is_ready=is_recent(policy, plan.system_image, self._clock.now()),
            may_serve_earlier=self._settings.policy.warm_image,
        )

    async def background(self, spec: LaunchSpec) -> Background:
        """Return prices and images of an instance, for a person who looks at it."""
        return await background(self._markets[spec.instance.region], self._lookups, spec, self._clock.now())

    async def fleet_market(self, instances: Sequence[Instance], *, asks_stock: bool) -> FleetMarket:
        """Return prices and interruption rates of the places of a fleet, and what is in stock there."""
        return await fleet_market(self._markets, self._lookups, instances, self._clock.now(), asks_stock=asks_stock)


class _Survey:
    """One survey: its questions to a region's market, and for how long the answers are reused."""

    def __init__(
        self, market: Market, region: str, inquiry: Inquiry, of_balancers: Inquiry, backends: "BackendLookups"
    ) -> None:
        self._market = market
        self._backends_of = backends
        self._region = region
        self._inquiry = inquiry
        self._of_balancers = of_balancers

    @property
    def missing(self) -> list[Caution]:
        """What could not be learned."""
        missing = (*self._inquiry.missing, *self._of_balancers.missing)
        return [Caution(CautionKind.NOT_LOOKED_UP, (line,)) for line in missing]

    async def rules(self, plan: Plan, tag: str) -> PlaceRules:
        """Add the tagged vSwitches of the instance's VPC in zones without a configured one."""
        vpc_id, nothing = plan.spec.vpc_id, dict[str, str]()
        if not tag or not vpc_id:
            return plan.rules
        call = partial(self._market.vswitches, vpc_id, tag)
        vswitches = await self._inquiry.ask("vSwitches by tag", ("vswitches", vpc_id, tag), VSWITCHES_S, call, nothing)
        missing = {zone: vswitches[zone] for zone in sorted(vswitches) if zone not in plan.rules.vswitches}
        return replace(plan.rules, vswitches={**plan.rules.vswitches, **missing})

    async def earlier_images(self) -> tuple[Image, ...]:
        """Return the images that we made in this region, in recoveries and in calm time."""
        nothing, ask, region = tuple[Image, ...](), self._inquiry.ask, self._region
        ours, ready = await asyncio.gather(
            ask("earlier images", images_key(region), IMAGES_S, self._market.our_images, nothing),
            ask("ready images", ready_images_key(region), IMAGES_S, self._market.ready_images, nothing),
        )
        return (*ours, *ready)

    async def backends(self, spec: LaunchSpec) -> tuple[Backend, ...]:
        """Return the instance's entries of load balancers; failed look-ups make one caution together."""
        by_product = await asyncio.gather(*(self._backends(product, spec) for product in Product))
        return tuple(backend for backends in by_product for backend in backends)

    async def records(self, plan: Plan) -> tuple[DnsRecord, ...] | None:
        """Return the A records of the plan's zone that name the instance; None where there was no answer."""
        zone, vpc_id = plan.private_zone, plan.spec.vpc_id
        if not zone:
            return ()

        def look() -> tuple[DnsRecord, ...] | None:
            return self._market.records(zone, vpc_id)

        records = await self._inquiry.ask("DNS records", ("records", zone, vpc_id), RECORDS_S, look, None)
        address = plan.spec.instance.private_ip
        return None if records is None else tuple(record for record in records if record.value == address)

    async def offers(self, spec: LaunchSpec, rules: PlaceRules) -> Offers:
        """Return what is in stock, how often types are interrupted, and which other types there are."""
        spot, on_demand, rates, types = await asyncio.gather(
            self._stock(on_demand=False),
            self._stock(on_demand=True) if rules.on_demand or not spec.instance.is_spot else _nothing_in_stock(),
            self._rates(spec, rules),
            self._types(spec, rules),
        )
        return Offers(spot=spot, on_demand=on_demand, rates=rates, types=types)

    async def prices(self, types: Iterable[str]) -> dict[Pair, Price]:
        """Return the prices of types in the zones of the region."""
        price_maps = await asyncio.gather(*(self._prices(name) for name in types))
        return {pair: price for of_one in price_maps for pair, price in of_one.items()}

    async def checked(self, spec: LaunchSpec, candidate: Candidate) -> Candidate:
        """Ask with a DryRun whether a launch would be refused; if a disk category is, try the others."""
        if not spec.image_id:
            return candidate
        refusal = await self._refusal(spec, candidate)
        if refusal is None:
            return candidate
        if refusal.kind is ErrorKind.DISK_CATEGORY:
            for category in OTHER_DISKS:
                other = replace(candidate, disk_category=category, reason=f"{candidate.reason}; disks as {category}")
                if await self._refusal(spec, other) is None:
                    return other
        problem = ": ".join(part for part in (refusal.code, refusal.message) if part)
        if refusal.kind is ErrorKind.NO_STOCK and not refusal.code.startswith(_NOT_OF_STOCK):
            candidate = sold_out(candidate)
        return replace(candidate, problem=problem)

    async def _backends(self, product: Product, spec: LaunchSpec) -> tuple[Backend, ...]:
        batch, nothing = self._backends_of[product], tuple[Backend, ...]()
        ask, instance_id = self._of_balancers.ask_about, spec.instance.instance_id
        return await ask("load balancers", instance_id, Server.of(spec), BACKENDS_S, batch, nothing)

    async def _refusal(self, spec: LaunchSpec, candidate: Candidate) -> CloudError | None:
        call = partial(self._market.refusal, spec, candidate)
        key = ("check", check_key(spec, candidate))
        return await self._inquiry.ask("whether each place would be refused", key, CHECK_S, call, None)

    async def _stock(self, *, on_demand: bool) -> dict[Pair, Stock]:
        call, nothing = partial(self._market.stock, on_demand=on_demand), dict[Pair, Stock]()
        return await self._inquiry.ask("stock", ("stock", self._region, on_demand), STOCK_S, call, nothing)

    async def _rates(self, spec: LaunchSpec, rules: PlaceRules) -> dict[Pair, str]:
        old, nothing = spec.instance, dict[Pair, str]()
        what, size = "interruption rates", (old.vcpus, old.memory_gib)
        call = partial(self._market.rates_from, *size)
        rates = await self._inquiry.ask(what, ("rates", self._region, size), RATES_S, call, nothing)
        types = tuple(name for name in rules.types if not any(name == rated for rated, _ in rates))
        if types:
            call = partial(self._market.rates_of, types)
            rates = rates | await self._inquiry.ask(what, ("rates", self._region, types), RATES_S, call, nothing)
        return rates

    async def _types(self, spec: LaunchSpec, rules: PlaceRules) -> tuple[InstanceType, ...]:
        size = (spec.instance.vcpus, spec.instance.memory_gib)
        nothing: tuple[InstanceType, ...] = ()
        if not rules.other_types or not all(size):
            return nothing
        call = partial(self._market.types_from, *size)
        return await self._inquiry.ask("other types", ("types", self._region, size), TYPES_S, call, nothing)

    async def _prices(self, name: str) -> dict[Pair, Price]:
        call, nothing = partial(self._market.prices, name), dict[Pair, Price]()
        return await self._inquiry.ask(f"prices of {name}", ("prices", self._region, name), PRICES_S, call, nothing)


async def _nothing_in_stock() -> dict[Pair, Stock]:
    return {}


BackendLookups = dict[Product, Batch[Server, tuple[Backend, ...]]]


def _backends(market: Market, region: str) -> BackendLookups:
    return {
        product: Batch(("backends", product, region), partial(market.backends, product), MOST_SERVERS[product])
        for product in Product
    }


def _kept(cautions: Iterable[Caution]) -> tuple[Caution, ...]:
    """The plan's own cautions, without those of an earlier survey."""
    return tuple(caution for caution in cautions if caution.kind not in _OF_A_SURVEY)


def _new_cautions(spec: LaunchSpec, rules: PlaceRules, tag: str) -> tuple[Caution, ...]:
    others = [zone for zone in rules.vswitches if zone != spec.instance.zone]
    return (Caution(CautionKind.NO_TAGGED_VSWITCH),) if tag and not others else ()
