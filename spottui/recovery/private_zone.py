"""Changes A records with the old private IP to that of the replacement, once it serves.

Only records of the zone that the policy names, and whose value is exactly the old address, as it was when the plan's
places were looked up. No answer of PrivateZone ends a recovery.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TypeVar

from spottui.cloud import interfaces
from spottui.cloud.errors import CloudError
from spottui.cloud.private_zone import UPDATE
from spottui.domain.facts import RecordsFound
from spottui.domain.instance import DnsRecord, Instance
from spottui.domain.reasons import Doing, NextStep, Reason, Why
from spottui.domain.recovery import RecoveryState
from spottui.domain.tokens import client_token
from spottui.recovery.calls import Call, call
from spottui.recovery.context import RecoveryContext, StepOutcome, failure_of

T = TypeVar("T")

POLL_S = 2.0
LOOKS = 15
PATIENCE = timedelta(seconds=90)
"""How long one record is tried."""


async def move_records(ctx: RecoveryContext, ended: StepOutcome) -> StepOutcome:
    """Point the records at the replacement; return which were changed and which could not be."""
    if not ended.replaces(ctx.recovery) or not ctx.plan.private_zone:
        return ended
    return ended.because_of(await _move_all(ctx, ctx.recovery.new_instance_id))


async def _move_all(ctx: RecoveryContext, new_id: str) -> tuple[Reason, ...]:
    """Look for the records and change them; after a restart those that were changed are not found any more."""
    zone, old = ctx.plan.private_zone, ctx.plan.spec.instance.private_ip
    new = await ctx.shared.polls.instance(ctx.recovery.region, new_id, 0.0)
    address = new.private_ip if isinstance(new, Instance) else ""
    if address == old:
        return ()
    records = await _look(ctx, old) if address else new
    if isinstance(records, Reason):
        return (records,)
    if not isinstance(records, tuple):
        failure = failure_of(records) if isinstance(records, CloudError) else None
        return (Reason(Why.RECORDS_NOT_MOVED, zone, old, failure=failure),)
    if records:
        step = NextStep(Doing.MOVE_RECORDS, zone, to=address, count=len(records))
        entering = ctx.entering(RecoveryState.VERIFYING, step)
        await ctx.record(*entering, RecordsFound(records))
    problems = [problem for dns_record in records if (problem := await _move(ctx, dns_record, old, address))]
    failed = {name for problem in problems for name in problem.resources}
    moved = [dns_record for dns_record in ctx.recovery.records if dns_record.name not in failed]
    return (*([_moved(zone, address, moved)] if moved else []), *problems)


async def _look(ctx: RecoveryContext, address: str) -> tuple[DnsRecord, ...] | Reason | CloudError:
    """Return the records of the old instance, or why nobody can tell which are.

    By the address alone only where nobody could look while the instance had it, and nobody else has it now.
    """
    spec, known, zones = ctx.plan.spec, ctx.plan.records, ctx.shared.private_zones[ctx.recovery.region]
    listed = await _answer(ctx, partial(zones.records, ctx.plan.private_zone, spec.vpc_id))
    if isinstance(listed, CloudError):
        return listed
    named = tuple(record for record in listed if record.value == address)
    if known is not None:
        ids = {record.record_id for record in known}
        return tuple(record for record in named if record.record_id in ids)
    holder = await _answer(ctx, partial(interfaces.holder, ctx.ecs, spec.vpc_id, address)) if named else ""
    if isinstance(holder, CloudError) or holder in ("", ctx.recovery.instance_id):
        return holder if isinstance(holder, CloudError) else named
    return Reason(Why.RECORDS_UNSURE, holder, address, resources=tuple(record.name for record in named))


async def _answer(ctx: RecoveryContext, ask: Callable[[], T]) -> T | CloudError:
    answer = await ctx.attempt(ask)
    for _ in range(LOOKS):
        if not isinstance(answer, CloudError) or not answer.kind.repeats:
            break
        await asyncio.sleep(POLL_S)
        answer = await ctx.attempt(ask)
    return answer


async def _move(ctx: RecoveryContext, record: DnsRecord, old: str, address: str) -> Reason | None:
    """Change a record; return why it could not be."""
    zones = ctx.shared.private_zones[ctx.recovery.region]
    token = client_token(ctx.id, f"{UPDATE} {record.record_id} {address}")
    update = Call(UPDATE, token, ctx.now() + PATIENCE, target=record.name, detail=address)
    outcome = await call(ctx, update, partial(zones.update, record, address, token))
    if not isinstance(outcome, CloudError):
        return None
    return Reason(Why.RECORDS_NOT_MOVED, record.zone, old, resources=(record.name,), failure=failure_of(outcome))


def _moved(zone: str, address: str, records: list[DnsRecord]) -> Reason:
    names = tuple(dns_record.name for dns_record in records)
    return Reason(
        Why.RECORDS_MOVED, zone, address, resources=names, seconds=max(dns_record.ttl for dns_record in records)
    )
