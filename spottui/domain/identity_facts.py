"""What was found and done about the names and addresses under which an instance is known."""

from spottui.domain.dns import DnsRecord
from spottui.domain.fact_base import FactBase
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
