"""The health of each source of each region, for the header and the log."""

import logging
import threading
from datetime import datetime, timedelta

from msgspec.structs import replace

from spottui.cloud.errors import CloudError, ErrorKind
from spottui.domain.clock import Clock
from spottui.domain.facts import Fact, SourceAnswers, SourceFailed
from spottui.domain.reasons import Failure
from spottui.domain.view import SourceHealth
from spottui.journal import Journal
from spottui.journal.writer import Urgency

log = logging.getLogger("spottui.watch")

LONGEST_RETRY_S = 5.0


class Health:
    """The sources' latest answers. Thread-safe; a change between good and bad is one line of the feed and the log."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._lock = threading.Lock()
        self._sources: dict[tuple[str, str], SourceHealth] = {}

    def add(self, name: str, region: str, interval_s: float) -> None:
        """Make a source known before its first answer."""
        self._sources[name, region] = SourceHealth(name, region, interval_s)

    def all(self) -> tuple[SourceHealth, ...]:
        """Return the health of every source."""
        with self._lock:
            return tuple(self._sources.values())

    def good(self, name: str, region: str) -> None:
        """Note an answer."""
        was = self._set(name, region, last_ok=self._clock.now(), failure=None, next_try=None)
        if was.failure:
            log.warning("%s of %s answers again", name, region)
            self._log_fact(region, SourceAnswers(name))

    def seen(self, name: str, region: str) -> None:
        """Note an answer of a source that has not finished its look: whether that is good is said at its end."""
        self._set(name, region, last_ok=self._clock.now())

    def bad(self, name: str, region: str, error: CloudError, retry_in_s: float) -> None:
        """Note a failed try and when the next one is."""
        next_try = self._clock.now() + timedelta(seconds=retry_in_s)
        kind = error.kind
        failure = Failure(error.action, error.code, kind.value, error.message, error.request_id, kind.effect_unknown)
        was = self._set(name, region, failure=failure, next_try=next_try)
        if was.failure is None or replace(was.failure, request_id="") != replace(failure, request_id=""):
            log.warning("%s of %s fails: %s", name, region, error.line)
            self._log_fact(region, SourceFailed(name, failure))

    def _set(self, name: str, region: str, **changes: datetime | Failure | None) -> SourceHealth:
        with self._lock:
            was = self._sources[name, region]
            self._sources[name, region] = replace(was, **changes)
        self._journal.announce()
        return was

    def _log_fact(self, region: str, fact: Fact) -> None:
        """The feed is for people: a source does not wait for the journal."""
        now = self._clock.now()
        self._journal.submit(lambda transaction: transaction.log(fact, now, region), Urgency.EYES)


def retry_after_s(error: CloudError, failures: int, interval_s: float, now: datetime, *, urgent: bool = False) -> float:
    """Return the seconds until the next try: the next minute if throttled, else doubled each time.

    At most five seconds or the source's own interval, because a notice gives only five minutes; at most the interval
    while something urgent waits for the answer.
    """
    if error.kind is ErrorKind.THROTTLED:
        return error.retry_after_s or 60.0 - now.second
    if urgent:
        return interval_s
    return float(min(max(interval_s, 1.0) * 2 ** min(failures - 1, 5), max(interval_s, LONGEST_RETRY_S)))
