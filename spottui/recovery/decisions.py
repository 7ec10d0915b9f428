"""What people decide about recoveries, as changes of the journal, each checked against what is true at its commit."""

from datetime import datetime

from msgspec.structs import replace

from spottui.domain.facts import CancelAsked, Decided, DriverChanged, Retried, RouteChosen
from spottui.domain.plan import Plan, by_route
from spottui.domain.recovery import Decision, Recovery, RecoveryState
from spottui.domain.refusal import Refused
from spottui.domain.routes import Route
from spottui.journal.transaction import Transaction
from spottui.recovery.planner import next_step

ANOTHER_PLAN = "The plan is not the one that was shown. Open it again."


def confirm(
    transaction: Transaction, recovery_id: str, digest: str, who: str, route: Route | None, now: datetime
) -> None:
    """Write a yes to exactly the plan that had this digest when it was read, with `route`, if given, put first in it.

    Raises `Refused` when the plan is another one, or the recovery waits for no word.
    """
    recovery = _waiting(transaction, recovery_id)
    plan = transaction.plan(recovery_id)
    if plan is None or not _was_shown(plan, digest):
        raise Refused(ANOTHER_PLAN)
    _refuse_if_replaced(transaction, recovery.region, recovery.instance_id)
    if route and plan.route is not route:
        plan = replace(by_route(plan, route), first_digest="")
        transaction.set_plan(recovery_id, plan)
        transaction.record(recovery_id, RouteChosen(route, next_step(plan), who), now)
    transaction.record(recovery_id, Decided(Decision.CONFIRM, who, plan.digest), now)


def decide(transaction: Transaction, recovery_id: str, decision: Decision, who: str, now: datetime) -> None:
    """Write a no, or that auto-mode is to stay away; raises `Refused` when the recovery waits for no word."""
    _waiting(transaction, recovery_id)
    transaction.record(recovery_id, Decided(decision, who), now)


def cancel(transaction: Transaction, recovery_id: str, who: str, now: datetime) -> None:
    """Write that a recovery is to end at its next safe point; raises `Refused` where there is none any more."""
    recovery = transaction.recovery(recovery_id)
    if recovery is None or recovery.state.is_final:
        raise Refused("This recovery is over; there is nothing to cancel.")
    if recovery.new_instance_id:
        raise Refused(
            f"{recovery.new_instance_id} is launched already; stop or release it by hand if it is not wanted."
        )
    transaction.record(recovery_id, CancelAsked(who), now)


def retry(transaction: Transaction, recovery_id: str, digest: str, who: str, console: str, now: datetime) -> None:
    """Begin another run of what came to nothing, with the plan of this digest; without a plan it waits for a yes again.

    What was made is used, what failed is repeated. Raises `Refused`.
    """
    recovery, plan = transaction.recovery(recovery_id), transaction.plan(recovery_id)
    if recovery is None or (plan and not _was_shown(plan, digest)):
        raise Refused(ANOTHER_PLAN)
    if not recovery.state.is_final or recovery.state is RecoveryState.RECOVERED:
        raise Refused("Only a recovery that came to nothing can be tried again.")
    _refuse_if_replaced(transaction, recovery.region, recovery.instance_id)
    _refuse_if_another_runs(transaction, recovery)
    if plan:
        transaction.set_plan(recovery_id, replace(plan, surveyed=False, kept_digest=""))
    transaction.record(recovery_id, Retried(recovery.run + 1, who if plan else ""), now)
    transaction.record(recovery_id, DriverChanged(console, recovery.fence + 1), now)


def _was_shown(plan: Plan, digest: str) -> bool:
    """Whether it is the plan of this digest, or has only been surveyed since; another first route is another plan."""
    return digest in (plan.digest, plan.first_digest or plan.digest)


def _waiting(transaction: Transaction, recovery_id: str) -> Recovery:
    recovery = transaction.recovery(recovery_id)
    waits = recovery and recovery.state.waits_for_permission and recovery.decision is not Decision.CONFIRM
    if recovery is None or not waits:
        raise Refused(
            "This recovery no longer waits for a yes or a no: x cancels it while it runs, r begins a new one."
        )
    return recovery


def refuse_if_replaced(recoveries: list[Recovery], instance_id: str) -> None:
    """Raise `Refused` where a replacement of the instance runs; one that was started again itself can go again."""
    for known in recoveries:
        if known.state is RecoveryState.RECOVERED and known.new_instance_id != instance_id:
            raise Refused(f"{instance_id} is recovered already: {known.new_instance_id} runs in its place.")


def _refuse_if_replaced(transaction: Transaction, region: str, instance_id: str) -> None:
    refuse_if_replaced(transaction.of_instances(region, [instance_id]).get(instance_id, []), instance_id)


def _refuse_if_another_runs(transaction: Transaction, recovery: Recovery) -> None:
    for other in transaction.of_instances(recovery.region, [recovery.instance_id]).get(recovery.instance_id, []):
        if not other.state.is_final and other.recovery_id != recovery.recovery_id:
            raise Refused(f"{recovery.instance_id} has another recovery under way: {other.state}.")
