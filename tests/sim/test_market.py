"""Why instances are taken back, what they cost, and what else the cloud tells (docs/alibaba-facts.md 2.1, 5, 9.4)."""

import base64
import json

import pytest
from alibabacloud_ecs20140526 import models as m
from alibabacloud_tea_openapi.exceptions import ClientException
from mns.mns_exception import MNSServerException

from spottui.sim.catalog import spot_price
from tests.sim.calls import CMS, Api
from tests.sim.conftest import REGION, launch_request

TYPE, ZONE = "ecs.g7.large", f"{REGION}-j"


@pytest.fixture
def api(cloud):
    return Api(cloud)


def _locked(cloud):
    return {row["InstanceName"] for row in cloud.state()["instances"] if row["LockReasons"]}


def _events(queue):
    try:
        return [json.loads(base64.b64decode(one.message_body)) for one in queue.batch_receive_message(16, 0)]
    except MNSServerException:
        return []


def test_the_cloud_takes_the_lowest_bids_when_it_needs_stock(cloud, queue, api):
    here = [r for r in cloud.state()["instances"] if (r["InstanceType"], r["ZoneId"]) == (TYPE, ZONE)]
    assert len(here) == 3
    cloud.control("POST", "price", {"instance_type": TYPE, "zone": ZONE, "price": 0.9})
    taken = cloud.control("POST", "demand", {"instance_type": TYPE, "zone": ZONE, "amount": 2})["instance_ids"]
    assert len(_locked(cloud)) == 2
    assert {event["content"]["instanceId"] for event in _events(queue)} == set(taken)
    available = api("DescribeAvailableResource", DestinationResource="InstanceType", InstanceType=TYPE, ZoneId=ZONE)
    assert available["AvailableZones"]["AvailableZone"][0]["StatusCategory"] == "WithoutStock"


def test_an_instance_is_spared_in_its_first_hour(cloud, ecs, victim):
    base = cloud.state()["images"][0]["ImageId"]
    cloud.control("POST", "interrupt", {"instance_ids": [victim["InstanceId"]], "notice_s": 0})
    cloud.advance(1)
    ecs.run_instances(launch_request(cloud, victim, base, spot_duration=1))
    place = {"instance_type": victim["InstanceType"], "zone": victim["ZoneId"]}
    assert cloud.control("POST", "demand", place) == {"instance_ids": []}
    cloud.advance(3600)
    assert len(cloud.control("POST", "demand", place)["instance_ids"]) == 1


def test_a_limit_below_the_price_is_taken_back_at_the_next_check(cloud):
    cloud.world(market_check_s=300)
    cloud.control("POST", "price", {"instance_type": "ecs.g7.2xlarge", "zone": ZONE, "price": 2.0})
    cloud.advance(299)
    assert _locked(cloud) == set()
    cloud.advance(2)
    assert _locked(cloud) == {"etl-3"}


def test_a_launch_below_the_price_is_refused_and_remembered(cloud, ecs, victim, api):
    base = cloud.state()["images"][0]["ImageId"]
    price = spot_price(victim["InstanceType"], victim["ZoneId"])
    cloud.control(
        "POST", "price", {"instance_type": victim["InstanceType"], "zone": victim["ZoneId"], "price": price * 2}
    )
    request = launch_request(
        cloud,
        victim,
        base,
        spot_strategy="SpotWithPriceLimit",
        spot_price_limit=round(price * 1.5, 3),
        client_token="t",
    )
    for _ in range(2):
        with pytest.raises(ClientException):
            ecs.run_instances(request)
    assert [row["code"] for row in cloud.calls("RunInstances")] == ["InvalidSpotPriceLimit.LowerThanPublicPrice"] * 2


def test_prices_move_by_the_hour_and_the_history_is_what_was_charged(cloud, api):
    cloud.world(price_swing=0.3)
    history = {"NetworkType": "vpc", "InstanceType": TYPE, "ZoneId": ZONE}
    cloud.advance(5 * 86_400)
    rows = api("DescribeSpotPriceHistory", **history)["SpotPrices"]["SpotPriceType"]
    assert len(rows) == 3
    assert len({row["SpotPrice"] for row in rows}) > 1
    assert all(0 < row["SpotPrice"] <= row["OriginPrice"] for row in rows)
    cloud.advance(600)
    again = api("DescribeSpotPriceHistory", **history)["SpotPrices"]["SpotPriceType"]
    assert rows[-1] in again
    span = {"StartTime": "2020-01-01T00:00:00Z", "EndTime": "2020-03-01T00:00:00Z"}
    assert api.refused("DescribeSpotPriceHistory", **history, **span) == (400, "InvalidStartTime.ValueNotSupported")


