"""A public IP that is no EIP moves to the replacement as one, or its loss is said."""

from pathlib import Path

import pytest

from spottui import words
from spottui.domain.facts import CallAnswered, CallBegun, PublicIpKept
from spottui.domain.recovery import RecoveryState
from spottui.recovery import public_ip
from spottui.recovery.planner import capture
from spottui.sim.testing import SimServer
from tests.driving import Headless, add_policy, effects, wait_until
from tests.recovery.given import CLOCK, begin
from tests.recovery.test_kept_disk import retry
from tests.recovery.test_routes import by_id
from tests.recovery.test_traffic import ended, engine, facts
from tests.sim.calls import Api

ADDRESS = "47.98.7.6"


def addresses_of_eips(cloud: SimServer) -> dict[str, str]:
    return {row["AllocationId"]: row["IpAddress"] for row in cloud.state()["eips"]}


@pytest.mark.parametrize("allowed", [True, False])
def test_it_moves_where_the_cloud_converts_it(live_cloud: SimServer, config: Path, allowed: bool) -> None:
    victim = live_cloud.spot_ids()[1]
    live_cloud.control("POST", "instance", {"instance_id": victim, "public_ip": ADDRESS})
    live_cloud.world(convert_while_locked=allowed)
    live_cloud.fault("ConvertNatPublicIpToEip", "drop_reply", times=1)
    add_policy(config, veto_window_s=0, lock_poll_s=0.5)
    with Headless(config, "--auto").wait_ready() as console:
        live_cloud.interrupt([victim])
        wait_until(lambda: console.states().get(victim) in ("recovered", "failed"))
        recovery = console.recoveries()[victim]
    assert recovery["state"] == "recovered", recovery
    new = next(row for row in live_cloud.state()["instances"] if row["InstanceId"] == recovery["new_instance_id"])
    addresses = addresses_of_eips(live_cloud)
    if allowed:
        assert (addresses[new["EipAllocationId"]], new["PublicIpAddress"]) == (ADDRESS, "")
        assert len(effects(live_cloud, "ConvertNatPublicIpToEip")) == 1
    else:
        assert new["EipAllocationId"] == ""
        assert f"public IP {ADDRESS} is lost" in recovery["reason"]


def test_an_eip_that_was_bound_after_the_last_sweep_moves_too(live_cloud: SimServer, config: Path) -> None:
    api = Api(live_cloud)
    victim = next(one for one in live_cloud.spot_ids() if not by_id(live_cloud, one)["EipAllocationId"])
    with engine(config) as shared:
        seen = capture(shared.regions["cn-hangzhou"], shared.journal, CLOCK, victim)
        assert seen
        assert not seen.instance.eip_id
        eip_id = api("AllocateEipAddress")["AllocationId"]
        api("AssociateEipAddress", AllocationId=eip_id, InstanceId=victim)
        live_cloud.interrupt([victim])
        recovery = ended(shared, begin(shared, victim, notice_s=300))
    assert by_id(live_cloud, recovery.new_instance_id)["EipAllocationId"] == eip_id, words.reason(recovery.reason)


def test_a_conversion_that_answers_late_is_known_before_the_launch(
    live_cloud: SimServer, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public_ip, "PATIENCE_S", 0.2)
    victim = live_cloud.spot_ids()[1]
    live_cloud.control("POST", "instance", {"instance_id": victim, "public_ip": ADDRESS})
    live_cloud.world(image_base_s=4)
    live_cloud.fault("ConvertNatPublicIpToEip", "slow", delay_s=1)
    with engine(config) as shared:
        live_cloud.interrupt([victim])
        recovery = ended(shared, begin(shared, victim, notice_s=300))
        answered = [one.action for one in facts(shared, recovery.recovery_id, CallAnswered)]
    addresses = addresses_of_eips(live_cloud)
    new = by_id(live_cloud, recovery.new_instance_id)
    assert addresses.get(new["EipAllocationId"]) == ADDRESS, words.reason(recovery.reason)
    assert public_ip.ACTION in answered


