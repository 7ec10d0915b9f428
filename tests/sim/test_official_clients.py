"""Clients that nobody here wrote, unmodified: each SDK generation, sync and async, both signatures, GET and POST."""

import asyncio
import json

import pytest
from alibabacloud_credentials.client import Client as CredentialClient
from alibabacloud_credentials.models import Config as CredentialConfig
from alibabacloud_ecs20140526 import models
from alibabacloud_ecs20140526.client import Client
from alibabacloud_tea_openapi.exceptions import ClientException
from alibabacloud_tea_openapi.models import Config
from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.auth.credentials import StsTokenCredential
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.request import CommonRequest
from aliyunsdkecs.request.v20140526.AttachDiskRequest import AttachDiskRequest
from aliyunsdkecs.request.v20140526.CreateImageRequest import CreateImageRequest
from aliyunsdkecs.request.v20140526.DescribeImagesRequest import DescribeImagesRequest
from aliyunsdkecs.request.v20140526.DescribeInstancesRequest import DescribeInstancesRequest
from aliyunsdkecs.request.v20140526.DescribeRegionsRequest import DescribeRegionsRequest
from aliyunsdkecs.request.v20140526.ModifyDiskAttributeRequest import ModifyDiskAttributeRequest
from aliyunsdkecs.request.v20140526.RunInstancesRequest import RunInstancesRequest
from mns.account import Account
from mns.auth import Credentials
from mns.mns_exception import MNSServerException
from mns.queue import Message

from spottui.sim.testing import SimServer
from tests.sim.conftest import REGION, ecs_client, security_group


def legacy(cloud: SimServer, secret: str | None = None, credential: StsTokenCredential | None = None) -> AcsClient:
    at = cloud.endpoint
    key = (None, None) if credential else (at.access_key_id, secret or at.access_key_secret)
    return AcsClient(*key, REGION, credential=credential, auto_retry=False)


def ask(cloud: SimServer, client: AcsClient, request, method: str = "GET", **params: object) -> dict:
    """One call of the previous SDK generation, which signs in the RPC form."""
    request.set_endpoint(cloud.url.partition("://")[2])
    request.set_protocol_type("http")
    request.set_method(method)
    for name, value in params.items():
        getattr(request, f"set_{name}")(value)
    return json.loads(client.do_action_with_exception(request))


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_previous_sdk_recovers_an_instance(cloud, victim, method):
    client = legacy(cloud)

    def do(request, **params):
        return ask(cloud, client, request, method, **params)

    cloud.interrupt([victim["InstanceId"]])
    locked = do(DescribeInstancesRequest(), LockReason="Recycling")["Instances"]["Instance"]
    assert [row["InstanceId"] for row in locked] == [victim["InstanceId"]]
    do(ModifyDiskAttributeRequest(), DiskIdss=victim["DiskIds"], DeleteWithInstance=False)
    image_id = do(CreateImageRequest(), InstanceId=victim["InstanceId"], ClientToken="t")["ImageId"]
    assert do(CreateImageRequest(), InstanceId=victim["InstanceId"], ClientToken="t")["ImageId"] == image_id
    cloud.advance(299)
    (image,) = do(DescribeImagesRequest(), ImageId=image_id)["Images"]["Image"]
    assert image["Status"] == "Available"
    launched = do(
        RunInstancesRequest(), ImageId=image_id, InstanceType=victim["InstanceType"], SpotStrategy="SpotAsPriceGo",
        VSwitchId=victim["VSwitchId"], SecurityGroupId=security_group(cloud), UserData="IyEvYmluL3No",
        Tags=[{"Key": "a b", "Value": "名+*~/"}],
    )  # fmt: skip
    new_id = launched["InstanceIdSets"]["InstanceIdSet"][0]
    new = next(row for row in cloud.state()["instances"] if row["InstanceId"] == new_id)
    assert new["Tags"] == {"a b": "名+*~/"}


