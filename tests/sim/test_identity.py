"""Who is calling: assumed roles, and what an instance learns about itself and its role."""

import json
import urllib.error
import urllib.request
from types import SimpleNamespace

import pytest
from alibabacloud_credentials.client import Client as CredentialClient
from alibabacloud_credentials.models import Config as CredentialConfig
from alibabacloud_ecs20140526 import models as m
from alibabacloud_ecs20140526.client import Client
from alibabacloud_sts20150401 import client as sts_client
from alibabacloud_sts20150401 import models as sts_models
from alibabacloud_tea_openapi.exceptions import ClientException
from alibabacloud_tea_openapi.models import Config

from tests.sim.balancing import client_of
from tests.sim.calls import Api
from tests.sim.conftest import REGION

STS = "2015-04-01"
ROLE = "acs:ram::1690700000000030:role/ops"


@pytest.fixture
def sts(cloud):
    return Api(cloud, STS)


@pytest.fixture
def etl(cloud):
    """An instance with a role and user data."""
    row = next(row for row in cloud.state()["instances"] if row["RamRoleName"])
    cloud.world(metadata_of=row["InstanceId"])
    return row


def read(cloud, path, **headers):
    request = urllib.request.Request(f"{cloud.url}/latest/{path}", headers=headers)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=5) as answer:
        return answer.read().decode()


def test_an_assumed_role_is_who_it_says_until_it_ends(cloud, sts):
    given = sts("AssumeRole", RoleArn=ROLE, RoleSessionName="night", DurationSeconds=900)["Credentials"]
    config = CredentialConfig(
        type="sts", access_key_id=given["AccessKeyId"], access_key_secret=given["AccessKeySecret"],
        security_token=given["SecurityToken"],
    )  # fmt: skip
    host = cloud.url.partition("://")[2]
    typed = Client(Config(credential=CredentialClient(config), endpoint=host, protocol="HTTP", region_id=REGION))
    assert typed.describe_regions(m.DescribeRegionsRequest()).body.regions.region
    assert sts("GetCallerIdentity")["Arn"].endswith(":user/spottui")
    cloud.advance(901)
    with pytest.raises(Exception, match="Expired"):
        typed.describe_regions(m.DescribeRegionsRequest())


def test_the_vendors_client_assumes_a_role_and_says_who_it_is(cloud):
    client = client_of(SimpleNamespace(client=sts_client), cloud)
    cloud.world(external_ids={"ops": "night-42"})
    asked = {"role_arn": ROLE, "role_session_name": "night", "duration_seconds": 900}
    for external_id in (None, "guessed"):
        with pytest.raises(ClientException) as refused:
            client.assume_role(sts_models.AssumeRoleRequest(**asked, external_id=external_id))
        assert (refused.value.status_code, refused.value.code) == (403, "NoPermission")
    given = client.assume_role(sts_models.AssumeRoleRequest(**asked, external_id="night-42")).body
    assert given.assumed_role_user.arn == f"{ROLE}/night"
    key = given.credentials
    temporary = sts_client.Client(
        Config(
            access_key_id=key.access_key_id, access_key_secret=key.access_key_secret,
            security_token=key.security_token, endpoint=cloud.url.partition("://")[2], protocol="HTTP",
        )
    ).get_caller_identity().body  # fmt: skip
    assert (temporary.identity_type, temporary.arn) == (
        "AssumedRoleUser", "acs:ram::1690700000000030:assumed-role/ops/night",
    )  # fmt: skip
    assert client.get_caller_identity().body.identity_type == "RAMUser"


@pytest.mark.parametrize("kind", ["throttle", "drop_reply", "error"])
def test_assuming_a_role_can_go_wrong_on_order(cloud, sts, kind):
    cloud.fault("AssumeRole", kind)
    with pytest.raises(Exception, match=r"Throttling|Connection|Remote|aborted|InternalError"):
        sts("AssumeRole", RoleArn=ROLE, RoleSessionName="night")
    assert sts("AssumeRole", RoleArn=ROLE, RoleSessionName="night")["Credentials"]["SecurityToken"]


