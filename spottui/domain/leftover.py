"""What recoveries leave behind that costs money, and whether it may go."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class LeftoverKind(StrEnum):
    """What it is, in the words of `created`."""

    IMAGE = "image"
    SNAPSHOT = "snapshot"
    DISK = "kept disk"


@dataclass(frozen=True, slots=True)
class Leftover:
    """One thing that a recovery made or kept and that is still there; `gib` is its size where that is known.

    `held_by` says why it must stay, empty when the recovery was seen to have succeeded and nothing needs it. `expires`
    is the day, UTC, until which it was to be kept, None when no day was set. `snapshots` are an image's own, which go
    with it.
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

    @property
    def may_go(self) -> bool:
        """Whether nothing is lost with it."""
        return not self.held_by

    def expired(self, today: date) -> bool:
        """Whether it may go and has outlived the day that was set."""
        return self.may_go and self.expires is not None and self.expires < today
