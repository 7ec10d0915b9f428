"""What was found and done about where an instance is known: names, addresses and entries in load balancers."""

from spottui.domain.balancers import Backend, Change
from spottui.domain.fact_base import FactBase
from spottui.domain.instance import DnsRecord
from spottui.domain.reasons import Reason


class PrivateIpGivenUp(FactBase, frozen=True, tag="private IP given up"):
    """The replacement was to have the old private IP, and is launched without it, for a `reason`."""

    reason: Reason


class InterfaceRestored(FactBase, frozen=True, tag="interface restored"):
    """A network interface that was kept goes with its instance again, or is gone."""

    eni_id: str


class RecordsFound(FactBase, frozen=True, tag="records"):
    """A records of PrivateZone that name the old private IP and are to name the replacement's."""

    records: tuple[DnsRecord, ...]


class BackendsFound(FactBase, frozen=True, tag="backends"):
    """Load balancers of a product send traffic to the instance, with the weights at that time."""

    backends: tuple[Backend, ...]


class BackendChanging(FactBase, frozen=True, tag="backend changing"):
    """A call is about to change an entry of a server group; it can be repeated with its ClientToken.

    `backend` is the entry as found or as it will be added, `weight` its new weight, None to remove it.
    """

    change: Change
    backend: Backend
    weight: int | None = None
    token: str = ""


class WeightKept(FactBase, frozen=True, tag="weight kept"):
    """No other server of the group is healthy: the entry keeps its weight until one is; written once."""

    backend: Backend


class WeightRestored(FactBase, frozen=True, tag="weight restored"):
    """The entry was seen with a weight again after it had been lowered to 0, or it is gone."""

    backend: Backend


class BackendServes(FactBase, frozen=True, tag="backend serves"):
    """Health checks report the replacement's entry healthy, so many seconds after it was requested."""

    backend: Backend
    seconds: float = 0.0
