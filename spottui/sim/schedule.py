"""What will happen in the world by itself: a heap of events in simulated time."""

import heapq
from collections.abc import Callable
from itertools import count

Happening = Callable[[float], None]
"""Called with the simulated time it was due at, which may be earlier than now."""


class Schedule:
    """Events in order of their time; events of one moment in the order they were planned."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Happening]] = []
        self._order = count()
        self.on_plan: Callable[[], None] = lambda: None
        """Called after each `plan`, for whoever sleeps until the next event."""

    def plan(self, at: float, happening: Happening) -> None:
        """Let `happening` run once simulated time reaches `at`."""
        heapq.heappush(self._heap, (at, next(self._order), happening))
        self.on_plan()

    def next_at(self) -> float | None:
        """The time of the next event, if there is one."""
        return self._heap[0][0] if self._heap else None

    def run_until(self, now: float) -> None:
        """Run all that is due, including what the due events plan before `now`."""
        while self._heap and self._heap[0][0] <= now:
            at, _, happening = heapq.heappop(self._heap)
            happening(at)
