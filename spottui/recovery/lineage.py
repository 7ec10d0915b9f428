"""Which instances an instance replaced, as tag and journal say alike."""

from collections.abc import Iterator

from msgspec.structs import replace

from spottui.domain.instance import Instance, InstanceStatus
from spottui.domain.launch_spec import OUR_TAG, LaunchSpec, SpotTerms
from spottui.domain.refusal import Refused
from spottui.journal import Journal


def parents(journal: Journal, instance: Instance) -> Iterator[LaunchSpec]:
    """Yield what an instance replaced, then what that one replaced, and so on.

    The tag of a replacement names the recovery that launched it; that is believed where the journal says the same.
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
    """Return as what spot instance an on-demand replacement ran before, None for what is no such replacement."""
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
