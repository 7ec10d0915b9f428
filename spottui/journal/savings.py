"""What the journal knows of the times in which spot instances ran, and of their prices."""

from collections.abc import Iterator
from datetime import datetime

from spottui.domain.facts import PricesSeen
from spottui.domain.instance import Instance, InstanceStatus
from spottui.domain.region_key import shown_account
from spottui.domain.savings import GOOD_FOR, PricesAt, Run, Savings, savings
from spottui.journal.journal import Journal

_FACTS = 100_000


def savings_since(journal: Journal, since: datetime, now: datetime, account: str = "") -> Savings:
    """Return what spot saved from `since` until now, as far as instances and prices are in the journal.

    `account` is the name as people read it, empty for all. A listed instance ran until it was last seen, a reclaimed
    one until its deadline. An instance that left the fleet more than a week ago without a reclaim is unknown, and one
    that is stopped costs nothing.
    """
    runs: dict[str, Run] = {}
    recorded = list(prices_seen(journal, since - GOOD_FOR))
    for recovery, plan in journal.history.planned_since(since - GOOD_FOR):
        if plan:
            runs |= _run(plan.spec.instance, recovery.interruption.deadline, account)
            recorded.append(PricesAt(recovery.started, plan.prices, plan.currency))
    for captured in journal.fleet.all():
        runs |= _run(captured.spec.instance, captured.seen_at, account)
    return savings(runs.values(), recorded, since, now)


def _run(instance: Instance, ended: datetime, account: str) -> dict[str, Run]:
    if account not in ("", shown_account(instance.region)):
        return {}
    if not instance.is_spot or instance.created is None or instance.status is InstanceStatus.STOPPED:
        return {}
    return {instance.instance_id: Run(instance.instance_type, instance.zone, instance.created, ended)}


def prices_seen(journal: Journal, since: datetime) -> Iterator[PricesAt]:
    """Yield the prices of the fleet that were recorded since a time, oldest first."""
    for logged in journal.log.after(journal.log.first_after(since) - 1, _FACTS, (PricesSeen,)):
        if isinstance(logged.fact, PricesSeen):
            yield PricesAt(logged.at, logged.fact.prices, logged.fact.currency)
