"""Checking whether instances that messages name exist: up to a hundred per call, at the lowest priority."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from spottui.cloud.budget import Priority, urgency
from spottui.cloud.ecs import PAGE, Ecs
from spottui.cloud.errors import CloudError
from spottui.cloud.thread_pools import ThreadPools

log = logging.getLogger("spottui.watch")

AGAIN_S = 1.0
"""Pause after a failure, and before a call for fewer ids than one call may have."""


class Existence(msgspec.Struct, frozen=True):
    """The cloud's answer about some instances: those that it lists, and those that are gone.

    An instance whose id it refuses to look up is in neither.
    """

    listed: frozenset[str]
    gone: frozenset[str]


class Strangers:
    """Looks instances up, one call at a time in a region, at the lowest priority of the budget. Thread-safe.

    `on_answer` gets the answer about the requested ids, in one of the reading threads.
    """

    def __init__(self, regions: Mapping[str, Ecs], thread_pools: ThreadPools) -> None:
        self._regions = regions
        self._thread_pools = thread_pools
        self._lock = threading.Lock()
        self._waiting: dict[str, dict[str, None]] = {region: {} for region in regions}
        self._under_way: set[str] = set()
        self._gathers_until: dict[str, float] = {}
        self._closed_until: dict[str, float] = {}
        self.on_answer: Callable[[str, Sequence[str], Existence], None] = lambda *_: None

    def ask(self, region: str, instance_ids: Iterable[str]) -> None:
        """Look instances up soon, together with all that wait."""
        with self._lock:
            self._waiting[region].update(dict.fromkeys(instance_ids))
        self.poll(region)

    def poll(self, region: str) -> None:
        """Start a call if any instance waits, unless one failed lately."""
        with self._lock:
            waiting, now = len(self._waiting[region]), time.monotonic()
            gathers = waiting < PAGE and self._gathers_until.get(region, 0.0) > now
            is_closed = self._closed_until.get(region, 0.0) > now
            if not waiting or region in self._under_way or gathers or is_closed:
                return
            self._under_way.add(region)
            self._gathers_until[region] = now + AGAIN_S
        self._thread_pools.read(self._call, region)

    def exist(self, region: str, instance_ids: Sequence[str]) -> Existence:
        """Look instances up at once and wait for the answer; raises `CloudError`."""
        with urgency(Priority.FLEET):
            answers = self._regions[region].existing(instance_ids)
        listed = frozenset(answers)
        return Existence(listed, frozenset(instance_ids) - listed - answers.refused.keys())

    def _call(self, region: str) -> None:
        with self._lock:
            some = list(self._waiting[region])[:PAGE]
        try:
            answer = self.exist(region, some)
        except Exception as error:
            self._failed(region, error)
            return
        with self._lock:
            self._under_way.discard(region)
            for instance_id in some:
                self._waiting[region].pop(instance_id, None)
        try:
            self.on_answer(region, some, answer)
        except Exception:
            # The messages are still in the queue and come again.
            log.exception("observations of %s about %d instances could not be written", region, len(some))
        self.poll(region)

    def _failed(self, region: str, error: Exception) -> None:
        retry_s = (error.retry_after_s if isinstance(error, CloudError) else None) or AGAIN_S
        with self._lock:
            self._under_way.discard(region)
            self._closed_until[region] = time.monotonic() + max(retry_s, AGAIN_S)
        if isinstance(error, CloudError):
            log.info("instances that messages name in %s are not looked up: %s", region, error.line)
        else:
            log.error("instances that messages name in %s are not looked up", region, exc_info=error)
