"""Surveying places, once for each recovery, while its plan is read or its image is made."""

import asyncio
import logging
from contextlib import suppress
from datetime import datetime
from functools import partial

from msgspec.structs import replace

from spottui.domain.facts import PlanSurveyed, RouteTaken
from spottui.domain.plan import Plan, by_route
from spottui.domain.reasons import Reason, Why
from spottui.domain.recovery import Recovery
from spottui.journal.store import JournalProblem
from spottui.journal.transaction import Transaction
from spottui.recovery.context import Fenced, RecoveryContext

log = logging.getLogger("spottui.recovery")

PATIENCE_S = 30.0


async def look_for_places(ctx: RecoveryContext) -> None:
    """Wait until the places of the plan are ranked by stock, price and interruption rate, unless they are.

    A confirmation before that covers the rules by which the places are chosen.
    """
    task = begin_to_look(ctx)
    if task:
        await asyncio.wait({task}, timeout=PATIENCE_S)


def begin_to_look(ctx: RecoveryContext) -> "asyncio.Task[None] | None":
    """Start the survey in this process, unless it was started; nobody has to wait for it."""
    if ctx.plan.surveyed:
        return None
    if ctx.places is None or ctx.places.done():
        ctx.places = asyncio.create_task(_find_places(ctx))
    return ctx.places


async def _find_places(ctx: RecoveryContext) -> None:
    """Rank the places of a plan and commit them. After an error the plan keeps its places."""
    plan = ctx.plan
    try:
        surveyed = await ctx.shared.surveys.survey(plan)
    except Exception:
        log.exception("the places of %s could not be looked up; the plan keeps the places it has", ctx.id)
        surveyed = replace(plan, surveyed=True)
    with suppress(Fenced, JournalProblem):
        await ctx.change(partial(_with_places, surveyed, ctx.now()))


def _with_places(surveyed: Plan, now: datetime, transaction: Transaction, recovery: Recovery) -> None:
    """A person may have chosen another route meanwhile, or another console may have surveyed."""
    plan = transaction.plan(recovery.recovery_id)
    if plan is None or plan.surveyed:
        return
    chosen = by_route(surveyed, plan.route) if plan.route in surveyed.routes else surveyed
    is_same = chosen.route is plan.route
    # A confirmation of another route does not count for this one.
    first_digest = plan.digest if is_same else ""
    # After the release another instance may have the address, and records of its own.
    in_time = None if recovery.interruption.released_at else chosen.records
    records = plan.records if in_time is None else in_time
    chosen = replace(chosen, first_digest=first_digest, backends=recovery.backends or chosen.backends, records=records)
    transaction.set_plan(recovery.recovery_id, chosen)
    if not is_same and recovery.state.waits_for_permission:
        transaction.record(recovery.recovery_id, RouteTaken(chosen.route, Reason(Why.NO_EARLIER_IMAGE)), now)
    fact = PlanSurveyed(chosen.digest, chosen.next_step, chosen.has_no_room)
    transaction.record(recovery.recovery_id, fact, now)
