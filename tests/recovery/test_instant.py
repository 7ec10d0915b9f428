"""The route `instant`: back within a minute, with the data disks as they were at the notice."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from spottui import words
from spottui.domain.recovery import RecoveryState
from spottui.domain.routes import Route
from spottui.recovery import launching
from spottui.recovery.routes import instant
from spottui.sim.testing import SimServer
from tests.driving import add_policy, effects, wait_until
from tests.journal.given import known
from tests.recovery.calm import allow_older_system, make_system_image
from tests.recovery.given import begin
from tests.recovery.test_routes import Acting, by_id, details, named
from tests.recovery.test_traffic import ended, engine
from tests.sim.calls import Api


@pytest.fixture
def old(live_cloud: SimServer, config: Path) -> dict[str, Any]:
    """An instance with a data disk; an image of it would take two minutes from now on."""
    add_policy(config, veto_window_s=0, lock_poll_s=0.5, sweep_s=2)
    return named(live_cloud, "api-2")


@pytest.fixture
def auto(config: Path, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Open the desk once the world is as the test wants it."""
    opened: list[Acting] = []

    def desk(mode: str = "auto") -> Acting:
        opened.append(Acting(config, mode))
        return opened[-1]

    yield desk
    for one in opened:
        one.close()


def test_it_runs_elsewhere_with_the_data_of_the_notice_long_before_an_image(
    auto: Any, live_cloud: SimServer, old: dict[str, Any]
) -> None:
    image = make_system_image(live_cloud, old)
    allow_older_system(live_cloud, old)
    live_cloud.world(image_base_s=120)
    live_cloud.stock(0, zone=old["ZoneId"])
    live_cloud.fault("CreateSnapshotGroup", "drop_reply", times=1)
    desk = auto()
    live_cloud.interrupt([old["InstanceId"]], notice_s=12)
    recovery = desk.until(old["InstanceId"], "recovered", "failed")
    assert (recovery["state"], recovery["route"]) == ("recovered", "instant"), recovery["says"]
    assert live_cloud.calls("CreateImage")[-1]["n"] < live_cloud.calls("ModifyDiskAttribute")[0]["n"]
    assert len(effects(live_cloud, "CreateSnapshotGroup")) == len(effects(live_cloud, "RunInstances")) == 1
    new = by_id(live_cloud, recovery["new_instance_id"])
    assert (new["ImageId"], new["ZoneId"] != old["ZoneId"]) == (image, True)
    (group,) = live_cloud.state()["snapshot_groups"]
    disks = {row["DiskId"]: row for row in live_cloud.state()["disks"]}
    assert [disks[disk]["SourceSnapshotId"] for disk in new["DiskIds"][1:]] == group["SnapshotIds"]
    said = details(desk, recovery)
    assert any("from the earlier image" in line for line in said)
    assert any(line.endswith("usable") for line in said), said
    # The system disk is free once the instance is released: what was written to it since the image is there alone.
    held = wait_until(lambda: _held(desk).get(old["DiskIds"][0]), every_s=0.5)
    assert "earlier image" in held
    assert _held(desk)[group["SnapshotIds"][0]] == ""


@pytest.mark.parametrize("is_kept", [True, False])
def test_a_group_that_is_not_usable_in_time_makes_way_for_the_image_where_the_disks_outlive_the_instance(
    live_cloud: SimServer, config: Path, old: dict[str, Any], monkeypatch: pytest.MonkeyPatch, is_kept: bool
) -> None:
    make_system_image(live_cloud, old)
    allow_older_system(live_cloud, old)
    monkeypatch.setattr(instant, "USABLE_PATIENCE_S", 0.5)
    live_cloud.world(instant_access_s=600, image_base_s=20)
    if not is_kept:
        live_cloud.world(permissions={"ModifyDiskAttribute": "forbidden"})
    with engine(config) as shared:
        live_cloud.interrupt([old["InstanceId"]])
        begin(shared, old["InstanceId"], notice_s=300)
        if is_kept:
            wait_until(lambda: effects(live_cloud, "CreateImage")[1:])
            assert (
                len(effects(live_cloud, "CreateSnapshotGroup")) == len(effects(live_cloud, "DeleteSnapshotGroup")) == 1
            )
            assert live_cloud.state()["snapshot_groups"] == []
        else:
            wait_until(lambda: [row for row in live_cloud.calls("CreateImage") if row["status"] == 403])
            assert live_cloud.calls("DeleteSnapshotGroup") == [], "it may be all that is left of the data"


def test_an_image_that_somebody_deletes_before_the_launch_makes_way_for_a_new_one(
    live_cloud: SimServer, config: Path, old: dict[str, Any]
) -> None:
    image = make_system_image(live_cloud, old)
    allow_older_system(live_cloud, old)
    live_cloud.fault("CreateSnapshotGroup", "slow", delay_s=2)
    with engine(config) as shared:
        live_cloud.interrupt([old["InstanceId"]])
        recovery_id = begin(shared, old["InstanceId"], notice_s=300)
        wait_until(lambda: effects(live_cloud, "CreateSnapshotGroup"))
        Api(live_cloud)("DeleteImage", ImageId=image)
        recovery = ended(shared, recovery_id)
    assert (recovery.state, recovery.route) == (RecoveryState.RECOVERED, Route.IMAGE), words.reason(recovery.reason)
    (left,) = recovery.routes_left
    assert f"image {image} is not listed" in words.reason(left.reason)


def _held(desk: Acting) -> dict[str, str]:
    return {one["resource_id"]: one["held_by"] for one in desk("leftovers")}


