"""Faults a test orders: the next calls of an action that match go wrong in a given way."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import Any

KINDS = ("error", "throttle", "timeout", "drop_reply", "reset", "html_502", "bad_json", "odd_answer", "slow")
_AFTER_THE_EFFECT = ("drop_reply", "bad_json", "odd_answer", "slow")


@dataclass(slots=True)
class Fault:
    """One ordered fault.

    `action` and the values of `match` (parameter to value) may hold `*`. `times` counts down; None
    never ends. `delay_s` (wall) is how long `slow` waits (1 s) and `timeout` holds the line (60 s).
    `code` and `status` of `error` are InternalError and 500 unless given, of `throttle` Throttling.User and 400.
    `odd_answer` is 200 with `body`, whatever the call came to.
    Kinds `drop_reply`, `bad_json`, `odd_answer` and `slow` let the call take effect, the others do not.
    """

    action: str
    kind: str
    match: dict[str, str] = field(default_factory=dict)
    times: int | None = 1
    code: str = ""
    status: int = 0
    message: str = "The request processing has failed due to some unknown error."
    delay_s: float | None = None
    retry_after_ms: int | None = None
    body: str = "{}"

    @property
    def takes_effect(self) -> bool:
        """Whether the call is carried out although its answer goes wrong."""
        return self.kind in _AFTER_THE_EFFECT

    def fits(self, action: str, params: Mapping[str, str]) -> bool:
        """Whether a call of `action` with `params` is one this fault is for."""
        return fnmatchcase(action, self.action) and all(
            name in params and fnmatchcase(params[name], wanted) for name, wanted in self.match.items()
        )


class Faults:
    """The ordered faults that are still to happen, oldest first."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def order(self, fault: Fault) -> None:
        """Add a fault."""
        self._faults.append(fault)

    def clear(self) -> None:
        """Forget all faults."""
        self._faults.clear()

    def take(self, action: str, params: Mapping[str, str]) -> Fault | None:
        """The fault for this call, used up by one."""
        fault = next((f for f in self._faults if f.fits(action, params)), None)
        if fault is not None and fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                self._faults.remove(fault)
        return fault

    def as_json(self) -> list[dict[str, Any]]:
        """What is still to happen."""
        return [asdict(fault) for fault in self._faults]
