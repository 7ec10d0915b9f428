"""All sources of all regions, each in its own thread."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

from spottui.cloud.accounts import CloudAccounts
from spottui.domain.clock import Clock
from spottui.domain.instance import Instance
from spottui.domain.interruption import Interruption
from spottui.domain.recovery import Recovery
from spottui.domain.settings import RegionSettings, Settings
from spottui.domain.view import STALE_AFTER_INTERVALS
from spottui.journal import Journal
from spottui.watch.backfill import BACKFILL_S, Backfill, Gap
from spottui.watch.fleet import FleetSweep
from spottui.watch.health import Health
from spottui.watch.intake import Intake, Protect
from spottui.watch.locks import LockPoll
from spottui.watch.loop import Loop
from spottui.watch.queue_consumer import QueueConsumer
from spottui.watch.strangers import Strangers

QUEUE, LOCK, SWEEP, BACKFILL = "queue", "lock", "sweep", "backfill"


class Watch:
    """Starts and stops queue consumer, lock poll, fleet sweep and back-fill of every configured region.

    `protect` protects the disks of reclaimed instances before anything is written. A read-only watch takes nothing in
    and reads no queue: the messages belong to the console that acts.
    """

    def __init__(
        self,
        accounts: CloudAccounts,
        settings: Settings,
        journal: Journal,
        clock: Clock,
        protect: Protect,
        *,
        read_only: bool,
    ) -> None:
        self._accounts = accounts
        self._settings = settings
        self._journal = journal
        self._clock = clock
        self._read_only = read_only
        self.health = Health(journal, clock)
        regions = settings.region_keys
        self._strangers = Strangers(accounts.regions, accounts.thread_pools)
        self.intake = Intake(
            journal, clock, regions, self._name_of, protect, self._seen, self._strangers, account_id=accounts.account_id
        )
        self._fleets: dict[str, FleetSweep] = {
            region: FleetSweep(
                accounts.regions[region], journal, clock, self._seen_by_sweep, partial(self.health.seen, SWEEP)
            )
            for region in regions
        }
        self._feeds: list[QueueConsumer] = []
        self._locks: dict[str, LockPoll] = {}
        self._lock_loops: dict[str, Loop] = {}
        self._loops: list[Loop] = []
        for region in settings.regions:
            self._add_region(region)

    @property
    def instances(self) -> tuple[Instance, ...]:
        """The instances of all regions as they were last seen."""
        return tuple(instance for fleet in self._fleets.values() for instance in fleet.instances)

    @property
    def is_live(self) -> bool:
        """Whether every source still polls; one that gets errors does."""
        return all(loop.is_live for loop in self._loops)

    @property
    def unswept(self) -> tuple[str, ...]:
        """The regions whose instances are still those of an earlier run."""
        return tuple(region for region, fleet in self._fleets.items() if fleet.is_of_an_earlier_run)

    @property
    def locks(self) -> tuple[Interruption, ...]:
        """The reclaims that only this watch knows, because a read-only one takes no lock in."""
        return tuple(reclaim for poll in self._locks.values() for reclaim in poll.reclaims)

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

    def look_now(self) -> None:
        """Let every source poll at once; a throttled one still waits."""
        for loop in self._loops:
            loop.nudge()

    def add(
        self,
        source: str,
        region: str,
        expected_s: float,
        poll: Callable[[], None],
        *,
        pause_s: float | None = None,
        is_urgent: Callable[[], bool] = lambda: False,
    ) -> Loop:
        """Add a source of a region before the start: `look` is called every so many seconds, and has a health."""
        self.health.add(source, region, expected_s)
        interval_s = expected_s if pause_s is None else pause_s
        loop = Loop(source, region, interval_s, poll, self.health, self._clock, is_urgent)
        self._loops.append(loop)
        return loop

    def _add_region(self, region: RegionSettings) -> None:
        policy, key = self._settings.policy, region.key
        fleet = self._fleets[key]
        if not self._read_only:
            self._add_queue(region)
        locks = LockPoll(self._accounts.regions[key], fleet, None if self._read_only else self.intake, self._clock)
        self._locks[key] = locks
        self._lock_loops[key] = self.add(
            LOCK, key, policy.lock_poll_s, partial(self._look_at_locks, key), is_urgent=partial(self._awaits_lock, key)
        )
        self.add(SWEEP, key, policy.sweep_s, fleet.poll)

    def _add_queue(self, region: RegionSettings) -> None:
        """Add the queue, and the history for what the queue may miss."""
        long_poll_s, key = self._settings.policy.long_poll_s, region.key
        silence = timedelta(seconds=STALE_AFTER_INTERVALS * long_poll_s)
        gap = Gap(key, self._journal, self._clock, silence, on_turn=lambda: history.nudge())
        backfill = Backfill(self._accounts.monitors[key], gap, self.intake, self._clock)
        history = self.add(BACKFILL, key, BACKFILL_S, backfill.poll)
        feed = QueueConsumer(key, partial(self._accounts.queue, region), self.intake, gap)
        self._feeds.append(feed)
        # The queue is polled again at once after an answer: the long poll is the pause.
        self.add(QUEUE, key, long_poll_s, feed.poll, pause_s=0.0)

    def _look_at_locks(self, region: str) -> None:
        """Poll the locks; then look up unknown instances of messages in another thread."""
        try:
            self._locks[region].poll()
        finally:
            self._strangers.poll(region)

    def _awaits_lock(self, region: str) -> bool:
        """Whether a recovery waits for its lock, or for a confirmation that needs the lock."""
        waiting = self._journal.recoveries.lately()
        return any(recovery.state.waits_for_permission and recovery.region == region for recovery in waiting)

    def _seen_by_sweep(self, region: str, instances: Sequence[Instance]) -> None:
        self.intake.seen_unlocked(region, self._locks[region].unlocked(instances))

    def _seen(self, recovery: Recovery) -> None:
        """After a notice without a lock: look for the lock now, not at the next poll."""
        if not recovery.interruption.locked:
            self._lock_loops[recovery.region].nudge()

    def _name_of(self, region: str, instance_id: str) -> str:
        return self._fleets[region].name_of(instance_id)
