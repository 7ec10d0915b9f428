"""What recoveries leave behind that costs money, and whether it may go."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum

import msgspec

SNAPSHOT_PRICE = "snapshot"
"""The name of the price of images and snapshots: an image costs what its snapshots do (docs/alibaba-facts.md 3)."""


class LeftoverKind(StrEnum):
    """What it is, in the words of `created`."""

    IMAGE = "image"
    SNAPSHOT = "snapshot"
    DISK = "kept disk"
    GROUP = "snapshot group"


class BilledResource(msgspec.Struct, frozen=True):
    """One thing that costs money as long as it is kept: since when, and its GiB, None where that is not known.

    `priced_as` names its price in `[storage_price]`: a disk's category, or `snapshot`.
    """

    kind: LeftoverKind
    resource_id: str
    gib: int | None
    priced_as: str
    since: datetime | None = None

    def per_month(self, prices: Mapping[str, float]) -> float | None:
        """Return what it costs a month at most, by prices per GiB and month; None when that is not known."""
        price = prices.get(self.priced_as)
        return None if price is None or self.gib is None else price * self.gib


class Leftover(msgspec.Struct, frozen=True):
    """One thing that a recovery made or kept, or that was made ready, and that is still there.

    `gib` is its size where that is known.

    `held_by` says why it must stay, empty when the recovery was seen to have succeeded and nothing needs it. `expires`
    is the day, UTC, until which it was to be kept, None when no day was set. `snapshots` are an image's own, which go
    with it. `since` is when its recovery began, and `priced_as` names its price.
    """

    kind: LeftoverKind
    resource_id: str
    region: str
    recovery_id: str
    instance_id: str
    gib: int
    held_by: str
    expires: date | None = None
    snapshots: tuple[str, ...] = ()
    since: datetime | None = None
    priced_as: str = SNAPSHOT_PRICE

    @property
    def may_go(self) -> bool:
        """Whether nothing is lost with it."""
        return not self.held_by

    @property
    def kept(self) -> BilledResource:
        """The part that costs money."""
        return BilledResource(self.kind, self.resource_id, self.gib or None, self.priced_as, self.since)

    def expired(self, today: date) -> bool:
        """Whether it may go and has outlived the day that was set."""
        return self.may_go and self.expires is not None and self.expires < today
