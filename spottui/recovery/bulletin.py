"""What recoveries show while they wait, committed together: in a storm one commit for all, not one for each."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from spottui.domain.audit import Entry
from spottui.domain.clock import Clock
from spottui.domain.recovery import Recovery
from spottui.journal import Journal

log = logging.getLogger("spottui.recovery")

TOGETHER_S = 0.25


class Bulletin:
    """Progress and forecasts, for the eyes only: what is posted may be lost, and comes again with the next look.

    Lives in one event loop.
    """

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._posted: dict[str, Callable[[Recovery], Recovery]] = {}
        self._task: asyncio.Task[None] | None = None

    def post(self, recovery_id: str, show: Callable[[Recovery], Recovery]) -> None:
        """Show this of a recovery a moment later, unless something newer of it is posted meanwhile."""
        self._posted[recovery_id] = show
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._commit())

    async def _commit(self) -> None:
        while self._posted:
            await asyncio.sleep(TOGETHER_S)
            posted, self._posted = self._posted, {}
            try:
                await asyncio.to_thread(self._write, posted, self._clock.now())
            except Exception:
                log.exception("what %d recoveries show was not written; it comes again", len(posted))

    def _write(self, posted: dict[str, Callable[[Recovery], Recovery]], now: datetime) -> None:
        nothing: Entry | None = None
        self._journal.recoveries.change_all(now, {key: (show, nothing) for key, show in posted.items()})
