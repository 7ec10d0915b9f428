"""Requests of users: kept from the old instance from the yes on, and sent to the replacement once it is healthy.

No call of a load balancer ends or delays a recovery. A CLB has no ClientToken, so each entry is looked at before it is
changed, and what is as wanted is left alone: after a restart, or a lost answer, this goes on from what is there.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TypeVar

from msgspec import structs

from spottui.cloud.balancers import Balancing
from spottui.cloud.errors import UNKNOWN_HOST, CloudError, ErrorKind
from spottui.domain.balancers import Backend, BackendStatus, Change, Product, Server, ServerType, action_of
from spottui.domain.facts import BackendChanging, BackendServes, BackendsFound, CallFailed, WeightKept, WeightRestored
from spottui.domain.reasons import Doing, Failure, NextStep, Reason, Why
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.tokens import client_token
from spottui.journal.store import JournalProblem
from spottui.recovery.calls import call_once
from spottui.recovery.context import Fenced, RecoveryContext, StepOutcome, failure_of

T = TypeVar("T")
log = logging.getLogger("spottui.recovery")

LOOK_S = 1.0
LONGEST_WAIT_S = 10.0
"""Between looks for what an instance is behind, where a product does not answer."""
KEPT_LOOK_S = 5.0
"""How often it is looked whether another server of the group has become healthy."""
THROTTLED_S = 5.0
"""A throttled call is made again after this: weights cannot wait for the next minute."""
CHANGE_PATIENCE_S = 120.0
HEALTHY_PATIENCE_S = 120.0
"""So long a replacement that was added is waited for; a slower one counts as recovered, which is said."""

Group = Sequence[BackendStatus]


def begin_to_lower(ctx: RecoveryContext) -> None:
    """Begin to lower the instance's weights to 0, beside the route; nothing of it is waited for."""
    if ctx.traffic is None or ctx.traffic.done():
        ctx.traffic_settles.clear()
        ctx.traffic = asyncio.create_task(_lower_all(ctx))


async def settle_traffic(ctx: RecoveryContext, ended: StepOutcome) -> StepOutcome:
    """Put the replacement in the place of the old instance, or the old weights back; say what could not be done."""
    ctx.traffic_settles.set()
    unknown = await ctx.traffic if ctx.traffic else ()
    recovery = ctx.recovery
    is_replaced = ended.state is RecoveryState.RECOVERED and recovery.new_instance_id != recovery.instance_id
    if not is_replaced:
        problems = await _restore_all(ctx)
    elif recovery.backends:
        problems = [*unknown, *await _replace_all(ctx, recovery.new_instance_id)]
        took_s = int((ctx.now() - recovery.started).total_seconds())
        ended = replace(ended, reason=structs.replace(ended.reason, seconds=took_s))
    else:
        problems = list(unknown)
    causes = (*ended.reason.causes, *problems)
    return replace(ended, reason=structs.replace(ended.reason, causes=causes)) if problems else ended


async def _lower_all(ctx: RecoveryContext) -> tuple[Reason, ...]:
    """Find the instance's entries and lower them; return why those of a product are not known."""
    try:
        unknown = await asyncio.gather(*(_lower_of(ctx, product) for product in Product))
    except (Fenced, JournalProblem):
        # Whoever drives the recovery from here on begins again.
        return ()
    except Exception:
        log.exception("the weights of %s are not lowered", ctx.recovery.instance_id)
        return ()
    return tuple(one for one in unknown if one)


async def _lower_of(ctx: RecoveryContext, product: Product) -> Reason | None:
    problem = await _find(ctx, product)
    if _may_lower(ctx.recovery):
        mine = (one for one in ctx.recovery.backends if one.product is product and one.weight)
        await asyncio.gather(*(_lower(ctx, one) for one in mine))
    return problem


def _may_lower(recovery: Recovery) -> bool:
    """Whether the instance goes: not where only a person wants another one beside it, nor once it is replaced."""
    is_over = recovery.state in (RecoveryState.REBINDING, RecoveryState.VERIFYING)
    return not (recovery.interruption.is_manual or is_over or recovery.new_instance_id == recovery.instance_id)


