"""Retention: outdated rows are dropped in small batches, at the start, every day and during a flood of messages."""

import logging
import threading
from collections.abc import Sequence
from datetime import timedelta

from spottui.domain.clock import Clock
from spottui.domain.facts import Logged
from spottui.journal.journal import Journal
from spottui.journal.log import DROPPED_AT_ONCE, FLOODS, drop_old
from spottui.journal.writer import Urgency

log = logging.getLogger("spottui.journal")

EVERY_S = 86_400.0
TRY_AGAIN_S = 300.0
PAUSE_S = 0.5
"""Pause between two batches, so that a notice never waits behind several of them."""


class Retention(threading.Thread):
    """Drops facts and plans of recoveries that ended before `keep`, and old lines, until it is stopped."""

    def __init__(self, journal: Journal, clock: Clock, keep: timedelta) -> None:
        super().__init__(name="retention", daemon=True)
        self._journal = journal
        self._clock = clock
        self._keep = keep
        self._due = threading.Event()
        self._is_stopping = False
        self._heard = 0
        journal.follow(self._count)

    def run(self) -> None:
        """Drop batch by batch until nothing is outdated, then wait for the next day or for a flood of messages.

        A batch that the journal does not accept is retried a little later.
        """
        pause_s = PAUSE_S
        while not self._is_stopping:
            self._due.wait(pause_s)
            if self._is_stopping:
                return
            self._due.clear()
            now = self._clock.now()
            try:
                dropped = self._journal.run(lambda t, now=now: drop_old(t, now, self._keep), Urgency.EYES)  # type: ignore[misc]
            except Exception:
                log.exception("old facts could not be dropped; next try in %.0f s", TRY_AGAIN_S)
                pause_s = TRY_AGAIN_S
                continue
            pause_s = PAUSE_S if dropped else EVERY_S

    def stop(self) -> None:
        """End, at once if it is waiting."""
        self._is_stopping = True
        self._due.set()

    def _count(self, logged: Sequence[Logged]) -> None:
        self._heard += sum(isinstance(entry.fact, FLOODS) for entry in logged)
        if self._heard >= DROPPED_AT_ONCE:
            self._heard = 0
            self._due.set()
