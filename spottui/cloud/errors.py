"""One small taxonomy for everything that can go wrong between us and the cloud."""

from enum import Enum

from spottui.cloud.redaction import redact


class ErrorKind(Enum):
    """What a failed call means for whoever made it."""

    THROTTLED = "throttled"
    """Refused for now; the API opens again with the next minute (alibaba_facts.md 1.4)."""
    NO_STOCK = "no stock"
    """Refused for good at this place: type, zone, vSwitch or price; another candidate may do."""
    QUOTA = "quota"
    """Refused because the account has no more of it; an old instance's release, or a person, makes room."""
    DISK_CATEGORY = "disk category"
    """Refused because this type or zone does not take disks of this category."""
    NOT_READY = "not ready"
    """What the call stands on, an image or a snapshot, is not ready yet."""
    IN_PROCESS = "still in process"
    """The same ClientToken is still being worked on; ask again with the same token."""
    BUSY = "busy"
    """The instance or a disk is in a state that passes: stopping, starting, or a snapshot being made."""
    NOT_FOUND = "not found"
    DENIED = "permission"
    CREDENTIALS = "credentials"
    REFUSED = "refused"
    """A definite 4xx that will not change by asking again."""
    BROKEN = "service error"
    """A 5xx, an HTML page or a body that is no answer: the effect is unknown."""
    UNREACHABLE = "no answer"
    """Refused connection, reset, time-out, DNS, TLS: the effect is unknown."""

    @property
    def effect_unknown(self) -> bool:
        """Whether the call may have taken effect; it is repeated with the same ClientToken only."""
        return self in (ErrorKind.BROKEN, ErrorKind.UNREACHABLE, ErrorKind.IN_PROCESS)

    @property
    def passes(self) -> bool:
        """Whether the same call may succeed later."""
        return self.effect_unknown or self in (ErrorKind.THROTTLED, ErrorKind.BUSY)


class CloudError(Exception):
    """A call that failed: the action, the cloud's Code and RequestId and a redacted message of one line.

    `retry_after_s` is what the service asked for, in seconds, or None.
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
        self.retry_after_s = retry_after_s
        super().__init__(self.line)

    @property
    def advice(self) -> str:
        """What a person can do about it, empty where waiting is all there is."""
        return _ADVICE.get(self.kind, "")

    @property
    def said(self) -> str:
        """What the cloud said, where action and RequestId have a place of their own: `Code: message`."""
        return ": ".join(part for part in (self.code or self.kind.value, self.message) if part)

    @property
    def line(self) -> str:
        """The error on one line, for a header or a log."""
        text = ": ".join(part for part in (self.action, self.said) if part)
        return f"{text} [RequestId {self.request_id}]" if self.request_id else text


_ADVICE = {
    ErrorKind.CREDENTIALS: "Mend the access key or the clock; a changed credentials file is read again by itself.",
    ErrorKind.QUOTA: "Make room, or ask Alibaba Cloud for a higher quota; then t tries again.",
    ErrorKind.DENIED: "Grant the action to this account; the README has the RAM policy.",
    ErrorKind.NOT_FOUND: "Check the names in the configuration.",
    ErrorKind.UNREACHABLE: "Check the endpoint, the network and the proxy.",
}


def meaning_of(said: str) -> str:
    """Return in plain words what the text of a network error says, empty when it is none that is known."""
    said = said.lower()
    return next((meaning for mark, meaning in _SAID if mark in said), "")


def kind_of(code: str, http_status: int | None) -> ErrorKind:
    """Classify an answered error by its Code, falling back on the HTTP status (alibaba_facts.md 4.3, 7.3, 7.4)."""
    for kind, prefixes in _BY_CODE:
        if code.startswith(prefixes):
            return kind
    if code.endswith(".NotFound"):
        return ErrorKind.NOT_FOUND
    if http_status is not None and http_status >= 500:
        return ErrorKind.BROKEN
    return ErrorKind.REFUSED


_BY_CODE: tuple[tuple[ErrorKind, tuple[str, ...]], ...] = (
    (ErrorKind.THROTTLED, ("Throttling", "QpsLimitExceeded")),
    (ErrorKind.IN_PROCESS, ("LastTokenProcessing", "IdempotentProcessing", "OperationConflict")),
    (
        ErrorKind.NO_STOCK,
        (
            "OperationDenied.NoStock",
            "ResourceNotAvailable",
            "Zone.NotOnSale",
            "Zone.NotOpen",
            "OperationDenied.ZoneNotAllowed",
            "OperationDenied.ResourceControl",
            "InvalidInstanceType.ZoneNotSupported",
            "InvalidInstanceType.NotSupported",
            "InvalidInstanceType.ValueNotSupported",
            "InvalidResourceType.NotSupported",
            "InstanceType.Offline",
            "InvalidVpcZone.NotSupported",
            "NodeControllerUnavailable",
            "InvalidSpotPriceLimit.LowerThanPublicPrice",
            "QuotaExceeded.PrivateIpAddress",
        ),
    ),
    (
        ErrorKind.DISK_CATEGORY,
        (
            "InvalidInstanceType.NotSupportDiskCategory",
            "InvalidDiskCategory.NotSupported",
            "InvalidSystemDiskCategory.ValueNotSupported",
            "InvalidDataDiskCategory.ValueNotSupported",
            "CategoryNotSupported",
            "OperationDenied.ZoneSystemCategoryNotMatch",
            "InvalidDiskCategory.Mismatch",
        ),
    ),
    (ErrorKind.QUOTA, ("QuotaExceed", "SecurityGroupInstanceLimitExceed")),
    (ErrorKind.NOT_READY, ("OperationDenied.ImageNotValid", "InvalidSnapshotId.NotReady", "InvalidImageId.NotFound")),
    (
        ErrorKind.CREDENTIALS,
        (
            "InvalidAccessKeyId",
            "SignatureDoesNotMatch",
            "IncompleteSignature",
            "InvalidSecurityToken",
            "InvalidCredentials",
            "Forbidden.AccessKeyDisabled",
            "InvalidTimeStamp",
            "IllegalTimestamp",
            "TimeExpired",
        ),
    ),
    (ErrorKind.DENIED, ("Forbidden", "NoPermission", "AccessDenied", "InvalidUser.PassRoleForbidden")),
    (ErrorKind.NOT_FOUND, ("QueueNotExist",)),
    (ErrorKind.BUSY, ("IncorrectInstanceStatus", "IncorrectDiskStatus")),
    (ErrorKind.BROKEN, ("InternalError", "InternalServerError", "ServiceUnavailable")),
)

_SAID = (
    ("refused", "connection refused"),
    ("timed out", "no answer in time"),
    ("timeout", "no answer in time"),
    ("resolve", "the host name is not known"),
    ("certificate", "the TLS certificate is not trusted"),
    ("ssl", "TLS failed"),
    ("reset", "connection reset"),
    ("closed", "connection closed without an answer"),
    ("aborted", "connection closed without an answer"),
)
