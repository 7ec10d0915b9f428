"""On-demand replacements of spot instances, where they could run as spot again, and their deletion after that."""

from collections.abc import Iterable, Mapping

import msgspec

from spottui.domain.early_warning import RatesSeen, early_warnings
from spottui.domain.instance import Disk, Instance
from spottui.domain.launch_spec import SpotTerms
from spottui.domain.places import Pair, Price
from spottui.domain.plan import Stock
from spottui.domain.recovery import Recovery
from spottui.domain.settings import EarlyWarningSettings

HOURS_A_MONTH = 730


class WayBack(msgspec.Struct, frozen=True, gc=False):
    """A zone where the type is in stock as spot for less than on-demand; prices are per hour."""

    zone: str
    price: Price

    @property
    def saving_per_month(self) -> float:
        """What spot costs less than on-demand in a month at the price of now."""
        return HOURS_A_MONTH * (self.price.on_demand - self.price.spot)


class OnDemand(msgspec.Struct, frozen=True, gc=False):
    """An on-demand replacement of a spot instance: its way back, or what `replaced_by` runs as spot in its place.

    Without either there is no way back now.
    """

    way_back: WayBack | None = None
    replaced_by: str = ""


class SpotMarket(msgspec.Struct, frozen=True, gc=False):
    """What is known of places: prices, the stock of spot, the interruption rates seen lately."""

    prices: Mapping[Pair, Price]
    stock: Mapping[Pair, Stock]
    rates_seen: RatesSeen


def way_back(
    instance_type: str, terms: SpotTerms, zones: Iterable[str], market: SpotMarket, settings: EarlyWarningSettings
) -> WayBack | None:
    """Return the first of the zones, in their order, where a spot instance with these terms may run for longer.

    The type is in stock there, is cheaper than on-demand, and nothing warns of a reclaim soon.
    """
    for zone in zones:
        pair = instance_type, zone
        price, stock = market.prices.get(pair), market.stock.get(pair, Stock.UNKNOWN)
        warned = early_warnings(terms.limit, price, stock, market.rates_seen.get(pair, ()), settings)
        if price and price.spot < price.on_demand and stock is Stock.GOOD and not warned and _is_paid(price, terms):
            return WayBack(zone, price)
    return None


def _is_paid(price: Price, terms: SpotTerms) -> bool:
    return terms.limit <= 0 or price.spot <= terms.limit


class Deletion(msgspec.Struct, frozen=True, gc=False):
    """An on-demand instance that may be deleted, its `disks`, and the spot instance that serves in its place.

    `recovery` is its way back; writes after its `imaging_since` are on the on-demand instance only.
    """

    recovery: Recovery
    on_demand: Instance
    spot: Instance
    disks: tuple[Disk, ...]
