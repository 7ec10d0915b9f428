"""Load balancers: take the old instance out of service after the confirmation, and add the replacement once it runs.

No call to a load balancer ends or delays a recovery. CLB calls have no ClientToken, so each entry is read before it is
changed: after a restart or a lost answer this continues from the present state.
"""

import asyncio
import logging
import random
from collections.abc import Coroutine, Iterable, Sequence
from contextlib import suppress
from typing import Any, TypeVar, cast

from msgspec.structs import replace

from spottui.cloud.errors import UNKNOWN_HOST, CloudError, ErrorKind
from spottui.domain.balancers import Backend, Change, Product, Server, ServerType, action_of
from spottui.domain.facts import BackendServes, BackendsFound, CallFailed, WeightKept, WeightRestored
from spottui.domain.reasons import Doing, Failure, NextStep, Reason, Why
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.journal.store import JournalProblem
from spottui.recovery.context import EntryRequest, Fenced, RecoveryContext, StepOutcome, entry_of, failure_of
from spottui.recovery.group_changes import change, group_of, is_busy, serves_without, waiting

T = TypeVar("T")
log = logging.getLogger("spottui.recovery")

POLL_S = 1.0
LONGEST_WAIT_S = 10.0
"""Between look-ups of an instance's entries while a product does not answer."""
KEPT_POLL_S = 5.0
"""How often to check whether another server of the group has become healthy."""
THROTTLED_S = 5.0
"""A throttled call is made again after this: weights cannot wait for the next minute."""
CHANGE_PATIENCE_S = 120.0
HEALTHY_PATIENCE_S = 120.0
"""How long an added replacement may take to become healthy; a slower one counts as recovered, with a note."""


def begin_to_lower(ctx: RecoveryContext) -> None:
    """Start to lower the instance's weights to 0, in parallel with the route."""
    if ctx.traffic is None or ctx.traffic.done():
        ctx.traffic_settles.clear()
        ctx.traffic = asyncio.create_task(_lower_all(ctx))


async def settle_traffic(ctx: RecoveryContext, ended: StepOutcome) -> StepOutcome:
    """Replace the old instance by the new one, or restore the old weights; return what could not be done."""
    ctx.traffic_settles.set()
    unknown = await ctx.traffic if ctx.traffic else ()
    recovery = ctx.recovery
    if not ended.replaces(recovery):
        problems = await _restore_all(ctx)
    elif recovery.backends:
        problems = [*unknown, *await _replace_all(ctx, recovery.new_instance_id)]
        took_s = int((ctx.now() - recovery.started).total_seconds())
        ended = replace(ended, reason=replace(ended.reason, seconds=took_s))
    else:
        problems = list(unknown)
    return ended.because_of(problems)


async def _lower_all(ctx: RecoveryContext) -> tuple[Reason, ...]:
    """Find the instance's entries and lower them; return why those of a product are not known."""
    try:
        unknown = await _each(_lower_of(ctx, product) for product in Product)
    except (Fenced, JournalProblem):
        # The next driver of the recovery begins again.
        return ()
    except Exception:
        log.exception("the weights of %s are not lowered", ctx.recovery.instance_id)
        return ()
    return tuple(reason for reason in unknown if reason)


async def _lower_of(ctx: RecoveryContext, product: Product) -> Reason | None:
    problem = await _find(ctx, product)
    if _may_lower(ctx.recovery):
        mine = (backend for backend in ctx.recovery.backends if backend.product is product and backend.weight)
        await _each(_lower(ctx, backend) for backend in mine)
    return problem


def _may_lower(recovery: Recovery) -> bool:
    """Whether the instance is being reclaimed: not if a person only wants a second one, nor once it is replaced."""
    is_over = recovery.state in (RecoveryState.REBINDING, RecoveryState.VERIFYING)
    return not (recovery.interruption.is_manual or is_over or recovery.new_instance_id == recovery.instance_id)


async def _find(ctx: RecoveryContext, product: Product) -> Reason | None:
    """Journal the instance's entries of a product, unless they are known; return why they could not be found.

    In that case the plan's own entries are used. A refusal, or a product that is missing in this region, is a caution
    of the plan already: only a missing answer is returned.
    """
    if any(backend.product is product for backend in ctx.recovery.backends):
        return None
    planned = tuple(backend for backend in ctx.plan.backends if backend.product is product)
    entries = await _look_up(ctx, product)
    backends = planned if isinstance(entries, CloudError) else entries or planned
    if backends:
        await ctx.record(BackendsFound(backends))
    if planned or not isinstance(entries, CloudError) or not entries.kind.repeats or entries.message == UNKNOWN_HOST:
        return None
    await ctx.record(CallFailed(entries.action, failure_of(entries), target=product))
    return Reason(Why.BALANCERS_UNKNOWN, detail=product, failure=failure_of(entries))


