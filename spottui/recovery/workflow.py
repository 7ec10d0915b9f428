"""The way of one recovery, from the notice to the replacement: the whole story on one page."""

import asyncio
from dataclasses import replace

from spottui.domain.plan import Route
from spottui.domain.recovery import RecoveryState
from spottui.recovery.change import change, note, plan_of
from spottui.recovery.drain import drain
from spottui.recovery.leftovers import mark_leftovers
from spottui.recovery.permission import wait_for_permission
from spottui.recovery.routes.image import image_route
from spottui.recovery.routes.kept_disk import kept_disk_route
from spottui.recovery.routes.restart import restart_route
from spottui.recovery.routes.warm_image import warm_image_route
from spottui.recovery.stage import Stage
from spottui.recovery.work import Ended, Work

ROUTES = {
    Route.IMAGE: image_route,
    Route.RESTART: restart_route,
    Route.KEPT_DISK: kept_disk_route,
    Route.WARM_IMAGE: warm_image_route,
}


async def recover(recovery_id: str, stage: Stage) -> str:
    """Wait for a yes, and bring the instance back; return the final state.

    Nothing is read here but what steps returned: a restart runs this again from the top, step by remembered step.
    """
    permission = await stage(wait_for_permission, recovery_id)
    ended = permission.ended
    if permission.drains:
        await stage(drain, recovery_id)
    if permission.route:
        ended = await _travel(recovery_id, stage, permission.route)
    assert ended is not None
    if ended.state is RecoveryState.RECOVERED:
        await stage(mark_leftovers, recovery_id)
    return await stage(end, recovery_id, ended.state.value, ended.reason)


async def _travel(recovery_id: str, stage: Stage, first: Route) -> Ended:
    """Follow a route, and the plan's next one when what it stands on stops being true."""
    tried: list[tuple[Route, str]] = []
    closed: list[Route] = []
    route: Route | None = first
    while route:
        ended = await ROUTES[route](recovery_id, stage)
        if not ended.leaves:
            return ended
        tried.append((route, ended.reason))
        closed += [route, *ended.bars]
        route = await stage(next_route, recovery_id, closed, _why(tried))
    return Ended(RecoveryState.FAILED, _why(tried))


def _why(tried: list[tuple[Route, str]]) -> str:
    """Return why each route was left, named where there were several."""
    return tried[0][1] if len(tried) == 1 else "; ".join(f"{route}: {reason}" for route, reason in tried)


async def next_route(work: Work, recovery_id: str, closed: list[Route], why: str) -> Route | None:
    """Commit which of the plan's routes is taken now, and why; None when none is left."""
    route = next((one for one in plan_of(work, recovery_id).routes if one not in closed), None)
    if route:
        await note(work, recovery_id, "Route", f"route {route}, because {why}")
        await change(work, recovery_id, lambda known: replace(known, route=route, forecast_at=None))
    return route


async def end(work: Work, recovery_id: str, state: str, reason: str) -> str:
    """Commit how it ended, and tell whoever is to be told."""
    ended = Ended(RecoveryState(state), reason)
    now = work.now()
    recovery = await asyncio.to_thread(
        work.journal.recoveries.change,
        recovery_id,
        now,
        lambda known: replace(known, state=ended.state, reason=ended.reason, next_step="", veto_until=None),
    )
    title = f"{recovery.name or recovery.instance_id}: {ended.state}"
    text = f"{recovery.instance_id} in {recovery.region}: {reason}"
    await asyncio.to_thread(work.journal.outbox.post, recovery_id, title, text, now)
    work.signals.forget(recovery_id)
    work.life_rafts.forget(recovery_id)
    return ended.state.value
