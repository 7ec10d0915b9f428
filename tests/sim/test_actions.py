"""The rest of the ECS actions through the typed SDK, which parses exactly the shapes it documents."""

import base64

import pytest
from alibabacloud_ecs20140526 import models as m

from spottui.sim import rpc
from spottui.sim.registry import CLOUD_MONITOR, ECS, find
from tests.sim.calls import Api
from tests.sim.conftest import REGION

ACTIONS = """
DescribeRegions DescribeZones DescribeInstances DescribeInstanceStatus DescribeInstanceAttribute DescribeDisks
ModifyDiskAttribute AttachDisk DetachDisk DeleteDisk CreateSnapshot DescribeSnapshots DeleteSnapshot CreateImage
DescribeImages DeleteImage RunInstances StartInstance StopInstance DeleteInstance DescribeUserData
DescribeInstanceRamRole DescribeAvailableResource DescribeSpotAdvice DescribeSpotPriceHistory
DescribeRecommendInstanceType RunCommand DescribeInvocations DescribeInvocationResults TagResources ListTagResources
DescribeInstanceHistoryEvents AllocateEipAddress AssociateEipAddress UnassociateEipAddress DescribeEipAddresses
DescribeVSwitches DescribeKeyPairs DescribeAccountAttributes
"""
CMS_ACTIONS = """
PutEventRule PutEventRuleTargets DescribeEventRuleList DescribeEventRuleTargetList EnableEventRules
DisableEventRules DeleteEventRules SendDryRunSystemEvent DescribeSystemEventAttribute
"""


@pytest.fixture
def api(cloud):
    return Api(cloud)


def test_every_action_of_the_list_is_there():
    assert rpc.REGISTERED
    assert [name for name in ACTIONS.split() if find(ECS, name) is None] == []
    assert [name for name in CMS_ACTIONS.split() if find(CLOUD_MONITOR, name) is None] == []


def test_an_action_that_is_not_there_is_no_quiet_success(api, cloud):
    assert api.refused("ReinitDisk", DiskId="d") == (404, "InvalidAction.NotFound")
    assert Api(cloud, "2099-01-01").refused("DescribeRegions") == (404, "InvalidVersion")


def test_status_and_attribute_of_an_instance(ecs, victim, api):
    statuses = ecs.describe_instance_status(
        m.DescribeInstanceStatusRequest(region_id=REGION, instance_id=[victim["InstanceId"]], page_size=50)
    ).body
    rows = statuses.instance_statuses.instance_status
    assert [(row.instance_id, row.status) for row in rows] == [(victim["InstanceId"], "Running")]
    body = ecs.describe_instance_attribute(
        m.DescribeInstanceAttributeRequest(instance_id=victim["InstanceId"])
    ).body  # fmt: skip
    assert (body.instance_name, body.io_optimized, body.instance_type) == (
        "web-1", "optimized", victim["InstanceType"]
    )  # fmt: skip
    assert body.vpc_attributes.private_ip_address.ip_address == [victim["PrivateIpAddress"]]
    assert api.refused("DescribeInstanceStatus", PageSize=51) == (400, "InvalidParameter")


def test_spot_advice_leaves_out_what_a_zone_has_not(cloud, ecs, api):
    cloud.stock(0, zone=f"{REGION}-h")
    request = m.DescribeSpotAdviceRequest(region_id=REGION, instance_types=["ecs.g7.large", "ecs.g7.xlarge"])
    zones = {z.zone_id[-1]: z for z in ecs.describe_spot_advice(request).body.available_spot_zones.available_spot_zone}
    assert zones["h"].available_spot_resources is None
    offers = zones["i"].available_spot_resources.available_spot_resource
    assert {offer.instance_type for offer in offers} == {"ecs.g7.large", "ecs.g7.xlarge"}
    assert all(0 < offer.average_spot_discount <= 100 for offer in offers)
    cloud.world(interruption_rates={"ecs.g7.*": "3-5%", f"{REGION}-i": "10-100%"})
    zones = api("DescribeSpotAdvice", InstanceTypes__1="ecs.g7.large")["AvailableSpotZones"]["AvailableSpotZone"]
    told = {z["ZoneId"][-1]: z.get("AvailableSpotResources", {}).get("AvailableSpotResource") for z in zones}
    assert {zone: [row["InterruptRateDesc"] for row in rows] for zone, rows in told.items() if rows} == {
        "i": ["10-100%"],
        "j": ["3-5%"],
    }
    many = {f"InstanceTypes__{n}": "ecs.g7.large" for n in range(1, 12)}
    assert api.refused("DescribeSpotAdvice", **many) == (400, "InvalidParameter.InstanceTypes")