async def _look_up(ctx: RecoveryContext, product: Product) -> tuple[Backend, ...] | CloudError:
    spec, waits_s = ctx.plan.spec, POLL_S
    while True:
        try:
            return await ctx.shared.surveys.backends(spec, product)
        except CloudError as error:
            if _wait_s(error) is None or await _settles_within(ctx, waits_s):
                return error
        waits_s = min(2 * waits_s, LONGEST_WAIT_S)


async def _lower(ctx: RecoveryContext, entry: Backend) -> None:
    """Lower an entry to weight 0, but never the last healthy one of its group."""
    request = EntryRequest(ctx, entry, 0, spares=True)
    wait_s: float | None = 0.0
    async with waiting(request):
        while wait_s is not None and not await _settles_within(ctx, wait_s):
            async with ctx.shared.group_turns[entry.group]:
                wait_s = await _lower_once(request)


async def _lower_once(request: EntryRequest) -> float | None:
    """Check and make the next call; return in how many seconds to check again, None if nothing is left to do."""
    ctx, backend = request.ctx, request.entry
    group = await group_of(ctx, backend, with_health=True)
    if isinstance(group, CloudError):
        return await _wait_or_record(ctx, backend, group)
    is_met, others_serve = request.is_met(group), serves_without(group, [backend])
    if entry_of(group, backend) is None or (is_met and others_serve):
        return None
    if is_busy(group):
        return POLL_S
    if others_serve:
        return _next_look_s(await change(request, group))
    if not is_met:
        if backend not in ctx.recovery.kept:
            await ctx.record(WeightKept(backend))
        return KEPT_POLL_S
    if backend not in ctx.recovery.lowered:
        return None
    # Two consoles counted on each other's server: both restore theirs, and one lowers its again first.
    await change(EntryRequest(ctx, backend, backend.weight), group)
    return random.uniform(KEPT_POLL_S, 2 * KEPT_POLL_S)


async def _wait_or_record(ctx: RecoveryContext, entry: Backend, error: CloudError) -> float | None:
    """Return when to retry after a temporary error; any other is logged once."""
    wait_s = _wait_s(error)
    if wait_s is None:
        await ctx.record(CallFailed(error.action, failure_of(error), target=entry.group))
    return wait_s


async def _replace_all(ctx: RecoveryContext, new_id: str) -> list[Reason]:
    """Add the replacement wherever the old instance was, wait until it is healthy there, and take the old one out."""
    backends = ctx.recovery.backends
    await ctx.enter(RecoveryState.VERIFYING, NextStep(Doing.AWAIT_HEALTHY, new_id, count=len(backends)))
    server, failure = await _server(ctx, new_id, backends)
    problems = await _each(_replace(ctx, backend, backend.of(server), failure) for backend in backends)
    return [problem for of_one in problems for problem in of_one]


async def _server(ctx: RecoveryContext, new_id: str, backends: Sequence[Backend]) -> tuple[Server, Failure | None]:
    """Return the names of the replacement that the entries need; where some could not be looked up, why."""
    if all(backend.server_type is ServerType.ECS for backend in backends):
        return Server(new_id), None
    ecs = ctx.ecs
    specs = await ctx.attempt(lambda: ecs.launch_specs([new_id]))
    if isinstance(specs, CloudError):
        return Server(new_id), failure_of(specs)
    spec = specs.get(new_id)
    if spec is None:
        return Server(new_id), Failure("DescribeInstances", kind=ErrorKind.NOT_FOUND.value)
    return Server.of(spec), None


async def _replace(ctx: RecoveryContext, entry: Backend, new: Backend, no_id: Failure | None) -> list[Reason]:
    """Remove the old entry once the new one is healthy or the old instance is gone; else it keeps serving."""
    began_s = _now_s()
    failure = await _bring(ctx, new, entry.weight, joins=True) if new.server_id else no_id
    if failure:
        return [_about(Why.BACKEND_NOT_ADDED, entry, failure), *await _restore(ctx, entry)]
    unhealthy = await _wait_until_healthy(ctx, new, began_s)
    is_gone = await _is_gone(ctx)
    if is_gone or (not unhealthy and ctx.recovery.interruption.locked):
        return [*unhealthy, *await _take_out(ctx, entry, is_gone=is_gone)]
    return [*unhealthy, *await _restore(ctx, entry)]


