"""What an instance lacks to be back at once, in words."""

from spottui.domain.readiness import Missing

_MISSING = {
    Missing.DISKS_NOT_KNOWN: "its disks are not known",
    Missing.NOT_RUNNING: "it is not running",
    Missing.NOT_KEPT_READY: "no [[ready]] matches it and it has no tag spottui:ready",
    Missing.BEYOND_CAP: "max_cost_per_month leaves no room for it",
    Missing.NO_SYSTEM_IMAGE: "no image of its system disk yet",
    Missing.SYSTEM_IMAGE_TOO_OLD: "the image of its system disk is too old",
    Missing.NO_DATA_SNAPSHOTS: "no finished snapshot of its data disks yet",
    Missing.SLOW_DATA_DISKS: "a data disk is no ESSD: its snapshots take minutes",
    Missing.LOCAL_DISKS: "what is on local disks is lost with every reclaim",
}


def missing(what: Missing) -> str:
    """Return one thing that an instance lacks."""
    return _MISSING[what]
