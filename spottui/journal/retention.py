"""What nobody looks at any more is dropped, at the start and every day, a little at a time."""

import logging
import threading
from datetime import timedelta

from spottui.domain.clock import Clock
from spottui.journal.journal import Journal
from spottui.journal.log import drop_old
from spottui.journal.writer import Urgency

log = logging.getLogger("spottui.journal")

EVERY_S = 86_400.0
TRY_AGAIN_S = 300.0
PAUSE_S = 0.5
"""Between two batches, so that what acts on a notice never waits behind a row of them."""


class Retention(threading.Thread):
    """Drops facts and plans of recoveries that ended before `keep`, and old lines, until it is stopped."""

    def __init__(self, journal: Journal, clock: Clock, keep: timedelta) -> None:
        super().__init__(name="retention", daemon=True)
        self._journal = journal
        self._clock = clock
        self._keep = keep
        self._stopping = threading.Event()

    def run(self) -> None:
        """Drop batch by batch; when nothing is old any more, wait for the next day; when it cannot be, a little."""
        pause_s = PAUSE_S
        while not self._stopping.wait(pause_s):
            now = self._clock.now()
            try:
                dropped = self._journal.run(lambda t, now=now: drop_old(t, now, self._keep), Urgency.EYES)  # type: ignore[misc]
            except Exception:
                log.exception("what is old is not dropped; next try in %.0f s", TRY_AGAIN_S)
                pause_s = TRY_AGAIN_S
                continue
            pause_s = PAUSE_S if dropped else EVERY_S

    def stop(self) -> None:
        """End, at once where it waits."""
        self._stopping.set()
