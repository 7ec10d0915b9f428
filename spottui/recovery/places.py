"""Looking for places, once for each recovery, while its plan is read or its image is made."""

import asyncio
import logging
from dataclasses import replace
from functools import partial

from spottui.domain.plan import Plan, by_route
from spottui.domain.recovery import Recovery
from spottui.recovery.change import plan_of
from spottui.recovery.planner import next_step
from spottui.recovery.work import Work

log = logging.getLogger("spottui.recovery")

PATIENCE_S = 30.0


async def look_for_places(work: Work, recovery_id: str) -> None:
    """Wait until the places of the plan are ranked by stock, price and interruption rate, unless they are.

    Who confirmed before they were known has confirmed the rules within which they are looked for.
    """
    found = begin_to_look(work, recovery_id, plan_of(work, recovery_id))
    if found:
        await asyncio.wait({found}, timeout=PATIENCE_S)


def begin_to_look(work: Work, recovery_id: str, plan: Plan) -> "asyncio.Task[None] | None":
    """Begin to look in this process, unless somebody does or has; nobody need wait for it."""
    return None if plan.surveyed else work.looks.begin(recovery_id, partial(find_places, work, recovery_id))


async def find_places(work: Work, recovery_id: str) -> None:
    """Rank the places of a plan and commit them. What goes wrong leaves the plan with the places that it has."""
    plan = plan_of(work, recovery_id)
    try:
        surveyed = replace(await work.surveys.survey(plan), first_digest=plan.digest)
    except Exception:
        log.exception("the places of %s could not be looked up; it goes on with those that it has", recovery_id)
        surveyed = replace(plan, surveyed=True, first_digest=plan.digest)
    if await asyncio.to_thread(work.journal.recoveries.replan, recovery_id, partial(_unless_surveyed, surveyed)):
        work.bulletin.post(recovery_id, partial(_with_places, surveyed))
    work.signals.wake(recovery_id)


def _with_places(surveyed: Plan, known: Recovery) -> Recovery:
    if known.new_instance_id or known.state.is_final:
        return known
    step = next_step(surveyed) if known.state.waits_for_permission else known.next_step
    return replace(known, next_step=step, no_room=surveyed.has_no_room)


def _unless_surveyed(surveyed: Plan, _recovery: Recovery, known: Plan) -> Plan | None:
    """A person may have chosen another route meanwhile."""
    return None if known.surveyed else by_route(surveyed, known.route)
