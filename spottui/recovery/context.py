"""What every step of a recovery works with: its own recovery, and the rooms that all of them share."""

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
from spottui.recovery.auto_mode import AutoModeControl
from spottui.recovery.polls import Polls
from spottui.recovery.protect import DiskProtection
from spottui.recovery.survey import Surveys

T = TypeVar("T")

TRAFFIC_CALLS = 4
"""Calls about one kind of load balancers at once, of the 27 threads that act: a kind that hangs holds up no other."""


class Fenced(Exception):
    """Another console drives this recovery now."""


class StepOutcome(msgspec.Struct, frozen=True):
    """How a recovery, or one of its steps, ended: a final state and the reason.

    One that says `try_next_route` ends its route only, and the plan's next one is taken but for `excluded_routes`;
    `retryable` says that the route may try the same once more.
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
    """The rooms that a step may reach, the same for all recoveries of this console."""

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
    """A recovery at a moment as `status --json` has it, for hooks."""
    balancers: Mapping[str, Balancers]
    private_zones: Mapping[str, PrivateZone]
    group_turns: defaultdict[str, asyncio.Lock] = msgspec.field(default_factory=lambda: defaultdict(asyncio.Lock))
    """One change of a server group at a time: two that look at once would both leave it to the other."""
    group_wishes: "defaultdict[str, list[Wish]]" = msgspec.field(default_factory=lambda: defaultdict(list))
    """What the recoveries want of each server group: whoever has its turn makes one call for all of them."""
    traffic_calls: defaultdict[Product, asyncio.Semaphore] = msgspec.field(
        default_factory=lambda: defaultdict(lambda: asyncio.Semaphore(TRAFFIC_CALLS))
    )


class RecoveryContext:
    """One recovery that this console drives. Lives in the engine's event loop.

    What it reads is in memory; what it writes is refused, with `Fenced`, once another console drives the recovery.
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
        """Set once nothing more is lowered: the replacement is added, or the old weights come back."""
        self.follows = False
        """Whether another console began the image that it has: that one launches first."""
        self._woken = asyncio.Event()

    @property
    def recovery(self) -> Recovery:
        """The recovery as the log has made it."""
        found = self.shared.journal.recoveries.get(self.id)
        if found is None:
            raise LookupError(f"no recovery {self.id} in the journal")
        return found

    @property
    def plan(self) -> Plan:
        """The plan of a recovery that has one."""
        found = self.shared.journal.recoveries.plan(self.id)
        if found is None:
            raise LookupError(f"no plan for {self.id} in the journal")
        return found

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
        return await asyncio.wrap_future(self.shared.journal.submit(write, urgency))

    def show(self, *facts: Fact) -> None:
        """Write facts that are for the eyes only, soon; they may come late, and nobody waits for them."""
        self.shared.journal.submit(partial(self._write, facts, self.now()), Urgency.EYES)

    async def change(self, change: Callable[[Transaction, Recovery], T], urgency: Urgency = Urgency.DECISION) -> T:
        """Commit what a function makes of the recovery as it is at that moment."""

        def run(transaction: Transaction) -> T:
            return change(transaction, self._own(transaction))

        return await asyncio.wrap_future(self.shared.journal.submit(run, urgency))

    async def enter(self, state: RecoveryState, next_step: NextStep) -> Recovery:
        """Commit that the recovery is in a state, and what it does next, unless it says so already."""
        entered = self.entering(state, next_step)
        return await self.record(*entered) if entered else self.recovery

    def entering(self, state: RecoveryState, next_step: NextStep) -> tuple[Fact, ...]:
        """Return the fact that says so, or none where that is known."""
        known = self.recovery
        if known.state is not state:
            return (StateEntered(state, next_step=next_step),)
        return (NextStepChanged(next_step),) if known.next_step != next_step else ()

    async def wait(self, timeout_s: float) -> bool:
        """Wait until somebody else has written of this recovery, at most so long; what came since the last counts."""
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
        """Run one synchronous call in the acting lane; an error of the cloud is returned, not raised."""
        try:
            return await asyncio.wrap_future(self.shared.thread_pools.act(do))
        except CloudError as error:
            return error

    def image_s(self, plan: Plan) -> float:
        """Return what an image of the instance is expected to take, in seconds."""
        spec = plan.spec
        return self.shared.journal.image_timings.timing(spec.main_category).estimate_s(spec.image_gib)

    def forecast_now(self, plan: Plan) -> Forecast:
        """Forecast an image that would be started now, or what the plan launches from, which is there already."""
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
class Wish:
    """What a recovery wants of one entry: a weight, or None for out of its group.

    An entry that is not there is added where it `joins`. One that `spares` the group is never its last healthy one.
    """

    ctx: RecoveryContext
    entry: Backend
    weight: int | None
    joins: bool = False
    spares: bool = False

    @property
    def wanted(self) -> Backend:
        """The entry as it is to be."""
        return self.entry if self.weight is None else replace(self.entry, weight=self.weight)

    def is_met(self, group: Group) -> bool:
        """Whether the entry is as wanted; a weight that somebody else has given is left alone, but for 0."""
        found = entry_of(group, self.entry)
        if found is None or self.weight is None:
            return found is None and not self.joins
        is_as_wanted = (found.backend.weight > 0) == (self.weight > 0)
        return found.settled and (is_as_wanted or (self.joins and self.weight == 0))

    def change(self, group: Group) -> Change:
        """Return what is to be done about an entry that is not as wanted."""
        if self.weight is None:
            return Change.REMOVE
        return Change.WEIGHT if entry_of(group, self.entry) else Change.ADD


def entry_of(group: Group, one: Backend) -> BackendStatus | None:
    """Return an entry as its group shows it, None where it is not there."""
    return next((status for status in group if status.backend.key == one.key), None)


def cancelled(known: Recovery) -> StepOutcome:
    """A person has cancelled it; what it made stays until somebody cleans it up."""
    left = tuple(f"{one.kind} {one.resource_id}" for one in known.created)
    return StepOutcome(RecoveryState.CANCELLED, Reason(Why.CANCELLED, resources=left))


def failed(reason: Reason) -> StepOutcome:
    """Nothing more can be done by itself."""
    return StepOutcome(RecoveryState.FAILED, reason)


def leaves(reason: Reason) -> StepOutcome:
    """What this route stands on is no longer true; another may still lead there."""
    return StepOutcome(RecoveryState.FAILED, reason, try_next_route=True)


def not_done(ctx: RecoveryContext, why: Why, error: CloudError, resource: str = "") -> Reason:
    """Return that a call came to nothing, or, with the tag to look for, that nobody knows whether it did."""
    tag = f"{OUR_TAG}={ctx.id}" if error.kind.effect_unknown else ""
    return Reason(why, resource, tag, failure=failure_of(error))


def failure_of(error: CloudError) -> Failure:
    """Return an error of the cloud as the journal keeps it."""
    kind = error.kind
    return Failure(error.action, error.code, kind.value, error.message, error.request_id, kind.effect_unknown)
