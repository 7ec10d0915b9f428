"""The plan that a recovery would have, for a person who asks before anything has happened."""

from spottui.cloud.errors import CloudError
from spottui.domain.plan import Plan
from spottui.domain.refusal import Refused
from spottui.recovery.planner import capture, make_plan
from spottui.recovery.work import Work


def plan_now(work: Work, region: str, instance_id: str) -> Plan:
    """Return the plan that a recovery of an instance would have if it began now; raises `Refused`."""
    ecs = work.regions.get(region)
    if ecs is None:
        raise Refused(f"{region} is not a configured region.")
    try:
        spec = capture(ecs, work.journal, work.clock, instance_id)
    except CloudError as error:
        raise Refused(f"{instance_id} cannot be planned: {error.line}. Try again when the cause is gone.") from None
    if spec is None:
        raise Refused(f"{instance_id} is not listed in {region}.")
    return make_plan(spec, f"{region}.{instance_id}", work.settings)
