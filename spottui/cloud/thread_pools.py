"""The threads in which the synchronous SDKs run: a few that read, more that act.

The SDKs' own `*_async` methods stop the event loop for 77 ms per HTTPS call (docs/sdk-traps.md 1). The pools
and the four threads of disk protection (`recovery.protect`) together stay below the 40 connections per host at which
the SDK's pool starts to drop them.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from spottui.cloud.budget import Priority, urgency

P = ParamSpec("P")
T = TypeVar("T")

READERS = 8
ACTORS = 27


class ThreadPools:
    """Two thread pools, so that a slow sweep never delays a recovery."""

    def __init__(self) -> None:
        self._reading = ThreadPoolExecutor(READERS, thread_name_prefix="read")
        self._acting = ThreadPoolExecutor(ACTORS, thread_name_prefix="act")

    def read(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run a call that changes nothing."""
        return self._reading.submit(_as(Priority.IMAGE_POLL, call), *args, **kwargs)

    def act(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run a call that a recovery waits for."""
        return self._acting.submit(_as(Priority.LAUNCH, call), *args, **kwargs)


def _as(priority: Priority, call: Callable[P, T]) -> Callable[P, T]:
    """Run a call with a priority; calls outside the pools are those of the fleet, and come last (cloud.budget)."""

    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        with urgency(priority):
            return call(*args, **kwargs)

    return run
