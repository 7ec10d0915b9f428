"""ready: what would happen to each instance now, what keeping it ready costs, and disks that outlive their instance."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from spottui.cli.permissions import policy_document
from spottui.cloud.account import CloudAccount
from spottui.config import load
from spottui.domain.ready import READY_TAG
from spottui.domain.tokens import ready_name, slot_start
from spottui.journal import Journal
from spottui.recovery.standing_protection import protected_disks
from spottui.sim.testing import SimServer
from tests.cli.running import own_state, run, run_json
from tests.driving import Headless, add_policy, effects, wait_until
from tests.sim.calls import Api

READY = """
[storage_price]
snapshot = 0.5

[[ready]]
match = {app = ""}
image_every = "6h"
snapshots_every = "15m"
max_cost_per_month = 200
"""


@dataclass
class Fleet:
    """A cloud whose copies are there at once, and a configuration that keeps all of its instances ready."""

    cloud: SimServer
    toml: Path

    def with_data(self) -> str:
        """An instance that has a data disk, reclaimed by release."""
        rows = self.cloud.state()["instances"]
        spot = set(self.cloud.spot_ids())
        return min(row["InstanceId"] for row in rows if len(row["DiskIds"]) > 1 and row["InstanceId"] in spot)

    def under_way(self, instance_id: str) -> int:
        """How many snapshots of an instance's disks are being made ready."""
        rows = [row for row in self.cloud.state()["snapshots"] if row["Tags"].get(READY_TAG) == instance_id]
        return sum(row["Status"] == "progressing" for row in rows)

    def images_begun(self) -> list[dict[str, Any]]:
        """The calls that began an image."""
        return [row for row in self.cloud.calls("CreateImage") if row["effect"]]

    def kept(self) -> dict[str, bool]:
        """Whether each disk outlives its instance."""
        return {row["DiskId"]: not row["DeleteWithInstance"] for row in self.cloud.state()["disks"]}


@pytest.fixture
def fleet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Fleet]:
    own_state(monkeypatch, tmp_path)
    toml = tmp_path / "c.toml"
    with SimServer(config=toml, instances=8) as cloud:
        cloud.world(image_base_s=0, image_s_per_gib=0, instant_access_s=0)
        add_policy(toml, veto_window_s=0)
        toml.write_text(toml.read_text() + READY)
        yield Fleet(cloud, toml)


def test_what_would_happen_now_is_shown_with_what_is_missing_and_what_it_costs(fleet: Fleet) -> None:
    instance_id, api = fleet.with_data(), Api(fleet.cloud)
    now = CloudAccount(load(fleet.toml)).clock.now()
    name, tag = (
        ready_name(instance_id, slot_start(instance_id, 6 * 3600, now)),
        {"Tag__1__Key": READY_TAG, "Tag__1__Value": instance_id},
    )
    disks = next(row["DiskIds"] for row in fleet.cloud.state()["instances"] if row["InstanceId"] == instance_id)
    (before,) = run_json("ready", instance_id, "--config", fleet.toml)["instances"]
    assert before["route"] != "instant"
    assert before["missing"] == ["no system image", "no data snapshots"]
    snapshot = api("CreateSnapshot", DiskId=disks[0], SnapshotName=name, **tag)["SnapshotId"]
    wait_until(
        lambda: (
            [row["Status"] for row in fleet.cloud.state()["snapshots"] if row["SnapshotId"] == snapshot]
            == ["accomplished"]
        )
    )
    api("CreateImage", SnapshotId=snapshot, ImageName=name, **tag)
    api("CreateSnapshotGroup", InstanceId=instance_id, DiskId__1=disks[1], Name=name, **tag)

    def after() -> dict[str, object]:
        return next(
            row for row in run_json("ready", "--config", fleet.toml)["instances"] if row["instance_id"] == instance_id
        )

    ready = wait_until(lambda: (row := after())["route"] == "instant" and not row["missing"] and row)
    assert (ready["verdict"], ready["missing"]) == ("IMAGE READY", [])
    assert ready["system_age_s"] < 60
    assert ready["data_age_s"] < 60
    table = run("ready", "--config", fleet.toml).stdout
    assert "instant, IMAGE READY" in table
    assert "no image of its system disk yet" in table
    schedule = run_json("ready", "--dry-run", "--config", fleet.toml)
    (mine,) = [row for row in schedule["instances"] if row["instance_id"] == instance_id]
    assert (mine["images_per_day"], mine["snapshot_groups_per_day"], mine["keep"]) == (4, 96, 2)
    assert mine["cost_per_month"] == ready["cost_per_month"]
    assert 0 < schedule["cost_per_month"] <= 200
    assert run_json("ready", "--config", fleet.toml)["cost_per_month"] == schedule["cost_per_month"]
    assert any(row["beyond_cap"] for row in schedule["instances"])
    said = run("ready", "--dry-run", "--config", fleet.toml).stdout
    assert "max_cost_per_month leaves no room for" in said
    assert f"at most {schedule['cost_per_month']:.2f} a month" in said
    fleet.cloud.world(permissions={"DescribeSnapshotGroups": "forbidden"})
    refused = run("ready", "--config", fleet.toml)
    assert refused.exit_code == 1
    assert "DescribeSnapshotGroups: Forbidden" in refused.stderr
    assert '"Action": "ecs:DescribeSnapshotGroups"' in run("doctor", "--config", fleet.toml).stdout


