"""People's decisions about recoveries as changes of the journal, each checked in the transaction that commits it."""

from collections.abc import Collection
from datetime import datetime
from typing import assert_never

from msgspec.structs import replace

from spottui.domain.commands import Cancel, Command, Confirm, Hold, Retry, Veto
from spottui.domain.facts import CancelAsked, Decided, DriverChanged, Retried, RouteChosen
from spottui.domain.plan import Plan, by_route
from spottui.domain.recovery import Decision, Recovery, RecoveryState
from spottui.domain.refusal import Refused
from spottui.domain.retrying import retried_route
from spottui.domain.routes import Route
from spottui.journal.transaction import Transaction
from spottui.recovery.planner import next_step

ANOTHER_PLAN = "The plan has changed since it was shown. Open it again."


def carry_out(
    transaction: Transaction,
    recovery_id: str,
    command: Command,
    who: str,
    console: str,
    regions: Collection[str],
    now: datetime,
) -> None:
    """Write what a person says about a recovery; raises `Refused` if that is impossible now.

    `console` is the one at which that is said, and `regions` are those that it is configured for.
    """
    match command:
        case Confirm(digest, route):
            confirm(transaction, recovery_id, digest, who, route, now)
        case Retry(digest, route):
            recovery = retry(transaction, recovery_id, digest, who, route, now)
            # Where its region is not configured here, a console that has it takes it over.
            if recovery.region in regions:
                transaction.record(recovery_id, DriverChanged(console, recovery.fence + 1), now)
        case Veto():
            _decide(transaction, recovery_id, Decision.VETO, who, now)
        case Hold():
            _decide(transaction, recovery_id, Decision.HOLD, who, now)
        case Cancel():
            cancel(transaction, recovery_id, who, now)
        case _:
            assert_never(command)


def confirm(
    transaction: Transaction, recovery_id: str, digest: str, who: str, route: Route | None, now: datetime
) -> None:
    """Confirm exactly the plan that had this digest when it was read, with `route`, if given, put first.

    Raises `Refused` if the plan is another one, or the recovery waits for no decision.
    """
    recovery = _waiting(transaction, recovery_id)
    plan = transaction.plan(recovery_id)
    if plan is None or not _was_shown(plan, digest):
        raise Refused(ANOTHER_PLAN)
    _refuse_if_replaced(transaction, recovery.region, recovery.instance_id)
    if route and plan.route is not route:
        plan = replace(by_route(plan, route), first_digest="", route_chosen=True)
        transaction.set_plan(recovery_id, plan)
        transaction.record(recovery_id, RouteChosen(route, next_step(plan), who), now)
    transaction.record(recovery_id, Decided(Decision.CONFIRM, who, plan.digest), now)


def cancel(transaction: Transaction, recovery_id: str, who: str, now: datetime) -> None:
    """Write that a recovery is to end at its next safe point; raises `Refused` if there is none left."""
    recovery = transaction.recovery(recovery_id)
    if recovery is None or recovery.state.is_final:
        raise Refused("This recovery has ended; there is nothing to cancel.")
    if recovery.new_instance_id:
        raise Refused(
            f"{recovery.new_instance_id} has already been launched; stop or release it manually if you do not want it."
        )
    transaction.record(recovery_id, CancelAsked(who), now)


def retry(
    transaction: Transaction, recovery_id: str, digest: str, who: str, route: Route | None, now: datetime
) -> Recovery:
    """Begin another run of a failed, cancelled or skipped recovery with the plan of this digest; nobody drives it yet.

    With `route`, if given, put first, else `retried_route`. What was created is reused, what failed is repeated;
    without a plan it waits for a decision again. Raises `Refused`.
    """
    recovery, plan = transaction.recovery(recovery_id), transaction.plan(recovery_id)
    if recovery is None or (plan and not _was_shown(plan, digest)):
        raise Refused(ANOTHER_PLAN)
    if not recovery.state.is_final or recovery.state is RecoveryState.RECOVERED:
        raise Refused("Only a failed, cancelled or skipped recovery can be retried.")
    _refuse_if_replaced(transaction, recovery.region, recovery.instance_id)
    _refuse_if_another_runs(transaction, recovery)
    if plan:
        first, chosen = route or retried_route(recovery, plan), plan.route_chosen or route is not None
        ordered = plan if first is plan.route else by_route(plan, first)
        retried = replace(ordered, surveyed=False, kept_digest="", route_chosen=chosen)
        transaction.set_plan(recovery_id, retried)
    return transaction.record(recovery_id, Retried(recovery.run + 1, who if plan else ""), now)


def _decide(transaction: Transaction, recovery_id: str, decision: Decision, who: str, now: datetime) -> None:
    _waiting(transaction, recovery_id)
    transaction.record(recovery_id, Decided(decision, who), now)


def _was_shown(plan: Plan, digest: str) -> bool:
    """Whether the plan has this digest, or has only been surveyed since; another first route makes another plan."""
    return digest in (plan.digest, plan.first_digest or plan.digest)


def _waiting(transaction: Transaction, recovery_id: str) -> Recovery:
    recovery = transaction.recovery(recovery_id)
    waits = recovery and recovery.state.waits_for_permission and recovery.decision is not Decision.CONFIRM
    if recovery is None or not waits:
        raise Refused("This recovery no longer waits for a decision. x cancels it while it runs; r starts a new one.")
    return recovery


def refuse_if_replaced(recoveries: list[Recovery], instance_id: str) -> None:
    """Raise `Refused` if a replacement of the instance runs; an instance that was restarted may be recovered again."""
    for recovery in recoveries:
        if recovery.state is RecoveryState.RECOVERED and recovery.new_instance_id != instance_id:
            raise Refused(f"{instance_id} has already been recovered: {recovery.new_instance_id} replaces it.")


def _refuse_if_replaced(transaction: Transaction, region: str, instance_id: str) -> None:
    refuse_if_replaced(transaction.of_instances(region, [instance_id]).get(instance_id, []), instance_id)


def _refuse_if_another_runs(transaction: Transaction, recovery: Recovery) -> None:
    for other in transaction.of_instances(recovery.region, [recovery.instance_id]).get(recovery.instance_id, []):
        if not other.state.is_final and other.recovery_id != recovery.recovery_id:
            raise Refused(f"{recovery.instance_id} already has another recovery in progress: {other.state}.")
