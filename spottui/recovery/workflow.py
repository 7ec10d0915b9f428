"""The way of one recovery, from the notice to the replacement: the whole story on one page."""

import asyncio
from dataclasses import replace

from spottui.domain.plan import Route
from spottui.domain.recovery import RecoveryState
from spottui.recovery.change import note, plan_of
from spottui.recovery.drain import drain
from spottui.recovery.leftovers import mark_leftovers
from spottui.recovery.permission import wait_for_permission
from spottui.recovery.protect import PATIENCE_S
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
    """Protect the disks, wait for a yes, and bring the instance back; return the final state.

    Nothing is read here but what steps returned: a restart runs this again from the top, step by remembered step.
    """
    await stage(protect, recovery_id)
    ended = await stage(wait_for_permission, recovery_id)
    if ended is None:
        await stage(drain, recovery_id)
        ended = await _travel(recovery_id, stage)
    if ended.state is RecoveryState.RECOVERED:
        await stage(mark_leftovers, recovery_id)
    return await stage(end, recovery_id, ended.state.value, ended.reason)


async def _travel(recovery_id: str, stage: Stage) -> Ended:
    """Follow the plan's first route, and the next when what one stands on stops being true."""
    reasons: list[str] = []
    closed: list[Route] = []
    while route := await stage(take_route, recovery_id, closed, "; ".join(reasons)):
        ended = await ROUTES[route](recovery_id, stage)
        if not ended.leaves:
            return ended
        reasons.append(f"{route}: {ended.reason}")
        closed += [route, *ended.bars]
    return Ended(RecoveryState.FAILED, "; ".join(reasons))


async def protect(work: Work, recovery_id: str) -> str:
    """Wait for the life-raft that went out with the notice, or send it when that was another process's.

    One that hangs is waited for no longer than a second: it may still arrive, and the image must not wait for it.
    """
    recovery = work.recovery(recovery_id)
    sent = asyncio.wrap_future(work.life_rafts.send(recovery.region, recovery.instance_id, recovery_id))
    done, _ = await asyncio.wait({sent}, timeout=PATIENCE_S)
    return sent.result() if done else "not answered yet"


async def take_route(work: Work, recovery_id: str, closed: list[Route], why: str) -> Route | None:
    """Commit which of the plan's routes is taken next, and why when it is not the first; None when none is left."""
    route = next((one for one in plan_of(work, recovery_id).routes if one not in closed), None)
    if route is None:
        return None
    if why:
        await note(work, recovery_id, "Route", f"route {route}, because {why}")
    await asyncio.to_thread(
        work.journal.recoveries.change, recovery_id, work.now(), lambda known: replace(known, route=route)
    )
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
