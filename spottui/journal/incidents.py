"""One past reclaim with everything that the journal has of it."""

from datetime import timedelta

import msgspec

from spottui.domain.facts import Logged
from spottui.domain.history import Past
from spottui.domain.interruption import Interruption
from spottui.domain.plan import Plan
from spottui.domain.recovery import Recovery
from spottui.domain.savings import PricesAt
from spottui.journal.journal import Journal
from spottui.journal.savings import prices_seen

_PRICES_BEFORE = timedelta(days=7)


class Incident(msgspec.Struct, frozen=True):
    """One reclaim with everything that the journal has of it; `log` oldest first.

    `prices` are those that were recorded from a week before it until its end, oldest first.
    """

    recovery: Recovery
    plan: Plan | None
    log: tuple[Logged, ...]
    prices: tuple[PricesAt, ...] = ()

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
    plan, log = journal.recoveries.plan(recovery.recovery_id), journal.log.of(recovery.recovery_id)
    return Incident(recovery, plan, log, tuple(_prices(journal, recovery, plan)))


def _prices(journal: Journal, recovery: Recovery, plan: Plan | None) -> list[PricesAt]:
    until = recovery.ended or recovery.interruption.deadline
    seen = [prices for prices in prices_seen(journal, recovery.started - _PRICES_BEFORE) if prices.at <= until]
    if plan:
        seen.append(PricesAt(recovery.started, plan.prices, plan.currency))
    return sorted(seen, key=lambda prices: prices.at)
