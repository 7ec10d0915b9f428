"""The configured account: the clients of each region, queues on demand, their lanes and their budget."""

import os

from spottui.cloud.budget import Budget
from spottui.cloud.cloudmonitor import CloudMonitor
from spottui.cloud.credentials import CredentialSource
from spottui.cloud.ecs import Ecs
from spottui.cloud.lanes import Lanes
from spottui.cloud.market import Market
from spottui.cloud.mns import Queue
from spottui.cloud.sdk_hygiene import quiet_sdks
from spottui.cloud.vpc import Vpc
from spottui.domain.clock import SystemClock
from spottui.domain.settings import RegionSettings, Settings


class CloudAccount:
    """Everything that can be called, made once for a profile of the configuration."""

    def __init__(self, settings: Settings) -> None:
        quiet_sdks()
        if settings.ca_file:
            # The MNS SDK takes no CA of its own; both SDKs heed this variable (docs/sdk-traps.md 5).
            os.environ["SSL_CERT_FILE"] = str(settings.ca_file)
        self._settings = settings
        self._credentials = CredentialSource(settings.credentials_file)
        self.lanes = Lanes()
        self.budget = Budget(SystemClock())
        self.regions = {
            region.id: Ecs(region.id, region.ecs_endpoint, self._credentials, settings.ca_file, self.budget)
            for region in settings.regions
        }
        self.monitors = {
            region.id: CloudMonitor(region.id, region.cms_endpoint, self._credentials, settings.ca_file, self.budget)
            for region in settings.regions
        }
        self.markets = {
            region.id: Market(
                self.regions[region.id], Vpc(region.id, region.ecs_endpoint, self._credentials, settings.ca_file)
            )
            for region in settings.regions
        }

    def queue(self, region: RegionSettings) -> Queue:
        """Open a region's queue for the thread that asks."""
        return Queue(region.mns_endpoint, region.queue, self._credentials, self._settings.policy.long_poll_s)
