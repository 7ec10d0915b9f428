"""The routes by which an instance comes back, and the traits of each, in one table."""

from dataclasses import dataclass
from enum import StrEnum


class Route(StrEnum):
    """One way to bring an instance back."""

    IMAGE = "image"
    """A full image of the dying instance, launched elsewhere."""
    RESTART = "restart"
    """An instance that is stopped at the deadline is started again."""
    KEPT_DISK = "kept-disk"
    """The kept system disk becomes an image after the release; the kept data disks move over."""
    WARM_IMAGE = "warm-image"
    """An earlier image of this instance, launched now; later writes are not in it."""
    INSTANT = "instant"
    """An earlier image of the system disk, launched now with data disks made of snapshots of this moment."""

    @property
    def traits(self) -> "RouteTraits":
        """The traits of this route."""
        return _TRAITS[self]


class Source(StrEnum):
    """What the replacement's disks are made of."""

    IMAGE_OF_INSTANCE = "image of the instance"
    ITSELF = "the instance itself"
    KEPT_DISKS = "kept disks"
    EARLIER_IMAGE = "earlier image"
    EARLIER_IMAGE_AND_SNAPSHOTS = "earlier image and snapshots"


class EarlierImage(StrEnum):
    """An image that exists at the notice; a plan names the newest of each kind."""

    ALL_DISKS = "all disks"
    SYSTEM_DISK = "system disk"


class Data(StrEnum):
    """Until when a replacement's data disks hold what was written."""

    RELEASE = "release"
    """The disks themselves come back: nothing is missing."""
    NOTICE = "notice"
    """An image or snapshots of the dying instance."""
    EARLIER = "earlier"
    """Later writes are on the old disks only, which are held."""


@dataclass(frozen=True, slots=True)
class RouteTraits:
    """The traits of a route.

    `earlier_image`: what it launches from, None where that has to be made. `launches`: there is a new instance.
    `needs_image_in_time`: an image must be ready before the deadline. `waits_for_release`: nothing can be made before
    the release or stop. `always_offered`: a person may put it first in a plan that has its earlier image, though the
    plan itself has it not.
    """

    source: Source
    data: Data
    earlier_image: EarlierImage | None = None
    launches: bool = True
    needs_image_in_time: bool = False
    waits_for_release: bool = False
    always_offered: bool = False

    @property
    def keeps_all_data(self) -> bool:
        """Whether nothing written until the release is lost."""
        return self.data is Data.RELEASE

    @property
    def serves_at_once(self) -> bool:
        """Whether what it launches from exists already."""
        return self.earlier_image is not None


_TRAITS = {
    Route.IMAGE: RouteTraits(Source.IMAGE_OF_INSTANCE, Data.NOTICE, needs_image_in_time=True),
    Route.RESTART: RouteTraits(Source.ITSELF, Data.RELEASE, launches=False, waits_for_release=True),
    Route.KEPT_DISK: RouteTraits(Source.KEPT_DISKS, Data.RELEASE, waits_for_release=True),
    Route.WARM_IMAGE: RouteTraits(Source.EARLIER_IMAGE, Data.EARLIER, EarlierImage.ALL_DISKS),
    Route.INSTANT: RouteTraits(
        Source.EARLIER_IMAGE_AND_SNAPSHOTS, Data.NOTICE, EarlierImage.SYSTEM_DISK, always_offered=True
    ),
}
