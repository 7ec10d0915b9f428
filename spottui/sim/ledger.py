"""The ledger: one row per request received, for tests to read what a client really did."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from spottui.sim.clock import iso_micros

_SECRET = {"Password", "UserData", "Signature", "SecurityToken"}
_KEPT = 200_000


@dataclass(slots=True)
class Row:
    """One request. `status` and `code` stay None while it is unanswered, or if its answer never left.

    `account_id` is of who signed it, empty where nobody did.
    """

    n: int
    at: float
    action: str
    region: str
    params: dict[str, str]
    client_token: str | None
    request_id: str
    status: int | None = None
    code: str | None = None
    effect: str | None = None
    account_id: str = ""

    def as_json(self) -> dict[str, Any]:
        """The row as the control side shows it."""
        return {
            "n": self.n, "at": iso_micros(self.at), "action": self.action, "region": self.region,
            "params": self.params, "client_token": self.client_token, "status": self.status,
            "code": self.code, "request_id": self.request_id, "effect": self.effect,
            "account_id": self.account_id,
        }  # fmt: skip


def blanked(params: Mapping[str, str]) -> dict[str, str]:
    """Parameters of a call as they may be shown: no passwords, no user data, no signatures."""
    return {name: "***" if name.rpartition(".")[2] in _SECRET else value for name, value in params.items()}


class Ledger:
    """Rows in the order of arrival, the last 200,000 kept."""

    def __init__(self) -> None:
        self._rows: deque[Row] = deque(maxlen=_KEPT)
        self._received = 0

    def receive(self, at: float, action: str, region: str, params: Mapping[str, str], request_id: str) -> Row:
        """Open the row of a request that just came in, its secrets blanked."""
        self._received += 1
        row = Row(self._received, at, action, region, blanked(params), params.get("ClientToken"), request_id)
        self._rows.append(row)
        return row

    def rows(self, action: str | None = None) -> Iterator[Row]:
        """All rows, or those of one action."""
        return (row for row in self._rows if action is None or row.action == action)
