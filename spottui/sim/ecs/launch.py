"""RunInstances: a launch is checked in full, then takes stock and addresses, then boots."""

import re
from dataclasses import dataclass

from spottui.sim import addresses, stock
from spottui.sim.boot import boot_new
from spottui.sim.catalog import TYPES
from spottui.sim.ecs.launch_disks import attach_disks, check_disks
from spottui.sim.ecs.launch_options import options
from spottui.sim.errors import ApiError, dry_run, missing
from spottui.sim.imaging import is_usable
from spottui.sim.model import Image, Instance, Tags, VSwitch
from spottui.sim.params import Params
from spottui.sim.pricing import price
from spottui.sim.registry import Body, Call, action

_STRATEGIES = ("NoSpot", "SpotWithPriceLimit", "SpotAsPriceGo")
_USER_DATA_LIMIT = 32 * 1024 * 4 // 3 + 4


@dataclass(frozen=True, slots=True)
class _Launch:
    """A checked request."""

    image: Image
    type: str
    vswitch: VSwitch
    amount: int
    strategy: str
    price_limit: float
    tags: Tags
    security_group_ids: tuple[str, ...]


@action()
def run_instances(call: Call) -> Body:
    """Launch Amount instances, all or none (MinAmount lets fewer be enough)."""
    if call.params.flag("DryRun"):
        launch = _check(call)
        _check_quota(call, launch, _check_stock(call, launch))
        _check_address(call, launch)
        raise dry_run(call.world.settings.dry_run_status)
    return call.once("RunInstances", lambda: _run(call))


def _run(call: Call) -> tuple[Body, str]:
    launch = _check(call)
    _check_address(call, launch)
    amount = _check_stock(call, launch)
    _check_quota(call, launch, amount)
    rows = [_launch_one(call, launch) for _ in range(amount)]
    stock.take(call.world, launch.type, launch.vswitch.zone, amount)
    ids = [row.id for row in rows]
    trade_price = round(_price(call, launch) * amount, 3)
    return {"InstanceIdSets": {"InstanceIdSet": ids}, "OrderId": "", "TradePrice": trade_price}, ", ".join(ids)


def _check(call: Call) -> _Launch:
    params, region = call.params, call.region
    image = _image(call, region.id)
    instance_type = params.required("InstanceType")
    if instance_type not in TYPES:
        raise ApiError("InvalidInstanceType.ValueNotSupported", 400, "The specified InstanceType is not supported.")
    vswitch = call.world.vswitch(params.required("VSwitchId"), region.id)
    if params.text("ZoneId", vswitch.zone) != vswitch.zone:
        raise ApiError("InvalidParameter.Mismatch", 400, "The specified VSwitchId and ZoneId do not match.")
    strategy, limit = _spot(call, instance_type, vswitch.zone)
    _check_details(params, instance_type)
    check_disks(call, image)
    return _Launch(
        image, instance_type, vswitch, params.whole("Amount", 1, 1, 100), strategy, limit,
        params.tags(), _security_groups(call, region.security_group_id),
    )  # fmt: skip


def _image(call: Call, region: str) -> Image:
    image = call.world.image(call.params.required("ImageId"), region)
    if not is_usable(image, call.now):
        code = call.world.settings.image_not_ready_code
        raise ApiError(code, 404 if code.endswith("NotFound") else 403, "The specified image is not available.")
    return image


def _spot(call: Call, instance_type: str, zone: str) -> tuple[str, float]:
    params = call.params
    strategy = params.choice(
        "SpotStrategy", _STRATEGIES, ApiError("InvalidSpotStrategy", 400, "SpotStrategy is not valid."), "NoSpot"
    )
    limit = params.number("SpotPriceLimit", 0.0)
    if strategy == "NoSpot":
        return strategy, 0.0
    if params.text("InstanceChargeType", "PostPaid") != "PostPaid":
        raise ApiError("InvalidSpotPrepaid", 400, "The specified Spot type does not support PrePaid.")
    if params.text("SpotDuration", "1") not in ("0", "1"):
        raise ApiError("InvalidSpotDuration", 400, "The specified SpotDuration is not valid.")
    if strategy == "SpotWithPriceLimit" and limit < price(call.world, instance_type, zone, call.now):
        raise ApiError(
            "InvalidSpotPriceLimit.LowerThanPublicPrice", 400,
            "The spotPriceLimit can't be lower than current public price.", remembered=True,
        )  # fmt: skip
    return strategy, limit


