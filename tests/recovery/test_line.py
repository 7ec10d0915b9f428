"""From a queue message to a running replacement, through the real program, SDKs and sockets."""

import json
from collections import Counter
from datetime import datetime
from itertools import product
from pathlib import Path

from spottui.sim.testing import SimServer
from tests.driving import Headless, add_policy, effects, wait_until

FAST = {"veto_window_s": 0, "max_at_once": 50, "max_per_hour": 500, "lock_poll_s": 0.5}


def all_in(states: dict[str, str], ids: list[str], state: str) -> bool:
    return all(states.get(one) == state for one in ids)


def waiting_messages(cloud: SimServer) -> int:
    queue = cloud.state()["queues"]["spot-interruption"]
    return queue["ActiveMessages"] + queue["InactiveMessages"]


def test_each_format_encoding_and_number_of_copies_is_one_recovery(live_cloud: SimServer, config: Path) -> None:
    add_policy(config, **FAST)
    kinds = list(product(("flat", "envelope", "cloudevents"), ("base64", "raw"), (1, 3)))
    victims = live_cloud.spot_ids()[: len(kinds)]
    with Headless(config, "--auto").wait_ready() as console:
        for victim, (form, encoding, copies) in zip(victims, kinds, strict=True):
            live_cloud.interrupt([victim], format=form, encoding=encoding, copies=copies)
        wait_until(lambda: all_in(console.states(), victims, "recovered"))
        assert console.stop() == 0
    assert len(effects(live_cloud, "CreateImage")) == len(victims)
    assert len(effects(live_cloud, "RunInstances")) == len(victims)
    rafts = live_cloud.calls("ModifyDiskAttribute")
    protected = Counter(value for row in rafts for key, value in row["params"].items() if key.startswith("DiskIds."))
    assert set(protected.values()) == {1}
    assert len(rafts) <= len(victims) <= len(protected)
    assert waiting_messages(live_cloud) == 0


def test_a_storm_before_details_are_read_asks_for_roles_and_images_together(
    live_cloud: SimServer, config: Path
) -> None:
    add_policy(config, **FAST)
    victims = live_cloud.spot_ids()[:10]
    roles = {row["InstanceId"]: row["RamRoleName"] for row in live_cloud.state()["instances"]}
    live_cloud.fault("DescribeUserData", "slow", delay_s=2, times=0)
    with Headless(config, "--auto").wait_ready() as console:
        wait_until(lambda: live_cloud.calls("DescribeUserData"))
        before = len(live_cloud.calls("DescribeInstanceRamRole"))
        live_cloud.interrupt(victims)
        wait_until(lambda: all_in(console.states(), victims, "recovered"))
        replaced = {one: line["new_instance_id"] for one, line in console.recoveries().items()}
    new = {row["InstanceId"]: row["RamRoleName"] for row in live_cloud.state()["instances"]}
    assert {one: new[replaced[one]] for one in victims} == {one: roles[one] for one in victims}
    assert len(live_cloud.calls("DescribeInstanceRamRole")) - before <= len(victims) / 2


def test_a_replacement_is_like_the_old_instance(live_cloud: SimServer, config: Path) -> None:
    add_policy(config, **FAST)
    old = next(row for row in live_cloud.state()["instances"] if row["InstanceName"] == "web-1")
    with Headless(config, "--auto").wait_ready() as console:
        live_cloud.interrupt([old["InstanceId"]])
        wait_until(lambda: console.states().get(old["InstanceId"]) == "recovered")
        new_id = console.recoveries()[old["InstanceId"]]["new_instance_id"]
    new = next(row for row in live_cloud.state()["instances"] if row["InstanceId"] == new_id)
    same = (
        "InstanceName",
        "InstanceType",
        "ZoneId",
        "VSwitchId",
        "SpotStrategy",
        "SpotInterruptionBehavior",
        "KeyPairName",
        "RamRoleName",
    )
    assert {key: new[key] for key in same} == {key: old[key] for key in same}
    assert len(new["DiskIds"]) == len(old["DiskIds"])
    own_tag = {"spottui": console.recoveries()[old["InstanceId"]]["id"]}
    assert new["Tags"] == {**old["Tags"], **own_tag}


