"""DescribeInstances: paging, filters, permissions; and the other read actions in the SDK's models."""

import json

import pytest
from alibabacloud_ecs20140526 import models
from alibabacloud_tea_openapi.exceptions import ClientException
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spottui.sim.params import Params
from spottui.sim.testing import SimServer
from tests.sim.conftest import REGION, ecs_client


def _describe(ecs, **filters):
    return ecs.describe_instances(models.DescribeInstancesRequest(region_id=REGION, **filters)).body


def _names(body):
    return [row.instance_name for row in body.instances.instance]


def _every_page(ecs, size):
    token, names = None, []
    while token != "":
        body = _describe(ecs, max_results=size, next_token=token)
        names += _names(body)
        token = body.next_token
    return names


def test_both_pagings_give_every_instance_once(cloud, ecs):
    everyone = [row["InstanceName"] for row in cloud.state()["instances"]]
    assert _every_page(ecs, 10) == everyone
    numbered = [name for n in (1, 2, 3) for name in _names(_describe(ecs, page_number=n, page_size=10))]
    assert numbered == everyone


@pytest.mark.parametrize(("asked", "given"), [(1, 10), (1000, 24)])
def test_max_results_is_clamped(ecs, asked, given):
    assert len(_describe(ecs, max_results=asked).instances.instance) == given


def test_a_vanished_instance_makes_no_page_skip(cloud, ecs):
    first = _describe(ecs, max_results=10)
    cloud.interrupt([first.instances.instance[0].instance_id], notice_s=0)
    second = _describe(ecs, max_results=10, next_token=first.next_token)
    assert _names(second)[0] == "cache-11"


def test_filters_are_anded(cloud, ecs):
    assert _names(_describe(ecs, instance_name="etl-1*")) == ["etl-10", "etl-17"]
    assert _names(_describe(ecs, instance_name="etl-1*", zone_id="cn-hangzhou-i")) == ["etl-17"]
    assert _describe(ecs, instance_ids="[]").instances.instance == []
    tag = models.DescribeInstancesRequestTag(key="app", value="ci")
    assert _names(_describe(ecs, tag=[tag])) == ["ci-7", "ci-14", "ci-21"]
    assert _describe(ecs, instance_charge_type="PrePaid").instances.instance == []


@pytest.mark.parametrize(
    ("filters", "code"),
    [
        ({"lock_reason": "recycling"}, "InvalidLockReason.NotFound"),
        ({"status": "running"}, "InvalidStatus.NotFound"),
        ({"instance_ids": "i-1"}, "InvalidInstanceIds.Malformed"),
        ({"dry_run": True}, "DryRunOperation"),
    ],
)
def test_bad_filters_are_refused(ecs, filters, code):
    with pytest.raises(ClientException) as refused:
        _describe(ecs, **filters)
    assert refused.value.code == code


def test_without_permission_the_list_is_empty_and_a_dry_run_tells(cloud, ecs):
    cloud.world(permissions={"DescribeInstances": "empty"})
    assert _describe(ecs, max_results=100).instances.instance == []
    with pytest.raises(ClientException) as refused:
        _describe(ecs, dry_run=True)
    assert (refused.value.code, refused.value.status_code) == ("Forbidden.RAM", 403)
    cloud.world(permissions={"DescribeInstances": "forbidden"})
    with pytest.raises(ClientException):
        _describe(ecs)


