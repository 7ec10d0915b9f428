"""How fresh each source of each region is, for the header and the log."""

import logging
import re
import threading
from dataclasses import replace
from datetime import datetime, timedelta

from spottui.cloud.errors import CloudError, ErrorKind
from spottui.domain.clock import Clock
from spottui.domain.feed import EventKind, Line
from spottui.domain.view import SourceHealth
from spottui.journal import Journal

log = logging.getLogger("spottui.watch")

LONGEST_RETRY_S = 5.0
_REQUEST_ID = re.compile(r" \[RequestId [^]]*\]")


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
        was = self._set(name, region, last_ok=self._clock.now(), error="", next_try=None)
        if was.error:
            self._tell(name, region, "answers again")

    def bad(self, name: str, region: str, error: CloudError, retry_in_s: float) -> None:
        """Note a failed try and when the next one is."""
        next_try = self._clock.now() + timedelta(seconds=retry_in_s)
        text = f"{error.line}. {error.advice}" if error.advice else error.line
        was = self._set(name, region, error=text, next_try=next_try)
        if _without_request(was.error) != _without_request(text):
            self._tell(name, region, f"fails: {text}", error.request_id)

    def _set(self, name: str, region: str, **changes: datetime | str | None) -> SourceHealth:
        with self._lock:
            was = self._sources[name, region]
            self._sources[name, region] = replace(was, **changes)  # type: ignore[arg-type]
        self._journal.database.announce()
        return was

    def _tell(self, name: str, region: str, text: str, request_id: str = "") -> None:
        log.warning("%s of %s %s", name, region, text)
        line = Line(EventKind.SOURCE, region, "", f"{name} {text}", request_id=request_id)
        try:
            self._journal.events.add(line, self._clock.now())
        except Exception as error:
            # The feed is for people; a journal that cannot be written must not stop who watches.
            log.warning("the journal does not take a line: %s", type(error).__name__)


def retry_after_s(error: CloudError, failures: int, interval_s: float, now: datetime, *, urgent: bool = False) -> float:
    """Return the seconds until the next try: the next minute when throttled, else twice as long each time.

    Never longer than five seconds, or the source's own interval: a notice gives five minutes in all. Not longer than
    the interval while something urgent waits for the answer.
    """
    if error.kind is ErrorKind.THROTTLED:
        return error.retry_after_s or 60.0 - now.second
    if urgent:
        return interval_s
    return float(min(max(interval_s, 1.0) * 2 ** min(failures - 1, 5), max(interval_s, LONGEST_RETRY_S)))


def _without_request(line: str) -> str:
    return _REQUEST_ID.sub("", line)
