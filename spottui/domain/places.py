"""Ranking the places where a replacement may run, each with the reason of its rank."""

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import IntEnum

import msgspec
from msgspec.structs import replace

from spottui.domain.launch_spec import PRICE_LIMITED, LaunchSpec
from spottui.domain.plan import Candidate, PlaceRules, Stock, TiredPool, same_place_first
from spottui.domain.savings import PlacePrice

Pair = tuple[str, str]
"""Instance type and zone."""

MOST = 8
"""Each candidate costs a DryRun, and there is time for few launches."""
MOST_ON_DEMAND = 2
"""How many of them are reserved for on-demand if allowed: it is the last resort, and must not be cut."""
MOST_OTHER_TYPES = 4
"""Each type costs a call for its prices."""
LARGEST = 2
"""Another type has at most this many times the vCPUs and the memory of the old one."""


class InstanceType(msgspec.Struct, frozen=True, gc=False):
    """An instance type as DescribeInstanceTypes shows it; `gpu` is empty without, `level` the family's."""

    name: str
    vcpus: int
    memory_gib: float
    architecture: str = ""
    level: str = ""
    category: str = ""
    gpu: str = ""
    local_disks: int = 0


class Price(msgspec.Struct, frozen=True, gc=False):
    """What a type costs an hour in a zone; `currency` is the cloud's code, such as CNY, empty if unknown."""

    spot: float
    on_demand: float
    currency: str = ""


class Offers(msgspec.Struct, frozen=True, gc=False):
    """What the cloud said about types and zones, and which places are backed off; unknown values are absent.

    `spot` and `on_demand` are the stocks, `rates` the interruption rates in the cloud's words.
    """

    spot: Mapping[Pair, Stock] = msgspec.field(default_factory=dict)
    on_demand: Mapping[Pair, Stock] = msgspec.field(default_factory=dict)
    rates: Mapping[Pair, str] = msgspec.field(default_factory=dict)
    prices: Mapping[Pair, Price] = msgspec.field(default_factory=dict)
    types: tuple[InstanceType, ...] = ()
    resting: Mapping[tuple[str, str, bool], str] = msgspec.field(default_factory=dict)

    def stock(self, candidate: Candidate) -> Stock:
        """Return the stock at a place; a type that a zone does not list has unknown stock."""
        stocks = self.on_demand if candidate.on_demand else self.spot
        return stocks.get((candidate.instance_type, candidate.zone), Stock.UNKNOWN)

    def price(self, candidate: Candidate) -> float | None:
        """Return what a place costs an hour."""
        price = self.prices.get((candidate.instance_type, candidate.zone))
        if price is None:
            return None
        return price.on_demand if candidate.on_demand else price.spot

    @property
    def currency(self) -> str:
        """The currency of the prices, empty if none is known."""
        return next((price.currency for price in self.prices.values()), "")

    def recorded(self, places: Iterable[Pair]) -> tuple[PlacePrice, ...]:
        """Return the known prices of some places, each once."""
        priced = ((pair, self.prices[pair]) for pair in dict.fromkeys(places) if pair in self.prices)
        return tuple(PlacePrice(kind, zone, price.spot, price.on_demand) for (kind, zone), price in priced)

    def old_price(self, spec: LaunchSpec) -> float | None:
        """Return what the old instance costs an hour now."""
        price = self.prices.get((spec.instance.instance_type, spec.instance.zone))
        if price is None:
            return None
        return price.spot if spec.instance.is_spot else price.on_demand


class _Likeness(IntEnum):
    """How similar a place is to the old one; on-demand comes after all of spot."""

    HOME = 0
    SAME_TYPE = 1
    CONFIGURED = 2
    OTHER = 3
    ON_DEMAND = 4


class _Place(msgspec.Struct, frozen=True, gc=False):
    """A candidate with the parts of its rank; `turn` is the position of its type among the configured ones."""

    likeness: _Likeness
    turn: int
    preference: int
    candidate: Candidate


