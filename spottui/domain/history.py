"""What the journal remembers about an instance, and about past reclaims."""

from datetime import datetime

import msgspec

from spottui.domain.forecast import ImageTiming
from spottui.domain.interruption import Interruption
from spottui.domain.launch_spec import LaunchSpec
from spottui.domain.outcome import Outcome, outcome
from spottui.domain.plan import Plan
from spottui.domain.recovery import Recovery


class Past(msgspec.Struct, frozen=True, gc=False):
    """One reclaim with its outcome; zone and type are empty if it ended before it had a plan."""

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
        """Return a reclaim with zone, type and outcome from its frozen plan."""
        zone, kind = (plan.spec.instance.zone, plan.spec.instance.instance_type) if plan else ("", "")
        return cls(recovery, zone, kind, outcome(recovery, plan))


class InstanceRecord(msgspec.Struct, frozen=True, gc=False):
    """What is remembered about one instance.

    `spec` is its captured launch spec, None if no sweep has seen it; `details_at` is when its RAM role and user data
    were read. `timing` is from images of similar disks, `past` are its reclaims, newest first.
    """

    spec: LaunchSpec | None
    details_at: datetime | None
    timing: ImageTiming
    past: tuple[Past, ...]
