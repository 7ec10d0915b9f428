"""A public IP is lost with its instance; converted to an EIP, it moves to the replacement."""

import asyncio
import logging
from contextlib import suppress
from functools import partial

from msgspec.structs import replace

from spottui.cloud import eips
from spottui.cloud.errors import CloudError
from spottui.domain.facts import PublicIpKept
from spottui.domain.launch_spec import LaunchSpec
from spottui.domain.reasons import Reason, Why
from spottui.domain.recovery import RecoveryState
from spottui.journal.store import JournalProblem
from spottui.recovery.calls import call_once
from spottui.recovery.context import Fenced, RecoveryContext, StepOutcome

log = logging.getLogger("spottui.recovery")

ACTION = "ConvertNatPublicIpToEip"
POLL_S, LOOKS = 1.0, 10
PATIENCE_S = 10.0
"""How long a launch waits at most, in seconds, for the address of its instance."""


def begin_to_keep_public_ip(ctx: RecoveryContext) -> None:
    """Start to convert the public IP of the instance to an EIP, in parallel with everything else.

    Nothing is converted while a launch is open, which has requested a public IP or not by what was known then; what an
    earlier call may have converted is looked for all the same.
    """
    recovery, instance = ctx.recovery, ctx.plan.spec.instance
    is_wanted = bool(instance.public_ip) and not instance.eip_id and ctx.plan.route.traits.launches
    if is_wanted and not recovery.eip_id and not recovery.cancel and ctx.address is None:
        ctx.address = asyncio.create_task(_keep_public_ip(ctx))


async def public_ip_settled(ctx: RecoveryContext) -> None:
    """Wait until it is known whether the replacement gets the old public IP."""
    if ctx.address and not ctx.recovery.open_try:
        await asyncio.wait({ctx.address}, timeout=PATIENCE_S)


def without_public_ip(spec: LaunchSpec) -> LaunchSpec:
    """Return the spec without a public IP: an instance that has one of its own cannot take an EIP."""
    return replace(spec, instance=replace(spec.instance, public_ip=""))


def public_ip_lost(ctx: RecoveryContext) -> tuple[Reason, ...]:
    """Return the reason if the replacement lacks the old public IP, else nothing."""
    old, recovery = ctx.plan.spec.instance, ctx.recovery
    is_itself = recovery.new_instance_id == recovery.instance_id
    is_lost = old.public_ip and not recovery.eip_id and not is_itself
    return (Reason(Why.PUBLIC_IP_LOST, old.public_ip),) if is_lost else ()


def public_ip_left(ctx: RecoveryContext, ended: StepOutcome) -> StepOutcome:
    """Add that an instance that was not replaced has an EIP now; a retry of a failed recovery would move it."""
    recovery = ctx.recovery
    if not recovery.eip_id or ended.replaces(recovery) or ended.state is RecoveryState.FAILED:
        return ended
    return ended.because_of([Reason(Why.EIP_LEFT, recovery.eip_id, ctx.plan.spec.instance.public_ip)])


async def _keep_public_ip(ctx: RecoveryContext) -> None:
    """Convert the address and journal the EIP. The call has no token, so the instance's address is read first.

    A refusal, which may be what a locked instance always gets (OPEN, docs/alibaba-facts.md 15), costs only the address.
    """
    try:
        with suppress(Fenced, JournalProblem):
            for _ in range(LOOKS):
                if not await _is_worth_another_look(ctx):
                    return
                await asyncio.sleep(POLL_S)
            log.warning("the public IP of %s was not converted", ctx.recovery.instance_id)
    except Exception:
        log.exception("the public IP of %s is not converted", ctx.recovery.instance_id)


async def _is_worth_another_look(ctx: RecoveryContext) -> bool:
    """Journal the EIP that the instance has or left, else convert its public IP; False if nothing more can be done."""
    recovery, address = ctx.recovery, ctx.plan.spec.instance.public_ip
    instance = await ctx.shared.polls.instance(recovery.region, recovery.instance_id, 0.0)
    left = await ctx.attempt(partial(eips.eip_of_address, ctx.ecs, address)) if instance is None else None
    if isinstance(instance, CloudError) or isinstance(left, CloudError):
        return True
    if left and left.instance_id not in ("", recovery.instance_id):
        left = None  # Somebody else has the address by now.
    eip_id = instance.eip_id if instance else left.eip_id if left else ""
    if eip_id:
        await ctx.record(PublicIpKept(address, eip_id))
    if eip_id or instance is None:
        return False
    if recovery.open_try:
        return True
    refused = await call_once(
        ctx, ACTION, instance.instance_id, partial(eips.convert_public_ip, ctx.ecs, instance.instance_id)
    )
    return refused is None or refused.kind.worth_repeating