def _check_details(params: Params, instance_type: str) -> None:
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


def _security_groups(call: Call, known: str) -> tuple[str, ...]:
    single, several = call.params.text("SecurityGroupId"), call.params.numbered("SecurityGroupIds")
    if single and several:
        raise ApiError(
            "InvalidParameter.Conflict", 400, "SecurityGroupId and SecurityGroupIds.N can not be used together."
        )
    groups = tuple(several) or ((single,) if single else ())
    if not groups:
        raise missing("SecurityGroupId")
    if any(group != known for group in groups):
        raise ApiError("InvalidSecurityGroupId.NotFound", 404, "The specified SecurityGroupId does not exist.")
    return groups


def _check_stock(call: Call, launch: _Launch) -> int:
    """How many will be launched."""
    zone = launch.vswitch.zone
    least = call.params.whole("MinAmount", launch.amount, 1, launch.amount)
    for amount in range(launch.amount, least - 1, -1):
        if stock.has(call.world, launch.type, zone, amount):
            return amount
    raise ApiError(
        "OperationDenied.NoStock", 403,
        "The requested resource is sold out in the specified zone; try other types of resources or other "
        "regions and zones.", remembered=True,
    )  # fmt: skip


def _check_quota(call: Call, launch: _Launch, amount: int) -> None:
    quota = call.world.settings.spot_vcpus
    if quota is None or launch.strategy == "NoSpot":
        return
    spot = (row for row in call.world.instances.values() if row.is_spot and row.region == launch.vswitch.region)
    if sum(TYPES[row.type].vcpu for row in spot) + amount * TYPES[launch.type].vcpu > quota:
        raise ApiError("QuotaExceed.ElasticQuota", 403, "The quota of vCPUs of spot instances is exceeded.")


def _check_address(call: Call, launch: _Launch) -> None:
    wanted = call.params.text("PrivateIpAddress")
    if wanted and launch.amount > 1:
        raise ApiError("InvalidPrivateIpAddress", 400, "PrivateIpAddress needs an Amount of 1.")
    if wanted:
        addresses.take(launch.vswitch, wanted)
        addresses.give_back(launch.vswitch, wanted)


def _launch_one(call: Call, launch: _Launch) -> Instance:
    world, params = call.world, call.params
    wanted = params.text("PrivateIpAddress")
    address = addresses.take(launch.vswitch, wanted) if wanted else addresses.allocate(launch.vswitch)
    instance_id = world.ids.resource("i")
    row = Instance(
        next(world.order), instance_id, params.text("InstanceName", instance_id), launch.vswitch.region,
        launch.vswitch.zone, launch.type, launch.vswitch.id, address, launch.image.id, call.now,
        host_name=params.text("HostName"), description=params.text("Description"),
        spot_strategy=launch.strategy, spot_price_limit=launch.price_limit,
        spot_duration=params.whole("SpotDuration", 1, 0, 1),
        behavior=params.text("SpotInterruptionBehavior", "Terminate"),
        key_pair=params.text("KeyPairName"), ram_role=params.text("RamRoleName"),
        user_data=params.text("UserData"), security_group_ids=launch.security_group_ids,
        resource_group_id=params.text("ResourceGroupId"), deployment_set_id=params.text("DeploymentSetId"),
        http_tokens=params.text("HttpTokens", "optional"),
        deletion_protection=params.flag("DeletionProtection"), eni_id=world.ids.resource("eni"),
        mac=world.ids.mac(), serial=world.ids.event().lower(), tags=dict(launch.tags), options=options(params),
        listed_at=call.now + world.settings.instance_unlisted_s,
    )  # fmt: skip
    _give_public_address(row, params.whole("InternetMaxBandwidthOut", 0, 0, 100))
    world.instances[row.id] = row
    attach_disks(call, row, launch.image)
    boot_new(world, row, call.now)
    return row


def _give_public_address(row: Instance, bandwidth_out: int) -> None:
    row.bandwidth_out = bandwidth_out
    if bandwidth_out:
        row.public_ip = f"47.{96 + row.seq // 65536 % 32}.{row.seq // 256 % 256}.{row.seq % 256}"


def _price(call: Call, launch: _Launch) -> float:
    if launch.strategy == "NoSpot":
        return TYPES[launch.type].list_price
    return price(call.world, launch.type, launch.vswitch.zone, call.now)