def rank(spec: LaunchSpec, rules: PlaceRules, offers: Offers) -> tuple[Candidate, ...]:
    """Return the places where the replacement may run, the best first, at most `MOST`.

    They are ordered by similarity to the old place, then by stock, interruption rate and price. Behind all others come
    sold-out places, then those above the price limit, which would be refused, then those that are backed off. In stock,
    a tired pool comes after the others. While anything is in stock, one sold-out place of the old type is kept, because
    stock can return.
    """
    places = [
        replace(place, candidate=_described(place, spec, rules, offers)) for place in _places(spec, rules, offers)
    ]
    places.sort(key=lambda place: _order(place, spec, rules, offers))
    sold_out = [place for place in places if place.candidate.stock is Stock.NONE]
    stocked = [place for place in places if place.candidate.stock is not Stock.NONE]
    if not stocked:
        return tuple(place.candidate for place in sold_out[:MOST])
    kept = [place for place in sold_out if place.likeness <= _Likeness.SAME_TYPE][:1]
    kept += [place for place in stocked if place.likeness is _Likeness.ON_DEMAND][:MOST_ON_DEMAND]
    kept += [place for place in stocked if place.likeness is not _Likeness.ON_DEMAND][: MOST - len(kept)]
    return tuple(place.candidate for place in places if place in kept)


def sold_out(candidate: Candidate) -> Candidate:
    """Return a candidate without stock: a DryRun is more reliable than the advertised stock."""
    advertised = candidate.stock.value
    reason = candidate.reason.replace(advertised, Stock.NONE.value, 1) if advertised else candidate.reason
    return replace(candidate, stock=Stock.NONE, reason=reason)


