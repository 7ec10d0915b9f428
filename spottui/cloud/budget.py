"""How fast each API may be called: a token bucket per action and region, and silence after a throttle."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from enum import IntEnum

from spottui.cloud.errors import CloudError, ErrorKind
from spottui.domain.clock import Clock
from spottui.domain.view import ApiBudget

LOOK_S = 0.05
"""How often one that waits looks at the clock, which a test may have moved."""
RECOVERY_PER_MINUTE = 0.1
"""The share of the usual rate that an API which was throttled gets back each minute."""
SLOWEST = 0.2
"""Calls a second below which no throttle brings an API."""


class Priority(IntEnum):
    """Who goes first when an API has no tokens left."""

    PROTECT = 0
    IMAGE = 1
    LAUNCH = 2
    IMAGE_POLL = 3
    LOCK_POLL = 4
    FLEET = 5


@dataclass(frozen=True, slots=True)
class Pace:
    """`rate` calls a second in the long run, `burst` at once."""

    rate: float
    burst: float


USUAL = Pace(150, 1000)
"""A storm of a thousand goes out at once: what an account really may is published nowhere, a throttle tells it."""

_BY_ACTION = {
    "ModifyDiskAttribute": Priority.PROTECT,
    "CreateImage": Priority.IMAGE,
    "RunInstances": Priority.LAUNCH,
    "DescribeImages": Priority.IMAGE_POLL,
}
_urgency: ContextVar[Priority] = ContextVar("urgency", default=Priority.FLEET)


@contextmanager
def urgency(priority: Priority) -> Iterator[None]:
    """Give the calls that this thread makes in the block a priority, where their action has none of its own."""
    token = _urgency.set(priority)
    try:
        yield
    finally:
        _urgency.reset(token)


@dataclass(slots=True)
class _Bucket:
    """One API of one region; all times are of the monotonic clock, in seconds."""

    usual: Pace
    at: float
    tokens: float
    rate: float
    closed_until: float = 0.0
    line: list[tuple[Priority, int]] = field(default_factory=list)

    def pour(self, now: float) -> None:
        """Add the tokens, and the speed, that have come since the last look."""
        passed_s = max(0.0, now - max(self.at, self.closed_until))
        self.rate = min(self.usual.rate, self.rate + self.usual.rate * RECOVERY_PER_MINUTE * passed_s / 60)
        self.tokens = min(self.burst, self.tokens + self.rate * passed_s)
        self.at = now

    @property
    def burst(self) -> float:
        """The slower, the less at once."""
        return max(1.0, self.usual.burst * self.rate / self.usual.rate)

    @property
    def is_slow(self) -> bool:
        return self.rate < self.usual.rate


class Budget:
    """The calls of one account. Thread-safe; shared by all that call, and closed for all by one throttle.

    `monotonic` gives seconds; `clock` is the time of day by which the cloud counts its minutes.
    """

    def __init__(self, clock: Clock, monotonic: Callable[[], float] = time.monotonic, usual: Pace = USUAL) -> None:
        self._clock = clock
        self._monotonic = monotonic
        self._usual = usual
        self._changed = threading.Condition()
        self._numbers = itertools.count()
        self._buckets: dict[tuple[str, str], _Bucket] = {}

    @contextmanager
    def call(self, action: str, region: str, priority: Priority | None = None) -> Iterator[None]:
        """Wait for a token and let the block make its call; what it raises shows whether the API is throttled.

        Without a `priority` it is that of the action, else of the thread.

        Raises:
            CloudError: THROTTLED with `retry_after_s`, nothing sent, while the API is closed.
        """
        first = priority if priority is not None else _BY_ACTION.get(action, _urgency.get())
        bucket = self._wait_for_turn(action, region, first)
        try:
            yield
        except CloudError as error:
            if error.kind is ErrorKind.THROTTLED:
                self._close(bucket, error)
            raise

    def state(self) -> tuple[ApiBudget, ...]:
        """Return the APIs that are closed, slower than usual or waited for."""
        with self._changed:
            now = self._monotonic()
            found = []
            for (action, region), bucket in sorted(self._buckets.items()):
                bucket.pour(now)
                left_s = bucket.closed_until - now
                if left_s > 0 or bucket.is_slow or bucket.line:
                    until = self._clock.now() + timedelta(seconds=left_s) if left_s > 0 else None
                    found.append(ApiBudget(action, region, until, round(bucket.rate, 1), len(bucket.line)))
            return tuple(found)

    def _wait_for_turn(self, action: str, region: str, priority: Priority) -> _Bucket:
        with self._changed:
            bucket = self._bucket(action, region)
            me = (priority, next(self._numbers))
            heapq.heappush(bucket.line, me)
            try:
                while not self._may_go(bucket, me, action):
                    self._changed.wait(min(LOOK_S, 1 / bucket.rate))
                bucket.tokens -= 1
                return bucket
            finally:
                bucket.line.remove(me)
                heapq.heapify(bucket.line)
                self._changed.notify_all()

    def _may_go(self, bucket: _Bucket, me: tuple[Priority, int], action: str) -> bool:
        now = self._monotonic()
        left_s = bucket.closed_until - now
        if left_s > 0:
            message = f"throttled; not sent again for {left_s:.0f} s"
            raise CloudError(action, ErrorKind.THROTTLED, message=message, retry_after_s=left_s)
        bucket.pour(now)
        return bucket.line[0] == me and bucket.tokens >= 1

    def _close(self, bucket: _Bucket, error: CloudError) -> None:
        """Closed until the service's own word or the next minute; calls that were under way close it no further."""
        with self._changed:
            now, time_of_day = self._monotonic(), self._clock.now()
            if bucket.closed_until > now:
                return
            bucket.pour(now)
            next_minute_s = 60 - time_of_day.second - time_of_day.microsecond / 1e6
            bucket.closed_until = now + (error.retry_after_s or next_minute_s)
            bucket.rate = max(min(SLOWEST, bucket.usual.rate), bucket.rate / 2)
            bucket.tokens = bucket.burst
            self._changed.notify_all()

    def _bucket(self, action: str, region: str) -> _Bucket:
        known = self._buckets.get((action, region))
        if known is None:
            usual = self._usual
            known = _Bucket(usual, self._monotonic(), usual.burst, usual.rate)
            self._buckets[action, region] = known
        return known
