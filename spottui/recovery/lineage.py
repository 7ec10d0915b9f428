"""Which instances an instance replaced, by tag and journal, and how often they were reclaimed lately."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec.structs import replace

from spottui.domain.dates import seconds_of
from spottui.domain.instance import Instance, InstanceStatus
from spottui.domain.launch_spec import OUR_TAG, LaunchSpec, SpotTerms
from spottui.domain.plan import TiredPool
from spottui.domain.recovery import Recovery
from spottui.domain.refusal import Refused
from spottui.domain.settings import Tolerance
from spottui.journal import Journal


def parents(journal: Journal, instance: Instance) -> Iterator[LaunchSpec]:
    """Yield what an instance replaced, then what that one replaced, and so on.

    The tag of a replacement names the recovery that launched it; it counts only if the journal agrees.
    """
    seen: set[str] = set()
    while instance.instance_id not in seen:
        seen.add(instance.instance_id)
        parent = journal.recoveries.get(dict(instance.tags).get(OUR_TAG, ""))
        if parent is None or parent.new_instance_id != instance.instance_id:
            return
        plan = journal.recoveries.plan(parent.recovery_id)
        if plan is None:
            return
        yield plan.spec
        instance = plan.spec.instance


def terms_before(journal: Journal, instance: Instance) -> SpotTerms | None:
    """Return the spot terms that an on-demand replacement had before, None if it is no such replacement."""
    if instance.is_spot:
        return None
    return next((parent.spot_terms for parent in parents(journal, instance) if parent.instance.is_spot), None)


def back_to_spot(journal: Journal, spec: LaunchSpec) -> LaunchSpec:
    """Return the launch spec of an on-demand replacement as that of a spot instance again; raises `Refused`."""
    instance, terms = spec.instance, terms_before(journal, spec.instance)
    if terms is None:
        raise Refused(
            f"{instance.instance_id} is not an on-demand replacement of a spot instance that this journal knows. "
            "r, or recover without --to-spot, plans a replacement of the same kind."
        )
    if instance.status is not InstanceStatus.RUNNING:
        raise Refused(f"{instance.instance_id} is {instance.status}. Start it, then plan its way back to spot.")
    return replace(spec, back_to_spot=terms)


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