def test_a_conversion_whose_answer_a_kill_lost_is_looked_for_after_the_launch_too(
    live_cloud: SimServer, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public_ip, "PATIENCE_S", 0.2)
    victim = live_cloud.spot_ids()[1]
    live_cloud.control("POST", "instance", {"instance_id": victim, "public_ip": ADDRESS})
    live_cloud.world(boot_s=60)
    live_cloud.fault("ConvertNatPublicIpToEip", "slow", delay_s=30)
    with engine(config) as shared:
        live_cloud.interrupt([victim])
        recovery_id = begin(shared, victim, notice_s=300)
        wait_until(lambda: any(one.action == public_ip.ACTION for one in facts(shared, recovery_id, CallBegun)))
        wait_until(lambda: effects(live_cloud, "RunInstances"))
        wait_until(lambda: ADDRESS in addresses_of_eips(live_cloud).values())
    with engine(config) as shared:
        (kept,) = wait_until(lambda: facts(shared, recovery_id, PublicIpKept))
    assert kept.eip_id in addresses_of_eips(live_cloud)
    assert len(live_cloud.calls("ConvertNatPublicIpToEip")) == 1


def test_a_retry_converts_what_its_instance_still_has(live_cloud: SimServer, config: Path) -> None:
    victim = live_cloud.spot_ids()[1]
    live_cloud.control("POST", "instance", {"instance_id": victim, "public_ip": ADDRESS})
    live_cloud.world(permissions={public_ip.ACTION: "forbidden"})
    nowhere = {"code": "ImageNotSupportInstanceType", "status": 403, "match": {"ClientToken": "*"}}
    live_cloud.fault("RunInstances", "error", times=0, **nowhere)
    with engine(config) as shared:
        live_cloud.interrupt([victim])
        recovery_id = begin(shared, victim, notice_s=300)
        assert ended(shared, recovery_id).state is RecoveryState.FAILED
        live_cloud.world(permissions={public_ip.ACTION: "allow"})
        live_cloud.control("DELETE", "faults")
        retry(shared, recovery_id)
        recovery = ended(shared, recovery_id)
    new = by_id(live_cloud, recovery.new_instance_id)
    assert addresses_of_eips(live_cloud).get(new["EipAllocationId"]) == ADDRESS, words.reason(recovery.reason)


def test_an_eip_whose_old_instance_is_gone_is_found_by_its_address(live_cloud: SimServer, config: Path) -> None:
    victim = live_cloud.spot_ids()[1]
    live_cloud.control("POST", "instance", {"instance_id": victim, "public_ip": ADDRESS})
    live_cloud.world(image_base_s=6, image_s_per_gib=0)
    live_cloud.fault("ConvertNatPublicIpToEip", "slow", delay_s=30)
    with engine(config) as shared:
        live_cloud.interrupt([victim], notice_s=4)
        recovery_id = begin(shared, victim, notice_s=4)
        wait_until(lambda: ADDRESS in addresses_of_eips(live_cloud).values())
        wait_until(lambda: effects(live_cloud, "CreateImage"))
    wait_until(lambda: victim not in live_cloud.spot_ids())
    with engine(config) as shared:
        recovery = ended(shared, recovery_id)
    addresses = addresses_of_eips(live_cloud)
    new = by_id(live_cloud, recovery.new_instance_id)
    assert addresses.get(new["EipAllocationId"]) == ADDRESS, words.reason(recovery.reason)
    assert len(live_cloud.calls("ConvertNatPublicIpToEip")) == 1


def test_an_address_that_somebody_else_has_by_now_is_lost_and_the_replacement_has_another(
    live_cloud: SimServer, config: Path
) -> None:
    victim, other = live_cloud.spot_ids()[1], live_cloud.spot_ids()[3]
    live_cloud.control("POST", "instance", {"instance_id": victim, "public_ip": ADDRESS})
    live_cloud.world(image_base_s=6, image_s_per_gib=0, convert_while_locked=False)
    with engine(config) as shared:
        live_cloud.interrupt([victim], notice_s=4)
        recovery_id = begin(shared, victim, notice_s=4)
        wait_until(lambda: effects(live_cloud, "CreateImage"))
    wait_until(lambda: victim not in live_cloud.spot_ids())
    live_cloud.control("POST", "instance", {"instance_id": other, "public_ip": ADDRESS})
    Api(live_cloud)("ConvertNatPublicIpToEip", InstanceId=other)
    with engine(config) as shared:
        recovery = ended(shared, recovery_id)
    assert recovery.state is RecoveryState.RECOVERED
    assert f"public IP {ADDRESS} is lost" in words.reason(recovery.reason)
    assert by_id(live_cloud, recovery.new_instance_id)["PublicIpAddress"] not in ("", ADDRESS)
