"""What every step of a recovery works with: its recovery, and the services that all recoveries share."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from spottui.cloud.balancers import Balancers
from spottui.cloud.ecs import OUR_TAG, Ecs
from spottui.cloud.ecs_shapes import Image
from spottui.cloud.errors import CloudError
from spottui.cloud.private_zone import PrivateZone
from spottui.cloud.thread_pools import ThreadPools
from spottui.domain.balancers import Backend, BackendStatus, Change, Product
from spottui.domain.clock import Clock
from spottui.domain.facts import Fact, NextStepChanged, StateEntered
from spottui.domain.forecast import Forecast, before_image
from spottui.domain.plan import Plan
from spottui.domain.reasons import Failure, NextStep, Reason, Why
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.routes import Route
from spottui.domain.settings import Settings
from spottui.journal import Journal
from spottui.journal.transaction import Transaction
from spottui.journal.writer import Urgency
from spottui.recovery.arrivals import arrival
from spottui.recovery.auto_mode import AutoModeControl
from spottui.recovery.polls import Polls
from spottui.recovery.protect import DiskProtection
from spottui.recovery.survey import Surveys

T = TypeVar("T")

TRAFFIC_CALLS = 4
"""Parallel calls to one kind of load balancer, of the 27 acting threads: a kind that hangs does not delay the
others."""


class Fenced(Exception):
    """Another console drives this recovery now."""


class StepOutcome(msgspec.Struct, frozen=True):
    """The end of a recovery or of one of its steps: a final state and the reason.

    With `try_next_route` only its route ends, and the plan's next one is taken, except `excluded_routes`; `retryable`
    means that the route may try the same again.
    """

    state: RecoveryState
    reason: Reason
    try_next_route: bool = False
    retryable: bool = False
    excluded_routes: tuple[Route, ...] = ()

    def replaces(self, recovery: Recovery) -> bool:
        """Whether another instance runs in the place of the old one now."""
        return self.state is RecoveryState.RECOVERED and recovery.new_instance_id != recovery.instance_id

    def because_of(self, causes: Iterable[Reason]) -> "StepOutcome":
        """Return it with more causes in its reason."""
        return replace(self, reason=replace(self.reason, causes=(*self.reason.causes, *causes)))


class Shared(msgspec.Struct, frozen=True):
    """The services that a step may use, shared by all recoveries of this console."""

    journal: Journal
    regions: dict[str, Ecs]
    thread_pools: ThreadPools
    clock: Clock
    settings: Settings
    auto_mode: AutoModeControl
    polls: Polls
    protection: DiskProtection
    surveys: Surveys
    incident: Callable[[Recovery, datetime], dict[str, Any]]
    """Returns a recovery at a time in the form of `status --json`, for hooks."""
    balancers: Mapping[str, Balancers]
    private_zones: Mapping[str, PrivateZone]
    group_turns: defaultdict[str, asyncio.Lock] = msgspec.field(default_factory=lambda: defaultdict(asyncio.Lock))
    """One change of a server group at a time: two at once would each count on the other's server."""
    group_requests: "defaultdict[str, list[EntryRequest]]" = msgspec.field(default_factory=lambda: defaultdict(list))
    """The changes of each server group that recoveries want: whoever has the lock makes one call for all of them."""
    traffic_calls: defaultdict[Product, asyncio.Semaphore] = msgspec.field(
        default_factory=lambda: defaultdict(lambda: asyncio.Semaphore(TRAFFIC_CALLS))
    )


