"""The private IP of an instance: kept by a launch that waits for the release, or its loss is said."""

from pathlib import Path
from typing import Any

import pytest

from spottui import words
from spottui.console.text.plan import plan_body
from spottui.domain.facts import NextStepChanged
from spottui.domain.reasons import Doing
from spottui.domain.recovery import Recovery
from spottui.recovery import private_ip
from spottui.recovery.context import Shared
from spottui.sim.testing import SimServer
from tests.driving import add_policy, effects
from tests.recovery.given import begin
from tests.recovery.test_routes import by_id, named, tag_instance
from tests.recovery.test_traffic import ended, engine, facts


def reclaim(cloud: SimServer, shared: Shared, old: dict[str, Any], notice_s: float) -> tuple[Recovery, str]:
    """Let an instance be reclaimed and recovered; return the recovery, and how it ended in words."""
    cloud.interrupt([old["InstanceId"]], notice_s=notice_s)
    recovery = ended(shared, begin(shared, old["InstanceId"], notice_s))
    return recovery, words.reason(recovery.reason)


def test_an_instance_whose_tag_says_so_has_its_address_again_after_the_release(
    live_cloud: SimServer, config: Path
) -> None:
    old = named(live_cloud, "web-1")
    tag_instance(live_cloud, old["InstanceId"], "spottui:private-ip", "keep")
    with engine(config) as shared:
        recovery, said = reclaim(live_cloud, shared, old, notice_s=6)
        plan = shared.journal.recoveries.plan(recovery.recovery_id)
        steps = [fact.next_step for fact in facts(shared, recovery.recovery_id, NextStepChanged)]
    new = by_id(live_cloud, recovery.new_instance_id)
    address = old["PrivateIpAddress"]
    assert (new["PrivateIpAddress"], new["VSwitchId"]) == (address, old["VSwitchId"]), said
    assert "WITHOUT" not in said
    assert any(step and step.doing is Doing.AWAIT_PRIVATE_IP for step in steps)
    assert len(effects(live_cloud, "RunInstances")) == 1
    assert plan
    warned = [line for line in words.warnings(plan) if address in line]
    assert [line.partition(":")[0] for line in warned] == [f"private IP {address} is kept"]
    shown = plan_body(plan, 120).plain
    assert f"{address} after the release" in shown
    assert f"with {address}, once it is free" in shown
    zones = [place.zone for place in plan.candidates]
    assert zones == sorted(zones, key=lambda zone: zone != old["ZoneId"])
    assert all(("without its private IP" in one.reason) == (one.zone != old["ZoneId"]) for one in plan.candidates)


def test_the_machine_comes_back_without_an_address_that_somebody_has_taken(
    live_cloud: SimServer, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = named(live_cloud, "web-1")
    add_policy(config, private_ip='"keep"')
    monkeypatch.setattr(private_ip, "APART_S", 0.1)
    taken = {"code": "InvalidPrivateIpAddress.Duplicated", "status": 400, "match": {"PrivateIpAddress": "*"}}
    live_cloud.fault("RunInstances", "error", times=99, **taken)
    with engine(config) as shared:
        recovery, said = reclaim(live_cloud, shared, old, notice_s=2)
    new = by_id(live_cloud, recovery.new_instance_id)
    assert (new["Status"], new["ZoneId"]) == ("Running", old["ZoneId"])
    assert f"LAUNCHED WITHOUT ITS private IP {old['PrivateIpAddress']}: " in said
    assert "InvalidPrivateIpAddress.Duplicated" in said
    assert len(effects(live_cloud, "RunInstances")) == 1