def test_a_zone_without_stock_is_left_for_the_next_with_a_new_token(live_cloud: SimServer, config: Path) -> None:
    add_policy(config, **FAST)
    old = next(row for row in live_cloud.state()["instances"] if row["InstanceName"] == "web-1")
    sold_out = {"ClientToken": "*", "ZoneId": old["ZoneId"]}
    live_cloud.fault("RunInstances", "error", match=sold_out, code="OperationDenied.NoStock", status=403)
    with Headless(config, "--auto").wait_ready() as console:
        live_cloud.interrupt([old["InstanceId"]])
        wait_until(lambda: console.states().get(old["InstanceId"]) == "recovered")
    launches = [row for row in live_cloud.calls("RunInstances") if row["client_token"]]
    assert launches[0]["code"] == "OperationDenied.NoStock"
    assert launches[-1]["params"]["ZoneId"] != old["ZoneId"]
    assert len({row["client_token"] for row in launches}) == len(launches)
    assert len(effects(live_cloud, "RunInstances")) == 1


def test_a_drill_launches_nothing_and_ends_as_skipped(live_cloud: SimServer, config: Path) -> None:
    add_policy(config, **FAST)
    victim = live_cloud.spot_ids()[0]
    with Headless(config, "--auto").wait_ready() as console:
        live_cloud.interrupt([victim], format="drill")
        wait_until(lambda: console.states().get(victim) == "suspected")
        wait_until(lambda: waiting_messages(live_cloud) == 0)
        assert console.stop() == 0
    assert live_cloud.calls("CreateImage") == []
    assert effects(live_cloud, "RunInstances") == []


def test_a_lock_without_a_message_is_recovered(live_cloud: SimServer, config: Path) -> None:
    add_policy(config, **FAST)
    victim = live_cloud.spot_ids()[0]
    with Headless(config, "--auto").wait_ready() as console:
        live_cloud.interrupt([victim], queue=False)
        wait_until(lambda: console.states().get(victim) == "recovered")
    assert len(effects(live_cloud, "RunInstances")) == 1


def test_without_auto_mode_nothing_but_the_disk_protection_goes_out(live_cloud: SimServer, config: Path) -> None:
    add_policy(config, **FAST)
    victim = live_cloud.spot_ids()[0]
    with Headless(config).wait_ready() as console:
        live_cloud.interrupt([victim])
        wait_until(lambda: console.states().get(victim) == "needs you")
    assert len(live_cloud.calls("ModifyDiskAttribute")) == 1
    assert live_cloud.calls("CreateImage") == []


def test_a_read_only_console_takes_no_message_and_makes_no_change(live_cloud: SimServer, config: Path) -> None:
    add_policy(config, **FAST)
    victim = live_cloud.spot_ids()[0]
    with Headless(config, "--read-only").wait_ready() as console:
        live_cloud.interrupt([victim])
        seen = len(live_cloud.calls("DescribeInstances"))
        wait_until(lambda: len(live_cloud.calls("DescribeInstances")) > seen + 3)
        assert console.stop() == 0
    assert waiting_messages(live_cloud) == 1
    assert live_cloud.calls("ModifyDiskAttribute") == []


def test_poison_is_kept_and_deleted_and_hides_nothing(live_cloud: SimServer, config: Path) -> None:
    add_policy(config, **FAST)
    victim = live_cloud.spot_ids()[0]
    for body in ("hello", "", "/w==", "<a><b/></a>", "{" * 5000, '{"name": 7}', "x" * 60_000):
        live_cloud.send(body)
    live_cloud.interrupt([victim])
    with Headless(config, "--auto").wait_ready() as console:
        wait_until(lambda: console.states().get(victim) == "recovered")
        poison = [line for line in console.lines if line.get("event") == "POISON"]
        assert len(poison) == 7
        wait_until(lambda: waiting_messages(live_cloud) == 0)


