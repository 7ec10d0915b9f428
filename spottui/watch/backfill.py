"""CloudMonitor's history, read for what the queue may have missed: at start, while it is down, and after."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from spottui.cloud.cloudmonitor import CloudMonitor
from spottui.cloud.messages import Reclaim, Released
from spottui.domain.clock import Clock
from spottui.journal import Journal
from spottui.watch.intake import Intake

BACKFILL_S = 30.0
"""How often the history is read while there is a gap."""
FIRST_WINDOW = timedelta(minutes=15)
"""How far back to read if the journal has never seen the queue answer."""
LONGEST_WINDOW = timedelta(hours=1)
OVERLAP = timedelta(minutes=1)
"""An event can be older than the time at which the queue would have delivered it."""
SETTLED = timedelta(minutes=1)
"""The history is late, too: a gap is closed when the queue has answered for this long."""
KEPT_EVERY = timedelta(minutes=1)
"""How old the time in the journal may be: a restart reads at most this much more than it needs."""


class Gap:
    """The time since which a region's queue may have missed events; open at start. Thread-safe.

    `on_turn` is called when the queue stops answering and when it answers again. `silence` is how long an answer may
    take.
    """

    def __init__(
        self, region: str, journal: Journal, clock: Clock, silence: timedelta, on_turn: Callable[[], None]
    ) -> None:
        self._name = f"queue {region}"
        self._journal = journal
        self._clock = clock
        self._silence = silence
        self._on_turn = on_turn
        self._lock = threading.Lock()
        self._kept = journal.watermarks.get(self._name)
        self._since: datetime | None = self._kept or clock.now() - FIRST_WINDOW
        self._answers_since: datetime | None = None
        self._answered: datetime | None = None

    @property
    def since(self) -> datetime | None:
        """When the gap began, never more than an hour ago; None when there is none."""
        with self._lock:
            return None if self._since is None else max(self._since, self._clock.now() - LONGEST_WINDOW)

    def answered(self) -> None:
        """Note that the queue answered: it has delivered everything until now."""
        now = self._clock.now()
        with self._lock:
            if self._answered and now - self._answered > self._silence:
                self._open()
            turned = self._answers_since is None
            self._answers_since = self._answers_since or now
            self._answered = now
        if turned:
            self._on_turn()
        elif self.since is None and (self._kept is None or now - self._kept >= KEPT_EVERY):
            self._keep(now)

    def failed(self) -> None:
        """Note that the queue did not answer."""
        with self._lock:
            turned = self._answers_since is not None
            self._open()
        if turned:
            self._on_turn()

    def asked(self, until: datetime) -> bool:
        """Note that the history was read up to a time; return whether that closes the gap."""
        with self._lock:
            if self._answers_since is None or until - self._answers_since < SETTLED:
                return False
            self._since = None
        self._keep(until)
        return True

    def _open(self) -> None:
        self._since = self._since or self._answered
        self._answers_since = None

    def _keep(self, at: datetime) -> None:
        self._kept = at
        self._journal.watermarks.set(self._name, at)


class Backfill:
    """Reads a region's history while there is a gap, and takes in new events."""

    def __init__(self, monitor: CloudMonitor, gap: Gap, intake: Intake, clock: Clock) -> None:
        self._monitor = monitor
        self._gap = gap
        self._intake = intake
        self._clock = clock
        self._told: set[Reclaim | Released] = set()

    def poll(self) -> None:
        """Read once, if there is a gap; raises `CloudError`."""
        since = self._gap.since
        if since is None:
            return
        now = self._clock.now()
        past = self._monitor.history(since - OVERLAP, now)
        new = list(dict.fromkeys(event for event in past if event not in self._told))
        if new:
            self._intake.history(self._monitor.region, new)
        self._told.update(new)
        if self._gap.asked(now):
            self._told.clear()
