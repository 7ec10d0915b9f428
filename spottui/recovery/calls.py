"""A mutating call of a recovery: written down before, repeated with the same token while its effect is unknown."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TypeVar

from spottui.cloud.ecs import Answer
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.domain.audit import Entry, Phase
from spottui.domain.recovery import Recovery
from spottui.recovery.change import failed_as
from spottui.recovery.work import Work

T = TypeVar("T")

_BACKOFF_S = (0.2, 0.5, 1.0, 2.0, 4.0)
_CREDENTIALS_S = 5.0
_BUSY_S = 2.0


@dataclass(frozen=True, slots=True)
class Call:
    """One mutating call: what it shows of the recovery while it is made, and what when it has succeeded."""

    action: str
    client_token: str
    give_up_at: datetime
    shows: Callable[[Recovery], Recovery]
    gives: Callable[[Recovery, str], Recovery]


async def call(work: Work, recovery_id: str, one: Call, do: Callable[[], Answer]) -> str | CloudError:
    """Make a call and return the id that it gave, or the error that is final.

    The token is on disk before the call is made. A throttled call waits for the next minute, one whose effect is
    unknown goes again with the same ClientToken, and wrong credentials are tried again until somebody has mended
    them; all of it until `give_up_at`.
    """
    intent = Entry(recovery_id, one.action, Phase.INTENT, one.client_token)
    await _commit(work, recovery_id, one.shows, intent)
    failures = 0
    while True:
        outcome = await attempt(work, do)
        if not isinstance(outcome, CloudError):
            result = Entry(
                recovery_id, one.action, Phase.RESULT, one.client_token, outcome.request_id, outcome.resource_id
            )
            await _commit(work, recovery_id, partial(_given, one, outcome.resource_id), result)
            return outcome.resource_id
        detail = f"failed: {outcome.said}"
        phase = Phase.UNKNOWN if outcome.kind.effect_unknown else Phase.ERROR
        error = Entry(recovery_id, one.action, phase, one.client_token, outcome.request_id, detail)
        await _commit(work, recovery_id, partial(_troubled, failed_as(outcome)), error)
        wait_s = _wait_s(outcome, failures, work.now())
        failures += 1
        if wait_s is None or (one.give_up_at - work.now()).total_seconds() < wait_s:
            return outcome
        if not outcome.kind.effect_unknown and await _cancelled_within(work, recovery_id, wait_s):
            return outcome
        if outcome.kind.effect_unknown:
            await asyncio.sleep(wait_s)


def may_begin(work: Work, recovery: Recovery, client_token: str) -> bool:
    """Whether a call may be made: not when a person has cancelled, unless it was made before and must be settled."""
    return not recovery.cancel or work.journal.audit.unsettled(recovery.recovery_id, client_token)


async def _cancelled_within(work: Work, recovery_id: str, wait_s: float) -> bool:
    """Wait, and look each second whether a person has cancelled what was refused anyway."""
    until = asyncio.get_running_loop().time() + wait_s
    while (left_s := until - asyncio.get_running_loop().time()) > 0:
        if work.recovery(recovery_id).cancel:
            return True
        await asyncio.sleep(min(left_s, 1.0))
    return work.recovery(recovery_id).cancel


async def attempt(work: Work, do: Callable[[], T]) -> T | CloudError:
    """Run one synchronous call in the acting lane; an error of the cloud is returned, not raised."""
    try:
        return await asyncio.wrap_future(work.lanes.act(do))
    except CloudError as error:
        return error


async def tell(work: Work, recovery_id: str, action: str, outcome: Answer | CloudError, gave: str) -> None:
    """Write what came of a call that has no token into audit and feed: what it gave, or why it failed."""
    is_error = isinstance(outcome, CloudError)
    detail = f"failed: {outcome.said}" if isinstance(outcome, CloudError) else gave
    entry = Entry(recovery_id, action, Phase.ERROR if is_error else Phase.RESULT, "", outcome.request_id, detail)
    await _commit(work, recovery_id, lambda known: known, entry)


def _wait_s(error: CloudError, failures: int, now: datetime) -> float | None:
    if error.kind is ErrorKind.THROTTLED:
        return error.retry_after_s or 60.0 - now.second - now.microsecond / 1e6
    if error.kind is ErrorKind.CREDENTIALS:
        return _CREDENTIALS_S
    if error.kind is ErrorKind.BUSY:
        return _BUSY_S
    if error.kind.effect_unknown:
        return _BACKOFF_S[min(failures, len(_BACKOFF_S) - 1)]
    return None


def _given(one: Call, resource_id: str, known: Recovery) -> Recovery:
    return replace(one.gives(known, resource_id), trouble="")


def _troubled(trouble: str, known: Recovery) -> Recovery:
    return replace(known, trouble=trouble)


async def _commit(work: Work, recovery_id: str, change: Callable[[Recovery], Recovery], entry: Entry) -> None:
    await asyncio.to_thread(work.journal.recoveries.change, recovery_id, work.now(), change, entry)
