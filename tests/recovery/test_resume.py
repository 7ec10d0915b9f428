"""After a restart a recovery runs from the top, finds in its log what was done, and does the rest once.

It is resumed from every beginning of its log, as if the console had ended after each of its facts; the cloud has
meanwhile done all that was asked, so that whatever is asked for again must be what it was.
"""

from contextlib import ExitStack
from pathlib import Path

from spottui.cloud.account import CloudAccount
from spottui.config import load
from spottui.domain.facts import Decided, Logged
from spottui.domain.plan import Plan
from spottui.domain.recovery import RecoveryState
from spottui.journal import Journal
from spottui.journal.writer import Transaction
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


def test_from_every_beginning_of_its_log_it_ends_as_it_ended_and_makes_nothing_twice(
    live_cloud: SimServer, config: Path
) -> None:
    add_policy(config, veto_window_s=0, lock_poll_s=0.5)
    victim = live_cloud.spot_ids()[0]
    with Headless(config, "--auto").wait_ready() as first:
        live_cloud.interrupt([victim])
        wait_until(lambda: first.states().get(victim) == "recovered")
    settings = load(config)
    with Journal(settings.journal, read_only=True) as journal:
        (recovery,) = journal.recoveries.all()
        log, plan = list(journal.log.of(recovery.recovery_id)), journal.recoveries.plan(recovery.recovery_id)
    assert plan
    yes = next(number for number, one in enumerate(log) if isinstance(one.fact, Decided))
    made = {action: effects(live_cloud, action) for action in ("CreateImage", "RunInstances", "AssociateEipAddress")}
    account = CloudAccount(settings)
    with ExitStack() as stack:
        resumed = []
        for length in range(yes + 1, len(log)):
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
    assert {action: effects(live_cloud, action) for action in made} == made