def test_parameters_in_a_form_body_are_signed_and_read(cloud, victim):
    request = CommonRequest(domain=cloud.url.partition("://")[2], version="2014-05-26", action_name="CreateImage")
    request.set_protocol_type("http")
    request.set_method("POST")
    for name, value in {"RegionId": REGION, "InstanceId": victim["InstanceId"], "ImageName": "form-body"}.items():
        request.add_body_params(name, value)
    answer = json.loads(legacy(cloud).do_action_with_exception(request))
    assert answer["ImageId"] == cloud.state()["images"][-1]["ImageId"]
    assert cloud.state()["images"][-1]["ImageName"] == "form-body"


def test_the_previous_sdk_is_told_what_was_wrong(cloud):
    with pytest.raises(ServerException) as refused:
        ask(cloud, legacy(cloud, secret="wrong"), DescribeRegionsRequest())
    # This SDK finds its own string to sign in the message, and concludes that the secret is what is wrong.
    assert refused.value.get_error_code() == "InvalidAccessKeySecret"
    with pytest.raises(ServerException) as refused:
        ask(cloud, legacy(cloud), AttachDiskRequest(), InstanceId="i-none", DiskId="d-none")
    assert (refused.value.get_http_status(), refused.value.get_error_code()) == (404, "InvalidInstanceId.NotFound")
    assert refused.value.get_request_id()


def test_temporary_keys_work_with_their_token_until_they_expire(cloud, victim):
    key = cloud.control("POST", "sts", {"duration_s": 900})
    values = (key["access_key_id"], key["access_key_secret"], key["security_token"])
    config = CredentialConfig(
        type="sts", access_key_id=values[0], access_key_secret=values[1], security_token=values[2]
    )  # fmt: skip
    host = cloud.url.partition("://")[2]
    typed = Client(Config(credential=CredentialClient(config), endpoint=host, protocol="HTTP", region_id=REGION))
    old = legacy(cloud, credential=StsTokenCredential(*values))
    queue = Account(cloud.url, credentials_provider=_Fixed(*values)).get_queue(cloud.endpoint.queue)
    assert typed.describe_regions(models.DescribeRegionsRequest()).body.regions.region
    assert ask(cloud, old, DescribeRegionsRequest())["Regions"]
    queue.send_message(Message("x"))
    without = ecs_client(cloud, secret=values[1], access_key_id=values[0])
    with pytest.raises(ClientException) as refused:
        without.describe_regions(models.DescribeRegionsRequest())
    assert refused.value.code == "InvalidSecurityToken.Malformed"
    cloud.advance(901)
    for call in (
        lambda: typed.describe_regions(models.DescribeRegionsRequest()),
        lambda: ask(cloud, old, DescribeRegionsRequest()),
    ):
        with pytest.raises((ClientException, ServerException)) as expired:
            call()
        assert "InvalidSecurityToken.Expired" in str(expired.value)
    with pytest.raises(MNSServerException) as gone:
        queue.send_message(Message("x"))
    assert gone.value.type == "InvalidSecurityToken"


class _Fixed:
    def __init__(self, *key: str) -> None:
        self._key = key

    def get_credentials(self) -> Credentials:
        return Credentials(*self._key)


async def test_the_typed_sdk_works_asynchronously(cloud, victim):
    ecs = ecs_client(cloud)
    pages = await asyncio.gather(
        *(ecs.describe_instances_async(models.DescribeInstancesRequest(region_id=REGION)) for _ in range(4))
    )
    assert {len(page.body.instances.instance) for page in pages} == {10}
    made = await ecs.create_image_async(
        models.CreateImageRequest(region_id=REGION, instance_id=victim["InstanceId"])
    )  # fmt: skip
    assert made.body.image_id == cloud.state()["images"][-1]["ImageId"]


def test_mns_single_and_batch_through_a_whole_life(cloud, queue):
    queue.send_message(Message("one"))
    queue.batch_send_message([Message(f"{n}") for n in range(16)])
    first = queue.receive_message(0)
    assert first.message_body == "one"
    rest = queue.batch_receive_message(16, 0)
    assert sorted(int(message.message_body) for message in rest) == list(range(16))
    queue.delete_message(first.receipt_handle)
    queue.batch_delete_message([message.receipt_handle for message in rest])
    assert cloud.state()["queues"][cloud.endpoint.queue]["InactiveMessages"] == 0
    attributes = queue.get_attributes()
    assert (attributes.queue_name, attributes.visibility_timeout) == (cloud.endpoint.queue, 30)
