"""What the cloud knows around one instance that no sweep brings: past prices, and its images."""

from datetime import datetime
from typing import Generic, TypeVar

import msgspec

from spottui.domain.plan import WarmImage

T = TypeVar("T")


class PriceHistory(msgspec.Struct, frozen=True):
    """What a type cost an hour as spot in one zone; `points` are (since, price), oldest first, each until the next.

    `on_demand` is its on-demand price an hour, None when it is not known; `currency` is the cloud's word, such as CNY.
    """

    instance_type: str
    zone: str
    currency: str
    points: tuple[tuple[datetime, float], ...]
    on_demand: float | None


class Found(msgspec.Struct, Generic[T], frozen=True):
    """What came of a question: a value, None where there is no such thing, or the problem why that is not known."""

    value: T | None = None
    problem: str = ""


class Background(msgspec.Struct, frozen=True):
    """The price history of an instance's type and zone, the newest image of it, and the image that it was made of."""

    prices: Found[PriceHistory]
    newest_image: Found[WarmImage]
    source_image: Found[WarmImage]