def refused_last(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Return the candidates, those that a DryRun refused last."""
    return tuple(sorted(candidates, key=lambda candidate: bool(candidate.problem)))


def priced_types(spec: LaunchSpec, rules: PlaceRules, offers: Offers) -> tuple[str, ...]:
    """Return the types whose prices are needed: the old one, the configured ones and the best others."""
    return tuple(dict.fromkeys((spec.instance.instance_type, *rules.types, *_other_types(spec, rules, offers))))


def _places(spec: LaunchSpec, rules: PlaceRules, offers: Offers) -> Iterator[_Place]:
    near = list(_of_one_kind(spec, rules, offers))
    yield from near
    if rules.on_demand and spec.instance.is_spot:
        for place in near:
            candidate = replace(place.candidate, on_demand=True, reason=f"on-demand, {place.candidate.reason}")
            turn = place.likeness * 100 + place.turn
            yield _Place(_Likeness.ON_DEMAND, turn, place.preference, candidate)


def _of_one_kind(spec: LaunchSpec, rules: PlaceRules, offers: Offers) -> Iterator[_Place]:
    here = same_place_first(spec, rules.vswitches)
    for preference, place in enumerate(here):
        yield _Place(_Likeness.SAME_TYPE if preference else _Likeness.HOME, 0, preference, place)
    configured = [name for name in dict.fromkeys(rules.types) if name != spec.instance.instance_type]
    for turn, name in enumerate(configured):
        for preference, place in enumerate(here):
            candidate = replace(place, instance_type=name, reason="configured type")
            yield _Place(_Likeness.CONFIGURED, turn, preference, candidate)
    sizes = {kind.name: f"other type, {kind.vcpus} vCPU {kind.memory_gib:g} GiB" for kind in offers.types}
    for name in _other_types(spec, rules, offers):
        for preference, place in enumerate(here):
            candidate = replace(place, instance_type=name, reason=sizes[name])
            if _is_in_stock(offers.stock(candidate)):
                yield _Place(_Likeness.OTHER, 0, preference, candidate)


def _other_types(spec: LaunchSpec, rules: PlaceRules, offers: Offers) -> tuple[str, ...]:
    """Return the types with at least the old vCPUs and memory that are known to be in stock, the best first."""
    if not rules.other_types:
        return ()
    zones = [candidate.zone for candidate in same_place_first(spec, rules.vswitches)]
    taken = {spec.instance.instance_type, *rules.types}
    like = [kind for kind in _like(spec.instance.instance_type, offers.types) if kind.name not in taken]

    stocks = offers.spot if spec.spot_terms else offers.on_demand
    ranked: list[tuple[tuple[float, ...], str]] = []
    for kind in like:
        pairs = [(kind.name, zone) for zone in zones if _is_in_stock(stocks.get((kind.name, zone), Stock.UNKNOWN))]
        if pairs:
            best = min((_STOCKS[stocks[pair]], _rate(offers.rates.get(pair, ""))) for pair in pairs)
            ranked.append(((*best, kind.vcpus, kind.memory_gib), kind.name))
    return tuple(name for _, name in sorted(ranked)[:MOST_OTHER_TYPES])


def _like(name: str, types: Iterable[InstanceType]) -> list[InstanceType]:
    """Return the types on which the old image runs as well; none for an unknown type."""
    by_name = {kind.name: kind for kind in types}
    old = by_name.get(name)
    return [] if old is None else [kind for kind in by_name.values() if _serves(kind, old)]


def _serves(kind: InstanceType, old: InstanceType) -> bool:
    """Whether a type has the same architecture, GPUs and kind, is not smaller, and at most `LARGEST` times as large."""
    return (
        old.vcpus <= kind.vcpus <= LARGEST * old.vcpus
        and old.memory_gib <= kind.memory_gib <= LARGEST * old.memory_gib
        and (kind.architecture, kind.gpu) == (old.architecture, old.gpu)
        and bool(kind.local_disks) == bool(old.local_disks)
        and kind.level in (old.level, "EnterpriseLevel")
        and (kind.category == old.category or not {kind.category, old.category} & _UNLIKE_ANY)
    )


_UNLIKE_ANY = {"ECS Bare Metal", "Super Computing Cluster", "High Performance Compute"}
"""Categories (`InstanceCategory`) that only replace their own kind."""


def _is_in_stock(stock: Stock) -> bool:
    return stock in (Stock.GOOD, Stock.LOW)


def shown_rate(rate: str) -> str:
    """Return an interruption rate as people read it: in the cloud's words, one that is open upwards as `10%+`."""
    return f"{rate.partition('-')[0]}%+" if rate.endswith("-100%") else rate


def _described(place: _Place, spec: LaunchSpec, rules: PlaceRules, offers: Offers) -> Candidate:
    candidate = place.candidate
    offered = replace(
        candidate,
        stock=offers.stock(candidate),
        interruption_rate=""
        if candidate.on_demand
        else offers.rates.get((candidate.instance_type, candidate.zone), ""),
        price_per_hour=offers.price(candidate),
    )
    facts = [
        offered.stock.value,
        f"interrupted {shown_rate(offered.interruption_rate)}" if offered.interruption_rate else "",
        _extra(offered, spec, offers),
    ]
    told = ", ".join(fact for fact in facts if fact)
    terms = spec.spot_terms
    limit = f"above the price limit of {terms.limit:.3f}" if terms and _too_dear(offered, spec) else ""
    rests = offers.resting.get(offered.place, "")
    parts = (candidate.reason, told, _tired(rules.tired_of(offered)), limit, f"rests: {rests}" if rests else "")
    return replace(offered, reason="; ".join(part for part in parts if part))


def _tired(pool: TiredPool | None) -> str:
    if pool is None:
        return ""
    return f"{pool.reclaims} {'reclaim' if pool.reclaims == 1 else 'reclaims'} here within {pool.within}"


def _extra(candidate: Candidate, spec: LaunchSpec, offers: Offers) -> str:
    """Return the added cost of on-demand over the old instance."""
    old, new = offers.old_price(spec), candidate.price_per_hour
    if not candidate.on_demand or not spec.instance.is_spot or old is None or new is None:
        return ""
    return f"{new - old:+.3f} an hour"


def _order(place: _Place, spec: LaunchSpec, rules: PlaceRules, offers: Offers) -> tuple[float, ...]:
    candidate = place.candidate
    return (
        candidate.place in offers.resting,
        _too_dear(candidate, spec),
        candidate.stock is Stock.NONE,
        rules.tired_of(candidate) is not None,
        place.likeness,
        place.turn,
        _STOCKS[candidate.stock],
        _rate(candidate.interruption_rate),
        float("inf") if candidate.price_per_hour is None else candidate.price_per_hour,
        place.preference,
    )


_STOCKS = {Stock.GOOD: 0, Stock.LOW: 1, Stock.UNKNOWN: 2, Stock.NONE: 3}


def _too_dear(candidate: Candidate, spec: LaunchSpec) -> bool:
    """Whether a launch would be refused for its price (`InvalidSpotPriceLimit.LowerThanPublicPrice`)."""
    terms = spec.spot_terms
    if candidate.on_demand or terms is None or terms.strategy != PRICE_LIMITED:
        return False
    return candidate.price_per_hour is not None and candidate.price_per_hour > terms.price_limit


def _rate(words: str) -> float:
    """Return the lower end of `5-10%`; an unknown rate comes last."""
    match = re.match(r"\d+(\.\d+)?", words)
    return float(match.group()) if match else float("inf")
