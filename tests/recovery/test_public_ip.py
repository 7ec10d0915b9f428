"""A public IP that is no EIP moves to the replacement as one, or its loss is said."""

from pathlib import Path

import pytest

from spottui import words
from spottui.recovery.planner import capture
from spottui.sim.testing import SimServer
from tests.driving import Headless, add_policy, effects, wait_until
from tests.recovery.given import CLOCK, begin
from tests.recovery.test_routes import by_id
from tests.recovery.test_traffic import ended, engine
from tests.sim.calls import Api

ADDRESS = "47.98.7.6"


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
    addresses = {row["AllocationId"]: row["IpAddress"] for row in live_cloud.state()["eips"]}
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