def test_disks_are_protected_after_a_yes_and_put_back_exactly_as_they_were(fleet: Fleet) -> None:
    instance_id, asked = fleet.with_data(), ("ready", "--protect", "--config", fleet.toml)
    system, data, *_ = next(
        row["DiskIds"] for row in fleet.cloud.state()["instances"] if row["InstanceId"] == instance_id
    )
    Api(fleet.cloud)("ModifyDiskAttribute", DiskId=data, DeleteWithInstance="false")
    before = fleet.kept()
    assert run(*asked, instance_id).exit_code == 2, "nobody there to say yes"
    assert run("--read-only", *asked, instance_id, "--yes").exit_code == 1
    assert run(*asked, "i-nobody", "--yes").exit_code == 2
    stops = fleet.cloud.spot_ids("Stop")[0]
    assert run_json(*asked, stops, "--yes")["disks"] == {}, "it keeps its disks when it is stopped"
    assert run(*asked, "--undo").exit_code == 2
    assert fleet.kept() == before
    assert run_json(*asked, instance_id, "--yes")["disks"] == {system: "protected"}
    assert fleet.kept() == before | {system: True}
    with Journal(load(fleet.toml).journal, read_only=True) as journal:
        assert protected_disks(journal) == {("cn-hangzhou", instance_id): (system,)}
    fleet.cloud.fault("ModifyDiskAttribute", "error", code="Forbidden.RAM", status=403)
    refused = run("ready", "--undo", "--yes", "--config", fleet.toml)
    assert refused.exit_code == 1
    assert "Forbidden.RAM" in refused.stdout
    assert run_json("ready", "--undo", "--yes", "--config", fleet.toml)["disks"] == {system: "as before"}
    assert fleet.kept() == before, "who had protected a disk before keeps it so"
    assert run_json("ready", "--undo", "--yes", "--config", fleet.toml)["disks"] == {}


def test_a_console_gives_way_to_a_reclaim_and_goes_on_when_it_was_killed(fleet: Fleet) -> None:
    instance_id = fleet.with_data()
    fleet.cloud.world(image_base_s=600, image_s_per_gib=0)
    with Headless(fleet.toml, "--auto") as console:
        wait_until(lambda: fleet.under_way(instance_id) == 2)
        fleet.cloud.interrupt([instance_id])
        wait_until(lambda: any(row["params"].get("InstanceId") == instance_id for row in fleet.images_begun()))
        assert len(effects(fleet.cloud, "DeleteSnapshot")) == 1, "the copy of its system disk was cancelled"
        assert len(effects(fleet.cloud, "DeleteSnapshotGroup")) == 1, "and that of its data disk"
        console.kill()
    fleet.cloud.advance(600)
    fleet.cloud.world(image_base_s=0)
    with Headless(fleet.toml) as console:
        wait_until(lambda: any(line["kind"] == "source" and line["name"] == "ready" for line in list(console.lines)))
        wait_until(lambda: any(not row["params"].get("InstanceId") for row in fleet.images_begun()))
        assert console.source_error("ready") == ""
        assert console.stop() == 0
    made = [row for row in fleet.cloud.calls("CreateSnapshot") if (row["effect"] or "").startswith("created")]
    disks = [row["params"]["DiskId"] for row in made]
    assert len(disks) == len(set(disks)), "one snapshot of a disk for its slot"
    (statement,) = policy_document("ready", load(fleet.toml))["Statement"]
    asked = {row["action"] for row in fleet.cloud.calls() if "Snapshot" in row["action"] or "Image" in row["action"]}
    assert {f"ecs:{action}" for action in asked} <= set(statement["Action"])
