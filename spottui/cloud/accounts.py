"""All configured accounts as one cloud: calls in a region use the credentials of its account."""

import time

from spottui.cloud.account import CloudAccount
from spottui.cloud.balancers import Balancers
from spottui.cloud.cloudmonitor import CloudMonitor
from spottui.cloud.ecs import Ecs
from spottui.cloud.market import Market
from spottui.cloud.mns import Queue
from spottui.cloud.private_zone import PrivateZone
from spottui.cloud.thread_pools import ThreadPools
from spottui.domain.clock import CloudClock
from spottui.domain.region_key import account_of
from spottui.domain.settings import RegionSettings, Settings
from spottui.domain.view import ApiBudget


class CloudAccounts:
    """The clients of every region of every account, by region key; only the threads are shared."""

    def __init__(self, settings: Settings, clock: CloudClock) -> None:
        self.thread_pools = ThreadPools()
        self._accounts = {
            name: CloudAccount(settings, clock, name, self.thread_pools) for name in settings.account_names
        }
        every = self._accounts.values()
        self.regions: dict[str, Ecs] = {
            key: ecs for cloud_account in every for key, ecs in cloud_account.regions.items()
        }
        self.monitors: dict[str, CloudMonitor] = {
            key: monitor for cloud_account in every for key, monitor in cloud_account.monitors.items()
        }
        self.balancers: dict[str, Balancers] = {
            key: balancers for cloud_account in every for key, balancers in cloud_account.balancers.items()
        }
        self.private_zones: dict[str, PrivateZone] = {
            key: zones for cloud_account in every for key, zones in cloud_account.private_zones.items()
        }
        self.markets: dict[str, Market] = {
            key: market for cloud_account in every for key, market in cloud_account.markets.items()
        }

    def meet(self, within_s: float) -> None:
        """Learn the cloud's time and the id of each account, in at most so many seconds for all of them."""
        until = time.monotonic() + within_s
        for account in self._accounts.values():
            account.begin_to_ask()
        for account in self._accounts.values():
            account.meet(max(0.0, until - time.monotonic()))

    def account_id(self, region: str) -> str:
        """Return the id of a region's account; empty until the cloud has answered."""
        return self._accounts[account_of(region)].account_id

    def queue(self, region: RegionSettings) -> Queue:
        """Open a region's queue for the thread that asks."""
        return self._accounts[region.account].queue(region)

    def budgets(self) -> tuple[ApiBudget, ...]:
        """Return the APIs of all accounts that are closed, slower than usual or waited for."""
        return tuple(budget for account in self._accounts.values() for budget in account.budget.state())
