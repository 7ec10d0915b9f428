"""Flow control, tokens in process or forgotten, permissions (docs/alibaba-facts.md 1.1, 1.4, 4.4, 7.3, 7.4)."""

import pytest
from alibabacloud_tea_openapi.exceptions import ClientException, ThrottlingException
from hypothesis import given
from hypothesis import strategies as st

from spottui.sim.errors import ApiError
from spottui.sim.settings import Settings
from spottui.sim.throttle import Buckets
from tests.sim.calls import Api


@pytest.fixture
def api(cloud):
    return Api(cloud)


def test_a_throttled_api_opens_with_the_next_minute_and_others_stay_open(cloud, api):
    seconds_left = 60 - float(cloud.state()["now"][17:-1])
    cloud.world(limits={"DescribeInstances": 2})
    for _ in range(2):
        api("DescribeInstances")
    with pytest.raises(ClientException) as refused:
        api("DescribeInstances")
    assert (refused.value.status_code, refused.value.code) == (400, "Throttling.User")
    assert not isinstance(refused.value, ThrottlingException)
    api("DescribeDisks")
    cloud.advance(seconds_left - 0.01)
    assert api.refused("DescribeInstances") == (400, "Throttling.User")
    cloud.advance(0.02)
    api("DescribeInstances")


def test_another_region_has_a_bucket_of_its_own(cloud):
    buckets, settings = Buckets(), Settings(limits={"*": 1})
    buckets.take(settings, "A", "cn-hangzhou", 0)
    buckets.take(settings, "A", "cn-shanghai", 0)
    buckets.take(settings, "B", "cn-hangzhou", 0)
    with pytest.raises(ApiError):
        buckets.take(settings, "A", "cn-hangzhou", 59.9)
    buckets.take(settings, "A", "cn-hangzhou", 60)


@given(st.lists(st.floats(0, 600), max_size=60), st.integers(0, 5))
def test_no_minute_ever_has_more_than_its_limit(moments, limit):
    buckets, settings = Buckets(), Settings(limits={"A": limit})
    passed = {}
    for at in sorted(moments):
        try:
            buckets.take(settings, "A", "r", at)
        except ApiError:
            assert passed.get(at // 60, 0) == limit
        else:
            passed[at // 60] = passed.get(at // 60, 0) + 1
    assert all(number <= limit for number in passed.values())


def test_with_the_header_the_sdk_knows_when_to_come_again(cloud, api):
    cloud.world(limits={"CreateImage": 0}, throttle_says_when=True)
    with pytest.raises(ThrottlingException) as refused:
        api("CreateImage", InstanceId="i")
    left_ms = (60 - float(cloud.state()["now"][17:-1])) * 1000
    assert abs(refused.value.retry_after - left_ms) <= 2


def test_a_token_that_is_still_in_process_is_the_same_afterwards(cloud, api, victim):
    cloud.world(token_in_process_s=10)
    first = api("CreateImage", InstanceId=victim["InstanceId"], ClientToken="t")["ImageId"]
    again = {"InstanceId": victim["InstanceId"], "ClientToken": "t"}
    assert api.refused("CreateImage", **again) == (403, "LastTokenProcessing")
    cloud.advance(11)
    assert api("CreateImage", **again)["ImageId"] == first


def test_a_remembered_refusal_survives_the_return_of_stock(cloud, api, victim):
    base = cloud.state()["images"][0]["ImageId"]
    group = api("DescribeInstances")["Instances"]["Instance"][0]["SecurityGroupIds"]["SecurityGroupId"][0]
    launch = {
        "ImageId": base, "InstanceType": "ecs.g7.large", "VSwitchId": victim["VSwitchId"], "SecurityGroupId": group,
    }  # fmt: skip
    cloud.stock(0)
    assert api.refused("RunInstances", **launch, ClientToken="a") == (403, "OperationDenied.NoStock")
    cloud.stock(5)
    assert api.refused("RunInstances", **launch, ClientToken="a") == (403, "OperationDenied.NoStock")
    assert api("RunInstances", **launch, ClientToken="b")["InstanceIdSets"]["InstanceIdSet"]


def test_a_denial_says_which_permission_is_missing(cloud, api):
    cloud.world(permissions={"DescribeInstances": "empty", "DescribeDisks": "forbidden"})
    assert api("DescribeInstances")["Instances"]["Instance"] == []
    assert api.refused("DescribeInstances", DryRun=True) == (403, "Forbidden.RAM")
    with pytest.raises(ClientException) as refused:
        api("DescribeDisks")
    assert refused.value.access_denied_detail["AuthAction"] == "ecs:DescribeDisks"
    cloud.world(permissions={"DescribeInstances": "allow"})
    assert api.refused("DescribeInstances", DryRun=True) == (400, "DryRunOperation")