def test_several_regions_are_watched_and_recovered_side_by_side(config: Path) -> None:
    regions = ("cn-hangzhou", "cn-beijing")
    with SimServer(config=config, regions=regions) as cloud:
        cloud.world(image_base_s=0.5, image_s_per_gib=0, boot_s=0.5)
        add_policy(config, **FAST)
        spots = [row for row in cloud.state()["instances"] if row["InstanceId"] in cloud.spot_ids()]
        victims = [next(row["InstanceId"] for row in spots if row["RegionId"] == region) for region in regions]
        with Headless(config, "--auto").wait_ready() as console:
            cloud.interrupt(victims)
            wait_until(lambda: all_in(console.states(), victims, "recovered"))
        assert len(effects(cloud, "RunInstances")) == len(victims)


def test_a_message_older_than_its_reclaim_is_skipped(live_cloud: SimServer, config: Path) -> None:
    add_policy(config, **FAST)
    victim = live_cloud.spot_ids()[0]
    event = {
        "name": "Instance:PreemptibleInstanceInterruption",
        "regionId": "cn-hangzhou",
        "eventTime": "20260101T000000.000+0800",
        "content": {"instanceId": victim, "action": "delete"},
    }
    live_cloud.send(json.dumps(event))
    with Headless(config, "--auto").wait_ready() as console:
        wait_until(lambda: console.states().get(victim) == "skipped")
        assert "after its deadline" in console.recoveries()[victim]["reason"]
    assert live_cloud.calls("CreateImage") == []


def test_with_a_veto_window_nothing_is_imaged_before_it_ends(live_cloud: SimServer, config: Path) -> None:
    add_policy(config, **{**FAST, "veto_window_s": 3})
    victim = live_cloud.spot_ids()[0]
    with Headless(config, "--auto").wait_ready() as console:
        live_cloud.interrupt([victim])
        wait_until(lambda: console.states().get(victim) == "veto window")
        assert live_cloud.calls("CreateImage") == []
        wait_until(lambda: console.states().get(victim) == "recovered")
    notice = next(line["at"] for line in console.lines if line.get("event") == "RECLAIM")
    image = live_cloud.calls("CreateImage")[0]["at"]
    waited_s = (datetime.fromisoformat(image) - datetime.fromisoformat(notice)).total_seconds()
    assert waited_s >= 3


def test_the_cap_holds_and_the_rest_waits_and_says_so(live_cloud: SimServer, config: Path) -> None:
    add_policy(config, **{**FAST, "max_at_once": 2})
    victims = live_cloud.spot_ids()[:5]
    with Headless(config, "--auto").wait_ready() as console:
        live_cloud.interrupt(victims)
        wait_until(lambda: all_in(console.states(), victims, "recovered"))
        in_flight = [line["in_flight"] for line in console.lines if line["kind"] == "auto"]
        said = [line.get("reason", "") for line in console.lines if line["kind"] == "recovery"]
    assert max(in_flight) == 2
    assert any("limit of 2 recoveries at once" in reason for reason in said)
    assert any("others have a nearer deadline" in reason for reason in said)


def test_the_eip_moves_to_the_replacement(live_cloud: SimServer, config: Path) -> None:
    add_policy(config, **FAST)
    old = next(row for row in live_cloud.state()["instances"] if row["EipAllocationId"] and row["LockReasons"] == [])
    live_cloud.fault("AssociateEipAddress", "drop_reply", times=1)
    with Headless(config, "--auto").wait_ready() as console:
        live_cloud.interrupt([old["InstanceId"]])
        wait_until(lambda: console.states().get(old["InstanceId"]) == "recovered")
        new_id = console.recoveries()[old["InstanceId"]]["new_instance_id"]
    bound = {row["InstanceId"]: row["EipAllocationId"] for row in live_cloud.state()["instances"]}
    assert bound[new_id] == old["EipAllocationId"]
    assert len(effects(live_cloud, "AssociateEipAddress")) == 1
