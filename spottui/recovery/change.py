"""How a step says in the journal where its recovery stands and what it has made."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from spottui.cloud.errors import CloudError
from spottui.domain.plan import Plan
from spottui.domain.recovery import Created, Recovery, RecoveryState
from spottui.recovery.work import Ended, Work


def plan_of(work: Work, recovery_id: str) -> Plan:
    """Return the plan of a recovery that has one."""
    plan = work.journal.recoveries.plan(recovery_id)
    if plan is None:
        raise LookupError(f"no plan for {recovery_id} in the journal")
    return plan


async def change(work: Work, recovery_id: str, new: Callable[[Recovery], Recovery]) -> Recovery:
    """Commit what the recovery shows now."""
    return await asyncio.to_thread(work.journal.recoveries.change, recovery_id, work.now(), new)


async def enter(work: Work, recovery_id: str, state: RecoveryState, next_step: str) -> Recovery:
    """Commit that the recovery is in a state, and what it does next."""
    return await change(work, recovery_id, lambda known: entered(known, state, next_step))


async def note(work: Work, recovery_id: str, action: str, detail: str) -> None:
    """Write a decision of the recovery's own into the audit and the feed, as a sentence."""
    await asyncio.to_thread(work.journal.recoveries.note, recovery_id, action, detail, work.now())


def entered(known: Recovery, state: RecoveryState, next_step: str) -> Recovery:
    """Return the recovery in another state."""
    return replace(
        known, state=state, next_step=next_step, reason="", veto_until=None, queued=None, awaits_release=False
    )


def failed_as(error: CloudError) -> str:
    """Return what failed in few words: `CreateImage: Forbidden.RAM`."""
    return f"{error.action}: {error.code or error.kind.value}"


def with_created(known: Recovery, kind: str, resource_id: str) -> Recovery:
    """Return the recovery with one more thing that it made."""
    one = Created(kind, resource_id)
    return known if one in known.created else replace(known, created=(*known.created, one))


def cancelled(known: Recovery) -> Ended:
    """A person has cancelled it; what it made stays until somebody cleans it up."""
    left = ", ".join(f"{one.kind} {one.resource_id}" for one in known.created)
    return Ended(RecoveryState.CANCELLED, f"left behind: {left}" if left else "nothing was made")


def failed(reason: str) -> Ended:
    """Nothing more can be done by itself."""
    return Ended(RecoveryState.FAILED, reason)


def leaves(reason: str) -> Ended:
    """What this route stands on is no longer true; another may still lead there."""
    return Ended(RecoveryState.FAILED, reason, leaves=True)


def not_done(error: CloudError, what: str, recovery_id: str) -> str:
    """Return in words that a call came to nothing, or that nobody knows whether it did."""
    if error.kind.effect_unknown:
        return f"{error.line}; it may exist all the same, with the tag spottui={recovery_id}: look before you go on"
    return f"{what}: {error.line}"
