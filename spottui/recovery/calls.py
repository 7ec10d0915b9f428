"""A recovery's mutating call: journaled first, and repeated with the same token while its effect is unknown."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from spottui.cloud.ecs import Answer
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.domain.facts import CallAnswered, CallBegun, CallFailed, Fact
from spottui.domain.recovery import ImageOf, Recovery, Try
from spottui.journal.writer import Urgency
from spottui.recovery.context import RecoveryContext, failure_of

_BACKOFF_S = (0.2, 0.5, 1.0, 2.0, 4.0)
_CREDENTIALS_S = 5.0
_BUSY_S = 2.0


class Call(msgspec.Struct, frozen=True):
    """A mutating call with its ClientToken, and the facts that are committed with its intent.

    `target` is what it changes, and `detail` to what, `attempt` the launch that it is, `image_of` what an image is made
    of. One that is to be settled otherwise than by its repetition is not repeated after `settle_by` for a thing that is
    busy, or for an answer that tells nothing.
    """

    action: str
    client_token: str
    give_up_at: datetime
    before: tuple[Fact, ...] = ()
    target: str = ""
    attempt: Try | None = None
    image_of: ImageOf | None = None
    settle_by: datetime | None = None
    detail: str = ""

    def repeats_until(self, error: CloudError) -> datetime:
        """Return until when the call is repeated after this error."""
        settles = error.kind.effect_unknown or error.kind is ErrorKind.BUSY
        return self.settle_by if settles and self.settle_by else self.give_up_at


async def call(ctx: RecoveryContext, request: Call, do: Callable[[], Answer]) -> str | CloudError:
    """Make a call and return the id that it returned, or the final error.

    The token is on disk before the call is made. A throttled call waits for the next minute, one with an unknown effect
    is repeated with the same ClientToken, and wrong credentials are retried until somebody has fixed them; all of it
    until `give_up_at`.
    """
    begun = CallBegun(request.action, request.client_token, request.target, request.attempt, request.image_of)
    await ctx.record(*request.before, begun)
    failures = 0
    while True:
        outcome = await ctx.attempt(do)
        if not isinstance(outcome, CloudError):
            made = (outcome.resource_id,)
            answered = CallAnswered(
                request.action, request.client_token, outcome.request_id, made, request.target, request.detail
            )
            await ctx.record(answered, urgency=Urgency.EVIDENCE)
            return outcome.resource_id
        wait_s = _wait_s(outcome, failures, ctx.now())
        failures += 1
        left_s = (request.repeats_until(outcome) - ctx.now()).total_seconds()
        gives_up = wait_s is None or left_s < wait_s or _is_moot(ctx.recovery, request)
        next_try = None if gives_up or wait_s is None else ctx.now() + timedelta(seconds=wait_s)
        failed = CallFailed(request.action, failure_of(outcome), request.client_token, request.target, next_try)
        await ctx.record(failed, urgency=Urgency.EVIDENCE)
        if gives_up or wait_s is None:
            return outcome
        if outcome.kind.effect_unknown:
            await asyncio.sleep(wait_s)
        elif await _cancelled_within(ctx, wait_s):
            return outcome


async def call_once(
    ctx: RecoveryContext, action: str, target: str, do: Callable[[], Answer], detail: str = ""
) -> CloudError | None:
    """Make a call that has no token and is safe to repeat; return its error, if it failed."""
    await ctx.record(CallBegun(action, target=target))
    outcome = await ctx.attempt(do)
    if isinstance(outcome, CloudError):
        await ctx.record(CallFailed(action, failure_of(outcome), target=target), urgency=Urgency.EVIDENCE)
        return outcome
    made = (outcome.resource_id,) if outcome.resource_id else ()
    answered = CallAnswered(action, "", outcome.request_id, made, target, detail)
    await ctx.record(answered, urgency=Urgency.EVIDENCE)
    return None


def may_begin(recovery: Recovery, client_token: str) -> bool:
    """Whether the call may be made: not after a person cancelled, unless an earlier attempt must be settled."""
    return not recovery.cancel or client_token in recovery.unsettled


def _is_moot(recovery: Recovery, request: Call) -> bool:
    """Whether the call is about an instance that is gone."""
    return request.target == recovery.instance_id and recovery.interruption.released_at is not None


async def _cancelled_within(ctx: RecoveryContext, wait_s: float) -> bool:
    """Wait, and end if a person cancels meanwhile."""
    until = asyncio.get_running_loop().time() + wait_s
    while not ctx.recovery.cancel and (left_s := until - asyncio.get_running_loop().time()) > 0:
        await ctx.wait(left_s)
    return ctx.recovery.cancel


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
