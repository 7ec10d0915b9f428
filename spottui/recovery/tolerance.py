"""How often an instance and its predecessors were reclaimed lately, and in which pools."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from spottui.domain.dates import seconds_of
from spottui.domain.instance import Instance
from spottui.domain.launch_spec import OUR_TAG, LaunchSpec
from spottui.domain.plan import TiredPool
from spottui.domain.recovery import Recovery
from spottui.domain.settings import Tolerance
from spottui.journal import Journal


def tired_pools(journal: Journal, spec: LaunchSpec, tolerance: Tolerance, now: datetime) -> tuple[TiredPool, ...]:
    """Return the pools in which an instance and its predecessors were reclaimed too often; empty within the tolerance.

    A pool is a type in a zone. The current reclaim counts, an ended drill does not.
    """
    since = now - timedelta(seconds=seconds_of(tolerance.within) or 0)
    pools = [
        (instance.instance_type, instance.zone)
        for instance in _lineage(journal, spec.instance)
        for recovery in journal.recoveries.of_instance(instance.region, instance.instance_id)
        if recovery.started >= since and _is_reclaim(recovery)
    ]
    if len(pools) < tolerance.reclaims:
        return ()
    return tuple(TiredPool(*pool, count, tolerance.within) for pool, count in Counter(pools).items())


def _is_reclaim(recovery: Recovery) -> bool:
    return not recovery.interruption.is_manual and (recovery.interruption.locked or not recovery.state.is_final)


def _lineage(journal: Journal, instance: Instance) -> Iterator[Instance]:
    """Yield an instance and those that it replaced, the newest first.

    A replacement's tag names the recovery that launched it; it is trusted only if the journal agrees.
    """
    seen: set[str] = set()
    while instance.instance_id not in seen:
        seen.add(instance.instance_id)
        yield instance
        parent = journal.recoveries.get(dict(instance.tags).get(OUR_TAG, ""))
        if parent is None or parent.new_instance_id != instance.instance_id:
            return
        plan = journal.recoveries.plan(parent.recovery_id)
        if plan is None:
            return
        instance = plan.spec.instance
