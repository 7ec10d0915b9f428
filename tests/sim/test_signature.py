"""Signatures are really verified, on both protocols, and a nonce works once."""

import json
import urllib.error
import urllib.parse
import urllib.request
import uuid
from datetime import UTC, datetime

import pytest
from alibabacloud_ecs20140526 import models
from alibabacloud_tea_openapi.exceptions import ClientException
from alibabacloud_tea_openapi.utils import Utils
from mns.account import Account
from mns.mns_exception import MNSServerException

from tests.sim.conftest import REGION, ecs_client


def _signed_get(cloud, **changes):
    """A hand-made request in the legacy RPC form."""
    params = {
        "Action": "DescribeRegions", "Version": "2014-05-26", "Format": "JSON",
        "AccessKeyId": cloud.endpoint.access_key_id, "SignatureMethod": "HMAC-SHA1",
        "SignatureVersion": "1.0", "SignatureNonce": str(uuid.uuid4()),
        "Timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), **changes,
    }  # fmt: skip
    params["Signature"] = Utils.get_rpcsignature(params, "GET", cloud.endpoint.access_key_secret)
    return params


def _get(cloud, params):
    url = f"{cloud.url}/?{urllib.parse.urlencode(params)}"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.load(refusal)


def test_a_wrong_secret_is_refused_by_ecs(cloud):
    with pytest.raises(ClientException) as refused:
        ecs_client(cloud, secret="wrong").describe_regions(models.DescribeRegionsRequest())
    assert (refused.value.code, refused.value.status_code) == ("SignatureDoesNotMatch", 400)


def test_an_unknown_access_key_is_refused_by_ecs(cloud):
    with pytest.raises(ClientException) as refused:
        ecs_client(cloud, access_key_id="LTAI-nobody").describe_regions(models.DescribeRegionsRequest())
    assert (refused.value.code, refused.value.status_code) == ("InvalidAccessKeyId.NotFound", 404)


def test_parameters_of_every_kind_keep_the_signature_good(ecs):
    request = models.DescribeInstancesRequest(
        region_id=REGION, instance_name="a *~+/=%&名 b", max_results=20, dry_run=False,
        tag=[models.DescribeInstancesRequestTag(key="app", value="")],
    )  # fmt: skip
    assert ecs.describe_instances(request).body.instances.instance == []


def test_the_legacy_form_works_and_its_nonce_works_once(cloud):
    params = _signed_get(cloud)
    assert _get(cloud, params)[0] == 200
    status, body = _get(cloud, params)
    assert (status, body["Code"]) == (400, "SignatureNonceUsed")


def test_an_old_date_is_refused_and_the_skew_of_the_cloud_counts(cloud):
    status, body = _get(cloud, _signed_get(cloud, Timestamp="2020-01-01T00:00:00Z"))
    assert (status, body["Code"]) == (400, "InvalidTimeStamp.Expired")
    cloud.world(skew_wall_s=3600)
    assert _get(cloud, _signed_get(cloud))[1]["Code"] == "InvalidTimeStamp.Expired"


def test_an_error_has_the_five_fields_of_the_api(cloud):
    status, body = _get(cloud, _signed_get(cloud, Action="InventInstances"))
    assert (status, body["Code"]) == (404, "InvalidAction.NotFound")
    assert set(body) == {"RequestId", "HostId", "Code", "Message", "Recommend"}


def test_a_refusal_points_to_the_page_of_its_product(cloud):
    for version, product in (("2014-05-26", "Ecs"), ("2015-04-01", "Sts"), ("2020-06-16", "Alb")):
        _, refusal = _get(cloud, _signed_get(cloud, Version=version, Action="NoSuch"))
        assert f"&product={product}&" in refusal["Recommend"]


def test_without_a_signature_nothing_is_answered(cloud):
    status, body = _get(cloud, {"Action": "DescribeRegions", "Version": "2014-05-26", "Format": "JSON"})
    assert (status, body["Code"]) == (400, "IncompleteSignature")


def test_mns_refuses_an_old_date(cloud, queue):
    cloud.world(skew_wall_s=3600)
    with pytest.raises(MNSServerException) as refused:
        queue.receive_message(0)
    assert (refused.value.type, cloud.calls("ReceiveMessage")[0]["status"]) == ("TimeExpired", 408)


@pytest.mark.parametrize(
    ("key_changed", "secret_changed", "code"),
    [("", "x", "SignatureDoesNotMatch"), ("x", "", "InvalidAccessKeyId")],
)
def test_mns_refuses_wrong_keys(cloud, key_changed, secret_changed, code):
    at = cloud.endpoint
    account = Account(at.url, at.access_key_id + key_changed, at.access_key_secret + secret_changed)
    with pytest.raises(MNSServerException) as refused:
        account.get_queue(at.queue).receive_message(0)
    assert refused.value.type == code
