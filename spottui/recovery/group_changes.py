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
from spottui.recovery.context import Fenced, Group, RecoveryContext, Wish, failure_of


@asynccontextmanager
async def waiting(wish: Wish) -> AsyncIterator[None]:
    """Register a wish, so that whoever has the group's turn fulfils it with its own, until the context ends."""
    shared, group = wish.ctx.shared, wish.entry.group
    shared.group_wishes[group].append(wish)
    try:
        yield
    finally:
        async with shared.group_turns[group]:
            shared.group_wishes[group].remove(wish)


async def group_of(ctx: RecoveryContext, entry: Backend, *, with_health: bool = False) -> Group | CloudError:
    """Return the group of an entry as it is now; few threads are used, so that images and launches find free ones."""
    balancing = ctx.shared.balancers[ctx.recovery.region][entry.product]
    async with ctx.shared.traffic_calls[entry.product]:
        return await ctx.attempt(partial(balancing.group, entry, with_health=with_health))


async def change(mine: Wish, group: Group) -> CloudError | None:
    """Fulfil a wish, and those of others that need the same call; return the error, if any.

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
        outcome = await ctx.attempt(partial(balancing.change, kind, [wish.wanted for wish in together], token))
    told = await asyncio.gather(*(_record_outcome(wish, kind, outcome) for wish in together), return_exceptions=True)
    if isinstance(told[0], BaseException):
        raise told[0]
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


def _of_the_same_call(mine: Wish, kind: Change, group: Group) -> list[Wish]:
    """Return the wishes of others that leave the group at least one healthy server."""
    wishes: list[Wish] = []
    leaving = [mine.entry] if mine.spares else []
    for wish in mine.ctx.shared.group_wishes[mine.entry.group]:
        is_same = wish is not mine and not wish.is_met(group) and wish.change(group) is kind
        if not is_same or len(wishes) + 1 == MOST:
            continue
        if wish.spares and not (mine.spares and serves_without(group, [*leaving, wish.entry])):
            # Only a recovery that lowers a weight has looked at the health of the others.
            continue
        leaving += [wish.entry] if wish.spares else []
        wishes.append(wish)
    return wishes


async def _begin(wish: Wish, kind: Change, token: str) -> None:
    backend = wish.entry
    changing = BackendChanging(kind, backend, wish.weight, "" if backend.product is Product.CLB else token)
    await wish.ctx.record(changing, CallBegun(action_of(backend, kind), target=backend.group))


async def _record_outcome(wish: Wish, kind: Change, outcome: Answer | CloudError) -> None:
    backend, action = wish.entry, action_of(wish.entry, kind)
    if isinstance(outcome, CloudError):
        await wish.ctx.record(CallFailed(action, failure_of(outcome), target=backend.group), urgency=Urgency.EVIDENCE)
        return
    server = f"{backend.server_id}:{backend.port}" if backend.port else backend.server_id
    did = f"{server} removed" if wish.weight is None else f"{server} weight {wish.weight}"
    await wish.ctx.record(
        CallAnswered(action, "", outcome.request_id, (), backend.group, did), urgency=Urgency.EVIDENCE
    )


def _is_same_server(other: Backend, entry: Backend) -> bool:
    return other.server_id == entry.server_id or (other.server_ip != "" and other.server_ip == entry.server_ip)