class RecoveryContext:
    """One recovery that this console drives. Lives in the engine's event loop.

    Reads come from memory; writes raise `Fenced` once another console drives the recovery.
    """

    def __init__(self, shared: Shared, recovery_id: str, fence: int) -> None:
        self.shared = shared
        self.id = recovery_id
        self.fence = fence
        self.places: asyncio.Task[None] | None = None
        self.images: asyncio.Task[tuple[Image, ...] | CloudError] | None = None
        self.protecting: asyncio.Task[None] | None = None
        self.address: asyncio.Task[None] | None = None
        self.interfaces: asyncio.Task[None] | None = None
        self.traffic: asyncio.Task[tuple[Reason, ...]] | None = None
        self.traffic_settles = asyncio.Event()
        """Set when no more weights are lowered: the replacement is added, or the old weights are restored."""
        self.follows = False
        """Whether another console started the image: that console launches first."""
        self._woken = asyncio.Event()

    @property
    def recovery(self) -> Recovery:
        """The recovery as folded from the log."""
        recovery = self.shared.journal.recoveries.get(self.id)
        if recovery is None:
            raise LookupError(f"no recovery {self.id} in the journal")
        return recovery

    @property
    def plan(self) -> Plan:
        """The plan of a recovery that has one."""
        plan = self.shared.journal.recoveries.plan(self.id)
        if plan is None:
            raise LookupError(f"no plan for {self.id} in the journal")
        return plan

    @property
    def ecs(self) -> Ecs:
        """The ECS client of the recovery's region."""
        return self.shared.regions[self.recovery.region]

    def now(self) -> datetime:
        """Return the time."""
        return self.shared.clock.now()

    async def record(self, *facts: Fact, urgency: Urgency = Urgency.INTENT) -> Recovery:
        """Commit facts, and return the recovery after them."""
        write = partial(self._write, facts, self.now())
        return await arrival(self.shared.journal.submit(write, urgency))

    def show(self, *facts: Fact) -> None:
        """Write facts that are only for display, soon; nobody waits for them."""
        self.shared.journal.submit(partial(self._write, facts, self.now()), Urgency.EYES)

    async def change(self, change: Callable[[Transaction, Recovery], T], urgency: Urgency = Urgency.DECISION) -> T:
        """Commit the facts that a function returns for the recovery as it is in the transaction."""

        def run(transaction: Transaction) -> T:
            return change(transaction, self._own(transaction))

        return await arrival(self.shared.journal.submit(run, urgency))

    async def enter(self, state: RecoveryState, next_step: NextStep) -> Recovery:
        """Commit the recovery's state and next step, unless they are unchanged."""
        entered = self.entering(state, next_step)
        return await self.record(*entered) if entered else self.recovery

    def entering(self, state: RecoveryState, next_step: NextStep) -> tuple[Fact, ...]:
        """Return the fact of a new next step, or nothing if it is unchanged."""
        recovery = self.recovery
        if recovery.state is not state:
            return (StateEntered(state, next_step=next_step),)
        return (NextStepChanged(next_step),) if recovery.next_step != next_step else ()

    async def wait(self, timeout_s: float) -> bool:
        """Wait until somebody else writes about this recovery, at most so long; news since the last wait counts."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._woken.wait()
        except TimeoutError:
            return False
        self._woken.clear()
        return True

    def wake(self) -> None:
        """End the wait, or the next one."""
        self._woken.set()

    async def attempt(self, do: Callable[[], T]) -> T | CloudError:
        """Run a synchronous call in the acting threads; a cloud error is returned, not raised."""
        try:
            return await arrival(self.shared.thread_pools.act(do))
        except CloudError as error:
            return error

    def image_s(self, plan: Plan) -> float:
        """Return what an image of the instance is expected to take, in seconds."""
        spec = plan.spec
        return self.shared.journal.image_timings.timing(spec.main_category).estimate_s(spec.image_gib)

    def forecast_now(self, plan: Plan) -> Forecast:
        """Forecast an image that is started now; an earlier image is ready at once."""
        if plan.route.traits.serves_at_once:
            return Forecast(self.now(), self.recovery.deadline)
        spec = plan.spec
        timing = self.shared.journal.image_timings.timing(spec.main_category)
        return before_image(self.now(), self.recovery.deadline, spec.image_gib, timing)

    def _write(self, facts: tuple[Fact, ...], at: datetime, transaction: Transaction) -> Recovery:
        recovery = self._own(transaction)
        for fact in facts:
            recovery = transaction.record(self.id, fact, at)
        return recovery

    def _own(self, transaction: Transaction) -> Recovery:
        recovery = transaction.recovery(self.id)
        if recovery is None or (recovery.driver, recovery.fence) != (self.shared.journal.consoles.own, self.fence):
            raise Fenced(f"{self.id} is driven by {recovery.driver if recovery else 'nobody'} now")
        return recovery


Group = Sequence[BackendStatus]


@dataclass(frozen=True, slots=True, eq=False)
class EntryRequest:
    """The wanted state of one entry: a weight, or None to remove it from its group.

    A missing entry is added if it `joins`. With `spares`, the last healthy entry of a group is left alone.
    """

    ctx: RecoveryContext
    entry: Backend
    weight: int | None
    joins: bool = False
    spares: bool = False

    @property
    def wanted(self) -> Backend:
        """The entry in its wanted state."""
        return self.entry if self.weight is None else replace(self.entry, weight=self.weight)

    def is_met(self, group: Group) -> bool:
        """Whether the entry is as wanted; a weight other than 0 that somebody else set is left alone."""
        backend_status = entry_of(group, self.entry)
        if backend_status is None or self.weight is None:
            return backend_status is None and not self.joins
        is_as_wanted = (backend_status.backend.weight > 0) == (self.weight > 0)
        return backend_status.settled and (is_as_wanted or (self.joins and self.weight == 0))

    def change(self, group: Group) -> Change:
        """Return the change that an entry needs."""
        if self.weight is None:
            return Change.REMOVE
        return Change.WEIGHT if entry_of(group, self.entry) else Change.ADD


def entry_of(group: Group, entry: Backend) -> BackendStatus | None:
    """Return an entry as its group lists it, None if it is missing."""
    return next((status for status in group if status.backend.key == entry.key), None)


def cancelled(recovery: Recovery) -> StepOutcome:
    """Return the end by a person's cancel; created resources stay until they are cleaned up."""
    left = tuple(f"{created.kind} {created.resource_id}" for created in recovery.created)
    return StepOutcome(RecoveryState.CANCELLED, Reason(Why.CANCELLED, resources=left))


def failed(reason: Reason) -> StepOutcome:
    """Return the end in which only a person can help."""
    return StepOutcome(RecoveryState.FAILED, reason)


def leaves(reason: Reason) -> StepOutcome:
    """Return the end of a route that has become impossible; another one may still succeed."""
    return StepOutcome(RecoveryState.FAILED, reason, try_next_route=True)


def not_done(ctx: RecoveryContext, why: Why, error: CloudError, resource: str = "") -> Reason:
    """Return the reason that a call failed, or, with the tag to look for, that its effect is unknown."""
    tag = f"{OUR_TAG}={ctx.id}" if error.kind.effect_unknown else ""
    return Reason(why, resource, tag, failure=failure_of(error))


def failure_of(error: CloudError) -> Failure:
    """Return an error of the cloud as the journal keeps it."""
    kind = error.kind
    return Failure(error.action, error.code, kind.value, error.message, error.request_id, kind.effect_unknown)
