"""Prices and interruption rates of the places of the whole fleet; recoveries and pages share the calls."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from spottui.cloud.market import Market
from spottui.domain.background import PriceHistory
from spottui.domain.instance import Instance
from spottui.domain.places import Pair, Price
from spottui.domain.plan import Stock
from spottui.recovery.background import PRICES_S, SPAN
from spottui.recovery.lookups import Inquiry, Lookups

PATIENCE_S = 15.0
TYPES_ASKED = 20
"""The commonest types of a region; the others have no price and no rate."""
HISTORIES_ASKED = 4
RATES_S = 600.0
STOCK_S = 20.0

Places = Counter[tuple[str, str, str]]
"""The number of instances by region, instance type and zone."""


@dataclass(slots=True)
class FleetMarket:
    """Prices, interruption rates and spot stock by type and zone, the commonest price histories, and what is missing.

    `stock` is None where it was not asked for, or not answered.
    """

    prices: dict[Pair, Price] = field(default_factory=dict)
    rates: dict[Pair, str] = field(default_factory=dict)
    histories: tuple[PriceHistory, ...] = ()
    missing: tuple[str, ...] = ()
    stock: dict[Pair, Stock] | None = None


async def fleet_market(
    markets: Mapping[str, Market], lookups: Lookups, instances: Sequence[Instance], now: datetime, *, asks_stock: bool
) -> FleetMarket:
    """Look up the places of these instances; what is not answered within `PATIENCE_S` is missing. Never raises."""
    inquiry, market = Inquiry(lookups, PATIENCE_S), FleetMarket()
    places: Places = Counter((each.region, each.instance_type, each.zone) for each in instances)
    places = Counter({place: count for place, count in places.items() if place[0] in markets})
    regions = {region for region, _, _ in places}
    await asyncio.gather(
        *(_prices(markets[region], inquiry, region, kind, market) for region, kind in _types(places)),
        *(_rates(markets[region], inquiry, region, places, market) for region in regions),
        *(_stock(markets[region], inquiry, region, market) for region in regions if asks_stock),
    )
    commonest = [place for place, _ in places.most_common(HISTORIES_ASKED)]
    histories = await asyncio.gather(*(_history(markets[place[0]], inquiry, place, now) for place in commonest))
    market.histories = tuple(history for history in histories if history)
    market.missing = tuple(inquiry.missing)
    return market


def _types(places: Places) -> list[tuple[str, str]]:
    counts: Counter[tuple[str, str]] = Counter()
    for (region, kind, _), count in places.items():
        counts[region, kind] += count
    return [pair for pair, _ in counts.most_common(TYPES_ASKED)]


async def _prices(market: Market, inquiry: Inquiry, region: str, kind: str, fleet: FleetMarket) -> None:
    nothing: dict[Pair, Price] = {}
    key = ("prices", region, kind)
    fleet.prices |= await inquiry.ask(f"prices of {kind}", key, PRICES_S, partial(market.prices, kind), nothing)


async def _rates(market: Market, inquiry: Inquiry, region: str, places: Places, fleet: FleetMarket) -> None:
    types = tuple(kind for of, kind in _types(places) if of == region)
    nothing: dict[Pair, str] = {}
    call = partial(market.rates_of, types)
    fleet.rates |= await inquiry.ask("interruption rates", ("rates", region, types), RATES_S, call, nothing)


async def _stock(market: Market, inquiry: Inquiry, region: str, fleet: FleetMarket) -> None:
    nothing: dict[Pair, Stock] = {}
    call = partial(market.stock, on_demand=False)
    stock = await inquiry.ask("stock", ("stock", region, False), STOCK_S, call, nothing)
    fleet.stock = (fleet.stock or {}) | stock if stock else fleet.stock


async def _history(market: Market, inquiry: Inquiry, place: tuple[str, str, str], now: datetime) -> PriceHistory | None:
    region, kind, zone = place
    call = partial(market.price_history, kind, zone, now - SPAN, now)
    return await inquiry.ask("price history", ("price history", region, kind, zone), PRICES_S, call, None)
