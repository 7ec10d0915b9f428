"""Secondary network interfaces and private IPs: the replacement has them again, or what it lacks is said."""

from pathlib import Path
from typing import Any

import pytest

from spottui import words
from spottui.console.text.plan import plan_body
from spottui.recovery import interfaces
from spottui.sim.testing import SimServer
from tests.driving import effects, wait_until
from tests.recovery.given import begin
from tests.recovery.test_routes import by_id, named
from tests.recovery.test_traffic import ended, engine
from tests.sim.calls import Api


@pytest.fixture
def old(live_cloud: SimServer) -> dict[str, Any]:
    """An instance with two interfaces that would go with it, and two secondary private IPs."""
    instance = named(live_cloud, "web-1")
    wanted = {"instance_id": instance["InstanceId"], "interfaces": 2, "interfaces_stay": False}
    live_cloud.control("POST", "instance", wanted)
    api = Api(live_cloud)
    rows = api("DescribeNetworkInterfaces", InstanceId=instance["InstanceId"], Type="Primary")
    (primary,) = rows["NetworkInterfaceSets"]["NetworkInterfaceSet"]
    api("AssignPrivateIpAddresses", NetworkInterfaceId=primary["NetworkInterfaceId"], SecondaryPrivateIpAddressCount=2)
    return by_id(live_cloud, instance["InstanceId"])


def test_they_are_moved_while_the_old_instance_runs_and_no_call_takes_effect_twice(
    live_cloud: SimServer, config: Path, old: dict[str, Any]
) -> None:
    for action in ("DetachNetworkInterface", "AttachNetworkInterface", "AssignPrivateIpAddresses"):
        live_cloud.fault(action, "drop_reply", times=1)
    with engine(config) as shared:
        live_cloud.interrupt([old["InstanceId"]])
        recovery = ended(shared, begin(shared, old["InstanceId"], notice_s=300))
        plan = shared.journal.recoveries.plan(recovery.recovery_id)
    new, said = by_id(live_cloud, recovery.new_instance_id), words.reason(recovery.reason)
    moved = live_cloud.state()["network_interfaces"]
    assert [one["InstanceId"] for one in moved] == [new["InstanceId"]] * 2, said
    assert not any(one["DeleteOnRelease"] for one in moved)
    assert len(new["SecondaryPrivateIpAddresses"]) == 2
    assert "network interface" not in said
    assert "secondary" not in said
    assert len(effects(live_cloud, "AttachNetworkInterface")) == len(effects(live_cloud, "DetachNetworkInterface")) == 2
    assert plan
    shown = plan_body(plan, 140).plain
    for part in ("DetachNetworkInterface and AttachNetworkInterface", "AssignPrivateIpAddresses: 2"):
        assert part in shown, shown


def test_what_cannot_be_moved_to_another_zone_or_not_be_assigned_is_said(
    live_cloud: SimServer, config: Path, old: dict[str, Any]
) -> None:
    live_cloud.stock(0, zone=old["ZoneId"])
    live_cloud.world(permissions={"AssignPrivateIpAddresses": "forbidden"})
    with engine(config) as shared:
        live_cloud.interrupt([old["InstanceId"]])
        said = words.reason(ended(shared, begin(shared, old["InstanceId"], notice_s=300)).reason)
    for one in live_cloud.state()["network_interfaces"]:
        assert f"{one['NetworkInterfaceId']} is left behind: it cannot leave {old['ZoneId']}" in said
    assert f"instead of {', '.join(old['SecondaryPrivateIpAddresses'])}: AssignPrivateIpAddresses" in said
    assert "Forbidden.RAM" in said


def test_an_interface_that_the_old_instance_cannot_give_away_is_moved_after_the_release(
    live_cloud: SimServer, config: Path, old: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interfaces, "RETRY_S", 0.5)
    live_cloud.fault("DetachNetworkInterface", "error", times=99, code="OperationDenied.InstanceLocked", status=403)
    with engine(config) as shared:
        live_cloud.interrupt([old["InstanceId"]])
        recovery_id = begin(shared, old["InstanceId"], notice_s=300)
        wait_until(lambda: live_cloud.calls("DetachNetworkInterface"))
        live_cloud.advance(300)
        recovery = ended(shared, recovery_id)
    moved = [one["InstanceId"] for one in live_cloud.state()["network_interfaces"]]
    assert moved == [recovery.new_instance_id] * 2, words.reason(recovery.reason)
    assert len(live_cloud.calls("DetachNetworkInterface")) == 1, "a definite refusal is not asked for again"
