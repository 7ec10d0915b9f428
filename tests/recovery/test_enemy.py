"""What a hostile night brings: each of these once lost a notice, doubled a launch or held everything."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from spottui.sim.testing import SimServer
from tests.driving import Headless, add_policy, effects, wait_until

FAST = {"veto_window_s": 0, "max_at_once": 50, "max_per_hour": 500, "lock_poll_s": 0.5}


def notice(instance_id: str, minutes_ago: float, name: str = "Instance:PreemptibleInstanceInterruption") -> str:
    at = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    return json.dumps(
        {
            "name": name,
            "regionId": "cn-hangzhou",
            "eventTime": f"{at:%Y%m%dT%H%M%S}.000+0000",
            "content": {"instanceId": instance_id, "action": "delete"},
        }
    )


def journal_of(config: Path) -> Path:
    return next(config.parent.glob("*.db"))


def test_a_drill_that_is_over_does_not_swallow_the_real_reclaim(live_cloud: SimServer, config: Path) -> None:
    add_policy(config, **FAST)
    victim = live_cloud.spot_ids()[0]
    with Headless(config, "--auto").wait_ready() as console:
        live_cloud.send(notice(victim, minutes_ago=7))
        wait_until(lambda: console.states().get(victim) == "skipped")
        live_cloud.interrupt([victim])
        wait_until(lambda: console.states().get(victim) == "recovered")
    assert len(effects(live_cloud, "RunInstances")) == 1


@pytest.mark.parametrize(
    "body", ['{"name": "\\ud800 x", "content": {}}', '{"name": "x", "content": {"state": "\\udfff"}}']
)
def test_a_body_that_no_database_takes_holds_no_notice(live_cloud: SimServer, config: Path, body: str) -> None:
    add_policy(config, **FAST)
    victim = live_cloud.spot_ids()[0]
    live_cloud.send(body)
    live_cloud.interrupt([victim])
    with Headless(config, "--auto").wait_ready() as console:
        wait_until(lambda: console.states().get(victim) == "recovered")


def test_an_old_message_comes_again_after_a_newer_reclaim(live_cloud: SimServer, config: Path) -> None:
    add_policy(config, **FAST)
    first, second = live_cloud.spot_ids()[:2]
    old = notice(first, minutes_ago=120)
    with Headless(config, "--auto").wait_ready() as console:
        live_cloud.send(old)
        wait_until(lambda: console.states().get(first) == "skipped")
        live_cloud.interrupt([first])
        wait_until(lambda: console.states().get(first) == "recovered")
        live_cloud.send(old)
        live_cloud.interrupt([second])
        wait_until(lambda: console.states().get(second) == "recovered")
    assert len(effects(live_cloud, "RunInstances")) == 2


def test_a_journal_that_is_held_for_a_while_ends_no_source_and_holds_no_disk_protection(
    live_cloud: SimServer, config: Path
) -> None:
    add_policy(config, **FAST)
    victim = live_cloud.spot_ids()[0]
    with Headless(config, "--auto").wait_ready() as console:
        wait_until(lambda: live_cloud.calls("DescribeUserData"))  # the fleet is known, its disks are
        with closing(sqlite3.connect(journal_of(config), timeout=30, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            live_cloud.world(permissions={"DescribeInstances": "forbidden"})
            live_cloud.interrupt([victim])
            # The disks do not wait for the journal; nothing that needs a record of it goes out.
            wait_until(lambda: live_cloud.calls("ModifyDiskAttribute") and console.source_error("lock"))
            live_cloud.world(permissions={"DescribeInstances": "allow"})
            looks = len(live_cloud.calls("DescribeInstances"))
            wait_until(lambda: len(live_cloud.calls("DescribeInstances")) > looks)
            assert live_cloud.calls("CreateImage") == []
            assert console.states().get(victim) is None
            other.execute("ROLLBACK")
        wait_until(lambda: console.states().get(victim) == "recovered")
    assert len(effects(live_cloud, "CreateImage")) == len(effects(live_cloud, "RunInstances")) == 1


def test_a_disk_protection_that_hangs_holds_the_image_for_a_second(live_cloud: SimServer, config: Path) -> None:
    add_policy(config, **FAST)
    victim = live_cloud.spot_ids()[0]
    live_cloud.fault("ModifyDiskAttribute", "slow", delay_s=8, times=1)
    with Headless(config, "--auto").wait_ready():
        wait_until(lambda: live_cloud.calls("DescribeUserData"))  # the fleet is known, its disks are
        live_cloud.interrupt([victim])
        wait_until(lambda: live_cloud.calls("CreateImage"))
    raft, image = live_cloud.calls("ModifyDiskAttribute")[0], live_cloud.calls("CreateImage")[0]
    waited_s = (datetime.fromisoformat(image["at"]) - datetime.fromisoformat(raft["at"])).total_seconds()
    assert 0.5 < waited_s < 4


def test_a_second_console_takes_over_from_one_that_was_killed(live_cloud: SimServer, config: Path) -> None:
    add_policy(config, **FAST)
    live_cloud.world(image_base_s=4)
    victim = live_cloud.spot_ids()[0]
    with Headless(config, "--auto").wait_ready() as first:
        live_cloud.interrupt([victim])
        wait_until(lambda: first.states().get(victim) == "imaging" and effects(live_cloud, "CreateImage"))
        with Headless(config).wait_ready() as second:
            first.kill()
            wait_until(lambda: second.states().get(victim) == "recovered")
    assert len(effects(live_cloud, "CreateImage")) == 1
    assert len(effects(live_cloud, "RunInstances")) == 1


def test_no_permission_to_list_is_no_quiet_lock_poll(live_cloud: SimServer, config: Path) -> None:
    add_policy(config, **FAST)
    live_cloud.world(permissions={"DescribeInstances": "empty"})
    with Headless(config).wait_ready() as console:
        wait_until(lambda: "Forbidden.RAM" in console.source_error("lock"))
