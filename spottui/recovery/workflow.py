"""The workflow of one recovery on one page, from the notice to the replacement.

After a restart it runs again from the top: each step sees in the recovery what was done and continues.
"""

from datetime import datetime
from functools import partial

from spottui.domain.facts import HookBegun, LockGone, RouteLeft, RouteTaken, StateEntered
from spottui.domain.hook import HookEvent
from spottui.domain.plan import without_user_data
from spottui.domain.reasons import Reason, Why
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.routes import Route
from spottui.journal.transaction import Transaction
from spottui.recovery.context import RecoveryContext, StepOutcome, failed
from spottui.recovery.drain import drain
from spottui.recovery.hooks import begin_hooks, run_hooks, run_notice_hooks, settle_lost_hooks
from spottui.recovery.interfaces import begin_to_keep_interfaces, settle_interfaces
from spottui.recovery.janitor import mark_leftovers
from spottui.recovery.permission import wait_for_permission
from spottui.recovery.places import look_for_places
from spottui.recovery.private_zone import move_records
from spottui.recovery.public_ip import begin_to_keep_public_ip, public_ip_left
from spottui.recovery.routes.image import image_route
from spottui.recovery.routes.instant import instant_route
from spottui.recovery.routes.kept_disk import kept_disk_route
from spottui.recovery.routes.restart import restart_route
from spottui.recovery.routes.warm_image import warm_image_route
from spottui.recovery.traffic import begin_to_lower, settle_traffic

ROUTES = {
    Route.IMAGE: image_route,
    Route.RESTART: restart_route,
    Route.KEPT_DISK: kept_disk_route,
    Route.WARM_IMAGE: warm_image_route,
    Route.INSTANT: instant_route,
}

_HOOKED = {RecoveryState.RECOVERED: HookEvent.RECOVERED, RecoveryState.FAILED: HookEvent.FAILED}


async def recover(ctx: RecoveryContext) -> None:
    """Wait for a confirmation, and bring the instance back."""
    await settle_lost_hooks(ctx)
    if ctx.recovery.state.is_final:
        return
    run_notice_hooks(ctx)
    ended = await wait_for_permission(ctx)
    if ended is None:
        begin_to_lower(ctx)
        begin_to_keep_public_ip(ctx)
        begin_to_keep_interfaces(ctx)
        await drain(ctx)
        ended = await _travel(ctx)
    ended = await settle_traffic(ctx, await move_records(ctx, ended))
    ended = public_ip_left(ctx, await settle_interfaces(ctx, ended))
    if ended.state is RecoveryState.RECOVERED:
        await mark_leftovers(ctx)
    run_hooks(ctx, await ctx.change(partial(_end, ctx, ended, ctx.now())))


def _end(
    ctx: RecoveryContext, ended: StepOutcome, now: datetime, transaction: Transaction, recovery: Recovery
) -> tuple[HookBegun, ...]:
    """A recovery that may be retried keeps its user data for as long as `journal.log` keeps it."""
    if _has_had_its_reclaim(recovery, ended):
        transaction.record(recovery.recovery_id, LockGone(), now)
    transaction.record(recovery.recovery_id, StateEntered(ended.state, ended.reason), now)
    plan = transaction.plan(recovery.recovery_id)
    if plan and plan.spec.user_data and ended.state is RecoveryState.RECOVERED:
        transaction.set_plan(recovery.recovery_id, without_user_data(plan))
    event = _HOOKED.get(ended.state)
    return begin_hooks(ctx, event, transaction, recovery, now) if event else ()


def _has_had_its_reclaim(recovery: Recovery, ended: StepOutcome) -> bool:
    """The next lock of a restarted instance belongs to another reclaim, however soon it comes."""
    is_back = ended.state is RecoveryState.RECOVERED and recovery.new_instance_id == recovery.instance_id
    return is_back and recovery.interruption.locked and recovery.interruption.unlocked_at is None


async def _travel(ctx: RecoveryContext) -> StepOutcome:
    """Follow a route, and the plan's next one when it becomes impossible."""
    while True:
        recovery = ctx.recovery
        route = recovery.route
        if route in closed_routes(recovery):
            next_route = await _next_route(ctx)
            if next_route is None:
                return failed(why_left(recovery))
            await ctx.record(RouteTaken(next_route, why_left(recovery)))
            continue
        ended = await ROUTES[route](ctx)
        if not ended.try_next_route:
            return ended
        await ctx.record(RouteLeft(route, ended.reason, ended.excluded_routes))


async def _next_route(ctx: RecoveryContext) -> Route | None:
    """Return the plan's next route; the survey of places tells whether there is an earlier image."""
    route = _open_route(ctx)
    if route is None and ctx.shared.settings.policy.warm_image:
        await look_for_places(ctx)
        route = _open_route(ctx)
    return route


def _open_route(ctx: RecoveryContext) -> Route | None:
    closed = closed_routes(ctx.recovery)
    return next((route for route in ctx.plan.routes if route not in closed), None)


def closed_routes(recovery: Recovery) -> frozenset[Route]:
    """Return the routes that this run does not take again."""
    return frozenset(route for left in recovery.routes_left for route in (left.route, *left.excluded))


def why_left(recovery: Recovery) -> Reason:
    """Return why each route was left, with its name if there were several."""
    left = recovery.routes_left
    if len(left) == 1:
        return left[0].reason
    return Reason(
        Why.ROUTES,
        causes=tuple(Reason(Why.THEN, route=left_route.route, causes=(left_route.reason,)) for left_route in left),
    )
