"""What the cloud shows rules over what messages and clocks claim, with the real console."""

import json
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from spottui.sim.testing import SimServer
from tests.driving import Headless, add_policy, effects, wait_until
from tests.recovery.test_enemy import notice

FAST = {"veto_window_s": 0, "max_at_once": 50, "max_per_hour": 500, "lock_poll_s": 0.5, "long_poll_s": 1}


def lines_of(console: Headless, instance_id: str) -> list[dict[str, Any]]:
    lines = [line for line in list(console.lines) if line["kind"] == "recovery"]
    return [line for line in lines if line["instance_id"] == instance_id]


def ids(console: Headless, instance_id: str) -> list[str]:
    """The recoveries of an instance, in the order in which they began."""
    return list(dict.fromkeys(line["id"] for line in lines_of(console, instance_id)))


def test_steps_of_the_machines_clock_end_nothing_and_open_nothing_twice(
    live_cloud: SimServer, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten minutes behind from the start, then an hour ahead and an hour behind while recoveries wait and run."""
    step = config.with_name("step")
    step.write_text("-600")
    monkeypatch.setenv("SPOTTUI_STEP", str(step))
    add_policy(config, **{**FAST, "max_at_once": 1})
    live_cloud.world(image_base_s=3)
    drilled, first, second = live_cloud.spot_ids()[:3]
    with Headless(config, "--auto", program=("tests.recovery.stepped",)).wait_ready() as console:
        live_cloud.interrupt([drilled], format="drill")
        wait_until(lambda: console.states().get(drilled) == "suspected")
        live_cloud.interrupt([first])
        wait_until(lambda: console.states().get(first) == "imaging")
        live_cloud.interrupt([second])
        wait_until(lambda: console.states().get(second) == "needs you")
        for ahead_s in (3600, -3600, 86_400, 0):
            step.write_text(str(ahead_s))
            looks = len(live_cloud.calls("DescribeInstances"))
            wait_until(lambda looks=looks: len(live_cloud.calls("DescribeInstances")) > looks + 2)
        wait_until(lambda: {console.states()[one] for one in (first, second)} == {"recovered"})
        assert console.states()[drilled] == "suspected"
        now = datetime.now(UTC)
        for one in (drilled, first, second):
            assert len(ids(console, one)) == 1
            deadline = datetime.fromisoformat(console.recoveries()[one]["deadline"])
            assert timedelta(seconds=200) < deadline - now < timedelta(seconds=301)
        times = [datetime.fromisoformat(line["at"]) for line in console.lines if line["kind"] == "event"]
        assert all(after - before > timedelta(seconds=-1) for before, after in pairwise(times))
        assert all(abs(at - now) < timedelta(minutes=2) for at in times)
        said = [line.get("text") or line.get("next") or line.get("reason") or "" for line in console.lines]
        assert not [text for text in said if re.search(r"(?<![\w.])-\d+(\.\d+)? s", text)]
    assert len(effects(live_cloud, "CreateImage")) == len(effects(live_cloud, "RunInstances")) == 2


def test_a_stale_date_and_a_forged_release_take_nothing_from_a_fresh_lock(live_cloud: SimServer, config: Path) -> None:
    add_policy(config, **{**FAST, "veto_window_s": 2})
    stale, released, foreign = live_cloud.spot_ids()[:3]
    with Headless(config, "--auto").wait_ready() as console:
        wait_until(lambda: live_cloud.calls("DescribeUserData"))  # the fleet is known
        live_cloud.send(notice(stale, minutes_ago=4.9))
        live_cloud.send(notice("i-nobodyknowsthisone", minutes_ago=0.1))
        wait_until(lambda: console.states().get(stale) == "suspected")
        for one in (stale, released):
            live_cloud.send(released_body(one))
        live_cloud.interrupt([stale, released])
        locked = datetime.now(UTC)
        live_cloud.send(notice(released, minutes_ago=4.9))
        foreign_body = json.loads(notice(foreign, minutes_ago=0))
        foreign_body["resourceId"] = f"acs:ecs:cn-hangzhou:1234567890123456:instance/{foreign}"
        live_cloud.send(json.dumps(foreign_body))
        wait_until(lambda: {console.states().get(one) for one in (stale, released)} == {"recovered"})
        for one in (stale, released):
            assert "veto window" in [line["state"] for line in lines_of(console, one)]
            deadline = datetime.fromisoformat(console.recoveries()[one]["deadline"])
            assert locked + timedelta(seconds=295) < deadline < locked + timedelta(seconds=305)
            verdicts = {
                line["verdict"]
                for line in lines_of(console, one)
                if datetime.fromisoformat(line["deadline"]) > locked + timedelta(seconds=60)
            }
            assert verdicts <= {None, "WILL MAKE IT", "IMAGE READY"}
        assert console.states().keys() == {stale, released}
    assert len(effects(live_cloud, "CreateImage")) == len(effects(live_cloud, "RunInstances")) == 2


def test_a_stopped_instance_that_was_started_is_reclaimed_again_a_moment_later(
    live_cloud: SimServer, config: Path
) -> None:
    add_policy(config, **FAST)
    victim = live_cloud.spot_ids("Stop")[0]
    with Headless(config, "--auto").wait_ready() as console:
        for number in (1, 2):
            live_cloud.interrupt([victim], notice_s=3)
            wait_until(lambda number=number: len(ids(console, victim)) == number)
            wait_until(lambda: console.states()[victim] == "recovered")
    assert len(effects(live_cloud, "StartInstance")) == 2
    assert live_cloud.calls("RunInstances") == []


def released_body(instance_id: str) -> str:
    body = json.loads(notice(instance_id, minutes_ago=0, name="Instance:StateChange"))
    return json.dumps({**body, "content": {"resourceId": instance_id, "state": "Deleted"}})
