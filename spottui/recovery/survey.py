"""To be replaced by the planner's branch."""

from dataclasses import replace

from spottui.domain.plan import Plan
from spottui.recovery.work import Work


async def survey(work: Work, plan: Plan) -> Plan:
    """Return the plan as it is."""
    return replace(plan, surveyed=True)
