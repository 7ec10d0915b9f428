"""The way of one recovery, from the notice to the replacement: the whole story on one page."""

import asyncio
from dataclasses import replace

from spottui.domain.recovery import RecoveryState
from spottui.recovery.permission import wait_for_permission
from spottui.recovery.protect import PATIENCE_S
from spottui.recovery.routes.image import image_route
from spottui.recovery.stage import Stage
from spottui.recovery.work import Ended, Work


async def recover(recovery_id: str, stage: Stage) -> str:
    """Protect the disks, wait for a yes, and bring the instance back; return the final state.

    Nothing is read here but what steps returned: a restart runs this again from the top, step by remembered step.
    """
    await stage(protect, recovery_id)
    ended = await stage(wait_for_permission, recovery_id)
    if ended is None:
        ended = await image_route(recovery_id, stage)
    return await stage(end, recovery_id, ended.state.value, ended.reason)


async def protect(work: Work, recovery_id: str) -> str:
    """Wait for the life-raft that went out with the notice, or send it when that was another process's.

    One that hangs is waited for no longer than a second: it may still arrive, and the image must not wait for it.
    """
    recovery = work.recovery(recovery_id)
    sent = asyncio.wrap_future(work.life_rafts.send(recovery.region, recovery.instance_id, recovery_id))
    done, _ = await asyncio.wait({sent}, timeout=PATIENCE_S)
    return sent.result() if done else "not answered yet"


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
