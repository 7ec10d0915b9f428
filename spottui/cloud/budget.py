"""How fast each API may be called: a token bucket per action and region, and silence after a throttle.

The lock poll and disk protection have their own tokens, which nothing else can spend. A throttle caused by others does
not stop them: limits count for the whole account, so they retry at their own slow pace, and in the following minutes
the others leave them room.
"""

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

import msgspec

from spottui.cloud.errors import CloudError, ErrorKind
from spottui.domain.clock import Clock
from spottui.domain.view import ApiBudget

POLL_S = 0.05
"""How often a waiting call checks the clock, which a test may have moved."""
RECOVERY_PER_MINUTE = 0.1
"""The share of its usual rate that a throttled API regains each minute."""
SLOWEST = 0.2
"""The lowest rate, in calls a second, that throttles can cause."""

TRY_AGAIN_S = 5.0
"""The longest pause of a reserved caller after a throttle of its own, whatever the service says."""
ROOM_PER_MINUTE = 40
"""How many of the calls that an API accepted before a throttle are left to reserved callers, at most half."""
LONGEST_PATIENCE = 60
"""Maximum minutes after a throttle before a higher rate is tried."""
LEAST_PER_MINUTE = 30
"""The lowest estimate of an API's limit, in calls a minute: other programs use it too."""


class Priority(IntEnum):
    """The order of calls when an API has no tokens left."""

    PROTECT = 0
    IMAGE = 1
    LAUNCH = 2
    IMAGE_POLL = 3
    LOCK_POLL = 4
    FLEET = 5
    READY = 6
    """Calls that make instances ready in calm time come last, for every action."""


class Pace(msgspec.Struct, frozen=True):
    """`rate` calls a second in the long run, `burst` at once."""

    rate: float
    burst: float


USUAL = Pace(150, 1000)
"""A burst of a thousand calls is sent at once: real limits are not published, only a throttle reveals them."""

RESERVED = frozenset((Priority.PROTECT, Priority.LOCK_POLL))
"""Callers that never wait for the calls of others."""
RESERVE = Pace(1, 5)
"""Their reserved rate for each API: the lock poll makes half a call a second."""
SWEEPING = Pace(10, 50)
"""The rate of the least urgent calls to an API that reserved callers need too."""
PART_S = 15
"""The others spread their share over the minute in parts, because a throttle shows late in the minute."""

_BY_ACTION = {
    "ModifyDiskAttribute": Priority.PROTECT,
    "CreateImage": Priority.IMAGE,
    "RunInstances": Priority.LAUNCH,
    "DescribeImages": Priority.IMAGE_POLL,
}
_urgency: ContextVar[Priority] = ContextVar("urgency", default=Priority.FLEET)


@contextmanager
def urgency(priority: Priority) -> Iterator[None]:
    """Give calls of this thread within the block a priority, unless their action has its own.

    `Priority.READY` holds for every action.
    """
    token = _urgency.set(priority)
    try:
        yield
    finally:
        _urgency.reset(token)


@dataclass(slots=True)
class _Bucket:
    """One API of one region; times are monotonic seconds, minutes are those of the wall clock.

    `most` is how many calls a minute the API is known to accept, None before the first throttle; `sent` counts the
    calls of this minute, `others` those not by reserved callers.
    """

    usual: Pace
    at: float
    tokens: float
    rate: float
    reserve: float = RESERVE.burst
    sweeping: float = SWEEPING.burst
    closed_until: float = 0.0
    reserve_closed_until: float = 0.0
    minute: int = 0
    sent: int = 0
    others: int = 0
    most: float | None = None
    learned: int = 0
    patience: int = 1
    is_reserved: bool = False
    line: list[tuple[Priority, int]] = field(default_factory=list)

    def pour(self, now: float, minute: int) -> None:
        """Add the tokens, and restore the rate, for the time since the last call."""
        self.reserve = min(RESERVE.burst, self.reserve + RESERVE.rate * max(0.0, now - self.at))
        self.sweeping = min(SWEEPING.burst, self.sweeping + SWEEPING.rate * max(0.0, now - self.at))
        passed_s = max(0.0, now - max(self.at, self.closed_until))
        self.rate = min(self.usual.rate, self.rate + self.usual.rate * RECOVERY_PER_MINUTE * passed_s / 60)
        self.tokens = min(self.burst, self.tokens + self.rate * passed_s)
        self.at = now
        if minute != self.minute:
            self._begin(minute)

    def _begin(self, minute: int) -> None:
        """Begin a minute: after some without a throttle a slightly higher rate is tried, less often each time."""
        if self.most is not None and minute > self.learned + self.patience:
            more = self.most * (1 + RECOVERY_PER_MINUTE) + LEAST_PER_MINUTE / 2
            self.most = more if more < self.usual.rate * 60 else None
        self.minute, self.sent, self.others = minute, 0, 0

    def close(self, until: float) -> None:
        """Send nothing until then; afterwards half as fast, and at most as many a minute as the API accepted."""
        self.closed_until = until
        self.rate = max(min(SLOWEST, self.usual.rate), self.rate / 2)
        self.tokens = self.burst
        self.most, self.learned = max(self.sent - 1, LEAST_PER_MINUTE), self.minute
        self.patience = min(LONGEST_PATIENCE, 2 * self.patience)

    def takes(self, priority: Priority, *, is_first: bool) -> bool:
        """Spend a token on a call, if it may have one."""
        is_sweep = self.is_reserved and priority >= Priority.FLEET
        if is_first and self.tokens >= 1 and self.closed_until <= self.at and (not is_sweep or self.sweeping >= 1):
            self.tokens -= 1
            self.sweeping -= is_sweep
        elif priority in RESERVED and self.reserve >= 1:
            self.reserve -= 1
        else:
            return False
        self.sent += 1
        self.others += priority not in RESERVED
        return True

    def is_used_up(self, priority: Priority, part: float) -> bool:
        """Whether others may send no more in this part of the minute, 0 to 1; sweeps leave half to urgent calls.

        Applies only to APIs that reserved callers need.
        """
        if self.most is None or not self.is_reserved or priority in RESERVED:
            return False
        left = self.most - min(ROOM_PER_MINUTE, self.most / 2)
        return self.others >= part * (left / 2 if priority >= Priority.FLEET else left)

    @property
    def burst(self) -> float:
        """How many calls may go out at once: the slower the rate, the fewer."""
        return max(1.0, self.usual.burst * self.rate / self.usual.rate)

    @property
    def is_slow(self) -> bool:
        return self.rate < self.usual.rate


