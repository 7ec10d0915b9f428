"""The engine: one event loop in a thread of its own, one task for each open recovery that this console drives."""

import asyncio
import itertools
import logging
import threading
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from datetime import datetime

from spottui.domain import facts as f
from spottui.domain.facts import DriverChanged, Logged
from spottui.domain.recovery import Recovery
from spottui.journal.store import JournalAway, JournalProblem
from spottui.journal.transaction import Transaction
from spottui.journal.writer import Urgency
from spottui.recovery.arrivals import arrival
from spottui.recovery.context import Fenced, RecoveryContext, Shared
from spottui.recovery.workflow import recover

log = logging.getLogger("spottui.recovery")

RETRIES_S = (1, 2, 5, 10, 30)
TEND_S = 1.0
STOP_S = 0.5
AWAY_S = 0.5
"""How often a task checks again whether an unreachable journal answers."""


class Engine:
    """Drives recoveries: those that this console opened, and those whose console has died. One per process.

    It learns everything from the log. `stop` leaves the work in progress on disk as after kill -9, and another console,
    now or later, resumes it.
    """

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._loop = asyncio.new_event_loop()
        self._driven: dict[str, tuple[RecoveryContext, asyncio.Task[None]]] = {}
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def start(self) -> None:
        """Start the thread: take over the recoveries of dead consoles, and drive them."""
        self._shared.journal.follow(self._follow)
        self._thread.start()

    def stop(self) -> None:
        """Drive nothing any more. What waits to be committed still is, if the journal takes it at once."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(2 * STOP_S)

    def wake_all(self) -> None:
        """Wake every waiting recovery, for a change that is not in the log."""
        self._loop.call_soon_threadsafe(self._wake, list(self._driven))

    def successors(self) -> int:
        """Return how many other consoles would take over this one's recoveries within seconds."""
        consoles = self._shared.journal.consoles
        return sum(console.answers for console in consoles.living() if console.id != consoles.own)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.create_task(self._tend())
        self._loop.run_forever()
        with suppress(JournalProblem, TimeoutError):
            self._shared.journal.run(lambda _: None, Urgency.EYES, STOP_S)
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))

    def _follow(self, logged: Sequence[Logged]) -> None:
        """Tell the loop which recoveries have news, all at once; runs in the writer's thread."""
        new = {entry.recovery_id for entry in logged if isinstance(entry.fact, DriverChanged)}
        woken = {entry.recovery_id for entry in logged if isinstance(entry.fact, f.WAKES)}
        armed = any(isinstance(entry.fact, f.Armed | f.Disarmed) for entry in logged)
        if new or woken or armed:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._take_news, new, woken, armed)

    def _take_news(self, new: Iterable[str], woken: Iterable[str], armed: bool) -> None:
        for recovery_id in new:
            self._drive(self._shared.journal.recoveries.known(recovery_id))
        self._wake(list(self._driven) if armed else woken)

    def _wake(self, ids: Iterable[str]) -> None:
        for recovery_id in ids:
            driven = self._driven.get(recovery_id)
            if driven:
                driven[0].wake()

    def _drive(self, recovery: Recovery | None) -> None:
        """Start to drive a recovery of this console, unless it is being driven."""
        if recovery is None or recovery.driver != self._shared.journal.consoles.own:
            return
        if recovery.state.is_final and not recovery.open_hooks:
            return
        driven = self._driven.get(recovery.recovery_id)
        if driven and driven[0].fence == recovery.fence and not driven[1].done():
            return
        ctx = RecoveryContext(self._shared, recovery.recovery_id, recovery.fence)
        self._driven[recovery.recovery_id] = ctx, self._loop.create_task(self._persist(ctx))

    async def _persist(self, ctx: RecoveryContext) -> None:
        """Run a recovery until it comes to an end.

        An exception means a bug or a broken disk: it is logged, and the recovery runs again from the top.
        """
        for failures in itertools.count():
            try:
                await recover(ctx)
            except Fenced as fenced:
                log.warning("%s; this console leaves it alone", fenced)
            except JournalAway:
                await asyncio.sleep(AWAY_S)
                continue
            except JournalProblem as problem:
                log.error("%s has stopped: %s", ctx.id, problem)
            except Exception:
                wait_s = RETRIES_S[min(failures, len(RETRIES_S) - 1)]
                log.exception("%s failed, next try in %d s", ctx.id, wait_s)
                await asyncio.sleep(wait_s)
                continue
            break
        recovery = ctx.recovery
        self._shared.protection.forget(recovery.region, recovery.instance_id)
        if self._driven.get(ctx.id, (None,))[0] is ctx:
            del self._driven[ctx.id]

    async def _tend(self) -> None:
        """Each second, take over the recoveries of consoles that died or stopped responding."""
        while True:
            if self._shared.journal.writer.is_over:
                return
            try:
                if self._orphans(self._shared.journal.recoveries.lately()):
                    now = self._shared.clock.now()
                    await arrival(
                        self._shared.journal.submit(lambda t, now=now: self._take_over(t, now), Urgency.EVIDENCE)  # type: ignore[misc]
                    )
            except JournalProblem as problem:
                log.warning("no recovery is taken over: %s", problem)
            except Exception:
                log.exception("taking over from dead consoles failed; it will be retried")
            await asyncio.sleep(TEND_S)

    def _take_over(self, transaction: Transaction, now: datetime) -> None:
        """Take over the nearest deadline first; of several consoles, the first to commit drives it."""
        own = self._shared.journal.consoles.own
        for recovery in self._orphans(transaction.lately()):
            transaction.record(recovery.recovery_id, DriverChanged(own, recovery.fence + 1), now)

    def _orphans(self, recoveries: Collection[Recovery]) -> list[Recovery]:
        """Includes ended recoveries with hooks that a dead console began: their result must be written.

        In a region that is not configured here nothing can be done: it is left to a console that has it.
        """
        consoles = self._shared.journal.consoles
        recoveries = [recovery for recovery in recoveries if recovery.region in self._shared.regions]
        waits_for = {recovery.recovery_id: _consoles_of(recovery) for recovery in recoveries}
        dead = {console for console in set().union(*waits_for.values()) if not consoles.is_alive(console)}
        orphans = (recovery for recovery in recoveries if not dead.isdisjoint(waits_for[recovery.recovery_id]))
        return sorted(orphans, key=lambda recovery: recovery.deadline)


def _consoles_of(recovery: Recovery) -> set[str]:
    """Return the consoles on which a recovery depends."""
    return {hook.console for hook in recovery.open_hooks} if recovery.state.is_final else {recovery.driver}
