"""Leftovers of recoveries that cost money, and whether they may be deleted."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum

import msgspec

EIP_PRICE = "eip"
SNAPSHOT_PRICE = "snapshot"
"""The name of the price of images and snapshots: an image costs what its snapshots do (docs/alibaba-facts.md 3)."""


class LeftoverKind(StrEnum):
    """The kind of a leftover, as in `Recovery.created`."""

    IMAGE = "image"
    SNAPSHOT = "snapshot"
    DISK = "kept disk"
    GROUP = "snapshot group"
    EIP = "EIP"


class BilledResource(msgspec.Struct, frozen=True, gc=False):
    """A resource that costs money while it is kept: since when, and its GiB, None if unknown, 0 for an EIP.

    `priced_as` names its price in `[storage_price]`: a disk's category, `snapshot`, or `eip`.
    """

    kind: LeftoverKind
    resource_id: str
    gib: int | None
    priced_as: str
    since: datetime | None = None

    def per_month(self, prices: Mapping[str, float]) -> float | None:
        """Return its highest cost per month, by prices per GiB and month, or per EIP; None if unknown."""
        price, count = prices.get(self.priced_as), 1 if self.kind is LeftoverKind.EIP else self.gib
        return None if price is None or count is None else price * count


class Leftover(msgspec.Struct, frozen=True, gc=False):
    """A resource that a recovery made or kept, or that `[[ready]]` made, and that still exists.

    `gib` is its size if known.

    `held_by` says why it must stay, empty if its recovery has succeeded and nothing needs it. `expires` is the day,
    UTC, until which it should be kept, None if not set. `snapshots` are an image's own, which are deleted with it.
    `since` is when its recovery began, and `priced_as` names its price.
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
        """Whether its deletion loses nothing."""
        return not self.held_by

    @property
    def kept(self) -> BilledResource:
        """The part that costs money."""
        return BilledResource(self.kind, self.resource_id, self.gib or None, self.priced_as, self.since)

    def expired(self, today: date) -> bool:
        """Whether it may be deleted and has expired."""
        return self.may_go and self.expires is not None and self.expires < today
