"""Every route by which an instance comes back, and what a person can do on the way, with the real SDKs."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alibabacloud_ecs20140526 import models
from alibabacloud_ecs20140526.client import Client
from alibabacloud_tea_openapi.utils_models import Config

from spottui.sim.testing import SimServer
from tests.driving import add_policy, clean_environment, effects, wait_until

DRAIN = """
[drain.stop-jobs]
command = "systemctl stop jobs && sync"
timeout_s = 5
"""


class Acting:
    """A desk in another process."""

    def __init__(self, config: Path, mode: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.recovery.acting", str(config), mode],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=clean_environment(config.parent / "state"),
        )
        assert self._answer() == "ready"

    def __call__(self, method: str, *arguments: Any) -> Any:
        assert self._process.stdin
        self._process.stdin.write(json.dumps([method, *arguments]) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def until(self, instance_id: str, *states: str) -> dict[str, Any]:
        """Return an instance's recovery once it is in one of these states."""
        found: list[dict[str, Any]] = []

        def there() -> bool:
            found[:] = [self("recovery", instance_id)]
            return bool(found[0]) and found[0]["state"] in states

        try:
            wait_until(there, every_s=0.1)
        except AssertionError:
            raise AssertionError(f"{instance_id} is {found[0]}") from None
        return found[0]

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(20)

    def kill(self) -> None:
        """kill -9."""
        self._process.kill()
        self._process.wait()

    def _answer(self) -> Any:
        assert self._process.stdout
        return json.loads(self._process.stdout.readline())


@pytest.fixture
def auto(live_cloud: SimServer, config: Path) -> Iterator[Acting]:
    add_policy(config, veto_window_s=0, max_at_once=50, max_per_hour=500, lock_poll_s=0.5, sweep_s=2)
    with config.open("a") as file:
        file.write(DRAIN)
    desk = Acting(config, "auto")
    yield desk
    desk.close()


def named(cloud: SimServer, name: str) -> dict[str, Any]:
    return next(row for row in cloud.state()["instances"] if row["InstanceName"] == name)


def by_id(cloud: SimServer, instance_id: str) -> dict[str, Any]:
    return next(row for row in cloud.state()["instances"] if row["InstanceId"] == instance_id)


def tag_instance(cloud: SimServer, instance_id: str, key: str, value: str) -> None:
    """As its owner would, with the SDK."""
    at = cloud.endpoint
    host = at.url.partition("://")[2]
    client = Client(Config(at.access_key_id, at.access_key_secret, endpoint=host, protocol="HTTP"))
    tag = models.TagResourcesRequestTag(key=key, value=value)
    client.tag_resources(
        models.TagResourcesRequest(
            region_id="cn-hangzhou", resource_type="instance", resource_id=[instance_id], tag=[tag]
        )
    )


def details(desk: Acting, recovery: dict[str, Any]) -> list[str]:
    return [f"{step} {said}" for step, said in desk("timeline", recovery["recovery_id"])]


def test_kept_disks_come_back_at_the_second_try_and_the_leftovers_can_be_cleaned_up(
    auto: Acting, live_cloud: SimServer
) -> None:
    live_cloud.world(locked_status="Stopping")
    no_money = {"code": "InvalidAccountStatus.NotEnoughBalance", "status": 403}
    live_cloud.fault("RunInstances", "error", match={"ClientToken": "*"}, **no_money)
    old = named(live_cloud, "api-2")
    live_cloud.interrupt([old["InstanceId"]], notice_s=5)
    failed = auto.until(old["InstanceId"], "recovered", "failed")
    assert (failed["state"], failed["route"]) == ("failed", "kept-disk")
    assert "NotEnoughBalance" in failed["says"]["reason"]
    assert auto("retry", failed["recovery_id"]) is None
    recovery = auto.until(old["InstanceId"], "recovered")
    assert recovery["image_id"] == failed["image_id"], "what was made is used"
    assert (recovery["state"], recovery["route"]) == ("recovered", "kept-disk")
    new = by_id(live_cloud, recovery["new_instance_id"])
    system, data = old["DiskIds"]
    assert data in new["DiskIds"], "the data disk itself has moved"
    assert len(new["DiskIds"]) == 2
    assert any(line.startswith("Route kept-disk, because no image: ") for line in details(auto, recovery))
    auto("look_around")
    wait_until(lambda: auto("prices_seen"), every_s=0.1)
    priced = {price["instance_type"] for price in auto("prices_seen")["fact"]["prices"]}
    assert priced == {row["InstanceType"] for row in live_cloud.state()["instances"] if row["SpotStrategy"] != "NoSpot"}
    leftovers = {one["resource_id"]: one for one in auto("leftovers")}
    assert leftovers[system]["held_by"] == ""
    assert leftovers[system]["expires"] is not None
    assert data not in leftovers, "it is attached to the replacement"
    assert auto("clean_up", [system, data]) == {system: "", data: "not a leftover of a recovery"}
    assert system not in {row["DiskId"] for row in live_cloud.state()["disks"]}
    assert "runs from it" in auto("clean_up", [recovery["image_id"]])[recovery["image_id"]]


