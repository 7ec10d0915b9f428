"""Interfaces, secondary private IPs and DNS records follow to the replacement, or what does not is said."""

from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from spottui import words
from spottui.cli.check import Check, Verdict
from spottui.cli.cloud_checks import region_checks
from spottui.cli.identity_checks import zone_check
from spottui.cli.permissions import INTERFACES, PRIVATE_ZONE, policy_document
from spottui.cli.progress import Progress
from spottui.cloud.region_tools import credentials_of, region_tools
from spottui.cloud.rpc import PVTZ
from spottui.config import load
from spottui.console.text.plan import plan_body
from spottui.domain.billed_resources import LeftoverKind
from spottui.domain.facts import CancelAsked
from spottui.domain.interruption import Release
from spottui.domain.outcome import kept_by
from spottui.domain.recovery import RecoveryState
from spottui.domain.routes import Route
from spottui.journal.reclaims import release
from spottui.recovery import interfaces
from spottui.sim.testing import SimServer
from tests.driving import add_policy, effects, wait_until
from tests.journal.given import ANN, known, record
from tests.recovery.calm import allow_older_system, make_system_image
from tests.recovery.given import CLOCK, begin
from tests.recovery.test_kept_disk import retry
from tests.recovery.test_routes import by_id, named
from tests.recovery.test_traffic import ended, engine
from tests.sim.calls import Api

OTHERS = [
    {"rr": "db", "value": "172.16.9.9"}, {"rr": "alias", "type": "CNAME", "value": "web.corp.internal"},
    {"rr": "note", "type": "TXT", "value": "172.16.0.4"},
]  # fmt: skip
ONCE = ("DetachNetworkInterface", "AttachNetworkInterface", "AssignPrivateIpAddresses", "UpdateZoneRecord")


