"""One past reclaim with everything that the journal has of it."""

import msgspec

from spottui.domain.facts import Logged
from spottui.domain.history import Past
from spottui.domain.interruption import Interruption
from spottui.domain.plan import Plan
from spottui.domain.recovery import Recovery
from spottui.journal.journal import Journal


class Incident(msgspec.Struct, frozen=True):
    """One reclaim with everything that the journal has of it; `log` oldest first."""

    recovery: Recovery
    plan: Plan | None
    log: tuple[Logged, ...]

    @property
    def interruption(self) -> Interruption:
        """The reclaim."""
        return self.recovery.interruption

    @property
    def past(self) -> Past:
        """What became of it."""
        return Past.of(self.recovery, self.plan)


def incident(journal: Journal, name: str) -> Incident | None:
    """Return an incident by the id of its recovery, or the newest of an instance by the instance's id or name."""
    recovery = journal.recoveries.get(name) or journal.history.newest_of(name)
    if recovery is None:
        return None
    return Incident(recovery, journal.recoveries.plan(recovery.recovery_id), journal.log.of(recovery.recovery_id))
