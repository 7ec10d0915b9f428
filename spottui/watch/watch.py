"""All sources of all regions, each in its own thread."""

from collections.abc import Callable
from functools import partial

from spottui.cloud.account import CloudAccount
from spottui.domain.clock import Clock
from spottui.domain.instance import Instance
from spottui.domain.interruption import Evidence, Interruption
from spottui.domain.settings import RegionSettings, Settings
from spottui.journal import Journal
from spottui.watch.feed import QueueFeed
from spottui.watch.fleet import FleetSweep
from spottui.watch.health import Health
from spottui.watch.intake import Intake
from spottui.watch.locks import LockPoll
from spottui.watch.loop import Loop

QUEUE, LOCK, SWEEP = "queue", "lock", "sweep"


class Watch:
    """Starts and stops the queue feed, the lock poll and the fleet sweep of every configured region.

    `on_seen` is told of the interruption of every observation after its commit, in the thread of the source. A
    read-only watch takes nothing in: it reads no queue, whose messages belong to the console that acts.
    """

    def __init__(
        self,
        account: CloudAccount,
        settings: Settings,
        journal: Journal,
        clock: Clock,
        on_seen: Callable[[Interruption], None],
        *,
        read_only: bool,
    ) -> None:
        self._account = account
        self._settings = settings
        self._clock = clock
        self._on_seen = on_seen
        self._read_only = read_only
        self.health = Health(journal, clock)
        regions = [region.id for region in settings.regions]
        self.intake = Intake(journal, clock, regions, self._name_of, self._seen)
        self._fleets = {
            region: FleetSweep(account.regions[region], journal, clock, self.intake.seen_unlocked) for region in regions
        }
        self._feeds: list[QueueFeed] = []
        self._lock_loops: dict[str, Loop] = {}
        self._loops: list[Loop] = []
        for region in settings.regions:
            self._add_region(region)

    @property
    def instances(self) -> tuple[Instance, ...]:
        """The instances of all regions as they were last seen."""
        return tuple(instance for fleet in self._fleets.values() for instance in fleet.instances)

    def start(self) -> None:
        """Start every source."""
        for loop in self._loops:
            loop.start()

    def stop(self) -> None:
        """Stop every source, long polls included, and wait a moment for their threads."""
        for loop in self._loops:
            loop.stop()
        for feed in self._feeds:
            feed.stop()
        for loop in self._loops:
            loop.join(timeout=1.0)

    def _add_region(self, region: RegionSettings) -> None:
        policy, fleet = self._settings.policy, self._fleets[region.id]
        if not self._read_only:
            feed = QueueFeed(region.id, partial(self._account.queue, region), self.intake)
            self._feeds.append(feed)
            # A feed that answers is asked again at once: the long poll is its pause.
            self._add(QUEUE, region.id, policy.long_poll_s, 0.0, feed.look)
        locks = LockPoll(self._account.regions[region.id], fleet, None if self._read_only else self.intake)
        self._lock_loops[region.id] = self._add(LOCK, region.id, policy.lock_poll_s, policy.lock_poll_s, locks.look)
        self._add(SWEEP, region.id, policy.sweep_s, policy.sweep_s, fleet.look)

    def _add(self, source: str, region: str, expected_s: float, pause_s: float, look: Callable[[], None]) -> Loop:
        self.health.add(source, region, expected_s)
        loop = Loop(source, region, pause_s, look, self.health, self._clock)
        self._loops.append(loop)
        return loop

    def _seen(self, interruption: Interruption) -> None:
        """A notice without its lock: look for the lock now, not at the next poll."""
        self._on_seen(interruption)
        if Evidence.LOCK not in interruption.evidence:
            self._lock_loops[interruption.region].nudge()

    def _name_of(self, region: str, instance_id: str) -> str:
        return self._fleets[region].name_of(instance_id)