async def _find(ctx: RecoveryContext, product: Product) -> Reason | None:
    """Write down the instance's entries of a product, unless they are known; return why they could not be found.

    Then the plan's own are taken. What the cloud refuses, or does not have in this region, is a caution of the plan:
    the outcome tells only of an answer that did not come.
    """
    if any(one.product is product for one in ctx.recovery.backends):
        return None
    planned = tuple(one for one in ctx.plan.backends if one.product is product)
    found = await _look_up(ctx, product)
    backends = planned if isinstance(found, CloudError) else found or planned
    if backends:
        await ctx.record(BackendsFound(backends))
    if planned or not isinstance(found, CloudError) or not found.kind.repeats or found.message == UNKNOWN_HOST:
        return None
    await ctx.record(CallFailed(found.action, failure_of(found), target=product))
    return Reason(Why.BALANCERS_UNKNOWN, detail=product, failure=failure_of(found))


async def _look_up(ctx: RecoveryContext, product: Product) -> tuple[Backend, ...] | CloudError:
    spec, waits_s = ctx.plan.spec, LOOK_S
    while True:
        try:
            return await ctx.shared.surveys.backends(spec, product)
        except CloudError as error:
            if _wait_s(error) is None or await _settles_within(ctx, waits_s):
                return error
        waits_s = min(2 * waits_s, LONGEST_WAIT_S)


async def _lower(ctx: RecoveryContext, one: Backend) -> None:
    """Bring an entry to weight 0, but never the last healthy one of its group."""
    wait_s: float | None = 0.0
    while wait_s is not None and not await _settles_within(ctx, wait_s):
        async with ctx.shared.group_turns[one.group]:
            wait_s = await _lower_once(ctx, one)


async def _lower_once(ctx: RecoveryContext, one: Backend) -> float | None:
    """Look and make the next call; return in how many seconds to look again, None where nothing is left to do."""
    group = await _look(ctx, one, with_health=True)
    if isinstance(group, CloudError):
        return await _wait_or_tell(ctx, one, group)
    found = _entry(group, one)
    if found is None:
        return None
    if not found.settled:
        return LOOK_S
    is_lowered, others_serve = found.backend.weight == 0, _others_serve(group, one)
    if others_serve:
        return None if is_lowered else await _set_weight(ctx, one, 0)
    if not is_lowered:
        if one not in ctx.recovery.kept:
            await ctx.record(WeightKept(one))
        return KEPT_LOOK_S
    if one not in ctx.recovery.lowered:
        return None
    # Two consoles have left the group to each other: both put it back, and one is the first to lower it again.
    failed_in_s = await _set_weight(ctx, one, one.weight)
    return None if failed_in_s is None else random.uniform(KEPT_LOOK_S, 2 * KEPT_LOOK_S)


async def _set_weight(ctx: RecoveryContext, one: Backend, weight: int) -> float | None:
    error = await _call(ctx, Change.WEIGHT, one, weight)
    return LOOK_S if error is None else _wait_s(error)


async def _wait_or_tell(ctx: RecoveryContext, one: Backend, error: CloudError) -> float | None:
    """Return when to look again after an error that passes; any other is told, once."""
    wait_s = _wait_s(error)
    if wait_s is None:
        await ctx.record(CallFailed(error.action, failure_of(error), target=one.group))
    return wait_s


async def _replace_all(ctx: RecoveryContext, new_id: str) -> list[Reason]:
    """Add the replacement wherever the old instance was, wait until it is healthy there, and take the old one out."""
    backends = ctx.recovery.backends
    await ctx.enter(RecoveryState.VERIFYING, NextStep(Doing.AWAIT_HEALTHY, new_id, count=len(backends)))
    server, failure = await _server(ctx, new_id, backends)
    problems = await asyncio.gather(*(_replace(ctx, one, one.of(server), failure) for one in backends))
    return [problem for of_one in problems for problem in of_one]


