"""What no sweep reads: past prices and images of an instance; prices, rates and reclaims of the whole fleet."""

from collections.abc import Mapping
from datetime import datetime
from typing import Generic, TypeVar

import msgspec

from spottui.domain.early_warning import EarlyWarning, RatesSeen
from spottui.domain.places import Pair, Price
from spottui.domain.plan import Stock, WarmImage
from spottui.domain.way_back import OnDemand

T = TypeVar("T")


class PriceHistory(msgspec.Struct, frozen=True, gc=False):
    """What a type cost an hour as spot in one zone; `points` are (since, price), oldest first, each until the next.

    `on_demand` is its on-demand price an hour, None if unknown; `currency` is the cloud's word, such as CNY.
    """

    instance_type: str
    zone: str
    currency: str
    points: tuple[tuple[datetime, float], ...]
    on_demand: float | None

    @property
    def place(self) -> Pair:
        """Instance type and zone."""
        return self.instance_type, self.zone


class Found(msgspec.Struct, Generic[T], frozen=True):
    """The answer to a question: a value, None if there is no such thing, or the problem why it is unknown."""

    value: T | None = None
    problem: str = ""


class Background(msgspec.Struct, frozen=True, gc=False):
    """The price history of an instance's type and zone, its newest image, and its source image."""

    prices: Found[PriceHistory]
    newest_image: Found[WarmImage]
    source_image: Found[WarmImage]


class FleetBackground(msgspec.Struct, frozen=True, gc=False):
    """What the cloud and the journal said about the fleet `at` a time; what is unknown is absent.

    `prices` and `rates` (in the cloud's words, such as `0-3%`) are by instance type and zone. `image_s` is what an
    image takes, in seconds, by region and instance id. `reclaims` are those of the last `DAYS`, each as its time and
    the key of its region, oldest first; `histories` the prices of the commonest places. `missing` says what could not
    be learned, and why. `stock` is that of spot, `rates_seen` the rates of the time within which a rise is told.
    `warnings` of spot instances and `on_demand` replacements of such are by region and instance id.
    """

    at: datetime
    prices: Mapping[Pair, Price] = msgspec.field(default_factory=dict)
    rates: Mapping[Pair, str] = msgspec.field(default_factory=dict)
    image_s: Mapping[tuple[str, str], float] = msgspec.field(default_factory=dict)
    reclaims: tuple[tuple[datetime, str], ...] = ()
    histories: tuple[PriceHistory, ...] = ()
    missing: tuple[str, ...] = ()
    stock: Mapping[Pair, Stock] = msgspec.field(default_factory=dict)
    rates_seen: RatesSeen = msgspec.field(default_factory=dict)
    warnings: Mapping[tuple[str, str], tuple[EarlyWarning, ...]] = msgspec.field(default_factory=dict)
    on_demand: Mapping[tuple[str, str], OnDemand] = msgspec.field(default_factory=dict)


DAYS = 30