def test_a_stopped_instance_is_started_again_itself(auto: Acting, live_cloud: SimServer) -> None:
    old = live_cloud.spot_ids("Stop")[0]
    live_cloud.interrupt([old], notice_s=3)
    recovery = auto.until(old, "recovered", "failed")
    assert (recovery["state"], recovery["route"], recovery["new_instance_id"]) == ("recovered", "restart", old)
    assert live_cloud.calls("CreateImage") == []
    assert live_cloud.calls("ModifyDiskAttribute") == [], "a stopped instance keeps its disks"
    assert effects(live_cloud, "StartInstance") == [f"{'changed'} {old} Starting"]


def test_a_drain_runs_once_before_the_image_and_its_output_is_in_the_audit(auto: Acting, live_cloud: SimServer) -> None:
    victim = live_cloud.spot_ids()[0]
    tag_instance(live_cloud, victim, "spottui:drain", "stop-jobs")
    swept = len(live_cloud.calls("DescribeDisks"))
    # The sweep after the one that was under way has seen the tag, and is over when a third begins.
    wait_until(lambda: len(live_cloud.calls("DescribeDisks")) > swept + 2)
    live_cloud.interrupt([victim])
    recovery = auto.until(victim, "recovered", "failed")
    (run,) = live_cloud.calls("RunCommand")
    assert run["n"] < live_cloud.calls("CreateImage")[0]["n"]
    assert any(line.startswith("Drain stop-jobs Finished, exit code 0") for line in details(auto, recovery))


def test_what_a_person_stopped_can_be_tried_again_and_uses_what_was_made(auto: Acting, live_cloud: SimServer) -> None:
    live_cloud.world(image_base_s=4)
    victim = live_cloud.spot_ids()[0]
    live_cloud.interrupt([victim])
    recovery = auto.until(victim, "imaging")
    wait_until(lambda: live_cloud.calls("CreateImage"))
    assert auto("cancel", recovery["recovery_id"]) is None
    stopped = auto.until(victim, "cancelled")
    assert stopped["image_id"] in stopped["says"]["reason"], "what is left behind is said"
    assert all("may be the last copy" in one["held_by"] for one in auto("leftovers")), "nothing of it may go"
    assert auto("retry", recovery["recovery_id"]) is None
    again = auto.until(victim, "recovered", "failed")
    assert (again["state"], again["run"], again["image_id"]) == ("recovered", 1, stopped["image_id"])
    launches = [row["code"] for row in live_cloud.calls("RunInstances") if row["params"].get("ClientToken")]
    assert launches == [None], "it waits for the image first"
    assert len(effects(live_cloud, "CreateImage")) == 1
    assert len(effects(live_cloud, "RunInstances")) == 1
    assert "refused" in auto("retry", recovery["recovery_id"])
    said = details(auto, again)
    assert f"Decision cancel requested by {'mei@bastion pts/3'}" in said
    assert any(line.startswith("lock ") or line.startswith("L ") or "Recycling" in line for line in said), said


def test_a_route_is_chosen_by_hand_and_only_one_that_leads_somewhere(live_cloud: SimServer, config: Path) -> None:
    add_policy(config, veto_window_s=0, lock_poll_s=0.5)
    desk = Acting(config, "by hand")
    victim = live_cloud.spot_ids()[0]
    live_cloud.interrupt([victim], notice_s=4)
    recovery_id = desk.until(victim, "needs you")["recovery_id"]
    assert "refused" in desk("confirm", recovery_id, "restart")
    assert "refused" in desk("confirm", recovery_id, "warm-image")
    assert desk("recovery", victim)["state"] == "needs you"
    assert desk("plan", recovery_id)["routes"] == ["image", "kept-disk"]
    assert desk("confirm", recovery_id, "kept-disk") is None
    assert desk("plan", recovery_id)["routes"] == ["kept-disk", "image"]
    recovery = desk.until(victim, "recovered", "failed")
    assert (recovery["state"], recovery["route"], recovery["who"]) == ("recovered", "kept-disk", "mei@bastion pts/3")
    desk.close()
