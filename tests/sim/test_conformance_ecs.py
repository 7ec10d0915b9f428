"""Sections 1, 3, 4, 7 and 9 of docs/alibaba-facts.md, where no other test has them: on the wire, and with the SDK."""

import base64
import http.client
import json
import uuid
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from alibabacloud_ecs20140526 import models as m
from alibabacloud_tea_openapi.utils import Utils

from tests.sim.calls import Api
from tests.sim.conftest import REGION, image


@pytest.fixture
def api(cloud):
    return Api(cloud)


def signed(cloud, method="GET", **changes):
    at = cloud.endpoint
    params = {
        "Action": "DescribeRegions", "Version": "2014-05-26", "Format": "JSON", "AccessKeyId": at.access_key_id,
        "SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0", "SignatureNonce": uuid.uuid4().hex,
        "Timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), **changes,
    }  # fmt: skip
    return {**params, "Signature": Utils.get_rpcsignature(params, method, at.access_key_secret)}


def exchange(line, method, params, body=None):
    if body is None:
        line.request(method, f"/?{urlencode(params)}")
    else:
        headers = {"content-type": "application/x-www-form-urlencoded"}
        line.request(method, f"/?{urlencode(params)}" if params else "/", urlencode(body), headers)
    answer = line.getresponse()
    return answer.status, json.loads(answer.read())


@pytest.fixture
def line(cloud):
    return http.client.HTTPConnection(cloud.url.partition("://")[2], timeout=10)


def test_1_1_an_empty_list_of_ids_is_an_empty_result(api):
    assert api("DescribeInstances", InstanceIds="[]")["Instances"]["Instance"] == []


def test_1_1_total_count_means_nothing_with_a_token(api):
    assert api("DescribeInstances", MaxResults=10)["TotalCount"] == 0
    assert api("DescribeInstances", PageSize=10)["TotalCount"] == 24


def test_1_3_times_have_the_resolution_of_a_minute_and_memory_is_mib(api):
    row = api("DescribeInstances")["Instances"]["Instance"][0]
    datetime.strptime(row["CreationTime"], "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC)
    assert row["Memory"] >= 1024
    assert row["OperationLocks"] == {"LockReason": []}
    assert not {"UserData", "RamRoleName", "Disks", "Password"} & set(row)


def test_3_2_an_image_row_has_the_odd_types_of_the_api(cloud, api, victim):
    made = api("CreateImage", InstanceId=victim["InstanceId"])["ImageId"]
    (row,) = api("DescribeImages", ImageId=made, Status="Creating,Waiting")["Images"]["Image"]
    mapping = row["DiskDeviceMappings"]["DiskDeviceMapping"][0]
    assert (type(row["Size"]), type(mapping["Size"]), row["IsSelfShared"]) == (int, str, "False")
    assert row["Progress"].endswith("%")
    assert api.refused("DescribeImages", Status="ALL,Creating") == (400, "InvalidStatus.Malformed")


def test_3_3_a_missing_image_is_deleted_quietly_and_a_used_one_only_by_force(cloud, ecs, api, victim):
    api("DeleteImage", ImageId="m-none")
    made = api("CreateImage", InstanceId=victim["InstanceId"])["ImageId"]
    cloud.advance(600)
    group = api("DescribeInstances")["Instances"]["Instance"][0]["SecurityGroupIds"]["SecurityGroupId"][0]
    api("RunInstances", ImageId=made, InstanceType="ecs.g7.large", VSwitchId=victim["VSwitchId"], SecurityGroupId=group)
    assert api.refused("DeleteImage", ImageId=made) == (403, "ImageUsingByInstance")
    snapshots = cloud.state()["images"][-1]["SnapshotIds"]
    api("DeleteImage", ImageId=made, Force=True)
    assert image(ecs, made) is None
    assert {row["SnapshotId"] for row in cloud.state()["snapshots"]} == set(snapshots)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"Version": "2013-01-10"}, (404, "InvalidVersion")),
        ({"Action": "Explode"}, (404, "InvalidAction.NotFound")),
        ({"AccessKeyId": "LTAInobody"}, (404, "InvalidAccessKeyId.NotFound")),
        ({"Timestamp": "now"}, (400, "IllegalTimestamp")),
        ({"Timestamp": "2020-01-01T00:00:00Z"}, (400, "InvalidTimeStamp.Expired")),
        ({"SignatureNonce": ""}, (400, "SignatureNonceUsed")),
    ],
)
def test_7_3_the_gate_refuses_with_its_codes(cloud, line, changes, expected):
    status, body = exchange(line, "GET", signed(cloud, **changes))
    assert (status, body["Code"]) == expected
    assert set(body) == {"RequestId", "HostId", "Code", "Message", "Recommend"}


def test_7_a_changed_parameter_breaks_the_signature(cloud, line):
    a_minute_ago = (datetime.now(UTC) - timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    for change in ({"RegionId": "cn-shanghai"}, {"Action": "DescribeZones"}, {"Timestamp": a_minute_ago}, {"New": "1"}):
        params = {**signed(cloud, RegionId=REGION), **change}
        assert exchange(line, "GET", params)[1]["Code"] == "SignatureDoesNotMatch"


def test_7_2_parameters_may_be_in_the_query_the_form_or_both(cloud, line):
    wanted = signed(cloud, "POST", Action="DescribeZones", RegionId=REGION)
    assert exchange(line, "POST", {}, wanted)[0] == 200
    again = signed(cloud, "POST", Action="DescribeZones", RegionId=REGION)
    query = {name: again.pop(name) for name in ("Action", "RegionId")}
    assert exchange(line, "POST", query, again)[0] == 200


def test_7_1_a_request_line_of_64_kib_is_read_on_a_line_that_stays_open(cloud, line):
    long = signed(cloud, Action="DescribeInstances", RegionId=REGION, InstanceName="n" * 64_000)
    assert exchange(line, "GET", long)[0] == 200
    before = line.sock
    assert exchange(line, "GET", signed(cloud))[0] == 200
    assert line.sock is before


def test_7_1_booleans_are_read_in_any_case(api):
    for spelling in ("true", "True", "TRUE"):
        assert api.refused("DescribeInstances", DryRun=spelling) == (400, "DryRunOperation")
    assert api.refused("DescribeInstances", DryRun="yes") == (400, "InvalidParameter")


def test_9_1_the_flat_event_has_the_time_of_beijing_and_the_resource(cloud, queue, victim):
    cloud.interrupt([victim["InstanceId"]])
    event = json.loads(base64.b64decode(queue.receive_message(0).message_body))
    at = datetime.strptime(event["eventTime"], "%Y%m%dT%H%M%S.%f%z")
    assert (at.utcoffset().total_seconds(), len(event["eventTime"])) == (8 * 3600, 24)
    assert event["resourceId"] == f"acs:ecs:{REGION}:{event['userId']}:instance/{victim['InstanceId']}"
    assert event["content"] == {"instanceId": victim["InstanceId"], "action": "delete"}


def test_4_1_forgetting_the_spot_strategy_launches_on_demand(cloud, ecs, api, victim):
    base = cloud.state()["images"][0]["ImageId"]
    group = api("DescribeInstances")["Instances"]["Instance"][0]["SecurityGroupIds"]["SecurityGroupId"][0]
    request = m.RunInstancesRequest(
        region_id=REGION, image_id=base, instance_type="ecs.g7.large", v_switch_id=victim["VSwitchId"],
        security_group_id=group,
    )  # fmt: skip
    ecs.run_instances(request)
    assert cloud.state()["instances"][-1]["SpotStrategy"] == "NoSpot"
