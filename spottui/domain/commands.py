"""What a person can say about one recovery: each command with what it is checked for, and the facts that it writes."""

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from spottui.domain.facts import CancelAsked, Decided, DriverChanged, Fact, Retried, RouteChosen
from spottui.domain.plan import Plan, by_route
from spottui.domain.recovery import Decision, Recovery, RecoveryState
from spottui.domain.refusal import Refused
from spottui.domain.retrying import retried_route
from spottui.domain.routes import Route

ANOTHER_PLAN = "The plan has changed since it was shown. Open it again."


class Subject(Struct, frozen=True):
    """The recovery that a command is about, as it is in the transaction that commits the command.

    `of_instance` are all recoveries of its instance, this one included. `driver` is the console that drives it if the
    command begins a run; empty where this one is not configured for the region: one that is takes it over.
    """

    recovery: Recovery
    plan: Plan | None
    of_instance: tuple[Recovery, ...]
    driver: str


class Effects(Struct, frozen=True):
    """What a command writes: its facts in this order, and the plan if that changes."""

    facts: tuple[Fact, ...]
    plan: Plan | None = None


class Command(Struct, frozen=True):
    """What `who` says about a recovery."""

    def effects(self, subject: Subject, who: str) -> Effects:
        """Return what is written; raises `Refused` if the command is impossible now. Pure."""
        raise NotImplementedError


class Confirm(Command, frozen=True):
    """Yes to exactly the plan that had this digest when it was read, with `route`, if given, put first in it.

    Yes and route are committed as one: who only looks at another route has changed nothing.
    """

    digest: str
    route: Route | None = None

    def effects(self, subject: Subject, who: str) -> Effects:
        """Refused if the plan is another one, or the recovery waits for no decision."""
        _refuse_unless_waiting(subject.recovery)
        plan = subject.plan
        if plan is None or not _was_shown(plan, self.digest):
            raise Refused(ANOTHER_PLAN)
        refuse_if_replaced(subject.of_instance, subject.recovery.instance_id)
        if self.route is None or plan.route is self.route:
            return Effects((Decided(Decision.CONFIRM, who, plan.digest),))
        chosen = replace(by_route(plan, self.route), first_digest="", route_chosen=True)
        route_chosen = RouteChosen(self.route, chosen.next_step, who)
        return Effects((route_chosen, Decided(Decision.CONFIRM, who, chosen.digest)), chosen)


class Retry(Command, frozen=True):
    """Another run of a failed, cancelled or skipped recovery, with the plan of this digest.

    With `route`, if given, put first in it, else the one of `retrying.retried_route`. What was created is reused, what
    failed is repeated; one that never had a plan waits for a confirmation again.
    """

    digest: str
    route: Route | None = None

    def effects(self, subject: Subject, who: str) -> Effects:
        """Refused if the plan is another one, or another recovery of the instance is open or has replaced it."""
        recovery, plan = subject.recovery, subject.plan
        if plan and not _was_shown(plan, self.digest):
            raise Refused(ANOTHER_PLAN)
        if not recovery.state.is_final or recovery.state is RecoveryState.RECOVERED:
            raise Refused("Only a failed, cancelled or skipped recovery can be retried.")
        refuse_if_replaced(subject.of_instance, recovery.instance_id)
        _refuse_if_another_runs(subject)
        retried = Retried(recovery.run + 1, who if plan else "")
        driven = (DriverChanged(subject.driver, recovery.fence + 1),) if subject.driver else ()
        return Effects((retried, *driven), self._plan(recovery, plan) if plan else None)

    def _plan(self, recovery: Recovery, plan: Plan) -> Plan:
        first, chosen = self.route or retried_route(recovery, plan), plan.route_chosen or self.route is not None
        ordered = plan if first is plan.route else by_route(plan, first)
        return replace(ordered, surveyed=False, kept_digest="", route_chosen=chosen)


class Veto(Command, frozen=True):
    """Refuses a recovery that is not confirmed yet."""

    def effects(self, subject: Subject, who: str) -> Effects:
        """Refused if the recovery waits for no decision."""
        _refuse_unless_waiting(subject.recovery)
        return Effects((Decided(Decision.VETO, who),))


class Hold(Command, frozen=True):
    """Auto-mode leaves the recovery alone; a person may still confirm it."""

    def effects(self, subject: Subject, who: str) -> Effects:
        """Refused if the recovery waits for no decision."""
        _refuse_unless_waiting(subject.recovery)
        return Effects((Decided(Decision.HOLD, who),))


class Cancel(Command, frozen=True):
    """A running recovery ends at its next safe point."""

    def effects(self, subject: Subject, who: str) -> Effects:
        """Refused if there is no safe point left: after its end, or once a replacement was launched."""
        recovery = subject.recovery
        if recovery.state.is_final:
            raise Refused("This recovery has ended; there is nothing to cancel.")
        if new_id := recovery.new_instance_id:
            raise Refused(f"{new_id} has already been launched; stop or release it manually if you do not want it.")
        return Effects((CancelAsked(who),))


def refuse_if_replaced(of_instance: Iterable[Recovery], instance_id: str) -> None:
    """Raise `Refused` if a replacement of the instance runs; an instance that was restarted may be recovered again."""
    for recovery in of_instance:
        if recovery.state is RecoveryState.RECOVERED and recovery.new_instance_id != instance_id:
            raise Refused(f"{instance_id} has already been recovered: {recovery.new_instance_id} replaces it.")


def _was_shown(plan: Plan, digest: str) -> bool:
    """Whether the plan has this digest, or has only been surveyed since; another first route makes another plan."""
    return digest in (plan.digest, plan.first_digest or plan.digest)


def _refuse_unless_waiting(recovery: Recovery) -> None:
    if not recovery.state.waits_for_permission or recovery.decision is Decision.CONFIRM:
        raise Refused("This recovery no longer waits for a decision. x cancels it while it runs; r starts a new one.")


def _refuse_if_another_runs(subject: Subject) -> None:
    recovery = subject.recovery
    for other in subject.of_instance:
        if not other.state.is_final and other.recovery_id != recovery.recovery_id:
            raise Refused(f"{recovery.instance_id} already has another recovery in progress: {other.state}.")
