"""Patience ends with a look that was begun after it: neither an error nor an answer of before gives anything up."""

from pathlib import Path

import pytest

from spottui.cloud import errors
from spottui.cloud.account import CloudAccount
from spottui.cloud.ecs import PAGE
from spottui.config import load
from spottui.domain.forecast import ImageTiming
from spottui.domain.recovery import RecoveryState
from spottui.recovery import imaging, launching
from spottui.recovery.engine import Engine
from spottui.sim.testing import SimServer
from tests.cloud.test_tagged import multiply
from tests.driving import effects, wait_until
from tests.journal.given import known
from tests.recovery.given import begin, console
from tests.recovery.test_traffic import ended, engine
from tests.sim.conftest import create_image, ecs_client


def test_an_answer_that_comes_after_the_limit_gives_up_neither_image_nor_replacement(
    live_cloud: SimServer, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after the sleep of a host: a look was begun in time, is answered late, and what it shows is over by then."""
    monkeypatch.setattr(imaging, "PATIENCE_S", 2.0)
    monkeypatch.setattr(launching, "RUNNING_PATIENCE_S", 1.5)
    live_cloud.world(image_base_s=3.5, boot_s=3)
    settings = load(config)
    with console(config.with_name("j.db"), CloudAccount(settings), settings) as shared:
        Engine(shared).start()
        recovery_id = begin(shared, live_cloud.spot_ids()[0], notice_s=300)
        wait_until(lambda: effects(live_cloud, "CreateImage"))
        live_cloud.fault("DescribeImages", "slow", delay_s=3.5, times=1)
        wait_until(lambda: effects(live_cloud, "RunInstances"))
        live_cloud.fault("DescribeInstances", "slow", match={"InstanceIds": "*"}, delay_s=3, times=1)
        recovery = ended(shared, recovery_id)
    assert recovery.state is RecoveryState.RECOVERED
    assert len(effects(live_cloud, "CreateImage")) == len(effects(live_cloud, "RunInstances")) == 1


def test_a_launch_that_is_throttled_for_longer_than_the_notice_is_repeated_with_its_token(
    live_cloud: SimServer, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errors, "LONGEST_THROTTLE_S", 1.0)
    live_cloud.world(image_base_s=0.5, image_s_per_gib=0, boot_s=0.5)
    settings = load(config)
    with console(config.with_name("j.db"), CloudAccount(settings), settings) as shared:
        Engine(shared).start()
        recovery_id = begin(shared, live_cloud.spot_ids()[0], notice_s=300)
        wait_until(lambda: effects(live_cloud, "CreateImage"))
        live_cloud.fault("RunInstances", "throttle", match={"ClientToken": "*"}, times=1, retry_after_ms=900_000)
        wait_until(lambda: known(shared.journal, recovery_id).state.is_final)
        ended = known(shared.journal, recovery_id)
    calls = [call for call in live_cloud.calls("RunInstances") if call["params"].get("ClientToken")]
    assert ended.state is RecoveryState.RECOVERED
    assert [call["code"] for call in calls] == ["Throttling.User", None]
    assert len({call["params"]["ClientToken"] for call in calls}) == 1


def test_a_protection_whose_look_up_fails_is_tried_until_the_disks_are_kept(
    live_cloud: SimServer, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No sweep has seen the instance, and it is asked for in vain for longer than the image waits."""
    victim = live_cloud.spot_ids()[0]
    live_cloud.fault("DescribeDisks", "error", match={"InstanceId": victim}, times=4, code="New", status=503)
    settings = load(config)
    with console(config.with_name("j.db"), CloudAccount(settings), settings) as shared:
        Engine(shared).start()
        recovery_id = begin(shared, victim, notice_s=300)
        wait_until(lambda: known(shared.journal, recovery_id).made("kept disk"), 30)
        kept = known(shared.journal, recovery_id).made("kept disk")
    rows = {row["DiskId"]: row["DeleteWithInstance"] for row in live_cloud.state()["disks"]}
    assert kept
    assert not any(rows[one] for one in kept)


def test_a_poll_names_its_image_however_many_earlier_recoveries_have_left(live_cloud: SimServer, config: Path) -> None:
    victim, other, *_ = live_cloud.spot_ids()
    create_image(ecs_client(live_cloud), other)
    wait_until(lambda: live_cloud.state()["images"][-1]["Status"] == "Available")
    multiply(live_cloud, "images", 3 * PAGE)
    live_cloud.speed(1)
    live_cloud.world(image_base_s=6)
    with engine(config) as shared:
        recovery_id = begin(shared, victim, notice_s=300)
        wait_until(lambda: known(shared.journal, recovery_id).image_id)
        before = len(live_cloud.calls("DescribeImages"))
        recovery = ended(shared, recovery_id)
    polls = [row["params"] for row in live_cloud.calls("DescribeImages")[before:]]
    assert recovery.state is RecoveryState.RECOVERED
    assert {poll.get("ImageId") for poll in polls} >= {recovery.image_id}
    lists = [poll for poll in polls if "Tag.1.Key" in poll and poll["PageNumber"] == "1"]
    assert len(lists) <= 2, "those of the plan, and those of the same instance"


def test_an_image_that_was_ready_while_nobody_looked_says_nothing_of_how_long_one_takes(
    live_cloud: SimServer, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imaging, "POLL_S", 0.2)
    live_cloud.world(image_base_s=2)
    with engine(config) as shared:
        live_cloud.interrupt([live_cloud.spot_ids()[0]])
        recovery_id = begin(shared, live_cloud.spot_ids()[0], notice_s=300)
        wait_until(lambda: known(shared.journal, recovery_id).image_id)
    wait_until(lambda: live_cloud.state()["images"][-1]["Status"] == "Available")
    with engine(config) as shared:
        assert ended(shared, recovery_id).state is RecoveryState.RECOVERED
        plan = shared.journal.recoveries.plan(recovery_id)
        assert plan
        assert shared.journal.image_timings.timing(plan.spec.main_category) == ImageTiming()
