"""A small taxonomy of everything that can go wrong in a call to the cloud."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

from spottui.cloud.redaction import redact


class ErrorKind(Enum):
    """What a failed call means for its caller.

    At most one of `ends_launch`, `looks_first` and `repeats` holds; where none does, the refusal is definite and
    concerns only this place.
    """

    THROTTLED = "throttled"
    """Refused for now; the API opens again with the next minute (docs/alibaba-facts.md 1.4)."""
    NO_STOCK = "no stock"
    """Sold out at this place: it is backed off for all recoveries, another candidate may work."""
    PRICE = "price limit"
    """The spot price here is above this instance's own limit; it may fall, and other places have other prices."""
    PLACE_FULL = "no room"
    """A quota or address range of this place is used up; the old instance's release makes room."""
    PLACE = "place refused"
    """Type, zone, vSwitch and image do not fit together, or the reason is unknown: another place may work."""
    DISK_CATEGORY = "disk category"
    """Refused because this type or zone does not take disks of this category."""
    ADDRESS = "address in use"
    """The requested private IP is in use, or not available here; another one may be."""
    NOT_READY = "not ready"
    """The image or snapshot cannot be used: not ready, disabled or deleted; only reading it shows which."""
    EXISTS = "made before"
    """The token or name was used before: the resource may exist, and can be found by its tags."""
    QUOTA = "quota"
    """The account's quota in the region is used up; a person must make room."""
    MONEY = "account standing"
    """The account may not buy: balance, arrears, payment method or verification."""
    IN_PROCESS = "still in process"
    """The same ClientToken is still being worked on; ask again with the same token."""
    BUSY = "busy"
    """A resource is in a temporary state: stopping, starting, a snapshot in progress, a conflicting task."""
    NOT_FOUND = "not found"
    DENIED = "permission"
    CREDENTIALS = "credentials"
    REFUSED = "refused"
    """A definite 4xx that a repeat does not change."""
    BROKEN = "service error"
    """A 5xx, an HTML page or a body that is no answer: the effect is unknown."""
    UNREACHABLE = "no answer"
    """Refused connection, reset, time-out, DNS, TLS: the effect is unknown."""

    @property
    def effect_unknown(self) -> bool:
        """Whether the call may have taken effect; it is repeated with the same ClientToken only."""
        return self in (ErrorKind.BROKEN, ErrorKind.UNREACHABLE, ErrorKind.IN_PROCESS)

    @property
    def repeats(self) -> bool:
        """Whether the same call, with the same ClientToken, is to be made again a little later."""
        return self.effect_unknown or self in (ErrorKind.THROTTLED, ErrorKind.BUSY)

    @property
    def ends_launch(self) -> bool:
        """Whether no place of this account would do: money, credentials, permission, account quota."""
        return self in (ErrorKind.MONEY, ErrorKind.CREDENTIALS, ErrorKind.DENIED, ErrorKind.QUOTA)

    @property
    def looks_first(self) -> bool:
        """Whether existing resources must be checked before anything else is tried: the image, or our own tags."""
        return self in (ErrorKind.NOT_READY, ErrorKind.EXISTS)

    @property
    def passes(self) -> bool:
        """Whether the same call may be accepted later at the same place: by a repeat, or with stock, price or room."""
        return self.repeats or self in (ErrorKind.NO_STOCK, ErrorKind.PRICE, ErrorKind.PLACE_FULL, ErrorKind.NOT_READY)

    @property
    def worth_repeating(self) -> bool:
        """Whether a call that has time is repeated: what passes, and credentials, whose source may fail for seconds."""
        return self.passes or self is ErrorKind.CREDENTIALS


LONGEST_THROTTLE_S = 60.0
"""A throttle counts the calls of a minute (docs/alibaba-facts.md 1.4): a longer wait would only use up the notice."""


class CloudError(Exception):
    """A call that failed: the action, the cloud's Code and RequestId and a redacted message of one line.

    `retry_after_s` is what the service asked for, in seconds and at most `LONGEST_THROTTLE_S`, or None.
    """

    def __init__(
        self,
        action: str,
        kind: ErrorKind,
        code: str = "",
        message: str = "",
        request_id: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        self.action = action
        self.kind = kind
        self.code = code
        self.request_id = request_id
        self.message = redact(message)
        self.retry_after_s = None if retry_after_s is None else min(retry_after_s, LONGEST_THROTTLE_S)
        super().__init__(self.line)

    @property
    def advice(self) -> str:
        """What a person can do about it; empty if only waiting helps."""
        return _ADVICE.get(self.kind, "")

    @property
    def said(self) -> str:
        """The cloud's error without action and RequestId: `Code: message`."""
        return ": ".join(part for part in (self.code or self.kind.value, self.message) if part)

    @property
    def line(self) -> str:
        """The error on one line, for a header or a log."""
        text = ": ".join(part for part in (self.action, self.said) if part)
        return f"{text} [RequestId {self.request_id}]" if self.request_id else text


@contextmanager
def dry_run() -> Iterator[None]:
    """Make a call with `DryRun`: a success is answered as the error DryRunOperation (docs/alibaba-facts.md 4.1)."""
    try:
        yield
    except CloudError as error:
        if error.code != "DryRunOperation":
            raise


_ADVICE = {
    ErrorKind.CREDENTIALS: "Fix the access key, the role or the clock; a changed file is reloaded automatically.",
    ErrorKind.QUOTA: "Free some quota or ask Alibaba Cloud for more, then press t to retry.",
    ErrorKind.PLACE_FULL: "Free some quota, allow another zone or type, or ask Alibaba Cloud for a higher quota.",
    ErrorKind.PRICE: "Raise the instance's price limit, or use SpotAsPriceGo.",
    ErrorKind.MONEY: "Settle balance, payment method or verification in the account's console, then press t to retry.",
    ErrorKind.DENIED: "Grant this action to the RAM identity; `spottui setup --policy recover` prints the policy.",
    ErrorKind.NOT_FOUND: "Check the names in the configuration.",
    ErrorKind.UNREACHABLE: "Check the endpoint, the network and the proxy.",
}


UNKNOWN_HOST = "host name not found"
"""The error text for a service that a region does not have."""


def meaning_of(said: str) -> str:
    """Return a network error in plain words, empty if its text is not a known one."""
    said = said.lower()
    return next((meaning for mark, meaning in _SAID if mark in said), "")


_SAID = (
    ("refused", "connection refused"),
    ("timed out", "no answer in time"),
    ("timeout", "no answer in time"),
    ("resolve", UNKNOWN_HOST),
    ("certificate", "the TLS certificate is not trusted"),
    ("ssl", "TLS failed"),
    ("reset", "connection reset"),
    ("closed", "connection closed without an answer"),
    ("aborted", "connection closed without an answer"),
)
