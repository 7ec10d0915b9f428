"""A mutating call of a recovery: written down before, repeated with the same token while its effect is unknown."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from spottui.cloud.ecs import Answer
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.domain.recovery import Recovery
from spottui.journal.audit import Entry, Phase
from spottui.recovery.work import Work

T = TypeVar("T")

_BACKOFF_S = (0.2, 0.5, 1.0, 2.0, 4.0)
_CREDENTIALS_S = 5.0
_BUSY_S = 2.0


async def call(
    work: Work, recovery: Recovery, action: str, token: str, give_up_at: datetime, do: Callable[[], Answer]
) -> Answer | CloudError:
    """Make a call and return its answer, or the error that is final.

    A token is on disk before its call is made; a call without one may be repeated and needs no such line. A throttled
    call waits for the next minute, one whose effect is unknown goes again with the same ClientToken, and
    wrong credentials are tried again until somebody has mended them; all of it until `give_up_at`.
    """
    if token:
        await _write(work, recovery, Entry(recovery.recovery_id, action, Phase.INTENT, token))
    failures = 0
    while True:
        outcome = await attempt(work, do)
        await _write(work, recovery, _entry(recovery.recovery_id, action, token, outcome))
        if not isinstance(outcome, CloudError):
            return outcome
        wait_s = _wait_s(outcome, failures, work.now())
        failures += 1
        if wait_s is None or (give_up_at - work.now()).total_seconds() < wait_s:
            return outcome
        await asyncio.sleep(wait_s)


async def attempt(work: Work, do: Callable[[], T]) -> T | CloudError:
    """Run one synchronous call in the acting lane; an error of the cloud is returned, not raised."""
    try:
        return await asyncio.wrap_future(work.lanes.act(do))
    except CloudError as error:
        return error


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


def _entry(recovery_id: str, action: str, token: str, outcome: Answer | CloudError) -> Entry:
    if isinstance(outcome, CloudError):
        return Entry(recovery_id, action, Phase.ERROR, token, outcome.request_id, f"failed: {_short(outcome)}")
    return Entry(recovery_id, action, Phase.RESULT, token, outcome.request_id, outcome.resource_id)


def _short(error: CloudError) -> str:
    return ": ".join(part for part in (error.code or error.kind.value, error.message) if part)


async def _write(work: Work, recovery: Recovery, entry: Entry) -> None:
    await asyncio.to_thread(work.journal.audit.add, entry, recovery.region, recovery.instance_id, work.now())
