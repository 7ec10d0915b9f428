"""The route `kept-disk` where the disks' zone has no room: their data runs elsewhere all the same."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from spottui import words
from spottui.cloud.account import CloudAccount
from spottui.config import load
from spottui.domain.commands import Retry
from spottui.domain.interruption import Evidence, Observation
from spottui.domain.recovery import RecoveryState
from spottui.journal import Journal
from spottui.journal.fleet import Captured
from spottui.recovery.context import Shared
from spottui.recovery.decisions import carry_out
from spottui.recovery.routes import kept_disk
from spottui.sim.testing import SimServer
from tests.driving import effects, wait_until
from tests.journal.given import ANN, REGION, confirm, known, observe
from tests.recovery.given import CLOCK, begin
from tests.recovery.test_routes import by_id, named
from tests.recovery.test_traffic import ended, engine


@pytest.mark.parametrize("usable", [True, False])
def test_data_disks_are_made_of_snapshots_at_once_or_of_an_image_of_all_disks(
    live_cloud: SimServer, config: Path, monkeypatch: pytest.MonkeyPatch, usable: bool
) -> None:
    monkeypatch.setattr(kept_disk, "POLL_S", 0.2)
    if not usable:
        monkeypatch.setattr(kept_disk, "USABLE_PATIENCE_S", 0)
    old = named(live_cloud, "api-2")
    live_cloud.world(locked_status="Stopping", instant_access_s=0.1 if usable else 600, image_base_s=1)
    live_cloud.stock(0, zone=old["ZoneId"])
    live_cloud.fault("CreateSnapshot", "drop_reply", times=1)
    with engine(config) as shared:
        live_cloud.interrupt([old["InstanceId"]], notice_s=3)
        recovery = ended(shared, begin(shared, old["InstanceId"]))
    said = words.reason(recovery.reason)
    assert (recovery.state, recovery.route) == ("recovered", "kept-disk"), said
    new = by_id(live_cloud, recovery.new_instance_id)
    made_of = {one["DiskId"]: one["SourceSnapshotId"] for one in live_cloud.state()["disks"]}
    assert new["ZoneId"] != old["ZoneId"]
    assert made_of[new["DiskIds"][1]] == dict(recovery.snapshots)[old["DiskIds"][1]]
    assert len(effects(live_cloud, "CreateSnapshot")) == 2
    assert len(effects(live_cloud, "CreateImage")) == (1 if usable else 2)
    assert len(effects(live_cloud, "RunInstances")) == 1


def test_a_disk_is_attached_although_the_credentials_fail_for_a_moment(
    live_cloud: SimServer, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_disk, "POLL_S", 0.2)
    old = named(live_cloud, "api-2")
    live_cloud.world(locked_status="Stopping", image_base_s=1)
    live_cloud.fault("AttachDisk", "error", times=1, code="InvalidSecurityToken.Expired", status=400)
    with engine(config) as shared:
        live_cloud.interrupt([old["InstanceId"]], notice_s=3)
        recovery = ended(shared, begin(shared, old["InstanceId"]))
    assert (recovery.state, recovery.route) == ("recovered", "kept-disk"), words.reason(recovery.reason)
    assert old["DiskIds"][1] in by_id(live_cloud, recovery.new_instance_id)["DiskIds"]


def test_a_disk_that_cannot_be_looked_up_is_not_awaited_for_ever(
    live_cloud: SimServer, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_disk, "POLL_S", 0.2)
    monkeypatch.setattr(kept_disk, "ATTACH_PATIENCE_S", 1.0)
    old = named(live_cloud, "api-2")
    live_cloud.world(locked_status="Stopping", image_base_s=1)
    with engine(config) as shared:
        live_cloud.interrupt([old["InstanceId"]], notice_s=3)
        recovery_id = begin(shared, old["InstanceId"])
        wait_until(lambda: effects(live_cloud, "RunInstances"))
        live_cloud.world(permissions={"DescribeDisks": "forbidden"})
        recovery = ended(shared, recovery_id)
        assert recovery.state is RecoveryState.FAILED
        assert f"{old['DiskIds'][1]} is not attached: DescribeDisks: Forbidden.RAM" in words.reason(recovery.reason)
        live_cloud.world(permissions={"DescribeDisks": "allow"})
        retry(shared, recovery_id)
        assert ended(shared, recovery_id).state is RecoveryState.RECOVERED
    assert old["DiskIds"][1] in by_id(live_cloud, recovery.new_instance_id)["DiskIds"]
    assert len(effects(live_cloud, "RunInstances")) == 1


def test_a_retry_makes_another_snapshot_where_the_first_one_failed(
    live_cloud: SimServer, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_disk, "POLL_S", 0.2)
    old = named(live_cloud, "web-1")
    live_cloud.world(locked_status="Stopping", image_base_s=3)
    with engine(config) as shared:
        live_cloud.interrupt([old["InstanceId"]], notice_s=3)
        recovery_id = begin(shared, old["InstanceId"])
        (snapshot_id,) = wait_until(lambda: known(shared.journal, recovery_id).made("snapshot"))
        saved = live_cloud.save()
        saved["snapshots"][snapshot_id] |= {"status": "failed"}
        live_cloud.load(saved)
        assert f"snapshot {snapshot_id} failed" in words.reason(ended(shared, recovery_id).reason)
        retry(shared, recovery_id)
        recovery = ended(shared, recovery_id)
    assert recovery.state is RecoveryState.RECOVERED, words.reason(recovery.reason)
    made = [one["Status"] for one in live_cloud.state()["snapshots"] if one["SourceDiskId"] == old["DiskIds"][0]]
    assert made == ["failed", "accomplished"]
    assert len(effects(live_cloud, "RunInstances")) == 1


def test_disks_that_a_console_protected_before_it_died_are_kept(
    live_cloud: SimServer, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_disk, "POLL_S", 0.2)
    old = named(live_cloud, "api-2")
    live_cloud.world(locked_status="Stopping", image_base_s=1)
    # The call is carried out, and the console never hears of it.
    live_cloud.fault("ModifyDiskAttribute", "drop_reply", times=0)
    with engine(config) as shared:
        seen = Observation(REGION, old["InstanceId"], Evidence.LOCK, CLOCK.now())
        (recovery_id,) = observe(shared.journal, seen, now=CLOCK.now())
        wait_until(lambda: shared.journal.recoveries.plan(recovery_id) and _are_kept(live_cloud, old["DiskIds"]))
    live_cloud.control("DELETE", "faults")
    with Journal(config.with_name("journal.db"), acts=True) as journal:
        ecs = CloudAccount(load(config)).regions[REGION]
        spec = replace(ecs.launch_specs([old["InstanceId"]])[old["InstanceId"]], disks=ecs.disks(old["InstanceId"]))
        journal.fleet.put(REGION, [Captured(spec, CLOCK.now(), CLOCK.now())])
    with engine(config) as shared:
        live_cloud.interrupt([old["InstanceId"]], notice_s=3)
        confirm(shared.journal, recovery_id, CLOCK.now())
        recovery = ended(shared, recovery_id)
    assert (recovery.state, recovery.route) == ("recovered", "kept-disk"), words.reason(recovery.reason)


def _are_kept(cloud: SimServer, disk_ids: list[str]) -> bool:
    return not any(one["DeleteWithInstance"] for one in cloud.state()["disks"] if one["DiskId"] in disk_ids)


def retry(shared: Shared, recovery_id: str) -> None:
    plan, own = shared.journal.recoveries.plan(recovery_id), shared.journal.consoles.own
    assert plan
    again = Retry(plan.digest)
    shared.journal.run(lambda t: carry_out(t, recovery_id, again, ANN, own, [REGION], CLOCK.now()))
