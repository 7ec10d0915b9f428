"""RunInstances and CreateInstance: a launch is checked in full, then takes stock and addresses, then boots."""

from dataclasses import dataclass

from spottui.sim import addresses, services, stock
from spottui.sim.boot import boot_new, create_stopped
from spottui.sim.catalog import TYPES
from spottui.sim.ecs import enis
from spottui.sim.ecs.launch_checks import check_details, check_fit, check_parts, security_groups
from spottui.sim.ecs.launch_disks import attach_disks, check_disks
from spottui.sim.ecs.launch_options import options
from spottui.sim.ecs.launch_templates import filled_in
from spottui.sim.errors import ApiError, dry_run, not_found
from spottui.sim.imaging import is_usable
from spottui.sim.model import Image, Instance, Tags, VSwitch
from spottui.sim.registry import Body, Call, action
from spottui.sim.stock import price

_STRATEGIES = ("NoSpot", "SpotWithPriceLimit", "SpotAsPriceGo")


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
    asked, call.params = call.params, filled_in(call)
    try:
        _refuse_if_dry_run(call)
        return call.once("RunInstances", lambda: _run(call))
    finally:
        asked.accept(*(name for name in asked if name not in call.params.unread()))


@action()
def create_instance(call: Call) -> Body:
    """Make one instance, which stays Stopped until it is started."""
    _refuse_if_dry_run(call)

    def create() -> tuple[Body, str]:
        body, what = _run(call)
        instance = call.world.instances[what]
        create_stopped(call.world, instance)
        return {"InstanceId": what, "OrderId": "", "TradePrice": body["TradePrice"]}, what

    return call.once("CreateInstance", create)


def _refuse_if_dry_run(call: Call) -> None:
    if call.params.flag("DryRun"):
        launch = _check(call)
        _check_quota(call, launch, _check_stock(call, launch))
        _check_address(call, launch)
        raise dry_run(call.world.settings.dry_run_status)


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
    if vswitch.id in call.world.settings.gone:
        raise not_found("VSwitchId", vswitch.id)
    if params.text("ZoneId", vswitch.zone) != vswitch.zone:
        raise ApiError("InvalidParameter.Mismatch", 400, "The specified VSwitchId and ZoneId do not match.")
    strategy, limit = _spot(call, instance_type, vswitch.zone)
    check_details(params, instance_type)
    check_parts(call)
    check_fit(call, image, instance_type, vswitch)
    enis.check_launch(call, vswitch, instance_type)
    check_disks(call, image, instance_type, vswitch.zone)
    return _Launch(
        image, instance_type, vswitch, params.whole("Amount", 1, 1, 100), strategy, limit,
        params.tags(), security_groups(call, region.security_group_id),
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
    services.install(world, row, world.settings.service_of_new)
    enis.attach_at_launch(call, row)
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
