"""What is known around the whole fleet: prices, interruption rates, how long images take, past reclaims."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from spottui.domain.background import PriceHistory
from spottui.domain.places import Pair, Price


class FleetBackground(msgspec.Struct, frozen=True):
    """What the cloud and the journal said of the fleet `at` a time; what is unknown is absent.

    `prices` and `rates` (in the cloud's words, such as `0-3%`) are by instance type and zone. `image_s` is what an
    image takes, in seconds, by region and instance id. `reclaims` are the times of the reclaims of the last `DAYS`,
    oldest first; `histories` the prices of the commonest places. `missing` says what could not be learned, and why.
    """

    at: datetime
    prices: Mapping[Pair, Price] = msgspec.field(default_factory=dict)
    rates: Mapping[Pair, str] = msgspec.field(default_factory=dict)
    image_s: Mapping[tuple[str, str], float] = msgspec.field(default_factory=dict)
    reclaims: tuple[datetime, ...] = ()
    histories: tuple[PriceHistory, ...] = ()
    missing: tuple[str, ...] = ()


DAYS = 30
