"""What became of each request that went through a load balancer."""

from collections import Counter, deque
from dataclasses import dataclass
from typing import Any

from spottui.sim.clock import iso_micros

_KEPT = 100_000


@dataclass(frozen=True, slots=True)
class Passage:
    """One request. `status` None: its connection was cut; `lost`: who asked did not get what the service gives."""

    at: float
    load_balancer_id: str
    port: int
    server_id: str
    status: int | None
    lost: bool

    def as_json(self) -> dict[str, Any]:
        """The row as the control side shows it."""
        return {
            "at": iso_micros(self.at), "load_balancer_id": self.load_balancer_id, "port": self.port,
            "server_id": self.server_id, "status": self.status, "lost": self.lost,
        }  # fmt: skip


class TrafficLog:
    """Requests in the order they ended, the last 100,000 kept; counts of all."""

    def __init__(self) -> None:
        self._rows: deque[Passage] = deque(maxlen=_KEPT)
        self._served: Counter[str] = Counter()
        self._lost = 0

    def add(self, passage: Passage) -> None:
        """A request ended."""
        self._rows.append(passage)
        if passage.lost:
            self._lost += 1
        else:
            self._served[passage.server_id] += 1

    def as_json(self, *, lost_only: bool = False) -> dict[str, Any]:
        """Counts, and the rows of all requests or of the lost ones."""
        return {
            "requests": self._served.total() + self._lost, "lost": self._lost, "served_by": dict(self._served),
            "rows": [row.as_json() for row in self._rows if row.lost or not lost_only],
        }  # fmt: skip
