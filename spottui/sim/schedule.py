"""What will happen in the world by itself: a heap of named events in simulated time.

An event is a name and plain arguments, never a closure, so that a world can be saved with its future.
"""

import heapq
from collections.abc import Callable
from itertools import count
from typing import Any, NamedTuple

Happen = Callable[..., None]
"""Called with the world, the simulated time it was due at (which may be earlier than now), and its arguments."""

_HAPPENINGS: dict[str, Happen] = {}


def happening(function: Happen) -> Happen:
    """Register a function that can be planned."""
    _HAPPENINGS[f"{function.__module__.rpartition('.')[2]}.{function.__name__}"] = function
    return function


class Planned(NamedTuple):
    """One event; `args` are strings, numbers, booleans, lists and objects of them."""

    at: float
    order: int
    name: str
    args: tuple[Any, ...]


class Schedule:
    """Events in order of their time; events of one moment in the order they were planned."""

    def __init__(self) -> None:
        self._heap: list[Planned] = []
        self._order = count()
        self.on_plan: Callable[[], None] = lambda: None
        """Called after each `plan`, for whoever sleeps until the next event."""

    def plan(self, at: float, happen: Happen, *args: Any) -> None:
        """Let `happen`, a registered function, run with `args` once simulated time reaches `at`."""
        name = f"{happen.__module__.rpartition('.')[2]}.{happen.__name__}"
        if name not in _HAPPENINGS:
            raise LookupError(f"{name} is not registered with @happening")
        heapq.heappush(self._heap, Planned(at, next(self._order), name, args))
        self.on_plan()

    def next_at(self) -> float | None:
        """The time of the next event, if there is one."""
        return self._heap[0].at if self._heap else None

    def run_until(self, world: Any, now: float) -> None:
        """Run all that is due, including what the due events plan before `now`."""
        while self._heap and self._heap[0].at <= now:
            due = heapq.heappop(self._heap)
            _HAPPENINGS[due.name](world, due.at, *due.args)

    def save(self) -> list[Planned]:
        """What is still to happen, in its order."""
        return sorted(self._heap)

    def load(self, planned: list[Planned]) -> None:
        """Take over what was saved."""
        self._heap = sorted(planned)
        self._order = count(1 + max((entry.order for entry in planned), default=0))
