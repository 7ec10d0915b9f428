"""How often an instance and its predecessors were reclaimed lately, and in which pools."""

from collections import Counter
from datetime import datetime, timedelta

from spottui.domain.dates import seconds_of
from spottui.domain.launch_spec import LaunchSpec
from spottui.domain.plan import TiredPool
from spottui.domain.recovery import Recovery
from spottui.domain.settings import Tolerance
from spottui.journal import Journal
from spottui.recovery.lineage import parents


def tired_pools(journal: Journal, spec: LaunchSpec, tolerance: Tolerance, now: datetime) -> tuple[TiredPool, ...]:
    """Return the pools in which an instance and its predecessors were reclaimed too often; empty within the tolerance.

    A pool is a type in a zone. The current reclaim counts, an ended drill does not.
    """
    since = now - timedelta(seconds=seconds_of(tolerance.within) or 0)
    pools = [
        (instance.instance_type, instance.zone)
        for instance in (spec.instance, *(parent.instance for parent in parents(journal, spec.instance)))
        for recovery in journal.recoveries.of_instance(instance.region, instance.instance_id)
        if recovery.started >= since and _is_reclaim(recovery)
    ]
    if len(pools) < tolerance.reclaims:
        return ()
    return tuple(TiredPool(*pool, count, tolerance.within) for pool, count in Counter(pools).items())


def _is_reclaim(recovery: Recovery) -> bool:
    return not recovery.interruption.is_manual and (recovery.interruption.locked or not recovery.state.is_final)
