"""Whose the credentials are: STS (version 2015-04-01) answers everybody, without a permission."""

from dataclasses import dataclass

from spottui.cloud.credentials import CredentialSource
from spottui.cloud.rpc import STS, Rpc
from spottui.domain.clock import CloudClock
from spottui.domain.settings import RegionSettings, Settings


@dataclass(frozen=True, slots=True)
class Identity:
    """The account, and who in it, as `acs:ram::ACCOUNT:user/NAME` or `…:assumed-role/ROLE/SESSION`."""

    account_id: str
    arn: str


def caller(
    settings: Settings, region: RegionSettings, credentials: CredentialSource, clock: CloudClock | None = None
) -> Identity:
    """Ask who makes our calls; raises `CloudError`."""
    endpoint = sts_endpoint(region.id, region.ecs_endpoint)
    body = Rpc(STS, region.id, endpoint, credentials, settings.ca_file, clock).call("GetCallerIdentity", {})
    return Identity(str(body.get("AccountId", "")), str(body.get("Arn", "")))


def sts_endpoint(region: str, ecs_endpoint: str) -> str:
    """Return where STS is: beside ECS, public or inside a VPC, or where the one configured address is."""
    if ecs_endpoint and "aliyuncs.com" not in ecs_endpoint:
        return ecs_endpoint
    host = "sts-vpc" if "-vpc" in ecs_endpoint else "sts"
    return f"{host}.{region}.aliyuncs.com"