class Budget:
    """The calls of one account. Thread-safe; shared by all callers, and closed for all by one throttle.

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
        first = priority if priority is not None else _priority_of(action)
        bucket = self._wait_for_turn(action, region, first)
        try:
            yield
        except CloudError as error:
            if error.kind is ErrorKind.THROTTLED:
                self._close(bucket, first, error)
            raise

    def state(self) -> tuple[ApiBudget, ...]:
        """Return the APIs that are closed, slower than usual or waited for."""
        with self._changed:
            now = self._monotonic()
            budgets = []
            for (action, region), bucket in sorted(self._buckets.items()):
                bucket.pour(now, self._minute())
                left_s = bucket.closed_until - now
                if left_s > 0 or bucket.is_slow or bucket.line:
                    until = self._clock.now() + timedelta(seconds=left_s) if left_s > 0 else None
                    budgets.append(ApiBudget(action, region, until, round(bucket.rate, 1), len(bucket.line)))
            return tuple(budgets)

    def _wait_for_turn(self, action: str, region: str, priority: Priority) -> _Bucket:
        with self._changed:
            bucket = self._bucket(action, region)
            bucket.is_reserved |= priority in RESERVED
            me = (priority, next(self._numbers))
            heapq.heappush(bucket.line, me)
            try:
                while not self._may_go(bucket, me, action):
                    self._changed.wait(min(POLL_S, 1 / bucket.rate))
                return bucket
            finally:
                bucket.line.remove(me)
                heapq.heapify(bucket.line)
                self._changed.notify_all()

    def _may_go(self, bucket: _Bucket, me: tuple[Priority, int], action: str) -> bool:
        now, priority = self._monotonic(), me[0]
        bucket.pour(now, self._minute())
        until = bucket.reserve_closed_until if priority in RESERVED else bucket.closed_until
        left_s = until - now
        if left_s > 0:
            raise _not_sent(action, "throttled", left_s)
        minute_left_s = self._minute_left_s()
        part_left_s = minute_left_s % PART_S or PART_S
        if bucket.is_used_up(priority, 1 - (minute_left_s - part_left_s) / 60):
            raise _not_sent(action, "throttled lately, the rest is for the lock poll", part_left_s)
        return bucket.takes(priority, is_first=bucket.line[0] == me)

    def _close(self, bucket: _Bucket, priority: Priority, error: CloudError) -> None:
        """Close it until the time that the service gave or the next minute; calls in progress do not extend that."""
        with self._changed:
            now = self._monotonic()
            until = now + (error.retry_after_s or self._minute_left_s())
            if priority in RESERVED:
                bucket.reserve_closed_until = min(until, now + TRY_AGAIN_S)
            if bucket.closed_until <= now:
                bucket.pour(now, self._minute())
                bucket.close(until)
            self._changed.notify_all()

    def _minute(self) -> int:
        return int(self._clock.now().timestamp() // 60)

    def _minute_left_s(self) -> float:
        time_of_day = self._clock.now()
        return 60 - time_of_day.second - time_of_day.microsecond / 1e6

    def _bucket(self, action: str, region: str) -> _Bucket:
        bucket = self._buckets.get((action, region))
        if bucket is None:
            usual = self._usual
            bucket = _Bucket(usual, self._monotonic(), usual.burst, usual.rate)
            self._buckets[action, region] = bucket
        return bucket


def _priority_of(action: str) -> Priority:
    of_thread = _urgency.get()
    return of_thread if of_thread is Priority.READY else _BY_ACTION.get(action, of_thread)


def _not_sent(action: str, why: str, left_s: float) -> CloudError:
    message = f"{why}; not sent again for {left_s:.0f} s"
    return CloudError(action, ErrorKind.THROTTLED, message=message, retry_after_s=left_s)
