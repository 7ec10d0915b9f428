"""The wire as strangers speak it: no Format at all, XML, names in any case, one connection for every service."""

import http.client
import json
import urllib.parse
import uuid
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest
from alibabacloud_ecs20140526 import models as m
from alibabacloud_tea_openapi.utils import Utils
from hypothesis import given
from hypothesis import strategies as st
from mns.account import Account

from spottui.sim.answers import Format, write
from spottui.sim.params import Params
from tests.sim.calls import Api
from tests.sim.conftest import REGION

ECS = "2014-05-26"


@pytest.fixture
def api(cloud):
    return Api(cloud)


@pytest.fixture
def line(cloud):
    """One connection, kept alive over a whole test."""
    connection = http.client.HTTPConnection(cloud.endpoint.url.partition("://")[2], timeout=10)
    yield connection
    connection.close()


def ask(cloud, line, action, version=ECS, headers=None, **params):
    """Status, headers and text of a call in the older signature, with nothing but what is given."""
    at = cloud.endpoint
    query = {
        "Action": action, "Version": version, "AccessKeyId": at.access_key_id, "SignatureMethod": "HMAC-SHA1",
        "SignatureVersion": "1.0", "SignatureNonce": str(uuid.uuid4()),
        "Timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), **params,
    }  # fmt: skip
    query["Signature"] = Utils.get_rpcsignature(query, "GET", at.access_key_secret)
    line.request("GET", f"/?{urllib.parse.urlencode(query)}", headers=headers or {})
    answer = line.getresponse()
    return answer.status, answer.headers, answer.read().decode()


def test_without_a_format_the_answer_is_xml(cloud, line):
    status, headers, text = ask(cloud, line, "DescribeInstances", RegionId=REGION, PageSize="3")
    assert (status, headers.get_content_type()) == (200, "text/xml")
    root = ElementTree.fromstring(text)
    assert root.tag == "DescribeInstancesResponse"
    names = [one.findtext("InstanceName") for one in root.findall("Instances/Instance")]
    assert names == ["web-1", "api-2", "etl-3"]
    assert root.findtext("Instances/Instance/IoOptimized") == "true"
    assert root.findtext("RequestId") == headers["x-acs-request-id"]


@pytest.mark.parametrize("written", ["JSON", "json", "Json"])
def test_format_is_read_in_any_case(cloud, line, written):
    _, headers, text = ask(cloud, line, "DescribeRegions", Format=written)
    assert headers.get_content_type() == "application/json"
    assert json.loads(text)["Regions"]["Region"][0]["RegionId"] == REGION


def test_a_refusal_is_xml_too(cloud, line):
    status, _, text = ask(cloud, line, "DescribeInstances", Format="XML")
    root = ElementTree.fromstring(text)
    assert (status, root.tag, root.findtext("Code")) == (400, "Error", "MissingParameter")
    assert root.findtext("HostId") == cloud.endpoint.url.partition("://")[2]


def test_the_action_of_the_query_wins_over_the_header_in_any_case(cloud, line):
    headers = {"x-acs-action": "DescribeZones", "x-acs-version": "2099-01-01"}
    _, _, text = ask(cloud, line, "describeregions", headers=headers)
    assert ElementTree.fromstring(text).tag == "DescribeRegionsResponse"
    assert cloud.calls("DescribeRegions")


def test_one_connection_serves_every_product_in_turn(cloud, line, queue):
    def metadata():
        line.request("GET", "/latest/meta-data/region-id", headers={"X-Sim-Instance": cloud.spot_ids()[0]})
        return line.getresponse().read()

    for _ in range(2):
        assert ask(cloud, line, "DescribeRegions")[0] == 200
        assert metadata() == REGION.encode()
        assert ask(cloud, line, "DescribeEventRuleList", "2019-01-01")[0] == 200
        line.request("DELETE", "/queues/nobody/messages", body=b"<ReceiptHandles/>")
        answer = line.getresponse()
        assert (answer.status, b"<Code>" in answer.read()) == (400, True)
        assert ask(cloud, line, "NoSuchAction")[0] == 404
        assert ask(cloud, line, "DescribeVpcs", "2016-04-28", RegionId=REGION)[0] == 200


def test_the_same_host_is_every_products_for_one_pooled_session(cloud, ecs):
    at = cloud.endpoint
    ecs.describe_regions(m.DescribeRegionsRequest())
    assert Account(at.url, at.access_key_id, at.access_key_secret).list_queue()[0]
    assert ecs.describe_regions(m.DescribeRegionsRequest()).body.regions.region


@pytest.mark.parametrize("written", ['["{0}"]', "['{0}']", ' [ "{0}" ] '])
def test_ids_are_read_in_either_quotes(cloud, api, victim, written):
    (found,) = api("DescribeInstances", InstanceIds=written.format(victim["InstanceId"]))["Instances"]["Instance"]
    assert found["InstanceId"] == victim["InstanceId"]


def test_a_list_that_is_none_is_refused(api, victim):
    assert api.refused("DescribeInstances", InstanceIds=victim["InstanceId"]) == (400, "InvalidInstanceIds.Malformed")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ABC"), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["A", "Bee", "C1"]), JSON))
def test_any_body_is_well_formed_xml_and_unchanged_json(body):
    assert ElementTree.fromstring(write(Format.XML, "X", body)).tag == "X"
    assert json.loads(write(Format.JSON, "X", body)) == body


@given(st.dictionaries(st.sampled_from(["A", "B.1", "B.2", "C.1.D", "RegionId"]), st.text(min_size=1)))
def test_what_no_accessor_asked_for_is_unread(flat):
    params = Params(flat)
    params.text("A")
    params.numbered("B")
    assert set(params.unread()) == set(flat) - {"A", "B.1", "B.2", "RegionId"}
    params.accept("C")
    assert params.unread() == []