def test_other_events_reach_a_queue_whose_rule_wants_them(cloud, api, ecs, victim, queue):
    base = cloud.state()["images"][0]["ImageId"]
    ecs.run_instances(launch_request(cloud, victim, base))
    assert _events(queue) == []
    cloud.control("POST", "rule", {"name": "everything"})
    cloud.world(boot_s=5, launches_that_fail=1, launch_fails_after_s=4)
    ecs.run_instances(launch_request(cloud, victim, base))
    api("CreateImage", InstanceId=victim["InstanceId"])
    cloud.advance(600)
    events = _events(queue)
    seen = [(event["name"], event["content"].get("state", "")) for event in events]
    assert [state for name, state in seen if name == "Instance:StateChange"].count("Deleted") == 1
    assert ("Snapshot:CreateSnapshotCompleted", "") in seen
    (failure,) = [event for event in events if event["name"].startswith("Instance:SystemFailure.Delete")]
    assert failure["content"]["eventStatus"] == "Executed"
    history = Api(cloud, CMS)("DescribeSystemEventAttribute", Product="ECS", Name="Instance:StateChange", PageSize=100)
    assert history["SystemEvents"]["SystemEvent"]


def test_a_launch_that_fails_later_leaves_nothing(cloud, ecs, victim):
    cloud.world(boot_s=5, launches_that_fail=1, launch_fails_after_s=2)
    base = cloud.state()["images"][0]["ImageId"]
    before = cloud.state()
    launched = ecs.run_instances(launch_request(cloud, victim, base)).body.instance_id_sets.instance_id_set[0]
    cloud.advance(1)
    assert launched in {row["InstanceId"] for row in cloud.state()["instances"]}
    cloud.advance(60)
    after = cloud.state()
    assert [row["InstanceId"] for row in after["instances"]] == [row["InstanceId"] for row in before["instances"]]
    assert after["disks"] == before["disks"]


def test_rules_that_are_off_or_gone_deliver_nothing(cloud, victim, queue):
    cms = Api(cloud, CMS)
    cms("DisableEventRules", RuleNames__1=cloud.endpoint.queue)
    cloud.interrupt([victim["InstanceId"]], lock=False)
    assert _events(queue) == []
    cms("EnableEventRules", RuleNames__1=cloud.endpoint.queue)
    cloud.interrupt([victim["InstanceId"]], lock=False)
    assert len(_events(queue)) == 1
    cms("DeleteEventRules", RuleNames__1=cloud.endpoint.queue)
    assert cms("DescribeEventRuleList")["Total"] == 0
    cloud.interrupt([victim["InstanceId"]], lock=False)
    assert _events(queue) == []


def test_a_typed_request_parses_what_is_said_of_prices(ecs):
    request = m.DescribeSpotPriceHistoryRequest(region_id=REGION, network_type="vpc", instance_type=TYPE)
    body = ecs.describe_spot_price_history(request).body
    assert body.currency == "CNY"
    assert {row.zone_id for row in body.spot_prices.spot_price_type} == {f"{REGION}-{letter}" for letter in "hij"}


@pytest.mark.parametrize(("strategy", "zone"), [(None, None), ("SpotAsPriceGo", ZONE), ("SpotWithPriceLimit", ZONE)])
def test_a_price_is_that_of_the_market_for_spot_and_of_the_list_otherwise(cloud, ecs, strategy, zone):
    cloud.control("POST", "price", {"instance_type": TYPE, "zone": ZONE, "price": 0.2})
    request = m.DescribePriceRequest(
        region_id=REGION, resource_type="instance", instance_type=TYPE, amount=2, spot_strategy=strategy, zone_id=zone
    )
    price = ecs.describe_price(request).body.price_info.price
    trade = 0.4 if strategy else 1.1
    assert (price.currency, price.original_price, price.trade_price) == ("CNY", 1.1, trade)
    assert price.discount_price == pytest.approx(1.1 - trade)
    (detail,) = price.detail_infos.detail_info
    assert (detail.resource, detail.trade_price) == ("instanceType", trade)


@pytest.mark.parametrize(
    ("asked", "refusal"),
    [
        ({"InstanceType": "ecs.none"}, (400, "InvalidInstanceType.ValueNotSupported")),
        ({"ZoneId": "cn-none-h"}, (404, "InvalidZoneId.NotFound")), ({"InstanceType": ""}, (400, "MissingParameter")),
        ({"ResourceType": "disk"}, (400, "UnsupportedBySimulator")),
        ({"PriceUnit": "Month"}, (400, "UnsupportedBySimulator")),
        ({"SystemDisk__Category": "cloud_essd"}, (400, "UnsupportedBySimulator")),
    ],
)  # fmt: skip
def test_a_price_that_is_not_known_is_refused(cloud, api, asked, refusal):
    assert api.refused("DescribePrice", **{"InstanceType": TYPE, **asked}) == refusal
    counted = cloud.control("GET", "coverage")["unsupported"]
    assert bool(counted) == (refusal[1] == "UnsupportedBySimulator")