@pytest.fixture
def old(live_cloud: SimServer, config: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """An instance with two interfaces that would go with it, two secondary private IPs, and records in two zones."""
    instance_id = named(live_cloud, "web-1")["InstanceId"]
    live_cloud.control("POST", "instance", {"instance_id": instance_id, "interfaces": 2, "interfaces_stay": False})
    api = Api(live_cloud)
    rows = api("DescribeNetworkInterfaces", InstanceId=instance_id, Type="Primary")
    (primary,) = rows["NetworkInterfaceSets"]["NetworkInterfaceSet"]
    api("AssignPrivateIpAddresses", NetworkInterfaceId=primary["NetworkInterfaceId"], SecondaryPrivateIpAddressCount=2)
    web = {"rr": "web", "instance": instance_id}
    live_cloud.control("POST", "dns", {"name": "corp.internal", "records": [{**web, "ttl": "3600"}, *OTHERS]})
    live_cloud.control("POST", "dns", {"name": "other.internal", "records": [web]})
    add_policy(config, private_zone='"corp.internal"')
    monkeypatch.setattr(interfaces, "POLL_S", 0.1)
    monkeypatch.setattr(interfaces, "RETRY_S", 0.3)
    return by_id(live_cloud, instance_id)


def records(cloud: SimServer) -> dict[tuple[str, str], str]:
    """What each record says, by its zone and host."""
    return {
        (zone["ZoneName"], one["Rr"]): one["Value"] for zone in cloud.state()["dns_zones"] for one in zone["Records"]
    }


def test_all_of_it_follows_while_the_old_instance_runs_and_no_call_takes_effect_twice(
    live_cloud: SimServer, config: Path, old: dict[str, Any]
) -> None:
    before = records(live_cloud)
    for action in ONCE:
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
    assert records(live_cloud) == {**before, ("corp.internal", "web"): new["PrivateIpAddress"]}
    points = f"web.corp.internal points to {new['PrivateIpAddress']}; clients may use the old address for 3600 s"
    assert said.endswith(points), said
    assert [len(effects(live_cloud, action)) for action in ONCE] == [2, 2, 2, 1], "one private IP call was the owner's"
    assert plan
    shown = plan_body(plan, 140).plain
    for part in ("DetachNetworkInterface and AttachNetworkInterface", "IpAddresses: 2", "UpdateZoneRecord web.corp"):
        assert part in shown, shown


def test_a_record_of_whoever_has_the_freed_address_by_now_is_not_moved(
    live_cloud: SimServer, config: Path, old: dict[str, Any]
) -> None:
    live_cloud.world(image_base_s=3)
    (zone,) = (one for one in live_cloud.state()["dns_zones"] if one["ZoneName"] == "corp.internal")
    (others,) = (one for one in zone["Records"] if one["Rr"] == "db")
    taken = {"RecordId": others["RecordId"], "Rr": "db", "Type": "A", "Value": old["PrivateIpAddress"]}
    with engine(config) as shared:
        live_cloud.interrupt([old["InstanceId"]])
        recovery_id = begin(shared, old["InstanceId"], notice_s=300)
        wait_until(lambda: (plan := shared.journal.recoveries.plan(recovery_id)) and plan.records)
        wait_until(lambda: known(shared.journal, recovery_id).image_id)
        Api(live_cloud, PVTZ)("UpdateZoneRecord", **taken)
        recovery = ended(shared, recovery_id)
    named = records(live_cloud)
    assert named["corp.internal", "web"] == by_id(live_cloud, recovery.new_instance_id)["PrivateIpAddress"]
    assert named["corp.internal", "db"] == old["PrivateIpAddress"]


def test_nor_is_it_by_a_retry_after_the_release(live_cloud: SimServer, config: Path, old: dict[str, Any]) -> None:
    make_system_image(live_cloud, old)
    allow_older_system(live_cloud, old)
    no_money = {"code": "InvalidAccountStatus.NotEnoughBalance", "status": 403, "match": {"ClientToken": "*"}}
    live_cloud.fault("RunInstances", "error", times=1, **no_money)
    (zone,) = (one for one in live_cloud.state()["dns_zones"] if one["ZoneName"] == "corp.internal")
    (others,) = (one for one in zone["Records"] if one["Rr"] == "db")
    taken = {"RecordId": others["RecordId"], "Rr": "db", "Type": "A", "Value": old["PrivateIpAddress"]}
    with engine(config) as shared:
        live_cloud.interrupt([old["InstanceId"]], notice_s=4)
        recovery_id = begin(shared, old["InstanceId"], notice_s=300)
        failed = ended(shared, recovery_id)
        assert (failed.state, failed.route) == (RecoveryState.FAILED, Route.INSTANT)
        wait_until(lambda: old["InstanceId"] not in live_cloud.spot_ids())
        gone = Release("cn-hangzhou", old["InstanceId"], CLOCK.now())
        shared.journal.run(lambda t: release(t, gone, gone.at))
        at = {"VSwitchId": old["VSwitchId"], "PrivateIpAddress": old["PrivateIpAddress"]}
        like = {"ImageId": old["ImageId"], "InstanceType": old["InstanceType"]}
        Api(live_cloud)("RunInstances", **at, **like, SecurityGroupId=old["SecurityGroupIds"][0])
        Api(live_cloud, PVTZ)("UpdateZoneRecord", **taken)
        retry(shared, recovery_id)
        recovery = ended(shared, recovery_id)
    assert recovery.state is RecoveryState.RECOVERED, words.reason(recovery.reason)
    named = records(live_cloud)
    assert named["corp.internal", "web"] == by_id(live_cloud, recovery.new_instance_id)["PrivateIpAddress"]
    assert named["corp.internal", "db"] == old["PrivateIpAddress"]


@pytest.mark.parametrize("taken", [True, False], ids=["whom another machine follows", "whom nobody follows"])
def test_a_record_of_one_that_nobody_could_ask_about_in_time(
    live_cloud: SimServer, config: Path, old: dict[str, Any], taken: bool
) -> None:
    live_cloud.world(image_base_s=10, permissions={"DescribeZoneRecords": "forbidden"})
    before = records(live_cloud)
    with engine(config) as shared:
        live_cloud.interrupt([old["InstanceId"]], notice_s=4)
        recovery_id = begin(shared, old["InstanceId"], notice_s=300)
        wait_until(lambda: (plan := shared.journal.recoveries.plan(recovery_id)) and plan.surveyed)
        wait_until(lambda: old["InstanceId"] not in live_cloud.spot_ids())
        other = ""
        if taken:
            at = {"VSwitchId": old["VSwitchId"], "PrivateIpAddress": old["PrivateIpAddress"]}
            like = {"ImageId": old["ImageId"], "InstanceType": old["InstanceType"]}
            launched = Api(live_cloud)("RunInstances", **at, **like, SecurityGroupId=old["SecurityGroupIds"][0])
            (other,) = launched["InstanceIdSets"]["InstanceIdSet"]
        live_cloud.world(permissions={"DescribeZoneRecords": "allow"})
        recovery = ended(shared, recovery_id)
    said = words.reason(recovery.reason)
    assert recovery.state is RecoveryState.RECOVERED, said
    if taken:
        assert records(live_cloud) == before
        assert f"web.corp.internal still points to {old['PrivateIpAddress']}, which {other} has now" in said
    else:
        address = by_id(live_cloud, recovery.new_instance_id)["PrivateIpAddress"]
        assert records(live_cloud) == {**before, ("corp.internal", "web"): address}, said


def test_a_replacement_that_is_taken_back_soon_hands_its_records_on(
    live_cloud: SimServer, config: Path, old: dict[str, Any]
) -> None:
    with engine(config) as shared:
        serving = old["InstanceId"]
        for _ in range(2):
            live_cloud.interrupt([serving])
            recovery = ended(shared, begin(shared, serving, notice_s=300))
            serving = recovery.new_instance_id
            said = words.reason(recovery.reason)
            assert records(live_cloud)["corp.internal", "web"] == by_id(live_cloud, serving)["PrivateIpAddress"], said


def test_an_interface_is_kept_although_the_credentials_fail_for_a_moment(
    live_cloud: SimServer, config: Path, old: dict[str, Any]
) -> None:
    expired = {"code": "InvalidSecurityToken.Expired", "status": 400}
    for action in ("ModifyNetworkInterfaceAttribute", "DetachNetworkInterface", "AttachNetworkInterface"):
        live_cloud.fault(action, "error", times=1, **expired)
    with engine(config) as shared:
        live_cloud.interrupt([old["InstanceId"]])
        recovery = ended(shared, begin(shared, old["InstanceId"], notice_s=300))
    moved = [one["InstanceId"] for one in live_cloud.state()["network_interfaces"]]
    assert moved == [recovery.new_instance_id] * 2, words.reason(recovery.reason)
    assert len(recovery.kept_interfaces) == 2


def test_what_cannot_follow_to_another_zone_or_is_forbidden_is_said(
    live_cloud: SimServer, config: Path, old: dict[str, Any]
) -> None:
    before = records(live_cloud)
    add_policy(config, private_ip='"keep"')
    live_cloud.stock(0, zone=old["ZoneId"])
    live_cloud.world(permissions={"AssignPrivateIpAddresses": "forbidden", "UpdateZoneRecord": "forbidden"})
    with engine(config) as shared:
        live_cloud.interrupt([old["InstanceId"]], notice_s=2)
        recovery = ended(shared, begin(shared, old["InstanceId"], notice_s=2))
    said = words.reason(recovery.reason)
    assert by_id(live_cloud, recovery.new_instance_id)["ZoneId"] != old["ZoneId"], said
    address, more = old["PrivateIpAddress"], ", ".join(old["SecondaryPrivateIpAddresses"])
    assert f"LAUNCHED WITHOUT ITS private IP {address}: no capacity in {old['ZoneId']}" in said
    for one in live_cloud.state()["network_interfaces"]:
        assert f"{one['NetworkInterfaceId']} is left behind: it cannot leave {old['ZoneId']}" in said
    assert f"no secondary private IPs instead of {more}: AssignPrivateIpAddresses: Forbidden.RAM" in said
    assert f"web.corp.internal may still point to {address}: UpdateZoneRecord: Forbidden.RAM" in said
    assert records(live_cloud) == before


def test_an_interface_that_the_old_instance_cannot_give_away_is_moved_after_the_release(
    live_cloud: SimServer, config: Path, old: dict[str, Any]
) -> None:
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


def test_a_cancel_puts_interfaces_back_after_a_restart_too_and_says_what_the_eip_costs(
    live_cloud: SimServer, config: Path, old: dict[str, Any]
) -> None:
    live_cloud.control("POST", "instance", {"instance_id": old["InstanceId"], "public_ip": "47.98.7.6"})
    live_cloud.world(image_base_s=60)

    def kept() -> list[bool]:
        return [not one["DeleteOnRelease"] for one in live_cloud.state()["network_interfaces"]]

    with engine(config) as shared:
        live_cloud.interrupt([old["InstanceId"]])
        recovery_id = begin(shared, old["InstanceId"], notice_s=300)
        wait_until(lambda: kept() == [True, True] and known(shared.journal, recovery_id).eip_id)
        first, second = known(shared.journal, recovery_id).kept_interfaces
    with engine(config) as shared:
        live_cloud.fault("ModifyNetworkInterfaceAttribute", "error", code="Forbidden.RAM", status=403)
        live_cloud.fault("ModifyNetworkInterfaceAttribute", "drop_reply")
        record(shared.journal, recovery_id, CancelAsked(ANN))
        recovery = ended(shared, recovery_id)
        plan = shared.journal.recoveries.plan(recovery_id)
    assert kept() == [True, False]
    assert recovery.kept_interfaces == (first,), second
    said = words.reason(recovery.reason)
    assert f"network interface {first} is kept when its instance is released: ModifyNetworkInterfaceAttribute" in said
    assert f"its public IP 47.98.7.6 is EIP {recovery.eip_id} now, which cannot be undone" in said
    (eip,) = (one for one in kept_by(recovery, plan) if one.kind is LeftoverKind.EIP)
    assert (eip.resource_id, eip.per_month({"eip": 14.4})) == (recovery.eip_id, 14.4)


def test_an_interface_that_somebody_moved_is_not_deleted_with_its_new_instance_after_a_cancel(
    live_cloud: SimServer, config: Path, old: dict[str, Any]
) -> None:
    api, old_id = Api(live_cloud), old["InstanceId"]
    other = next(one for one in live_cloud.state()["instances"] if one["ZoneId"] == old["ZoneId"] and one != old)
    live_cloud.world(image_base_s=60)

    def enis() -> dict[str, dict[str, Any]]:
        return {one["NetworkInterfaceId"]: one for one in live_cloud.state()["network_interfaces"]}

    with engine(config) as shared:
        live_cloud.interrupt([old_id])
        recovery_id = begin(shared, old_id, notice_s=300)
        wait_until(lambda: not any(one["DeleteOnRelease"] for one in enis().values()))
        wait_until(lambda: len(known(shared.journal, recovery_id).kept_interfaces) == 2)
        first, second = known(shared.journal, recovery_id).kept_interfaces
        api("DetachNetworkInterface", NetworkInterfaceId=second, InstanceId=old_id)
        wait_until(lambda: not enis()[second]["InstanceId"])
        api("AttachNetworkInterface", NetworkInterfaceId=second, InstanceId=other["InstanceId"])
        wait_until(lambda: enis()[second]["InstanceId"] == other["InstanceId"])
        record(shared.journal, recovery_id, CancelAsked(ANN))
        ended(shared, recovery_id)
    assert (enis()[first]["DeleteOnRelease"], enis()[second]["DeleteOnRelease"]) == (True, False)


def test_doctor_probes_what_the_instances_use_and_a_policy_has_a_part_for_each_service(
    live_cloud: SimServer, config: Path, old: dict[str, Any]
) -> None:
    settings = load(config)
    (tools,) = region_tools(settings, credentials_of(settings))
    (zone, _) = live_cloud.state()["dns_zones"]

    def checked(named: str) -> Any:
        return zone_check(structs.replace(settings, policy=structs.replace(settings.policy, private_zone=named)), tools)

    def of_region() -> dict[str, Check]:
        checks = region_checks(tools, Progress(), ("cn-hangzhou",), watch_only=False, keeps_ready=False)
        return {check.subject.removesuffix(" cn-hangzhou"): check for check in checks}

    assert [checked(one).verdict for one in ("corp.internal", zone["ZoneId"])] == [Verdict.OK, Verdict.OK]
    assert checked("crop.internal").found == "there is no zone crop.internal"
    live_cloud.control(
        "POST", "balancer", {"name": "front", "product": "alb", "port": 80, "servers": [old["InstanceId"]]}
    )
    groups, found = live_cloud.state()["server_groups"], of_region()
    assert [found[one].found for one in ("CLB", "ALB", "NLB")] == [
        "none in this region", "all 7 actions granted", "none in this region",
    ]  # fmt: skip
    assert found["interfaces"].found == f"all {len(INTERFACES)} actions granted"
    assert live_cloud.state()["server_groups"] == groups
    denied = "UpdateZoneRecord", "AddServersToServerGroup", "DetachNetworkInterface", "AttachNetworkInterface"
    live_cloud.world(permissions=dict.fromkeys((*denied, "DescribeLoadBalancers"), "forbidden"))
    assert (checked("corp.internal").verdict, "UpdateZoneRecord" in checked("corp.internal").found) == ("FAIL", True)
    found = of_region()
    assert checked("corp.internal").fix == found["interfaces"].fix == "spottui setup --policy identity"
    assert found["interfaces"].found.endswith("; AttachNetworkInterface too"), found["interfaces"]
    assert [(found[one].verdict, found[one].fix) for one in ("CLB", "ALB")] == [
        (Verdict.NOTE, "spottui setup --policy balancers"), (Verdict.FAIL, "spottui setup --policy balancers"),
    ]  # fmt: skip
    parts = [one["Action"] for one in policy_document("identity", settings)["Statement"]]
    assert parts == [[f"ecs:{one.action}" for one in INTERFACES], [f"pvtz:{one}" for one in PRIVATE_ZONE]]
