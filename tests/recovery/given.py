"""The engine's rooms put together over a simulated cloud, as `cli.rooms` does for a console."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from spottui.cli.records import recovery_record
from spottui.cloud.account import CloudAccount
from spottui.domain.clock import SystemClock
from spottui.domain.interruption import Evidence, Observation
from spottui.domain.settings import Settings
from spottui.journal import Journal
from spottui.recovery.auto_mode import AutoModeControl
from spottui.recovery.context import Shared
from spottui.recovery.polls import Polls
from spottui.recovery.protect import DiskProtection
from spottui.recovery.survey import Surveys
from tests.journal.given import confirm, observe

CLOCK = SystemClock()


def rooms(journal: Journal, account: CloudAccount, settings: Settings) -> Shared:
    return Shared(
        journal=journal,
        regions=account.regions,
        thread_pools=account.thread_pools,
        clock=CLOCK,
        settings=settings,
        auto_mode=AutoModeControl(journal, settings, CLOCK),
        polls=Polls(account.regions, account.thread_pools),
        protection=DiskProtection(journal, account.regions, CLOCK),
        surveys=Surveys(account.markets, account.thread_pools, journal, CLOCK, settings),
        balancers=account.balancers,
        private_zones=account.private_zones,
        incident=recovery_record,
    )


@contextmanager
def console(path: Path, account: CloudAccount, settings: Settings) -> Iterator[Shared]:
    """A console that may act on a journal."""
    with Journal(path, acts=True) as journal:
        yield rooms(journal, account, settings)


def begin(shared: Shared, instance_id: str, notice_s: float = 3) -> str:
    """Confirm a recovery of an instance that is taken back in so many seconds; an engine of `shared` drives it."""
    now = CLOCK.now()
    seen = Observation("cn-hangzhou", instance_id, Evidence.LOCK, now, release_at=now + timedelta(seconds=notice_s))
    (recovery_id,) = observe(shared.journal, seen, now=now)
    confirm(shared.journal, recovery_id, now)
    return recovery_id