async def _server(ctx: RecoveryContext, new_id: str, backends: Sequence[Backend]) -> tuple[Server, Failure | None]:
    """Return the names of the replacement that the entries need; where some could not be looked up, why."""
    if all(one.server_type is ServerType.ECS for one in backends):
        return Server(new_id), None
    ecs = ctx.ecs
    specs = await ctx.attempt(lambda: ecs.launch_specs([new_id]))
    if isinstance(specs, CloudError):
        return Server(new_id), failure_of(specs)
    spec = specs.get(new_id)
    if spec is None:
        return Server(new_id), Failure("DescribeInstances", kind=ErrorKind.NOT_FOUND.value)
    return Server.of(spec), None


async def _replace(ctx: RecoveryContext, one: Backend, new: Backend, no_id: Failure | None) -> list[Reason]:
    """The old entry goes once the new one is healthy, or its instance is gone; else it serves on."""
    began_s = _now_s()
    failure = await _bring(ctx, new, one.weight, joins=True) if new.server_id else no_id
    if failure:
        return [_about(Why.BACKEND_NOT_ADDED, one, failure), *await _restore(ctx, one)]
    unhealthy = await _wait_until_healthy(ctx, new, began_s)
    is_gone = await _is_gone(ctx)
    if is_gone or (not unhealthy and ctx.recovery.interruption.locked):
        return [*unhealthy, *await _take_out(ctx, one, is_gone=is_gone)]
    return [*unhealthy, *await _restore(ctx, one)]


async def _wait_until_healthy(ctx: RecoveryContext, new: Backend, began_s: float) -> list[Reason]:
    """Wait until health checks find the new entry healthy; one of weight 0 is not waited for."""
    until_s = _now_s() + HEALTHY_PATIENCE_S
    while new.weight:
        is_late, waited_s = _now_s() > until_s, _now_s() - began_s
        group = await _look(ctx, new, with_health=True)
        found = None if isinstance(group, CloudError) else _entry(group, new)
        if found and found.healthy and found.settled:
            await ctx.record(BackendServes(new, waited_s))
            break
        error = group if isinstance(group, CloudError) else None
        wait_s = _wait_s(error) if error else LOOK_S
        if wait_s is None or is_late:
            failure = failure_of(error) if error else None
            return [structs.replace(_about(Why.BACKEND_NOT_HEALTHY, new, failure), seconds=waited_s)]
        await asyncio.sleep(wait_s)
    return []


async def _take_out(ctx: RecoveryContext, one: Backend, *, is_gone: bool) -> list[Reason]:
    """Remove the old entry; an instance that still runs gets no new connections before it is cut off."""
    if not is_gone:
        await _bring(ctx, one, 0)
    failure = await _bring(ctx, one, None)
    return [_about(Why.BACKEND_LEFT, one, failure)] if failure else []


async def _restore_all(ctx: RecoveryContext) -> list[Reason]:
    problems = await asyncio.gather(*(_restore(ctx, one) for one in ctx.recovery.lowered))
    return [problem for of_one in problems for problem in of_one]


async def _restore(ctx: RecoveryContext, one: Backend) -> list[Reason]:
    """Give an entry that was lowered the weight that it had, unless its instance is gone."""
    if one not in ctx.recovery.lowered or await _is_gone(ctx):
        return []
    failure = await _bring(ctx, one, one.weight)
    if failure:
        return [structs.replace(_about(Why.WEIGHT_LEFT, one, failure), count=one.weight)]
    await ctx.record(WeightRestored(one))
    return []


async def _bring(ctx: RecoveryContext, one: Backend, weight: int | None, *, joins: bool = False) -> Failure | None:
    """Bring an entry to a weight, or out of its group for None; return the failure for which that was given up.

    An entry that is not there is added where it `joins`. After a definite refusal it is looked at once more: the call
    may have come after one whose answer was lost.
    """
    until_s, failure, is_refused = _now_s() + CHANGE_PATIENCE_S, None, False
    while True:
        async with ctx.shared.group_turns[one.group]:
            group = await _look(ctx, one)
            error = group if isinstance(group, CloudError) else None
            if not isinstance(group, CloudError):
                found = _entry(group, one)
                if _is_as_wanted(found, weight, joins=joins):
                    return None
                if not is_refused and (found is None or found.settled):
                    error = await _call(ctx, _change(found, weight), one, weight)
        failure = failure_of(error) if error else failure
        if is_refused or _now_s() > until_s:
            return failure or Failure(action_of(one, Change.WEIGHT), kind=ErrorKind.BUSY.value)
        wait_s = _wait_s(error) if error else LOOK_S
        is_refused = wait_s is None
        await asyncio.sleep(LOOK_S if wait_s is None else wait_s)


