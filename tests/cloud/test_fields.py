"""A list that is not where it is documented is not an empty list."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spottui.cloud.errors import CloudError, ErrorKind
from spottui.cloud.fields import decode_json, rows, rows_if_any
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


_ANY = msgspec.json.Decoder()
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(_JSON)
def test_json_is_decoded_as_the_sdk_decodes_it(value: object) -> None:
    assert decode_json(json.dumps(value).encode(), _ANY) == value
    assert decode_json(json.dumps(value, ensure_ascii=False).encode(), _ANY) == value


def test_half_a_surrogate_pair_in_a_name_costs_a_character_and_not_the_page() -> None:
    body = rb'{"Name": "web\ud83d-1", "Next": "\ud83d\ude00"}'
    assert decode_json(body, _ANY) == {"Name": "web?-1", "Next": "\U0001f600"}
    for broken in (b"", b"<html>", b'{"Name": "web', b"\xff"):
        with pytest.raises((json.JSONDecodeError, UnicodeDecodeError)):
            decode_json(broken, _ANY)
