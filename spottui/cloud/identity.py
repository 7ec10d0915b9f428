"""Whose the credentials are: STS (version 2015-04-01) answers everybody, without a permission."""

import msgspec

from spottui.cloud.credentials import CredentialSource
from spottui.cloud.rpc import STS, Rpc, service_endpoint
from spottui.domain.clock import CloudClock
from spottui.domain.settings import RegionSettings, Settings


class Identity(msgspec.Struct, frozen=True):
    """The account, and who in it, as `acs:ram::ACCOUNT:user/NAME` or `…:assumed-role/ROLE/SESSION`."""

    account_id: str
    arn: str


def caller(
    settings: Settings, region: RegionSettings, credentials: CredentialSource, clock: CloudClock | None = None
) -> Identity:
    """Ask who makes our calls; raises `CloudError`."""
    endpoint = service_endpoint("sts", region.id, region.ecs_endpoint)
    body = Rpc(STS, region.id, endpoint, credentials, settings.ca_file, clock).call("GetCallerIdentity", {})
    return Identity(str(body.get("AccountId", "")), str(body.get("Arn", "")))