@pytest.mark.parametrize("why", ["no image", "refused"])
def test_it_gives_way_to_an_image(auto: Any, live_cloud: SimServer, old: dict[str, Any], why: str) -> None:
    allow_older_system(live_cloud, old)
    if why == "refused":
        make_system_image(live_cloud, old)
        live_cloud.world(permissions={"CreateSnapshotGroup": "forbidden"})
    desk = auto()
    live_cloud.interrupt([old["InstanceId"]])
    recovery = desk.until(old["InstanceId"], "recovered", "failed")
    assert (recovery["state"], recovery["route"]) == ("recovered", "image"), recovery["says"]
    routes = [line for line in details(desk, recovery) if line.startswith("Route image, because ")]
    assert len(routes) == 1


def test_a_person_may_choose_it_where_no_policy_does(auto: Any, live_cloud: SimServer, old: dict[str, Any]) -> None:
    image = make_system_image(live_cloud, old)
    live_cloud.world(image_base_s=120)
    desk = auto("by hand")
    live_cloud.interrupt([old["InstanceId"]])
    recovery_id = desk.until(old["InstanceId"], "needs you")["recovery_id"]
    wait_until(lambda: "instant" in desk("plan", recovery_id)["choices"])
    assert desk("plan", recovery_id)["routes"] == ["image", "kept-disk"]
    assert desk("confirm", recovery_id, "instant") is None
    recovery = desk.until(old["InstanceId"], "recovered", "failed")
    assert (recovery["state"], recovery["route"]) == ("recovered", "instant"), recovery["says"]
    assert by_id(live_cloud, recovery["new_instance_id"])["ImageId"] == image


def test_after_a_restart_the_launch_goes_on_from_the_earlier_image_while_the_fresh_one_is_not_usable(
    live_cloud: SimServer, config: Path, old: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launching, "REST", timedelta(seconds=1))
    earlier = make_system_image(live_cloud, old)
    key, value = next(iter(old["Tags"].items()))
    with config.open("a") as file:
        file.write(f'[[ready]]\nmatch = {{{key} = "{value}"}}\nfresh_system = true\n')
    live_cloud.world(image_waiting_s=600)
    live_cloud.stock(0)
    with engine(config) as shared:
        live_cloud.interrupt([old["InstanceId"]], notice_s=6)
        recovery_id = begin(shared, old["InstanceId"], notice_s=6)
        wait_until(lambda: known(shared.journal, recovery_id).image_id)
        wait_until(lambda: known(shared.journal, recovery_id).tries)
    with engine(config) as shared:
        live_cloud.control("POST", "stock", {})
        recovery = ended(shared, recovery_id)
    assert recovery.state == "recovered", words.reason(recovery.reason)
    assert {one.image_id for one in recovery.tries} == {earlier}
    assert by_id(live_cloud, recovery.new_instance_id)["ImageId"] == earlier


def test_a_retry_keeps_the_route_that_a_person_chose_and_what_it_had_made(
    auto: Any, live_cloud: SimServer, old: dict[str, Any]
) -> None:
    image = make_system_image(live_cloud, old)
    live_cloud.world(image_base_s=120)
    no_money = {"code": "InvalidAccountStatus.NotEnoughBalance", "status": 403}
    live_cloud.fault("RunInstances", "error", match={"ClientToken": "*"}, **no_money)
    desk = auto("by hand")
    live_cloud.interrupt([old["InstanceId"]])
    recovery_id = desk.until(old["InstanceId"], "needs you")["recovery_id"]
    wait_until(lambda: "instant" in desk("plan", recovery_id)["choices"])
    assert desk("confirm", recovery_id, "instant") is None
    failed = desk.until(old["InstanceId"], "failed")
    assert failed["route"] == "instant", failed["says"]
    assert desk("retry", recovery_id) is None
    recovery = desk.until(old["InstanceId"], "recovered", "failed")
    assert (recovery["state"], recovery["route"]) == ("recovered", "instant"), recovery["says"]
    assert desk("plan", recovery_id)["routes"] == ["instant", "image", "kept-disk"]
    assert by_id(live_cloud, recovery["new_instance_id"])["ImageId"] == image
    assert len(effects(live_cloud, "CreateSnapshotGroup")) == 1


@pytest.mark.parametrize("in_time", [True, False])
def test_a_policy_that_wants_the_system_fresh_waits_for_its_image_until_the_deadline(
    live_cloud: SimServer, config: Path, old: dict[str, Any], in_time: bool
) -> None:
    earlier = make_system_image(live_cloud, old)
    key, value = next(iter(old["Tags"].items()))
    with config.open("a") as file:
        file.write(f'[[ready]]\nmatch = {{{key} = "{value}"}}\nfresh_system = true\n')
    notice_s = 300 if in_time else 4
    live_cloud.world(image_base_s=0.5 if in_time else 60)
    with engine(config) as shared:
        live_cloud.interrupt([old["InstanceId"]], notice_s=notice_s)
        recovery = ended(shared, begin(shared, old["InstanceId"], notice_s=notice_s))
    assert (recovery.state, recovery.route) == ("recovered", "instant"), words.reason(recovery.reason)
    new = by_id(live_cloud, recovery.new_instance_id)
    assert new["ImageId"] == (recovery.image_id if in_time else earlier)
    assert len(effects(live_cloud, "CreateImage")) == (2 if in_time else 1)
    (group,) = live_cloud.state()["snapshot_groups"]
    made_of = {row["DiskId"]: row["SourceSnapshotId"] for row in live_cloud.state()["disks"]}
    assert {made_of[disk] for disk in new["DiskIds"][1:]} <= set(group["SnapshotIds"])
    assert len(effects(live_cloud, "RunInstances")) == len(effects(live_cloud, "CreateSnapshotGroup")) == 1