def _is_as_wanted(found: BackendStatus | None, weight: int | None, *, joins: bool) -> bool:
    """A weight that somebody else has given is left alone, but for 0 where requests are wanted."""
    if found is None or weight is None:
        return found is None and not joins
    return found.settled and ((found.backend.weight > 0) == (weight > 0) or (joins and weight == 0))


def _change(found: BackendStatus | None, weight: int | None) -> Change:
    if weight is None:
        return Change.REMOVE
    return Change.ADD if found is None else Change.WEIGHT


async def _call(ctx: RecoveryContext, change: Change, one: Backend, weight: int | None) -> CloudError | None:
    """Make one change; return what went wrong.

    Its token is its own: what an earlier call with a lost answer has done was looked at before, and a weight can be set
    twice.
    """
    token = client_token(ctx.id, f"{change} {one.key} {weight}", ctx.recovery.version)
    wanted = one if weight is None else replace(one, weight=weight)
    do = partial(_balancing(ctx, one.product).change, change, wanted, token)
    server = f"{one.server_id}:{one.port}" if one.port else one.server_id
    did = f"{server} removed" if weight is None else f"{server} weight {weight}"
    begun = BackendChanging(change, one, weight, "" if one.product is Product.CLB else token)
    async with ctx.shared.traffic_calls[one.product]:
        return await call_once(ctx, action_of(one, change), one.group, do, did, (begun,))


async def _look(ctx: RecoveryContext, one: Backend, *, with_health: bool = False) -> Group | CloudError:
    look = partial(_balancing(ctx, one.product).group, one, with_health=with_health)
    return await _attempt(ctx, one.product, look)


async def _attempt(ctx: RecoveryContext, product: Product, do: Callable[[], T]) -> T | CloudError:
    """Make a call that only reads; in a storm, images and launches find free threads beside it."""
    async with ctx.shared.traffic_calls[product]:
        return await ctx.attempt(do)


async def _is_gone(ctx: RecoveryContext) -> bool:
    """Whether the cloud says that the old instance is gone for good."""
    recovery = ctx.recovery
    return await ctx.shared.polls.gone(recovery.region, recovery.instance_id) is True


async def _settles_within(ctx: RecoveryContext, wait_s: float) -> bool:
    """Wait, and hear whether nothing more is to be lowered."""
    with suppress(TimeoutError):
        async with asyncio.timeout(wait_s):
            await ctx.traffic_settles.wait()
    return ctx.traffic_settles.is_set()


def _balancing(ctx: RecoveryContext, product: Product) -> Balancing:
    return ctx.shared.balancers[ctx.recovery.region][product]


def _entry(group: Group, one: Backend) -> BackendStatus | None:
    return next((status for status in group if status.backend.key == one.key), None)


def _others_serve(group: Group, one: Backend) -> bool:
    """Whether another instance of the group takes requests; one that is just being changed may be on its way out."""
    others = (status for status in group if not _is_same_server(status.backend, one))
    return any(status.healthy and status.settled and status.backend.weight > 0 for status in others)


def _is_same_server(other: Backend, one: Backend) -> bool:
    return other.server_id == one.server_id or (other.server_ip != "" and other.server_ip == one.server_ip)


def _wait_s(error: CloudError) -> float | None:
    """Return when to try again after an error, None after one that will be the same then."""
    if error.kind is ErrorKind.THROTTLED:
        return min(error.retry_after_s or THROTTLED_S, THROTTLED_S)
    return LOOK_S if error.kind.repeats or error.kind is ErrorKind.CREDENTIALS else None


def _about(why: Why, one: Backend, failure: Failure | None) -> Reason:
    return Reason(why, one.group, one.product, failure=failure)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