async def _wait_until_healthy(ctx: RecoveryContext, new: Backend, began_s: float) -> list[Reason]:
    """Wait until health checks report the new entry healthy, unless its weight is 0."""
    until_s = _now_s() + HEALTHY_PATIENCE_S
    while new.weight:
        is_late, waited_s = _now_s() > until_s, _now_s() - began_s
        group = await group_of(ctx, new, with_health=True)
        backend_status = None if isinstance(group, CloudError) else entry_of(group, new)
        if backend_status and backend_status.healthy and backend_status.settled:
            await ctx.record(BackendServes(new, waited_s))
            break
        error = group if isinstance(group, CloudError) else None
        wait_s = _next_look_s(error)
        if wait_s is None or is_late:
            failure = failure_of(error) if error else None
            return [replace(_about(Why.BACKEND_NOT_HEALTHY, new, failure), seconds=waited_s)]
        await asyncio.sleep(wait_s)
    return []


async def _take_out(ctx: RecoveryContext, entry: Backend, *, is_gone: bool) -> list[Reason]:
    """Remove the old entry; an instance that still runs first stops getting new connections."""
    if not is_gone:
        await _bring(ctx, entry, 0)
    failure = await _bring(ctx, entry, None)
    return [_about(Why.BACKEND_LEFT, entry, failure)] if failure else []


async def _restore_all(ctx: RecoveryContext) -> list[Reason]:
    problems = await _each(_restore(ctx, backend) for backend in ctx.recovery.lowered)
    return [problem for of_one in problems for problem in of_one]


async def _restore(ctx: RecoveryContext, entry: Backend) -> list[Reason]:
    """Restore the weight of a lowered entry, unless its instance is gone."""
    if entry not in ctx.recovery.lowered or await _is_gone(ctx):
        return []
    failure = await _bring(ctx, entry, entry.weight)
    if failure:
        return [replace(_about(Why.WEIGHT_LEFT, entry, failure), count=entry.weight)]
    await ctx.record(WeightRestored(entry))
    return []


async def _bring(ctx: RecoveryContext, entry: Backend, weight: int | None, *, joins: bool = False) -> Failure | None:
    """Set the weight of an entry, or remove it for None; return the failure that ended the attempt.

    A missing entry is added if it `joins`. After a definite refusal it is read once more: an earlier call with a lost
    answer may have done it.
    """
    request, failure, is_refused = EntryRequest(ctx, entry, weight, joins), None, False
    until_s = _now_s() + CHANGE_PATIENCE_S
    async with waiting(request):
        while True:
            async with ctx.shared.group_turns[entry.group]:
                group = await group_of(ctx, entry)
                error = group if isinstance(group, CloudError) else None
                if not isinstance(group, CloudError):
                    if request.is_met(group):
                        return None
                    if not is_refused and not is_busy(group):
                        error = await change(request, group)
            failure = failure_of(error) if error else failure
            if is_refused or _now_s() > until_s:
                return failure or Failure(action_of(entry, Change.WEIGHT), kind=ErrorKind.BUSY.value)
            wait_s = _next_look_s(error)
            is_refused = wait_s is None
            await asyncio.sleep(POLL_S if wait_s is None else wait_s)


async def _each(steps: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Run steps in parallel and wait for all of them, so that no call is in progress when an error is raised."""
    outcomes = await asyncio.gather(*steps, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return cast(list[T], outcomes)


async def _is_gone(ctx: RecoveryContext) -> bool:
    """Whether the cloud says that the old instance is gone for good."""
    recovery = ctx.recovery
    return await ctx.shared.polls.gone(recovery.region, recovery.instance_id) is True


async def _settles_within(ctx: RecoveryContext, wait_s: float) -> bool:
    """Wait, and return whether nothing more is to be lowered."""
    with suppress(TimeoutError):
        async with asyncio.timeout(wait_s):
            await ctx.traffic_settles.wait()
    return ctx.traffic_settles.is_set()


def _next_look_s(error: CloudError | None) -> float | None:
    return POLL_S if error is None else _wait_s(error)


def _wait_s(error: CloudError) -> float | None:
    """Return when to retry after an error, None after a permanent one."""
    if error.kind is ErrorKind.THROTTLED:
        return min(error.retry_after_s or THROTTLED_S, THROTTLED_S)
    return POLL_S if error.kind.repeats or error.kind is ErrorKind.CREDENTIALS else None


def _about(why: Why, entry: Backend, failure: Failure | None) -> Reason:
    return Reason(why, entry.group, entry.product, failure=failure)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
