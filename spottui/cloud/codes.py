"""What each error code of the API means, per action and with its source, and what an unknown one means.

The rule (docs/alibaba-facts.md 4.3): only money, credentials, permission and the account's quota end a launch; what
passes is repeated with the same token; every other definite refusal ends one place. So every code that ends a launch is
listed in full here: a merely similar one ends a place.
"""

from collections.abc import Iterator

import msgspec

from spottui.cloud.errors import ErrorKind
from spottui.domain.launch_spec import Part

ANY = ""
LAUNCH = "RunInstances"
START = "StartInstance"
IMAGE = "CreateImage"
SNAPSHOT = "CreateSnapshot"
SNAPSHOT_GROUP = "CreateSnapshotGroup"
ATTACH = "AttachDisk"
PROTECT = "ModifyDiskAttribute"
BIND, UNBIND = "AssociateEipAddress", "UnassociateEipAddress"
ATTACH_ENI, DETACH_ENI = "AttachNetworkInterface", "DetachNetworkInterface"
CONVERT = "ConvertNatPublicIpToEip"
COMMAND = "RunCommand"
ACTING = (LAUNCH, START, IMAGE, SNAPSHOT, SNAPSHOT_GROUP, ATTACH, PROTECT, BIND, UNBIND, CONVERT, COMMAND)


class Meaning(msgspec.Struct, frozen=True):
    """What a code means to the callers of an action (`ANY` for all): a code in full, or its beginning and `*`.

    `says` is a part of the message, in lower case, that distinguishes the meanings of one code.
    """

    action: str
    code: str
    kind: ErrorKind
    source: str
    says: str = ""

    def fits(self, action: str, code: str, message: str) -> bool:
        """Whether an error is one of these."""
        is_code = code.startswith(self.code[:-1]) if self.code.endswith("*") else code == self.code
        return is_code and self.action in (ANY, action) and self.says in message.lower()

    @property
    def weight(self) -> tuple[bool, bool, bool, int]:
        """The order of several that fit: with a message, in full, of the action itself, then the longest."""
        return self.says != "", not self.code.endswith("*"), self.action != ANY, len(self.code)


def kind_of(code: str, http_status: int | None, action: str = ANY, message: str = "") -> ErrorKind:
    """Return what an error answer means to the caller of `action`; unknown codes have a meaning too."""
    meanings = [meaning for meaning in MEANINGS if meaning.fits(action, code, message)]
    if meanings:
        return max(meanings, key=lambda meaning: meaning.weight).kind
    if http_status is not None and http_status >= 500:
        return ErrorKind.BROKEN
    if http_status == 429:
        return ErrorKind.THROTTLED
    if action == LAUNCH:
        return ErrorKind.PLACE
    return ErrorKind.NOT_FOUND if code.endswith(".NotFound") else ErrorKind.REFUSED


def part_of(code: str) -> Part | None:
    """Return the part of a launch that a refusal names and that can be omitted, or None.

    The code begins with the part's name and means that it does not exist, or is unavailable for this image. The group,
    set or role may have been deleted since the old instance was launched, or belong to somebody else.
    """
    if not code.endswith((".NotFound", ".NotExist", ".NotExists", ".Mismatch", ".Malformed", ".NotSupported")):
        return None
    return next((part for beginning, part in _PARTS if code.startswith(beginning)), None)


_PARTS = (
    ("InvalidKeyPair", Part.KEY_PAIR),
    ("InvalidRamRole", Part.RAM_ROLE),
    ("InvalidRAMRole", Part.RAM_ROLE),
    ("InvalidResourceGroup", Part.RESOURCE_GROUP),
    ("InvalidDeploymentSet", Part.DEPLOYMENT_SET),
    ("InvalidSecurityGroup", Part.SECURITY_GROUP),
    ("InvalidPassword", Part.PASSWORD),
)
"""RunInstances/CreateInstance error tables; a password that the image has not: docs/alibaba-facts.md 4.1."""


def _rows(source: str, actions: str | tuple[str, ...], kind: ErrorKind, *codes: str) -> Iterator[Meaning]:
    """One row for each code and action; `Code|part of the message` where the message decides."""
    for action in (actions,) if isinstance(actions, str) else actions:
        for code, _, says in (name.partition("|") for name in codes):
            yield Meaning(action, code, kind, source, says)


