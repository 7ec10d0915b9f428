"""Facts of no recovery: what was made ready, which disks are kept, output that nobody reads, prices of the fleet."""

from spottui.domain.fact_base import FactBase
from spottui.domain.reasons import Failure
from spottui.domain.savings import PlacePrice


class ReadyCallAnswered(FactBase, frozen=True, tag="ready call answered"):
    """In calm time a call took effect that makes an instance ready, or takes away what is older: about no recovery.

    `resource` is what was made or deleted, `target` what the call was about.
    """

    action: str
    resource: str
    token: str = ""
    request_id: str = ""
    target: str = ""


class BeyondCap(FactBase, frozen=True, tag="beyond cap"):
    """For so many instances a `max_cost_per_month` of `cap` leaves no room: they are not made ready; 0 for none."""

    count: int
    cap: float = 0.0
    first: str = ""


class OutputLost(FactBase, frozen=True, tag="output lost"):
    """What a console prints to `stream` is dropped, since nobody reads it or it is gone; empty once it is read again.

    The console's work goes on.
    """

    console: str
    stream: str = ""


class PricesSeen(FactBase, frozen=True, tag="prices"):
    """What the types of the fleet cost in their zones when somebody looked, at most once an hour for each console.

    `currency` is the cloud's code, such as CNY, empty if unknown.
    """

    prices: tuple[PlacePrice, ...]
    currency: str = ""


class DisksProtected(FactBase, frozen=True, tag="disks protected"):
    """In calm time somebody wants these disks, which went with their instance, to outlive it; written before the call.

    It holds until `ProtectionUndone` names them; kept as long as the journal.
    """

    disk_ids: tuple[str, ...]
    who: str = ""


class ProtectionUndone(FactBase, frozen=True, tag="protection undone"):
    """These disks are as they were before `DisksProtected`, by whom, or because the call was refused."""

    disk_ids: tuple[str, ...]
    who: str = ""
    failure: Failure | None = None
