"""The knobs of a world, turned by a scenario, by options or by `POST /_sim/world`."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Settings:
    """How the world behaves. Times in simulated seconds unless a name says wall."""

    image_base_s: float = 10.0
    """Time of an image before any GiB is copied."""
    image_s_per_gib: float = 0.4
    """Time per GiB of cloud disk in a first image."""
    image_incremental: float = 0.25
    """The share of `image_s_per_gib` for a disk that has a finished snapshot."""
    image_usable_s: float | None = None
    """Images become `Usable` so long after their start; None: when Available."""
    boot_s: float = 5.0
    """From RunInstances or StartInstance to Running."""
    locked_status: str | None = None
    """The status an instance takes with its Recycling lock; None: it keeps its own."""
    queue_down: bool = False
    """MNS answers every request with 503."""
    skew_wall_s: float = 0.0
    """How far this cloud's idea of wall time is ahead, for signature dates."""
    permissions: dict[str, str] = field(default_factory=dict)
    """Action to `allow`, `empty` (an empty list with 200) or `forbidden` (403)."""
