"""The simulated cloud and the real SDK clients that talk to it."""

from collections.abc import Iterator

import pytest
from alibabacloud_ecs20140526 import models as ecs_models
from alibabacloud_ecs20140526.client import Client
from alibabacloud_tea_openapi.models import Config
from mns.account import Account
from mns.queue import Queue

from spottui.sim.testing import SimServer

REGION = "cn-hangzhou"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for scheme in ("HTTP", "HTTPS", "ALL"):
        monkeypatch.delenv(f"{scheme}_PROXY", raising=False)
        monkeypatch.delenv(f"{scheme.lower()}_proxy", raising=False)


@pytest.fixture(scope="session")
def server() -> Iterator[SimServer]:
    # Time stands still: only what a test does moves it.
    with SimServer(speed=0) as running:
        yield running


@pytest.fixture
def cloud(server: SimServer) -> SimServer:
    server.reset()
    return server


def ecs_client(cloud: SimServer, secret: str | None = None, access_key_id: str | None = None) -> Client:
    at = cloud.endpoint
    return Client(
        Config(
            access_key_id=access_key_id or at.access_key_id,
            access_key_secret=secret or at.access_key_secret,
            endpoint=at.url.partition("://")[2],
            protocol=at.url.partition("://")[0],
            region_id=REGION,
            ca=str(at.ca_file) if at.ca_file else None,
        )
    )


@pytest.fixture
def ecs(cloud: SimServer) -> Client:
    return ecs_client(cloud)


@pytest.fixture
def queue(cloud: SimServer) -> Queue:
    at = cloud.endpoint
    found = Account(at.url, at.access_key_id, at.access_key_secret).get_queue(at.queue)
    found.set_encoding(False)
    return found


@pytest.fixture
def victim(cloud: SimServer) -> dict:
    """A spot instance in Terminate mode with one 60 GiB cloud disk and an EIP."""
    return next(row for row in cloud.state()["instances"] if row["InstanceName"] == "web-1")


def create_image(ecs: Client, instance_id: str, token: str | None = None, name: str | None = None) -> str:
    request = ecs_models.CreateImageRequest(
        region_id=REGION, instance_id=instance_id, client_token=token, image_name=name
    )
    return ecs.create_image(request).body.image_id


def image(ecs: Client, image_id: str) -> ecs_models.DescribeImagesResponseBodyImagesImage | None:
    request = ecs_models.DescribeImagesRequest(region_id=REGION, image_id=image_id, status="ALL")
    found = ecs.describe_images(request).body.images.image
    return found[0] if found else None


def launch_request(cloud: SimServer, row: dict, made: str, /, **changes: object) -> ecs_models.RunInstancesRequest:
    """The faithful relaunch of a row of `/_sim/state`."""
    values = {
        "region_id": REGION,
        "image_id": made,
        "instance_type": row["InstanceType"],
        "v_switch_id": row["VSwitchId"],
        "security_group_id": security_group(cloud),
        "spot_strategy": "SpotAsPriceGo",
        "instance_name": row["InstanceName"],
    }
    return ecs_models.RunInstancesRequest(**{**values, **changes})


def security_group(cloud: SimServer) -> str:
    request = ecs_models.DescribeInstancesRequest(region_id=REGION)
    instances = ecs_client(cloud).describe_instances(request).body.instances.instance
    return instances[0].security_group_ids.security_group_id[0]
