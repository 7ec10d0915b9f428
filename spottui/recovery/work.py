"""What every step of a recovery works with."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from spottui.cloud.ecs import Ecs
from spottui.cloud.lanes import Lanes
from spottui.domain.clock import Clock
from spottui.domain.plan import Route
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.settings import Settings
from spottui.journal import Journal
from spottui.recovery.bulletin import Bulletin
from spottui.recovery.guard import Guard
from spottui.recovery.polls import Polls
from spottui.recovery.protect import LifeRafts
from spottui.recovery.survey import Surveys


@dataclass(frozen=True, slots=True)
class Ended:
    """How a recovery, or one of its steps, ended: a final state and the reason for people.

    One that `leaves` ends its route only, and the plan's next one is taken but for those that it `bars`; `again` says
    that the route may try the same once more.
    """

    state: RecoveryState
    reason: str
    leaves: bool = False
    again: bool = False
    bars: tuple[Route, ...] = ()


class Signals:
    """Wakes the workflow of a recovery when something was said or seen about it, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, tuple[asyncio.AbstractEventLoop, asyncio.Event]] = {}

    def wake(self, recovery_id: str) -> None:
        """Wake the workflow if it waits in this process; another process finds out by its own look at the journal."""
        with self._lock:
            waiting = self._waiting.get(recovery_id)
        if waiting:
            loop, event = waiting
            loop.call_soon_threadsafe(event.set)

    def wake_all(self) -> None:
        """Wake every workflow that waits in this process."""
        with self._lock:
            ids = list(self._waiting)
        for recovery_id in ids:
            self.wake(recovery_id)

    def expect(self, recovery_id: str) -> None:
        """Begin to keep wakes for the workflow that runs here: one that comes before the first wait is not lost."""
        self._event(recovery_id)

    async def wait(self, recovery_id: str, timeout_s: float) -> bool:
        """Wait to be woken, at most `timeout_s` seconds, and say whether one was; one since the last wait counts."""
        event = self._event(recovery_id)
        try:
            async with asyncio.timeout(timeout_s):
                await event.wait()
        except TimeoutError:
            return False
        event.clear()
        return True

    def forget(self, recovery_id: str) -> None:
        """Drop what is kept for a recovery that is over."""
        with self._lock:
            self._waiting.pop(recovery_id, None)

    def _event(self, recovery_id: str) -> asyncio.Event:
        loop = asyncio.get_running_loop()
        with self._lock:
            known = self._waiting.get(recovery_id)
            if known is None or known[0] is not loop:
                known = self._waiting[recovery_id] = (loop, asyncio.Event())
            return known[1]


class Looks:
    """The looks for places that are under way, one for each recovery, shared by whoever waits for one.

    Lives in one event loop.
    """

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def begin(self, recovery_id: str, look: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.Task[None]:
        """Begin to look unless somebody does; the task ends when the plan has its places, or none could be found."""
        known = self._tasks.get(recovery_id)
        if known is None or known.done():
            known = self._tasks[recovery_id] = asyncio.get_running_loop().create_task(look())
            known.add_done_callback(lambda _: self._tasks.pop(recovery_id, None))
        return known


@dataclass(frozen=True, slots=True)
class Work:
    """The rooms that a step may reach: the journal, the cloud, the clock, the guard, and whom to wake."""

    journal: Journal
    regions: dict[str, Ecs]
    lanes: Lanes
    clock: Clock
    settings: Settings
    guard: Guard
    polls: Polls
    signals: Signals
    life_rafts: LifeRafts
    surveys: Surveys
    bulletin: Bulletin
    looks: Looks = field(default_factory=Looks)

    def recovery(self, recovery_id: str) -> Recovery:
        """Return a recovery that is known to exist."""
        found = self.journal.recoveries.get(recovery_id)
        if found is None:
            raise LookupError(f"no recovery {recovery_id} in the journal")
        return found

    def recovery_lately(self, recovery_id: str) -> Recovery:
        """Return a recovery as it was a moment ago, for those who look again and again."""
        return self.journal.recoveries.lately(recovery_id) or self.recovery(recovery_id)

    def ecs(self, recovery: Recovery) -> Ecs:
        """Return the ECS client of a recovery's region."""
        return self.regions[recovery.region]

    def now(self) -> datetime:
        """Return the time."""
        return self.clock.now()
