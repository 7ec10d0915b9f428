"""The configured account: the clients of each region, queues on demand, their threads and their budget."""

import logging
import os
import threading
import time
from concurrent.futures import Future
from contextlib import suppress

from spottui.cloud.balancers import balancers
from spottui.cloud.budget import Budget
from spottui.cloud.cloudmonitor import CloudMonitor
from spottui.cloud.credentials import CredentialSource
from spottui.cloud.ecs import Ecs
from spottui.cloud.errors import CloudError
from spottui.cloud.identity import Identity, caller
from spottui.cloud.market import Market
from spottui.cloud.mns import Queue
from spottui.cloud.sdk import quiet_sdks
from spottui.cloud.thread_pools import ThreadPools
from spottui.cloud.vpc import Vpc
from spottui.domain.clock import CloudClock
from spottui.domain.settings import RegionSettings, Settings

log = logging.getLogger("spottui.cloud")

ASK_AGAIN_S = 60.0
"""After this the cloud is asked again who calls, where it did not say."""


class CloudAccount:
    """Everything that can be called, made once for a profile of the configuration.

    `clock` is set by what the cloud answers.
    """

    def __init__(self, settings: Settings, clock: CloudClock | None = None) -> None:
        quiet_sdks()
        if settings.ca_file:
            # The MNS SDK takes no CA of its own; both SDKs heed this variable (docs/sdk-traps.md 5).
            os.environ["SSL_CERT_FILE"] = str(settings.ca_file)
        self._settings = settings
        self._credentials = CredentialSource(settings.credentials_file)
        self.thread_pools = ThreadPools()
        self.clock = clock or CloudClock()
        self._asking = threading.Lock()
        self._asked = 0.0
        self._identity: Future[Identity] | None = None
        self.budget = Budget(self.clock)
        self.regions = {
            region.id: Ecs(region.id, region.ecs_endpoint, self._credentials, settings.ca_file, self.budget, self.clock)
            for region in settings.regions
        }
        self.monitors = {
            region.id: CloudMonitor(region.id, region.cms_endpoint, self._credentials, settings.ca_file, self.budget)
            for region in settings.regions
        }
        self.balancers = {
            region.id: balancers(region.id, region.ecs_endpoint, self._credentials, settings.ca_file)
            for region in settings.regions
        }
        self.markets = {
            region.id: Market(
                self.regions[region.id],
                Vpc(region.id, region.ecs_endpoint, self._credentials, settings.ca_file),
                self.balancers[region.id],
            )
            for region in settings.regions
        }

    def meet(self, within_s: float) -> None:
        """Learn the cloud's time and the account's id, in at most so many seconds: whoever starts begins with it.

        Without an answer the machine's clock holds until the first one.
        """
        with suppress(CloudError, TimeoutError):
            self._asked_who().result(within_s)

    @property
    def account_id(self) -> str:
        """The id of the account that the credentials are of; empty while the cloud has not said it."""
        asked = self._asked_who()
        return asked.result().account_id if asked.done() and not asked.exception() else ""

    def _asked_who(self) -> Future[Identity]:
        """Ask once, and again a minute after a failure."""
        with self._asking:
            failed = self._identity is not None and self._identity.done() and self._identity.exception()
            if self._identity is None or (failed and time.monotonic() - self._asked > ASK_AGAIN_S):
                self._asked = time.monotonic()
                region = self._settings.regions[0]
                self._identity = self.thread_pools.read(caller, self._settings, region, self._credentials, self.clock)
                self._identity.add_done_callback(_say_if_not_known)
            return self._identity

    def queue(self, region: RegionSettings) -> Queue:
        """Open a region's queue for the thread that asks."""
        return Queue(region.mns_endpoint, region.queue, self._credentials, self._settings.policy.long_poll_s)


def _say_if_not_known(asked: Future[Identity]) -> None:
    if error := asked.exception():
        why = error.line if isinstance(error, CloudError) else type(error).__name__
        log.warning("the account is unknown, so events of every account are accepted: %s", why)
