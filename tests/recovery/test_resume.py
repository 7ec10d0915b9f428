"""After a restart a recovery runs from the top, finds in its log what was done, and does the rest once.

It is resumed from every beginning of its log, as if the console had ended after each of its facts; the cloud has
meanwhile done all that was asked, so that whatever is asked for again must be what it was.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from spottui.cli.assembly import open_desk
from spottui.cloud.account import CloudAccount
from spottui.config import load
from spottui.domain.clock import CloudClock
from spottui.domain.facts import Decided, Fact, Logged, NextStepChanged
from spottui.domain.plan import Plan
from spottui.domain.reasons import Doing
from spottui.domain.recovery import RecoveryState
from spottui.journal import Journal
from spottui.journal.transaction import Transaction
from spottui.recovery.engine import Engine
from spottui.sim.testing import SimServer
from tests.driving import Headless, add_policy, effects, wait_until
from tests.journal.given import known
from tests.recovery.given import console


def write(path: Path, beginning: list[Logged], plan: Plan) -> None:
    """Make a journal as it was after some facts of a recovery."""

    def facts(transaction: Transaction) -> None:
        first, *rest = beginning
        transaction.begin(first.fact, first.at, first.region, first.instance_id, first.recovery_id)
        for one in rest:
            transaction.record(one.recovery_id, one.fact, one.at)
        transaction.set_plan(first.recovery_id, plan)

    with Journal(path) as journal:
        journal.run(facts)


def resume_all(
    cloud: SimServer, config: Path, victim: str, notice_s: float, begins: Callable[[Fact], bool], *actions: str
) -> None:
    """Recover an instance, resume it after each fact from the one with which it `begins`, and compare."""
    add_policy(config, veto_window_s=0, lock_poll_s=0.5)
    with Headless(config, "--auto").wait_ready() as first:
        cloud.interrupt([victim], notice_s=notice_s)
        wait_until(lambda: first.states().get(victim) == "recovered")
    settings = load(config)
    with Journal(settings.journal, read_only=True) as journal:
        (recovery,) = journal.recoveries.all()
        log, plan = list(journal.log.of(recovery.recovery_id)), journal.recoveries.plan(recovery.recovery_id)
    assert plan
    shortest = next(number for number, one in enumerate(log, 1) if begins(one.fact))
    made = {action: effects(cloud, action) for action in actions}
    account = CloudAccount(settings)
    with ExitStack() as stack:
        resumed = []
        for length in range(shortest, len(log)):
            path = config.with_name(f"after-{length}.db")
            write(path, log[:length], plan)
            shared = stack.enter_context(console(path, account, settings))
            Engine(shared).start()
            resumed.append(shared.journal)
        wait_until(lambda: all(known(one, recovery.recovery_id).state.is_final for one in resumed))
        ended = [known(one, recovery.recovery_id) for one in resumed]
        assert all(list(one.log.unlike_their_facts()) == [] for one in resumed)
    assert {one.state for one in ended} == {RecoveryState.RECOVERED}
    assert {(one.image_id, one.new_instance_id) for one in ended} == {(recovery.image_id, recovery.new_instance_id)}
    assert {action: effects(cloud, action) for action in made} == made
    assert all(made.values())


def test_the_image_route_ends_as_it_ended_and_makes_nothing_twice(live_cloud: SimServer, config: Path) -> None:
    victim = live_cloud.spot_ids()[0]
    resume_all(live_cloud, config, victim, 300, is_yes, "CreateImage", "RunInstances")


def test_an_instance_that_is_started_again_itself_is_known_to_be_ours(live_cloud: SimServer, config: Path) -> None:
    """From when its stop was seen: one that runs before that was spared."""
    victim = live_cloud.spot_ids("Stop")[0]
    resume_all(live_cloud, config, victim, 4, is_stop_seen, "StartInstance")


def is_yes(fact: Fact) -> bool:
    return isinstance(fact, Decided)


def is_stop_seen(fact: Fact) -> bool:
    return isinstance(fact, NextStepChanged) and fact.next_step is not None and fact.next_step.doing is Doing.START


def test_a_desk_that_is_closed_drives_nothing_any_more_and_the_next_one_goes_on(
    live_cloud: SimServer, config: Path, caplog: pytest.LogCaptureFixture
) -> None:
    add_policy(config, veto_window_s=0, lock_poll_s=0.5)
    live_cloud.world(image_base_s=5)
    victim = live_cloud.spot_ids()[0]
    before = set(threading.enumerate())
    with closing(open_desk(load(config), CloudClock(), auto=True, read_only=False)):
        live_cloud.interrupt([victim])
        wait_until(lambda: effects(live_cloud, "CreateImage"))
    assert "engine" not in [thread.name for thread in threading.enumerate() if thread not in before]
    with closing(open_desk(load(config), CloudClock(), auto=True, read_only=False)) as desk:
        wait_until(lambda: [one for one in desk.view().recoveries if one.state is RecoveryState.RECOVERED])
    assert len(effects(live_cloud, "CreateImage")) == len(effects(live_cloud, "RunInstances")) == 1
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
