"""Changes of server groups: checked first, and made in one call for all recoveries that wait for a group.

An ALB or NLB group takes one change at a time, and each takes seconds: one by one, a storm would take minutes.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial

from spottui.cloud.balancers import MOST
from spottui.cloud.ecs import Answer
from spottui.cloud.errors import CloudError
from spottui.domain.balancers import Backend, Change, Product, action_of
from spottui.domain.facts import BackendChanging, CallAnswered, CallBegun, CallFailed
from spottui.domain.tokens import client_token
from spottui.journal.writer import Urgency
from spottui.recovery.context import EntryRequest, Fenced, Group, RecoveryContext, failure_of


@asynccontextmanager
async def waiting(request: EntryRequest) -> AsyncIterator[None]:
    """Register a request, so that whoever has the group's turn fulfils it with its own, until the context ends."""
    shared, group = request.ctx.shared, request.entry.group
    shared.group_requests[group].append(request)
    try:
        yield
    finally:
        async with shared.group_turns[group]:
            shared.group_requests[group].remove(request)


async def group_of(ctx: RecoveryContext, entry: Backend, *, with_health: bool = False) -> Group | CloudError:
    """Return the group of an entry as it is now; few threads are used, so that images and launches find free ones."""
    balancing = ctx.shared.balancers[ctx.recovery.region][entry.product]
    async with ctx.shared.traffic_calls[entry.product]:
        return await ctx.attempt(partial(balancing.group, entry, with_health=with_health))


async def change(mine: EntryRequest, group: Group) -> CloudError | None:
    """Fulfil a request, and those of others that need the same call; return the error, if any.

    Call it while holding the group's turn, after looking at the group. The token is new each time: the look shows what
    an earlier call with a lost answer did, and a weight can be set twice.
    """
    ctx, backend, kind = mine.ctx, mine.entry, mine.change(group)
    token = client_token(ctx.id, f"{kind} {backend.key} {mine.weight}", ctx.recovery.version)
    await _begin(mine, kind, token)
    together = [mine]
    for other in _of_the_same_call(mine, kind, group):
        try:
            await _begin(other, kind, token)
        except Fenced:
            continue
        together.append(other)
    balancing = ctx.shared.balancers[ctx.recovery.region][backend.product]
    async with ctx.shared.traffic_calls[backend.product]:
        outcome = await ctx.attempt(partial(balancing.change, kind, [request.wanted for request in together], token))
    records = (_record_outcome(request, kind, outcome) for request in together)
    recorded = await asyncio.gather(*records, return_exceptions=True)
    if isinstance(recorded[0], BaseException):
        raise recorded[0]
    return outcome if isinstance(outcome, CloudError) else None


def is_busy(group: Group) -> bool:
    """Whether an ALB or NLB job is changing the group: until it is done the next change is refused."""
    return any(not status.settled for status in group)


def serves_without(group: Group, leaving: Iterable[Backend]) -> bool:
    """Whether an instance serves besides those that leave; one that is being changed may be leaving, too."""
    gone = list(leaving)
    others = (
        backend_status
        for backend_status in group
        if not any(_is_same_server(backend_status.backend, left) for left in gone)
    )
    return any(
        backend_status.healthy and backend_status.settled and backend_status.backend.weight > 0
        for backend_status in others
    )


def _of_the_same_call(mine: EntryRequest, kind: Change, group: Group) -> list[EntryRequest]:
    """Return the requests of others that leave the group at least one healthy server."""
    requests: list[EntryRequest] = []
    leaving = [mine.entry] if mine.spares else []
    for request in mine.ctx.shared.group_requests[mine.entry.group]:
        is_same = request is not mine and not request.is_met(group) and request.change(group) is kind
        if not is_same or len(requests) + 1 == MOST:
            continue
        if request.spares and not (mine.spares and serves_without(group, [*leaving, request.entry])):
            # Only a recovery that lowers a weight has looked at the health of the others.
            continue
        leaving += [request.entry] if request.spares else []
        requests.append(request)
    return requests


async def _begin(request: EntryRequest, kind: Change, token: str) -> None:
    backend = request.entry
    changing = BackendChanging(kind, backend, request.weight, "" if backend.product is Product.CLB else token)
    await request.ctx.record(changing, CallBegun(action_of(backend, kind), target=backend.group))


async def _record_outcome(request: EntryRequest, kind: Change, outcome: Answer | CloudError) -> None:
    backend, action = request.entry, action_of(request.entry, kind)
    if isinstance(outcome, CloudError):
        failed = CallFailed(action, failure_of(outcome), target=backend.group)
        await request.ctx.record(failed, urgency=Urgency.EVIDENCE)
        return
    server = f"{backend.server_id}:{backend.port}" if backend.port else backend.server_id
    did = f"{server} removed" if request.weight is None else f"{server} weight {request.weight}"
    await request.ctx.record(
        CallAnswered(action, "", outcome.request_id, (), backend.group, did), urgency=Urgency.EVIDENCE
    )


def _is_same_server(other: Backend, entry: Backend) -> bool:
    return other.server_id == entry.server_id or (other.server_ip != "" and other.server_ip == entry.server_ip)
