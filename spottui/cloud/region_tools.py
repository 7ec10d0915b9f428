"""Everything that the commands around the console call in one region."""

import os

import msgspec

from spottui.cloud.budget import Budget
from spottui.cloud.credentials import CredentialSource
from spottui.cloud.ecs import Ecs
from spottui.cloud.event_rules import EventRules
from spottui.cloud.queue_setup import QueueSetup
from spottui.cloud.rpc import ECS, Rpc
from spottui.cloud.sdk import quiet_sdks
from spottui.domain.clock import CloudClock
from spottui.domain.settings import RegionSettings, Settings


class RegionTools(msgspec.Struct, frozen=True):
    """The clients of one region, for one thread; `any_ecs` makes ECS calls that `ecs` has no method for."""

    settings: RegionSettings
    ecs: Ecs
    any_ecs: Rpc
    rules: EventRules
    queue: QueueSetup


def credentials_of(settings: Settings) -> CredentialSource:
    """Quiet the SDKs and return where the account's credentials come from."""
    quiet_sdks()
    if settings.ca_file:
        # The MNS SDK takes no CA of its own; both SDKs heed this variable (docs/sdk-traps.md 5).
        os.environ["SSL_CERT_FILE"] = str(settings.ca_file)
    return CredentialSource(settings.credentials_file)


def region_tools(
    settings: Settings, credentials: CredentialSource, long_poll_s: int = 1, clock: CloudClock | None = None
) -> tuple[RegionTools, ...]:
    """Make the clients of every configured region; `clock` is set by what they hear."""
    clock = clock or CloudClock()
    ca_file, budget = settings.ca_file, Budget(clock)
    return tuple(
        RegionTools(
            settings=region,
            ecs=Ecs(region.id, region.ecs_endpoint, credentials, ca_file, budget, clock),
            any_ecs=Rpc(ECS, region.id, region.ecs_endpoint or f"ecs.{region.id}.aliyuncs.com", credentials, ca_file),
            rules=EventRules(region.id, region.cms_endpoint, credentials, ca_file),
            queue=QueueSetup(region.mns_endpoint, region.queue, credentials, long_poll_s),
        )
        for region in settings.regions
    )