def test_every_read_action_parses_into_the_typed_models(ecs, victim):
    spot = ecs.describe_spot_price_history(
        models.DescribeSpotPriceHistoryRequest(
            region_id=REGION, network_type="vpc", instance_type=victim["InstanceType"]
        )
    ).body.spot_prices.spot_price_type
    assert spot[0].spot_price < spot[0].origin_price
    zones = ecs.describe_zones(models.DescribeZonesRequest(region_id=REGION)).body.zones.zone
    assert [z.zone_id[-1] for z in zones] == ["h", "i", "j"]
    regions = ecs.describe_regions(models.DescribeRegionsRequest()).body.regions.region
    assert [r.region_id for r in regions] == [REGION]
    switches = ecs.describe_vswitches(models.DescribeVSwitchesRequest(region_id=REGION)).body.v_switches
    assert [s.zone_id[-1] for s in switches.v_switch] == ["h", "i", "j"]
    eips = ecs.describe_eip_addresses(
        models.DescribeEipAddressesRequest(region_id=REGION, allocation_id=victim["EipAllocationId"])
    ).body.eip_addresses.eip_address
    assert [(e.instance_id, e.status) for e in eips] == [(victim["InstanceId"], "InUse")]
    disks = ecs.describe_disks(
        models.DescribeDisksRequest(region_id=REGION, instance_id=victim["InstanceId"])
    ).body.disks.disk
    assert [(d.type, d.device, d.delete_with_instance) for d in disks] == [("system", "/dev/xvda", True)]


def test_each_api_has_its_own_largest_page(ecs):
    with pytest.raises(ClientException) as refused:
        ecs.describe_instance_ram_role(models.DescribeInstanceRamRoleRequest(region_id=REGION, page_size=51))
    assert refused.value.code == "InvalidParameter"
    disks = ecs.describe_disks(models.DescribeDisksRequest(region_id=REGION, max_results=500)).body
    assert len(disks.disks.disk) > 24
    assert disks.page_size == 500


def test_tags_are_added_and_listed(ecs, victim):
    ids = [victim["InstanceId"]]
    ecs.tag_resources(
        models.TagResourcesRequest(
            region_id=REGION, resource_type="instance", resource_id=ids,
            tag=[models.TagResourcesRequestTag(key="owner", value="ops")],
        )
    )  # fmt: skip
    request = models.ListTagResourcesRequest(region_id=REGION, resource_type="instance", resource_id=ids)
    listed = ecs.list_tag_resources(request).body.tag_resources.tag_resource
    assert {(t.tag_key, t.tag_value) for t in listed} >= {("owner", "ops"), ("app", "web")}


def test_a_missing_parameter_is_named(ecs):
    with pytest.raises(ClientException) as refused:
        ecs.describe_instances(models.DescribeInstancesRequest())
    assert refused.value.code == "MissingParameter"
    assert "RegionId" in refused.value.message


def test_the_same_seed_is_the_same_world_and_another_is_not():
    with SimServer(seed=1, instances=40, speed=0, regions=("cn-beijing", "cn-shanghai")) as cloud:
        first = cloud.state()["instances"]
        cloud.reset()
        assert [r["InstanceId"] for r in cloud.state()["instances"]] == [r["InstanceId"] for r in first]
        assert [r["InstanceType"] for r in cloud.state()["instances"]] == [r["InstanceType"] for r in first]
        assert {r["RegionId"] for r in first} == {"cn-beijing", "cn-shanghai"}
        assert set(cloud.state()["queues"]) == {"spot-interruption", "spot-interruption-cn-shanghai"}
        body = ecs_client(cloud).describe_instances(
            models.DescribeInstancesRequest(region_id="cn-shanghai", max_results=100)
        ).body  # fmt: skip
        assert len(body.instances.instance) == 20
    with SimServer(seed=2, instances=1, speed=0) as other:
        assert other.state()["instances"][0]["InstanceId"] not in {r["InstanceId"] for r in first}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(max_size=20), max_size=100))
def test_a_json_list_parameter_is_read_as_written(values):
    assert Params({"InstanceIds": json.dumps(values)}).json_list("InstanceIds") == values


@given(st.dictionaries(st.text("abc", min_size=1, max_size=9), st.text(max_size=9), max_size=20))
def test_tags_survive_the_flattening_of_the_sdk(tags):
    flat = {}
    for n, (key, value) in enumerate(tags.items(), 1):
        flat |= {f"Tag.{n}.Key": key, f"Tag.{n}.Value": value}
    assert Params(flat).tags() == tags
