"""What a launch is refused for: details that are malformed, parts of it that somebody deleted, what does not fit."""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

from spottui.sim.catalog import TYPES
from spottui.sim.errors import ApiError, missing, not_found
from spottui.sim.model import Image, VSwitch
from spottui.sim.params import Params
from spottui.sim.registry import Call
from spottui.sim.world import World

_USER_DATA_LIMIT = 32 * 1024 * 4 // 3 + 4
_NAMED = {
    "KeyPairName": "KeyPair", "RamRoleName": "RamRole", "ResourceGroupId": "ResourceGroup",
    "DeploymentSetId": "DeploymentSetId",
}  # fmt: skip
_WITHOUT_EFFECT = (
    "IoOptimized", "InternetChargeType", "InternetMaxBandwidthIn", "Period", "PeriodUnit", "AutoRenew", "UniqueSuffix",
    "SecurityEnhancementStrategy", "CreditSpecification", "Tenancy", "Affinity", "HttpEndpoint", "AutoReleaseTime",
    "HttpPutResponseHopLimit", "ImageOptions", "ImageFamily", "InstanceChargeType", "PasswordInherit", "SystemDisk",
    "DataDisk", "NetworkInterface",
)  # fmt: skip


def check_details(params: Params, instance_type: str) -> None:
    """Raise for what is malformed by itself."""
    params.accept(*_WITHOUT_EFFECT)
    behavior = params.text("SpotInterruptionBehavior", "Terminate")
    if behavior not in ("Terminate", "Stop"):
        raise ApiError("InvalidSpotInterruptionBehavior", 400, "SpotInterruptionBehavior is not valid.")
    if behavior == "Stop" and TYPES[instance_type].local_gib:
        raise ApiError("InvalidSpotInterruptionBehavior.LocalDiskNotSupport", 403, "Local disks do not support Stop.")
    if params.flag("PasswordInherit") and params.text("Password"):
        raise ApiError("InvalidPasswordParam.Mismatch", 400, "Password and PasswordInherit conflict.")
    if not re.fullmatch(r"[A-Za-z0-9+/\s]*={0,2}\s*", params.text("UserData")):
        raise ApiError("InvalidUserData.Base64FormatInvalid", 400, "The specified parameter UserData is not Base64.")
    if len(params.text("UserData")) > _USER_DATA_LIMIT:
        raise ApiError("InvalidUserData.SizeExceeded", 400, "The specified parameter UserData exceeds the size.")
    released = params.text("AutoReleaseTime")
    if released and not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", released):
        raise ApiError("InvalidAutoReleaseTime.Malformed", 400, "The specified AutoReleaseTime is not valid.")
    if not re.fullmatch(r"[\x00-\x7f]{0,64}", params.text("ClientToken")):
        raise ApiError("InvalidClientToken.Malformed", 400, "The specified ClientToken is not valid.")


def check_parts(call: Call) -> None:
    """Raise for a key pair, role, resource group or deployment set that was deleted since."""
    gone = call.world.settings.gone
    for parameter, kind in _NAMED.items():
        if call.params.text(parameter) in gone:
            raise not_found(kind, call.params.text(parameter))


def check_keys(world: World, key_ids: Iterable[str]) -> None:
    """Raise for a KMS key that was deleted or disabled."""
    for key_id in key_ids:
        if key_id and key_id in world.settings.gone:
            raise ApiError("InvalidParameter.KMSKeyId.NotFound", 403, "The specified KMSKeyId does not exist.")


def check_fit(call: Call, image: Image, instance_type: str, vswitch: VSwitch) -> None:
    """Raise where type and image, or type and vSwitch, do not go together."""
    settings = call.world.settings
    wrong_boot = image.boot_mode == "BIOS" and any(
        fnmatchcase(instance_type, uefi_type) for uefi_type in settings.uefi_types
    )
    if wrong_boot or image.architecture != TYPES[instance_type].image_architecture:
        raise ApiError(
            "ImageNotSupportInstanceType", 403, "The specified image does not support the specified instance type."
        )
    wants_ipv6 = call.params.whole("Ipv6AddressCount", 0, 0, 10) or call.params.numbered("Ipv6Address")
    if wants_ipv6 and not settings.ipv6:
        raise ApiError("InvalidVSwitch.Ipv6NotTurnOn", 400, "The specified VSwitch has not turned on IPv6.")


def security_groups(call: Call, known: str) -> tuple[str, ...]:
    """The security groups of a launch or an interface, which must be there."""
    single, several = call.params.text("SecurityGroupId"), call.params.numbered("SecurityGroupIds")
    if single and several:
        raise ApiError(
            "InvalidParameter.Conflict", 400, "SecurityGroupId and SecurityGroupIds.N can not be used together."
        )
    groups = tuple(several) or ((single,) if single else ())
    if not groups:
        raise missing("SecurityGroupId")
    if any(group != known or group in call.world.settings.gone for group in groups):
        raise ApiError("InvalidSecurityGroupId.NotFound", 404, "The specified SecurityGroupId does not exist.")
    return groups
