"""Facts that belong to no recovery: what was made ready, kept disks, unread output, prices of the fleet."""

from spottui.domain.fact_base import FactBase
from spottui.domain.reasons import Failure
from spottui.domain.savings import PlacePrice


class ReadyCallAnswered(FactBase, frozen=True, tag="ready call answered"):
    """In calm time a call of `[[ready]]` took effect: it made something, or deleted an older one.

    `resource` is what was made or deleted, `target` the object of the call.
    """

    action: str
    resource: str
    token: str = ""
    request_id: str = ""
    target: str = ""


class BeyondCap(FactBase, frozen=True, tag="beyond cap"):
    """So many instances are beyond a `max_cost_per_month` of `cap` and are not kept ready; 0 for none."""

    count: int
    cap: float = 0.0
    first: str = ""


class OutputLost(FactBase, frozen=True, tag="output lost"):
    """A console drops its output to `stream` because nobody reads it; empty once it is read again.

    Its work continues.
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
    """In calm time somebody requested that these disks outlive their instance; written before the call.

    It holds until `ProtectionUndone` names them; kept as long as the journal.
    """

    disk_ids: tuple[str, ...]
    who: str = ""


class ProtectionUndone(FactBase, frozen=True, tag="protection undone"):
    """These disks are as before `DisksProtected` again: by whom, or because the call was refused."""

    disk_ids: tuple[str, ...]
    who: str = ""
    failure: Failure | None = None
