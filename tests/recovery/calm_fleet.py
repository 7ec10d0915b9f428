"""Calm time: instances of a simulated cloud that are kept ready, by any number of consoles, round after round."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from spottui.cloud.account import CloudAccount
from spottui.cloud.errors import CloudError
from spottui.config import load
from spottui.domain.ready import READY_TAG, KeptReady, kept_ready
from spottui.domain.settings import ReadySettings, Settings
from spottui.journal import Journal
from spottui.journal.fleet import Captured
from spottui.recovery.readiness import spot_fleet
from spottui.recovery.ready import Ready
from spottui.sim.testing import SimServer
from tests.driving import effects

REGION = "cn-hangzhou"
START = datetime(2026, 11, 28, tzinfo=UTC)
PRICE = 0.12


class SteppedClock:
    """A clock that a test moves, together with that of the cloud."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at


@dataclass
class Calm:
    """A cloud whose time goes on when a test says so, and the fleet of it as a sweep has left it in a journal."""

    cloud: SimServer
    account: CloudAccount
    settings: Settings
    journal: Journal
    clock: SteppedClock

    def console(self) -> Ready:
        """A console that has just been started: it remembers nothing."""
        return Ready(self.account.regions[REGION], self.journal, self.settings, self.clock, lambda: ())

    def sweep(self) -> None:
        specs = spot_fleet(self.account.regions[REGION])
        self.journal.fleet.load(REGION)
        captured = {spec.instance.instance_id: Captured(spec, self.clock.at, self.clock.at) for spec in specs}
        self.journal.fleet.put(REGION, captured.values())
        self.journal.fleet.keep_only(REGION, captured)

    def kept(self) -> tuple[KeptReady, ...]:
        return kept_ready(self.settings, [one.spec for one in self.journal.fleet.of(REGION).values()])

    def rounds(self, *consoles: Ready, minutes: float, every: float = 1.0) -> list[CloudError]:
        """Let time pass, and each console look `every` so many minutes; return what they raised."""
        raised = []
        for _ in range(round(minutes / every)):
            self.cloud.advance(every * 60)
            self.clock.at += timedelta(minutes=every)
            for console in consoles:
                try:
                    console.poll()
                except CloudError as error:
                    raised.append(error)
        return raised

    def there(self, kind: str, instance_id: str = "") -> list[dict[str, Any]]:
        """Return the images, snapshots or snapshot groups that were made ready and are still there, oldest first."""
        of = (instance_id,) if instance_id else self.ids
        return [row for row in self.cloud.state()[kind] if row["Tags"].get(READY_TAG) in of]

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(one.spec.instance.instance_id for one in self.kept())

    def made(self, action: str) -> list[str]:
        return effects(self.cloud, action)


@contextmanager
def calm(directory: Path, ready: ReadySettings, instances: int = 4) -> Iterator[Calm]:
    """A fleet of which every spot instance matches `ready`."""
    config = directory / "c.toml"
    with SimServer(config=config, speed=0, instances=instances, start_at=START.timestamp()) as cloud:
        settings = replace(load(config), ready=(ready,), storage_price={"snapshot": PRICE})
        with Journal(directory / "journal.db") as journal:
            site = Calm(cloud, CloudAccount(settings), settings, journal, SteppedClock())
            site.sweep()
            yield site
