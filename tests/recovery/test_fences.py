"""One hand on each recovery: who lost it learns so at its next commit, and begins nothing more."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from spottui.cloud.account import CloudAccount
from spottui.cloud.ecs import ImageSource
from spottui.config import load
from spottui.domain.commands import Retry
from spottui.domain.facts import CallBegun, Decided, DriverChanged, StateEntered
from spottui.domain.interruption import Evidence, Observation
from spottui.domain.recovery import Decision, RecoveryState
from spottui.recovery import decisions
from spottui.recovery.calls import Call, call
from spottui.recovery.context import Fenced, RecoveryContext, Shared
from spottui.recovery.engine import Engine
from spottui.recovery.planner import capture, make_plan
from spottui.sim.testing import SimServer
from tests.driving import effects, wait_until
from tests.journal.given import ANN, enter, known, observe, record, set_plan
from tests.recovery.given import CLOCK, console

REGION = "cn-hangzhou"


@dataclass(frozen=True)
class Two:
    """Two consoles of one journal, the first of which drives a recovery that was allowed."""

    cloud: SimServer
    first: Shared
    second: Shared
    recovery_id: str

    def context(self, shared: Shared) -> RecoveryContext:
        """The recovery as a console drives it that believes that it is its own."""
        return RecoveryContext(shared, self.recovery_id, known(shared.journal, self.recovery_id).fence)

    def take_over(self) -> None:
        self.second.journal.run(
            lambda t: t.record(self.recovery_id, DriverChanged(self.second.journal.consoles.own, 2), CLOCK.now())
        )


@pytest.fixture
def two(live_cloud: SimServer, config: Path) -> Iterator[Two]:
    account, settings = CloudAccount(load(config)), load(config)
    victim = live_cloud.spot_ids()[0]
    live_cloud.interrupt([victim])
    with ExitStack() as stack:
        first, second = (stack.enter_context(console(config.with_name("j.db"), account, settings)) for _ in range(2))
        now = CLOCK.now()
        (recovery_id,) = observe(first.journal, Observation(REGION, victim, Evidence.LOCK, now), now=now)
        spec = capture(account.regions[REGION], first.journal, CLOCK, victim)
        assert spec
        set_plan(first.journal, recovery_id, make_plan(spec, settings), now)
        record(first.journal, recovery_id, Decided(Decision.CONFIRM, ANN), now=now)
        second.journal.follow()
        wait_until(lambda: second.journal.recoveries.known(recovery_id))
        yield Two(live_cloud, first, second, recovery_id)


def image(ctx: RecoveryContext) -> Call:
    return Call("CreateImage", "token-of-the-image", CLOCK.now() + timedelta(seconds=60))


def make_image(ctx: RecoveryContext) -> Callable[[], object]:
    source = ImageSource(ctx.recovery.instance_id)
    return partial(ctx.ecs.create_image, source, "spottui-x", ctx.id, "token-of-the-image")


async def begin(ctx: RecoveryContext) -> object:
    return await call(ctx, image(ctx), make_image(ctx))  # type: ignore[arg-type]


def test_who_lost_a_recovery_begins_no_call_and_writes_nothing(two: Two) -> None:
    stale = two.context(two.first)
    two.take_over()
    facts = len(two.second.journal.log.of(two.recovery_id))
    for act in (
        begin,
        lambda ctx: ctx.record(StateEntered(RecoveryState.IMAGING)),
        lambda ctx: ctx.change(lambda transaction, recovery: None),
    ):
        with pytest.raises(Fenced):
            asyncio.run(act(stale))
    stale.show(StateEntered(RecoveryState.IMAGING))
    two.first.journal.run(lambda _: None)
    assert two.cloud.calls("CreateImage") == []
    assert len(two.second.journal.log.of(two.recovery_id)) == facts


def test_a_call_that_was_under_way_is_repeated_by_the_next_with_its_token_and_made_once(two: Two) -> None:
    two.cloud.fault("CreateImage", "slow", delay_s=1, times=1)
    stale, failed = two.context(two.first), []

    def drive() -> None:
        try:
            asyncio.run(begin(stale))
        except Fenced as fenced:
            failed.append(fenced)

    driving = threading.Thread(target=drive)
    driving.start()
    wait_until(lambda: known(two.second.journal, two.recovery_id).unsettled)
    two.take_over()
    image_id = asyncio.run(begin(two.context(two.second)))
    driving.join(20)
    assert failed, "its answer is not its to write any more"
    assert effects(two.cloud, "CreateImage") == [f"created {image_id}"]
    assert known(two.second.journal, two.recovery_id).image_id == image_id
    begun = [one.fact for one in two.second.journal.log.of(two.recovery_id) if isinstance(one.fact, CallBegun)]
    assert {one.token for one in begun} == {"token-of-the-image"}


def test_what_a_dead_console_leaves_is_taken_over_within_seconds_and_made_once(two: Two) -> None:
    Engine(two.second).start()
    image_id = asyncio.run(begin(two.context(two.first)))
    two.first.journal.consoles.close()
    wait_until(lambda: known(two.second.journal, two.recovery_id).fence == 2, 4)
    wait_until(lambda: known(two.second.journal, two.recovery_id).state is RecoveryState.RECOVERED)
    ended = known(two.second.journal, two.recovery_id)
    assert (ended.driver, ended.fence, ended.image_id) == (two.second.journal.consoles.own, 2, image_id)
    assert len(effects(two.cloud, "CreateImage")) == len(effects(two.cloud, "RunInstances")) == 1
    assert list(two.second.journal.log.unlike_their_facts()) == []


def test_a_retry_is_driven_by_a_console_that_has_the_region_wherever_it_is_said(two: Two) -> None:
    """The console at which it is said may know neither the region's endpoint nor its account."""
    Engine(two.second).start()
    enter(two.first.journal, two.recovery_id, RecoveryState.FAILED)
    plan, own = two.first.journal.recoveries.plan(two.recovery_id), two.first.journal.consoles.own
    assert plan
    said = partial(decisions.carry_out, recovery_id=two.recovery_id, command=Retry(plan.digest), who=ANN, console=own)
    two.first.journal.run(partial(said, regions=["cn-beijing"], now=CLOCK.now()))
    wait_until(lambda: known(two.second.journal, two.recovery_id).driver == two.second.journal.consoles.own, 4)
