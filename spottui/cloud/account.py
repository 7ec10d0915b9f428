"""One configured account: the clients of each of its regions, queues on demand, its budget, and who calls."""

import logging
import threading
import time
from concurrent.futures import Future
from contextlib import suppress

import msgspec

from spottui.cloud.balancers import Balancers, balancers
from spottui.cloud.budget import Budget
from spottui.cloud.cloudmonitor import CloudMonitor
from spottui.cloud.credentials import CredentialSource
from spottui.cloud.ecs import Ecs
from spottui.cloud.errors import CloudError
from spottui.cloud.market import Market
from spottui.cloud.mns import Queue
from spottui.cloud.private_zone import PrivateZone
from spottui.cloud.region_tools import credentials_of, pace_of
from spottui.cloud.rpc import STS, Rpc, service_endpoint
from spottui.cloud.thread_pools import ThreadPools
from spottui.cloud.vswitches import Vpc
from spottui.domain.clock import CloudClock
from spottui.domain.settings import RegionSettings, Settings

log = logging.getLogger("spottui.cloud")

ASK_AGAIN_S = 60.0
"""How long after a failure the cloud is asked again for the caller's identity."""


class Identity(msgspec.Struct, frozen=True):
    """The account, and who in it, as `acs:ram::ACCOUNT:user/NAME` or `…:assumed-role/ROLE/SESSION`."""

    account_id: str
    arn: str


class CloudAccount:
    """The clients of one account, `name`, of a profile of the configuration, by region key.

    `clock` is set by the cloud's answers.
    """

    def __init__(
        self,
        settings: Settings,
        clock: CloudClock | None = None,
        name: str = "",
        thread_pools: ThreadPools | None = None,
    ) -> None:
        self._settings = settings
        self._name = name
        self.clock = clock or CloudClock()
        self._credentials = credentials_of(settings, self.clock)[name]
        self.thread_pools = thread_pools or ThreadPools()
        self._asking = threading.Lock()
        self._asked = 0.0
        self._identity: Future[Identity] | None = None
        self.budget = Budget(self.clock, usual=pace_of(settings, name))
        self._regions = [region for region in settings.regions if region.account == name]
        ca_file = settings.ca_file
        self.regions: dict[str, Ecs] = {
            region.key: Ecs(region.key, region.ecs_endpoint, self._credentials, ca_file, self.budget, self.clock)
            for region in self._regions
        }
        self.monitors: dict[str, CloudMonitor] = {
            region.key: CloudMonitor(region.key, region.cms_endpoint, self._credentials, ca_file, self.budget)
            for region in self._regions
        }
        self.balancers: dict[str, Balancers] = {
            region.key: balancers(region.id, region.ecs_endpoint, self._credentials, ca_file)
            for region in self._regions
        }
        self.private_zones: dict[str, PrivateZone] = {
            region.key: PrivateZone(region.id, region.ecs_endpoint, self._credentials, ca_file)
            for region in self._regions
        }
        self.markets: dict[str, Market] = {
            region.key: Market(
                self.regions[region.key],
                Vpc(region.id, region.ecs_endpoint, self._credentials, ca_file),
                self.balancers[region.key],
                self.private_zones[region.key],
            )
            for region in self._regions
        }

    def begin_to_ask(self) -> None:
        """Ask the cloud for the account's id unless that was done before; does not wait for the answer."""
        self._asked_who()

    def meet(self, within_s: float) -> None:
        """Learn the cloud's time and the account's id within so many seconds; called first at the start.

        Without an answer the machine's clock holds until the first one.
        """
        with suppress(CloudError, TimeoutError):
            self._asked_who().result(within_s)

    @property
    def account_id(self) -> str:
        """The id of the account that the credentials belong to; empty until the cloud has answered."""
        asked = self._asked_who()
        return asked.result().account_id if asked.done() and not asked.exception() else ""

    def _asked_who(self) -> Future[Identity]:
        """Ask once, and again a minute after a failure."""
        with self._asking:
            failed = self._identity is not None and self._identity.done() and self._identity.exception()
            if self._identity is None or (failed and time.monotonic() - self._asked > ASK_AGAIN_S):
                self._asked = time.monotonic()
                self._identity = self.thread_pools.read(
                    caller, self._settings, self._regions[0], self._credentials, self.clock
                )
                self._identity.add_done_callback(self._log_unknown_id)
            return self._identity

    def queue(self, region: RegionSettings) -> Queue:
        """Open a region's queue for the thread that asks."""
        return Queue(region.mns_endpoint, region.queue, self._credentials, self._settings.policy.long_poll_s)

    def _log_unknown_id(self, asked: Future[Identity]) -> None:
        if error := asked.exception():
            why = error.line if isinstance(error, CloudError) else type(error).__name__
            which = f"account {self._name}" if self._name else "the account"
            log.warning("the id of %s is unknown, so events of every account are accepted: %s", which, why)


def caller(
    settings: Settings, region: RegionSettings, credentials: CredentialSource, clock: CloudClock | None = None
) -> Identity:
    """Return the identity of our calls; STS (2015-04-01) needs no permission for that. Raises `CloudError`."""
    endpoint = service_endpoint("sts", region.id, region.ecs_endpoint)
    body = Rpc(STS, region.id, endpoint, credentials, settings.ca_file, clock).call("GetCallerIdentity", {})
    return Identity(str(body.get("AccountId", "")), str(body.get("Arn", "")))