def test_roles_that_cannot_be_assumed(cloud, sts):
    assert sts.refused("AssumeRole", RoleArn="ops", RoleSessionName="x1") == (400, "InvalidParameter.RoleArn")
    assert sts.refused("AssumeRole", RoleArn=ROLE, RoleSessionName="no spaces") == (
        400, "InvalidParameter.RoleSessionName",
    )  # fmt: skip
    assert sts.refused("AssumeRole", RoleArn=ROLE, RoleSessionName="x1", DurationSeconds=60)[0] == 400
    cloud.world(gone=["ops"])
    assert sts.refused("AssumeRole", RoleArn=ROLE, RoleSessionName="x1") == (404, "EntityNotExist.Role")


def test_the_credentials_package_gets_the_roles_key_of_the_instance(cloud, etl, monkeypatch):
    # It knows no address but 100.100.100.200; the simulated cloud is its proxy there.
    monkeypatch.setenv("HTTP_PROXY", cloud.url)
    client = CredentialClient(CredentialConfig(type="ecs_ram_role", role_name=etl["RamRoleName"]))
    key = client.get_credential()
    assert key.access_key_id.startswith("STS.")
    monkeypatch.delenv("HTTP_PROXY")
    host = cloud.url.partition("://")[2]
    typed = Client(Config(
        access_key_id=key.access_key_id, access_key_secret=key.access_key_secret, security_token=key.security_token,
        endpoint=host, protocol="HTTP", region_id=REGION,
    ))  # fmt: skip
    assert typed.describe_regions(m.DescribeRegionsRequest()).body.regions.region


def test_keys_of_a_role_rotate_before_they_end(cloud, etl):
    path = f"meta-data/ram/security-credentials/{etl['RamRoleName']}"
    first = json.loads(read(cloud, path))
    assert first["Code"] == "Success"
    cloud.advance(3600)
    assert json.loads(read(cloud, path)) == first
    cloud.advance(5 * 3600 - 1700)
    second = json.loads(read(cloud, path))
    assert second["AccessKeyId"] != first["AccessKeyId"]
    assert second["Expiration"] > first["Expiration"]


def test_directories_list_what_is_in_them(cloud, etl):
    assert {"meta-data/", "dynamic/"} <= set(read(cloud, "").split())
    top = read(cloud, "meta-data/").split()
    assert {"instance-id", "ram/", "network/", "instance/", "zone-id"} <= set(top)
    assert read(cloud, "meta-data/ram/security-credentials/") == etl["RamRoleName"]
    mac = read(cloud, "meta-data/mac")
    assert read(cloud, "meta-data/network/interfaces/macs/") == f"{mac}/"
    assert read(cloud, f"meta-data/network/interfaces/macs/{mac}/vswitch-id") == etl["VSwitchId"]
    assert json.loads(read(cloud, "dynamic/instance-identity/document"))["instance-id"] == etl["InstanceId"]


def test_user_data_is_served_plain_or_not_there(cloud, victim, etl):
    assert read(cloud, "user-data", **{"X-Sim-Instance": victim["InstanceId"]}) == "#!/bin/sh\necho web-1\n"
    with pytest.raises(urllib.error.HTTPError):
        read(cloud, "meta-data/ram/security-credentials/", **{"X-Sim-Instance": victim["InstanceId"]})


def test_a_metadata_token_ends_with_its_time(cloud, etl):
    request = urllib.request.Request(
        f"{cloud.url}/latest/api/token", method="PUT", headers={"X-aliyun-ecs-metadata-token-ttl-seconds": "60"}
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=5) as answer:
        token = answer.read().decode()
    assert read(cloud, "meta-data/instance-id", **{"X-aliyun-ecs-metadata-token": token}) == etl["InstanceId"]
    cloud.advance(61)
    with pytest.raises(urllib.error.HTTPError):
        read(cloud, "meta-data/instance-id", **{"X-aliyun-ecs-metadata-token": token})