def test_recommended_types_are_alike_in_stock_and_in_the_order_asked_for(cloud, ecs, api):
    cloud.stock(0, instance_type="ecs.g8i.large")
    request = m.DescribeRecommendInstanceTypeRequest(
        region_id=REGION, network_type="vpc", instance_type="ecs.g7.large", spot_strategy="SpotAsPriceGo",
        priority_strategy="PriceFirst",
    )  # fmt: skip
    rows = ecs.describe_recommend_instance_type(request).body.data.recommend_instance_type
    assert {row.instance_type.instance_type for row in rows} == {"ecs.g7.large", "ecs.g6.large", "ecs.g8y.large"}
    assert [row.priority for row in rows] == list(range(1, len(rows) + 1))
    assert rows[0].zones.zone[0].zone_no == rows[0].zone_id
    refused = api.refused("DescribeRecommendInstanceType", NetworkType="vpc", Cores=2)
    assert refused == (400, "MissingParameter")


def test_quotas_of_vcpus_bind(cloud, ecs, victim, api):
    request = m.DescribeAccountAttributesRequest(
        region_id=REGION, attribute_name=["max-spot-instance-vcpu-count", "used-spot-instance-vcpu-count"]
    )

    def values():
        items = ecs.describe_account_attributes(request).body.account_attribute_items.account_attribute_item
        return [int(item.attribute_values.value_item[0].value) for item in items]

    used = values()[1]
    cloud.world(spot_vcpus=used + 1)
    assert values() == [used + 1, used]
    base = next(i["ImageId"] for i in cloud.state()["images"])
    launch = {
        "ImageId": base, "InstanceType": "ecs.g7.large", "VSwitchId": victim["VSwitchId"],
        "SpotStrategy": "SpotAsPriceGo", "SecurityGroupId": api("DescribeInstances")["Instances"]["Instance"][0][
            "SecurityGroupIds"]["SecurityGroupId"][0],
    }  # fmt: skip
    assert api.refused("RunInstances", **launch) == (403, "QuotaExceed.ElasticQuota")
    assert api.refused("RunInstances", **launch, DryRun=True) == (403, "QuotaExceed.ElasticQuota")
    cloud.world(spot_vcpus=used + 2)
    api("RunInstances", **launch)


def test_a_command_runs_and_says_how_it_ended(cloud, ecs, victim):
    cloud.world(command_s=5, command_exit_code=3)
    script = "sync; systemctl stop app"
    run = ecs.run_command(
        m.RunCommandRequest(
            region_id=REGION, type="RunShellScript", command_content=base64.b64encode(script.encode()).decode(),
            content_encoding="Base64", instance_id=[victim["InstanceId"]], timeout=30,
        )
    ).body  # fmt: skip

    def result():
        request = m.DescribeInvocationResultsRequest(region_id=REGION, invoke_id=run.invoke_id)
        (found,) = ecs.describe_invocation_results(request).body.invocation.invocation_results.invocation_result
        return found

    assert (result().invoke_record_status, result().exit_code) == ("Running", None)
    cloud.advance(6)
    assert (result().invoke_record_status, result().exit_code) == ("Failed", 3)
    assert base64.b64decode(result().output).decode() == script
    listed = ecs.describe_invocations(m.DescribeInvocationsRequest(region_id=REGION, invoke_id=run.invoke_id)).body
    assert listed.invocations.invocation[0].command_id == run.command_id


def test_commands_that_cannot_run_are_refused(cloud, api, victim):
    run = {"Type": "RunShellScript", "CommandContent": "sync", "InstanceId__1": victim["InstanceId"]}
    assert api.refused("RunCommand", **{**run, "Type": "RunPython"}) == (404, "InvalidCmdType.NotFound")
    garbled = {**run, "CommandContent": "no Base64!", "ContentEncoding": "Base64"}
    assert api.refused("RunCommand", **garbled) == (400, "InvalidParameter.CommandContent")
    assert api.refused("RunCommand", **{**run, "CommandContent": "x" * 30_000}) == (400, "CmdContent.ExceedLimit")
    api("StopInstance", InstanceId=victim["InstanceId"])
    assert api.refused("RunCommand", **run) == (403, "InvalidInstance.NotRunning")


def test_a_command_that_takes_too_long_times_out(cloud, api, victim):
    cloud.world(command_s=100)
    run = api(
        "RunCommand", Type="RunShellScript", CommandContent="sync", InstanceId__1=victim["InstanceId"], Timeout=10
    )
    cloud.advance(11)
    results = api("DescribeInvocationResults", InvokeId=run["InvokeId"])["Invocation"]["InvocationResults"]
    assert results["InvocationResult"][0]["InvocationStatus"] == "Timeout"


def test_stop_start_and_delete_of_an_instance(cloud, api, victim):
    which = {"InstanceId": victim["InstanceId"]}
    assert api.refused("DeleteInstance", **which) == (403, "IncorrectInstanceStatus")
    assert api.refused("StopInstance", **which, StoppedMode="Hibernate") == (400, "InvalidStoppedMode")
    api("StopInstance", **which, StoppedMode="StopCharging")
    assert api.refused("StopInstance", **which) == (403, "IncorrectInstanceStatus")
    assert api.refused("StartInstance", **which) == (403, "IncorrectInstanceStatus")
    cloud.advance(2)
    cloud.stock(0)
    assert api.refused("StartInstance", **which) == (403, "OperationDenied.NoStock")
    cloud.stock(1)
    api("StartInstance", **which)
    cloud.advance(60)
    api("DeleteInstance", **which, Force=True)
    assert victim["InstanceId"] not in {row["InstanceId"] for row in cloud.state()["instances"]}
    assert cloud.calls("DeleteInstance")[-1]["effect"] == f"changed {victim['InstanceId']} deleted"


