"""The clients of one region for the commands beside the console."""

import os
from collections.abc import Mapping

import msgspec

from spottui.cloud.balancers import balancer_rpcs
from spottui.cloud.budget import USUAL, Budget, Pace
from spottui.cloud.credentials import CredentialSource
from spottui.cloud.ecs import Ecs
from spottui.cloud.event_rules import EventRules
from spottui.cloud.private_zone import PrivateZone
from spottui.cloud.queue_setup import QueueSetup
from spottui.cloud.role_credentials import RoleCredentials
from spottui.cloud.rpc import ECS, Rpc
from spottui.cloud.sdk import quiet_sdks
from spottui.domain.balancers import Product
from spottui.domain.clock import CloudClock
from spottui.domain.settings import AccountSettings, RegionSettings, Settings


class RegionTools(msgspec.Struct, frozen=True):
    """The clients of one region, for one thread; `any_ecs` makes ECS calls that `ecs` has no method for."""

    settings: RegionSettings
    ecs: Ecs
    any_ecs: Rpc
    rules: EventRules
    queue: QueueSetup
    private_zone: PrivateZone
    balancers: Mapping[Product, Rpc]


def credentials_of(settings: Settings, clock: CloudClock | None = None) -> Mapping[str, CredentialSource]:
    """Quiet the SDKs and return the credential source of each account that has a region."""
    quiet_sdks()
    if settings.ca_file:
        # The MNS SDK takes no CA of its own; both SDKs heed this variable (docs/sdk-traps.md 5).
        os.environ["SSL_CERT_FILE"] = str(settings.ca_file)
    own, clock = CredentialSource(settings.credentials_file), clock or CloudClock()
    return {name: _credentials(settings, name, own, clock) for name in settings.account_names}


def region_tools(
    settings: Settings, credentials: Mapping[str, CredentialSource], clock: CloudClock | None = None
) -> tuple[RegionTools, ...]:
    """Make the clients of every configured region; `clock` is set by their answers."""
    clock = clock or CloudClock()
    budgets = {name: Budget(clock, usual=pace_of(settings, name)) for name in settings.account_names}
    return tuple(
        _tools(settings, region, credentials[region.account], budgets[region.account], clock)
        for region in settings.regions
    )


def pace_of(settings: Settings, name: str) -> Pace:
    """Return how fast each API of an account's region may be called."""
    rate = settings.accounts.get(name, AccountSettings()).calls_per_second
    return Pace(rate, USUAL.burst * rate / USUAL.rate) if rate else USUAL


def _tools(
    settings: Settings, region: RegionSettings, credentials: CredentialSource, budget: Budget, clock: CloudClock
) -> RegionTools:
    ca_file, endpoint = settings.ca_file, region.ecs_endpoint or f"ecs.{region.id}.aliyuncs.com"
    return RegionTools(
        settings=region,
        ecs=Ecs(region.key, region.ecs_endpoint, credentials, ca_file, budget, clock),
        any_ecs=Rpc(ECS, region.id, endpoint, credentials, ca_file),
        rules=EventRules(region.id, region.cms_endpoint, credentials, ca_file),
        queue=QueueSetup(region.mns_endpoint, region.queue, credentials, long_poll_s=1),
        private_zone=PrivateZone(region.id, region.ecs_endpoint, credentials, ca_file),
        balancers=balancer_rpcs(region.id, region.ecs_endpoint, credentials, ca_file),
    )


def _credentials(settings: Settings, name: str, own: CredentialSource, clock: CloudClock) -> CredentialSource:
    account = settings.accounts.get(name)
    if account is None:
        return own
    if account.profile:
        return CredentialSource(settings.credentials_file, account.profile)
    region = next(region for region in settings.regions if region.account == name)
    return RoleCredentials(name, account, own, region, settings.ca_file, clock)
