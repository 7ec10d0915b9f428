"""What was found and done about an instance's entries of load balancers."""

from spottui.domain.balancers import Backend, Change
from spottui.domain.fact_base import FactBase


class BackendsFound(FactBase, frozen=True, tag="backends"):
    """Load balancers of a product send to the instance, with the weights that it had then."""

    backends: tuple[Backend, ...]


class BackendChanging(FactBase, frozen=True, tag="backend changing"):
    """A call is about to change an entry of a server group; with its ClientToken it may be made again.

    `backend` is the entry as it was found or is to be added, `weight` what it is to have, None for one that is removed.
    """

    change: Change
    backend: Backend
    weight: int | None = None
    token: str = ""


class WeightKept(FactBase, frozen=True, tag="weight kept"):
    """No other server of the group is healthy: the entry keeps its weight until one is; said once."""

    backend: Backend


class WeightRestored(FactBase, frozen=True, tag="weight restored"):
    """The entry was seen with a weight again after it had been lowered to 0, or it is gone."""

    backend: Backend


class BackendServes(FactBase, frozen=True, tag="backend serves"):
    """Health checks find the replacement's entry healthy, so many seconds after it was to be added."""

    backend: Backend
    seconds: float = 0.0