def test_an_eip_is_new_and_bound_to_one_instance(cloud, api, ecs):
    body = ecs.allocate_eip_address(m.AllocateEipAddressRequest(region_id=REGION, client_token="e")).body
    assert body.allocation_id == api("AllocateEipAddress", ClientToken="e")["AllocationId"]
    other = api("AllocateEipAddress")
    assert other["EipAddress"] != body.eip_address
    free = [row["InstanceId"] for row in cloud.state()["instances"] if not row["EipAllocationId"]]
    api("AssociateEipAddress", AllocationId=body.allocation_id, InstanceId=free[0])
    taken = api.refused("AssociateEipAddress", AllocationId=body.allocation_id, InstanceId=free[1])
    assert taken == (400, "IncorrectEipStatus")
    twice = api.refused("AssociateEipAddress", AllocationId=other["AllocationId"], InstanceId=free[0])
    assert twice == (400, "InvalidAssociation.Duplicated")


def test_key_pairs_and_history(cloud, ecs, victim):
    pairs = ecs.describe_key_pairs(m.DescribeKeyPairsRequest(region_id=REGION, key_pair_name="op*")).body
    assert [pair.key_pair_name for pair in pairs.key_pairs.key_pair] == ["ops"]
    cloud.interrupt([victim["InstanceId"]])
    request = m.DescribeInstanceHistoryEventsRequest(region_id=REGION, instance_id=victim["InstanceId"])
    history = ecs.describe_instance_history_events(request).body.instance_system_event_set
    assert [one.event_type.name for one in history.instance_system_event_type] == ["PreemptibleInstanceInterruption"]


@pytest.mark.parametrize(
    ("action", "query", "refusal"),
    [
        ("DescribeInstances", {"Status": "running"}, (404, "InvalidStatus.NotFound")),
        ("DescribeInstances", {"LockReason": "recycling"}, (404, "InvalidLockReason.NotFound")),
        ("DescribeInstances", {"InstanceChargeType": "Spot"}, (404, "InvalidInstanceChargeType.NotFound")),
        ("DescribeInstances", {"InstanceNetworkType": "vlan"}, (404, "InvalidNetworkType.NotFound")),
        ("DescribeInstances", {"Filter__1__Key": "Nothing"}, (404, "InvalidFilterKey.NotFound")),
        ("DescribeInstances", {"NextToken": "forged"}, (400, "InvalidNextToken")),
        ("DescribeInstances", {"RegionId": "mars"}, (404, "InvalidRegionId.NotFound")),
        ("DescribeInstances", {"RegionId": ""}, (400, "MissingParameter")),
        ("DescribeDisks", {"Status": "in_use"}, (404, "InvalidDiskStatus.NotFound")),
        ("DescribeDisks", {"DiskType": "boot"}, (400, "InvalidDiskType.ValueNotSupported")),
        ("DescribeSnapshots", {"Status": "done"}, (404, "InvalidSnapshotStatus.NotFound")),
        ("DescribeImages", {"Status": "available"}, (400, "InvalidStatus.Malformed")),
        ("DescribeImages", {"Usable": "true"}, (400, "MissingParameter")),
        ("DescribeAvailableResource", {"DestinationResource": "x"}, (400, "InvalidDestinationResource")),
        (
            "DescribeSpotPriceHistory", {"NetworkType": "vpc", "InstanceType": "ecs.none"}, (400, "InvalidParameter"),
        ),
        ("TagResources", {"ResourceType": "x", "ResourceId__1": "y"}, (400, "MissingParameter")),
        (
            "TagResources",
            {"ResourceType": "car", "ResourceId__1": "y", "Tag__1__Key": "a"}, (404, "InvalidResourceType.NotFound"),
        ),
        ("DescribeInstances", {"Tag__1__Key": "acs:x"}, (400, "InvalidTagKey.Malformed")),
        ("CreateImage", {}, (400, "MissingParameter")),
        ("CreateImage", {"InstanceId": "i", "Description": "x"}, (400, "InvalidDescription.Malformed")),
        ("ModifyDiskAttribute", {"DiskId": "d-none", "DeleteWithInstance": "maybe"}, (404, "InvalidDiskId.NotFound")),
    ],
)  # fmt: skip
def test_wrong_values_are_refused_with_the_code_of_the_api(api, action, query, refusal):
    assert api.refused(action, **query) == refusal


def test_a_parameter_that_no_action_knows_is_ignored(api):
    assert api("DescribeRegions", NoSuchParameter="x")["Regions"]
