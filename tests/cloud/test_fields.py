"""A list that is not where it is documented is not an empty list."""

import pytest

from spottui.cloud.errors import CloudError, ErrorKind
from spottui.cloud.fields import rows, rows_if_any
from spottui.cloud.rpc import service_endpoint


@pytest.mark.parametrize(
    "body", [{}, {"Zones": None}, {"Zones": {}}, {"Zones": []}, {"Zones": {"Zone": None}}, {"Zones": {"Zone": [1]}}]
)
def test_an_answer_of_an_unknown_shape_is_refused(body: dict[str, object]) -> None:
    with pytest.raises(CloudError) as refused:
        rows("DescribeZones", body, "Zones", "Zone")
    assert refused.value.kind is ErrorKind.BROKEN


def test_a_list_may_be_empty_and_an_inner_one_may_be_left_out() -> None:
    assert rows("DescribeZones", {"Zones": {"Zone": []}}, "Zones", "Zone") == []
    assert rows_if_any("DescribeZones", {}, "Zones", "Zone") == []
    assert rows_if_any("DescribeZones", {"Zones": {"Zone": [{"a": 1}]}}, "Zones", "Zone") == [{"a": 1}]


@pytest.mark.parametrize(
    ("ecs", "vpc"),
    [
        ("", "vpc.cn-hangzhou.aliyuncs.com"),
        ("ecs.cn-hangzhou.aliyuncs.com", "vpc.cn-hangzhou.aliyuncs.com"),
        ("ecs-vpc.cn-hangzhou.aliyuncs.com", "vpc-vpc.cn-hangzhou.aliyuncs.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ],
)
def test_the_vpc_api_is_beside_ecs(ecs: str, vpc: str) -> None:
    assert service_endpoint("vpc", "cn-hangzhou", ecs) == vpc
