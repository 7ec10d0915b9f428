"""What the lock poll tells of a lock: once, since when at the earliest, and that it is gone."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from spottui.cloud.account import CloudAccount
from spottui.cloud.errors import CloudError
from spottui.config import load
from spottui.domain.clock import NOTICE_S, CloudClock, SystemClock
from spottui.domain.facts import LockGone
from spottui.domain.recovery import RecoveryState
from spottui.sim.testing import SimServer
from spottui.watch import locks
from spottui.watch.fleet import FleetSweep
from spottui.watch.locks import TRUSTED_LOOKS, LockPoll
from tests.sim.calls import Api
from tests.watch.given import HandClock, Taken, event_body, instance, message


def poll_of(config: Path, taken: Taken) -> LockPoll:
    ecs = CloudAccount(load(config)).regions["cn-hangzhou"]
    fleet = FleetSweep(ecs, taken.journal, SystemClock(), lambda *_: None, lambda _: None)
    return LockPoll(ecs, fleet, taken.intake, SystemClock())


def look_often(poll: LockPoll) -> None:
    for _ in range(TRUSTED_LOOKS + 1):
        poll.poll()


def test_a_lock_is_reported_once_and_again_when_its_reclaim_is_over(
    live_cloud: SimServer, config: Path, tmp_path: Path
) -> None:
    taken = Taken(tmp_path / "state", SystemClock())
    poll = poll_of(config, taken)
    victim, other = live_cloud.spot_ids()[:2]
    live_cloud.interrupt([victim])
    for _ in range(3):
        poll.poll()
    assert [one.instance_id for one in taken.told] == [victim]
    free = instance(other, recycling=False)
    stale_page = [instance(victim, recycling=False), free, instance(other, recycling=True)]
    assert poll.unlocked(stale_page) == [free], "the last look has shown the lock"
    poll.poll()
    assert len(taken.told) == 1
    taken.enter(taken.told[0].recovery_id, RecoveryState.FAILED)
    taken.record(taken.told[0].recovery_id, LockGone())
    for _ in range(2):
        poll.poll()
    assert [one.marks for one in taken.all(victim)] == ["L", "L"]


def test_a_lock_that_was_not_there_at_the_last_look_is_the_start_of_the_notice(
    live_cloud: SimServer, config: Path, tmp_path: Path
) -> None:
    """And not one that is there at the first look, or that was hidden while nothing could be listed."""
    taken = Taken(tmp_path / "state", SystemClock())
    poll = poll_of(config, taken)
    old, fresh, hidden = live_cloud.spot_ids()[:3]
    live_cloud.interrupt([old], queue=False)
    poll.poll()
    poll.poll()
    looked = datetime.now(UTC)
    live_cloud.interrupt([fresh], queue=False)
    poll.poll()
    assert taken.all(old)[0].not_before is None
    not_before = taken.all(fresh)[0].not_before
    assert not_before
    assert timedelta(0) < looked - not_before < timedelta(seconds=5)

    live_cloud.world(permissions={"DescribeInstances": "empty"})
    with pytest.raises(CloudError, match="Forbidden"):
        look_often(poll)
    live_cloud.interrupt([hidden], queue=False)
    for _ in range(2):
        with pytest.raises(CloudError, match="Forbidden"):
            poll.poll()
    cut = datetime.now(UTC)
    live_cloud.world(permissions={"DescribeInstances": "allow"})
    poll.poll()
    since = taken.all(hidden)[0].not_before
    assert since
    assert since < cut, "a look that could list nothing shows nothing"
    assert [len(taken.all(one)) for one in (old, fresh, hidden)] == [1, 1, 1]


def test_a_machine_whose_clock_is_ahead_at_the_first_look_makes_no_later_deadline(
    live_cloud: SimServer, config: Path, tmp_path: Path
) -> None:
    clock = CloudClock(HandClock(datetime.now(UTC) + timedelta(seconds=600)))
    taken = Taken(tmp_path / "state", clock)
    ecs = CloudAccount(load(config), clock).regions["cn-hangzhou"]
    fleet = FleetSweep(ecs, taken.journal, clock, lambda *_: None, lambda _: None)
    poll = LockPoll(ecs, fleet, taken.intake, clock)
    (victim, *_) = live_cloud.spot_ids()
    poll.poll()
    live_cloud.interrupt([victim], queue=False)
    event = event_body(victim, datetime.now(UTC))
    taken.intake.messages("cn-hangzhou", [message(event, datetime.now(UTC))])
    poll.poll()
    (reclaim,) = taken.all(victim)
    assert reclaim.marks == "LQ"
    assert reclaim.not_before
    # The cloud's time is heard in whole seconds.
    now = datetime.now(UTC) + timedelta(seconds=2)
    assert reclaim.not_before <= now
    assert reclaim.deadline <= now + timedelta(seconds=NOTICE_S)


def test_an_instance_whose_lock_vanished_is_looked_at_and_runs_free_before_any_sweep(
    live_cloud: SimServer, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "VANISHED_AGAIN_S", 0)
    taken = Taken(tmp_path / "state", SystemClock())
    poll = poll_of(config, taken)
    victim = live_cloud.spot_ids("Stop")[0]
    live_cloud.interrupt([victim], notice_s=60, queue=False)
    poll.poll()
    (recovery,) = taken.recoveries(victim)
    taken.enter(recovery.recovery_id, RecoveryState.FAILED)
    live_cloud.advance(65)
    poll.poll()
    assert taken.all(victim)[0].unlocked_at is None, "it is stopped, which may be the end of the notice"
    Api(live_cloud)("StartInstance", InstanceId=victim)
    live_cloud.advance(5)
    poll.poll()
    assert taken.all(victim)[0].unlocked_at
    live_cloud.interrupt([victim], queue=False)
    poll.poll()
    assert [one.marks for one in taken.all(victim)] == ["L", "L"]