_COMMON = "ECS common error codes; docs/alibaba-facts.md 7.3, 7.4"
_RUN = "RunInstances/CreateInstance error table 2026-01; docs/alibaba-facts.md 4.3"
_ADDRESS = "RunInstances error table; retried by the BOSH CPI while the instance before it has the address"
_START = "StartInstance error table"
_IMAGE = "CreateImage error table; docs/alibaba-facts.md 3.1"
_SNAPSHOT = "CreateSnapshot error table"
_ATTACH = "AttachDisk error table"
_EIP = "AssociateEipAddress error table; retried by terraform-provider-alicloud"
_ENI = "AttachNetworkInterface error table; retried by terraform-provider-alicloud and terway"
_RETRIED = "retried by terraform-provider-alicloud, CSI driver, packer; docs/alibaba-facts.md 4.3"
_BALANCERS = "SLB, ALB and NLB error tables; retried by terraform-provider-alicloud; docs/alibaba-facts.md 14"
_PVTZ = "PrivateZone error table; retried by terraform-provider-alicloud"
_MNS = "SMQ error table; docs/alibaba-facts.md 8.3"

MEANINGS: tuple[Meaning, ...] = (
    # Errors of every action: the gateway, the key, the account.
    *_rows(_COMMON, ANY, ErrorKind.THROTTLED, "Throttling*", "QpsLimitExceeded"),
    *_rows(_RETRIED, ANY, ErrorKind.THROTTLED, "Rejected.Throttling"),
    *_rows(
        _COMMON, ANY, ErrorKind.BROKEN,
        "InternalError", "InternalServerError", "ServiceUnavailable", "ServiceUnavailable.*", "Mayi.InternalError",
    ),
    *_rows(_RETRIED, ANY, ErrorKind.BROKEN, "UnknownError"),
    *_rows(
        _COMMON, ANY, ErrorKind.IN_PROCESS, "LastTokenProcessing", "IdempotentProcessing", "OperationConflict"
    ),
    *_rows(
        _RETRIED, ANY, ErrorKind.IN_PROCESS,
        "OperationDenied.CreatingConflict", "OperationFailed.LastTokenProcessing", "Operation.Conflict",
    ),
    *_rows(
        _RETRIED, ANY, ErrorKind.BUSY,
        "InvalidOperation.Conflict", "TaskConflict", "TaskConflict.*", "SystemBusy", "DiskCreatingSnapshot",
        "IncorrectVSwitchStatus", "IncorrectVpcStatus",
    ),
    *_rows(
        _BALANCERS, ANY, ErrorKind.BUSY,
        "IncorrectStatus.ServerGroup", "IncorrectStatus.serverGroup", "ResourceInUse.ServerGroup", "Conflict.Lock",
        "BackendServer.configuring", "VServerGroupProcessing", "OperationBusy", "ServiceIsStopping",
        "ServiceIsConfiguring",
    ),
    *_rows(_BALANCERS, ANY, ErrorKind.IN_PROCESS, "IdempotenceProcessing"),
    *_rows(
        _COMMON, ANY, ErrorKind.BUSY,
        "IncorrectInstanceStatus", "IncorrectInstanceStatus.*", "InstanceNotReady", "IncorrectDiskStatus",
        "IncorrectDiskStatus.*",
    ),
    *_rows(
        "docs/alibaba-facts.md 3.1, 4.4", ANY, ErrorKind.EXISTS,
        "IdempotentParameterMismatch", "IdempotenceParamNotMatch", "InvalidParamter.Conflict",
    ),
    *_rows(
        _COMMON, ANY, ErrorKind.CREDENTIALS,
        "InvalidAccessKeyId", "InvalidAccessKeyId.*", "InvalidSecurityToken", "InvalidSecurityToken.*",
        "InvalidCredentials", "SignatureDoesNotMatch", "IncompleteSignature", "Forbidden.AccessKeyDisabled",
        "InvalidTimeStamp", "InvalidTimeStamp.*", "IllegalTimestamp",
    ),
    *_rows(_MNS, ANY, ErrorKind.CREDENTIALS, "TimeExpired"),
    *_rows(
        _COMMON, ANY, ErrorKind.DENIED,
        "Forbidden", "Forbidden.RAM", "Forbidden.SubUser", "Forbbiden.SubUser", "Forbidden.NotSupportRAM",
        "Forbedden.NotSupportRAM", "Forbidden.Unauthorized", "Forbidden.Action", "Forbidden.RiskControl",
        "NoPermission", "AccessDenied",
    ),
    # Other names of a missing permission: a call that only reads or sets up ends no recovery.
    *_rows(_COMMON, ANY, ErrorKind.DENIED, "Forbidden*", "NoPermission*", "AccessDenied*"),
    *_rows(_COMMON, ACTING[1:], ErrorKind.REFUSED, "Forbidden*", "NoPermission*", "AccessDenied*"),
    *_rows(_RUN, LAUNCH, ErrorKind.PLACE, "Forbidden*", "NoPermission*", "AccessDenied*"),
    *_rows(
        _RUN, ANY, ErrorKind.MONEY,
        "InvalidAccountStatus", "InvalidAccountStatus.NotEnoughBalance", "InsufficientBalance", "Account.Arrearage",
        "InvalidPayMethod", "PaymentMethodNotFound", "RealNameAuthenticationError", "SecurityRisk.3DVerification",
        "InstanceExpiredOrInArrears", "InstanceExpired", "DiskInArrears",
    ),
    *_rows(_IMAGE, ANY, ErrorKind.MONEY, "InvalidAccountStatus.SnapshotServiceUnavailable"),
    *_rows(_RUN, ANY, ErrorKind.MONEY, "OperationDenied|user profile is not complete"),
    *_rows(_MNS, ANY, ErrorKind.NOT_FOUND, "QueueNotExist"),
    *_rows(_PVTZ, ANY, ErrorKind.NOT_FOUND, "Zone.NotExists", "Zone.Invalid.Id", "Record.NotExists"),
    *_rows(_PVTZ, ANY, ErrorKind.BUSY, "System.Busy"),
    # RunInstances: sold out, backed off for all recoveries.
    *_rows(
        _RUN, (LAUNCH, START), ErrorKind.NO_STOCK,
        "OperationDenied.NoStock", "ResourceNotAvailable", "Zone.NotOnSale", "Zone.NotOpen",
        "OperationDenied.ZoneNotAllowed", "OperationDenied.ResourceControl", "InvalidInstanceType.ZoneNotSupported",
        "InvalidInstanceType.NotSupported", "InvalidInstanceType.ValueNotSupported", "InvalidInstanceType.PhasedOut",
        "InvalidResourceType.NotSupported", "InstanceType.Offline", "InvalidVpcZone.NotSupported",
        "NodeControllerUnavailable", "LackResource", "InvalidDedicatedHost.NotEnoughResource",
        "Invalid.PrivatePoolOptions.NoStock", "OperationDenied.PaygNotAvailable",
        "OperationDenied|sold out", "OperationDenied|temporarily suspended", "OperationDenied|out of usage",
        "OperationDenied|specified zone is not allowed",
    ),
    # The price is this instance's own limit: other instances may use the place.
    *_rows(_RUN, LAUNCH, ErrorKind.PRICE, "InvalidSpotPriceLimit", "InvalidSpotPriceLimit.*"),
    *_rows(
        _START, (LAUNCH, START), ErrorKind.PRICE,
        "OperationDenied.SpotPriceLowerThanPublicPrice", "InvalidSpotPriceLimit.LowerThanPublicPrice",
    ),
    # Quotas of a type, a zone, a vSwitch or a group: the old instance's release makes room.
    *_rows(
        _RUN, (LAUNCH, START), ErrorKind.PLACE_FULL,
        "QuotaExceed.ElasticQuota", "QuotaExceeded.ElasticQuota", "QuotaExceed.DeploymentSetInstanceQuotaFull",
        "QuotaExceeded.PrivateIpAddress", "InvalidVSwitchId.IpNotEnough", "SecurityGroupInstanceLimitExceed",
        "QuotaExceed.DiskCapacity", "QuotaExceeded.PostpaidDataDiskCapacity", "QuotaExceed*",
    ),
    # Quotas of the account, wherever it launches.
    *_rows(
        _RUN, ANY, ErrorKind.QUOTA,
        "QuotaExceed.AfterpayInstance", "QuotaExceed.PostPaidDisk", "QuotaExceed.PortableCloudDisk",
        "QuotaExceeded.InternetBandwidth", "QuotaExceed", "QuotaExceeded",
    ),
    *_rows(_IMAGE, (IMAGE, SNAPSHOT, SNAPSHOT_GROUP), ErrorKind.QUOTA, "QuotaExceed.Image", "QuotaExceed.Snapshot"),
    *_rows(
        _RUN, LAUNCH, ErrorKind.DISK_CATEGORY,
        "InvalidInstanceType.NotSupportDiskCategory", "InvalidDiskCategory.NotSupported",
        "InvalidSystemDiskCategory.ValueNotSupported", "InvalidDataDiskCategory.ValueNotSupported",
        "CategoryNotSupported", "OperationDenied.ZoneSystemCategoryNotMatch", "InvalidDiskCategory.Mismatch",
        "InvalidSystemDiskCategory.ValueUnauthorized", "OperationDenied.CloudSSDNotSupported",
        "NotSupportSnapshotEncrypted.DiskCategory", "OperationDenied|does not offer the specified disk category",
    ),
    *_rows(
        _ADDRESS, LAUNCH, ErrorKind.ADDRESS,
        "InvalidPrivateIpAddress", "InvalidPrivateIpAddress.*", "InvalidIPAddress.AlreadyUsed", "InvalidIp.IpAssigned",
        "InvalidIp.IpRepeated", "InvalidIp.Address", "InvalidVSwitchId.IpInvalid",
    ),
    # An image that is not ready, disabled or deleted: the caller looks at it by DescribeImages.
    *_rows(
        _RUN, LAUNCH, ErrorKind.NOT_READY,
        "OperationDenied.ImageNotValid", "InvalidImageId.NotFound", "InvalidSnapshotId.NotReady",
        "OperationDenied|specified image is",
    ),
    *_rows(_RUN, LAUNCH, ErrorKind.IN_PROCESS, "OperationDenied|another instance has been creating"),
    *_rows(_RUN, LAUNCH, ErrorKind.DENIED, "InvalidUser.PassRoleForbidden", "RegionUnauthorized"),
    # Listed because they concern one place only and are easily taken for more.
    *_rows(
        _RUN, LAUNCH, ErrorKind.PLACE,
        "ImageNotSupportInstanceType", "ImageNotSupportCloudInit", "InvalidVSwitch.Ipv6NotTurnOn",
        "InvalidOperation.PublicIpAddressNoStock", "OperationDenied.FlavorNotSupported",
        "OperationDenied.RegionIdNotSupported", "OperationDenied.TimestampNotSupported",
        "OperationDenied.PerformanceLevelNotMatch", "OperationDenied.InconsistentNetwork",
        "EnterpriseGroupLimited.InstanceType", "NotSupportSnapshotEncrypted.*", "InvalidVSwitchId.NotFound",
        "InvalidVPCStatus.NotWorking", "InvalidSpotAliUid", "InvalidSpotAuthorized", "UserNotInTheWhiteList",
        "InternalError.AllocateUnderlayIp", "IoOptimized.NotSupported", "InvalidParameter.Conflict",
        "InvalidParameter.Mismatch", "QuotaExceed.Tags", "OperationDenied",
    ),
    # CreateImage and CreateSnapshot: what passes is BUSY or NOT_READY, the rest is definite.
    *_rows(_IMAGE, IMAGE, ErrorKind.NOT_READY, "InvalidSnapshotId.NotReady", "InvalidSnapshot.NotReady"),
    *_rows(_IMAGE, IMAGE, ErrorKind.EXISTS, "InvalidImageName.Duplicated"),
    *_rows(
        _SNAPSHOT, (SNAPSHOT, SNAPSHOT_GROUP), ErrorKind.REFUSED,
        "IncorrectDiskStatus.NeverAttached", "IncorrectDiskStatus.NeverUsed",
    ),
    # AttachDisk, addresses: the state of the other side passes.
    *_rows(_ATTACH, ATTACH, ErrorKind.BUSY, "DiskId.StatusNotSupported", "InvalidDisk.InUse", "DiskError"),
    *_rows(_START, START, ErrorKind.BUSY, "DiskError"),
    *_rows(
        _EIP, (BIND, UNBIND), ErrorKind.BUSY,
        "IncorrectEipStatus", "IncorrectStatus", "IncorrectStatus.*", "InvalidBindingStatus", "InvalidStatus.*",
        "OperationFailed.EipStatusInvalid",
    ),
    *_rows(
        _ENI, (ATTACH_ENI, DETACH_ENI), ErrorKind.BUSY,
        "InvalidOperation.InvalidEniState", "InvalidOperation.InvalidEcsState", "InvalidOperation.ConflictUse",
    ),
    *_rows(_EIP, BIND, ErrorKind.EXISTS, "InvalidAssociation.Duplicated"),
)  # fmt: skip
"""Every known code."""
