"""What the journal remembers: of one instance, and of all reclaims there have been."""

from datetime import datetime

import msgspec

from spottui.domain.forecast import ImageTiming
from spottui.domain.interruption import Interruption
from spottui.domain.launch_spec import LaunchSpec
from spottui.domain.outcome import Outcome, outcome
from spottui.domain.plan import Plan
from spottui.domain.recovery import Recovery


class Past(msgspec.Struct, frozen=True):
    """One reclaim with what became of it; zone and type are empty where it ended before it had a plan."""

    recovery: Recovery
    zone: str
    instance_type: str
    outcome: Outcome = msgspec.field(default_factory=Outcome)

    @property
    def interruption(self) -> Interruption:
        """The reclaim."""
        return self.recovery.interruption

    @classmethod
    def of(cls, recovery: Recovery, plan: Plan | None) -> "Past":
        """Return a reclaim with what its frozen plan says of it."""
        zone, kind = (plan.spec.instance.zone, plan.spec.instance.instance_type) if plan else ("", "")
        return cls(recovery, zone, kind, outcome(recovery, plan))


class InstanceRecord(msgspec.Struct, frozen=True):
    """What is remembered of one instance.

    `spec` is its captured launch spec, None when no sweep has seen it; `details_at` is when its RAM role and user data
    were read. `timing` is what images of disks like its own took, `past` are its reclaims, the newest first.
    """

    spec: LaunchSpec | None
    details_at: datetime | None
    timing: ImageTiming
    past: tuple[Past, ...]
