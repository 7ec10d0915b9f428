"""DescribePrice: what an instance costs by the hour, without its disks (docs/alibaba-facts.md 5)."""

from spottui.sim import stock
from spottui.sim.catalog import TYPES
from spottui.sim.errors import ApiError, not_found, unmodelled
from spottui.sim.registry import Body, Call, action

_STRATEGIES = ("NoSpot", "SpotWithPriceLimit", "SpotAsPriceGo")
_ONLY = {
    "ResourceType": "instance", "PriceUnit": "Hour", "Period": "1", "Platform": "Linux", "InternetMaxBandwidthOut": "0",
}  # fmt: skip
"""Parameters of which this cloud has one value, the one that is meant without them."""


@action(refuses=(
    "AssuranceTimes", "Capacity", "DataDisk", "DedicatedHostType", "InstanceAmount", "InstanceCpuCoreCount",
    "InstanceTypeList", "OfferingType", "RecurrenceRules", "SchedulerOptions", "Scope", "StartTime", "SystemDisk",
))  # fmt: skip
def describe_price(call: Call) -> Body:
    """List price and price of a type in a zone, of a spot instance the market's; without a zone that of the first."""
    params, region = call.params, call.region
    _refuse_other_prices(call)
    params.accept("ImageId", "InstanceNetworkType", "InternetChargeType", "IoOptimized", "Isp", "SpotDuration")
    kind = TYPES.get(params.required("InstanceType"))
    if kind is None:
        raise ApiError("InvalidInstanceType.ValueNotSupported", 400, "The specified InstanceType is not supported.")
    zone = params.text("ZoneId", region.zones[0])
    if zone not in region.zones:
        raise not_found("ZoneId", zone)
    refusal = ApiError("InvalidSpotStrategy", 400, "The specified SpotStrategy is not valid.")
    is_spot = params.choice("SpotStrategy", _STRATEGIES, refusal, "NoSpot") != "NoSpot"
    amount = params.whole("Amount", 1, 1, 1_000)
    list_price = kind.list_price * amount
    price = stock.price(call.world, kind.name, zone, call.now) * amount if is_spot else list_price
    figures = {
        "OriginalPrice": round(list_price, 3), "TradePrice": round(price, 3),
        "DiscountPrice": round(list_price - price, 3),
    }  # fmt: skip
    detail = {"Resource": "instanceType", **figures, "SubRules": {"Rule": []}}
    whole = {"Currency": "CNY", **figures, "DetailInfos": {"DetailInfo": [detail]}}
    return {"PriceInfo": {"Price": whole, "Rules": {"Rule": []}}}


def _refuse_other_prices(call: Call) -> None:
    asked = [name for name, only in _ONLY.items() if call.params.text(name, only).lower() != only.lower()]
    if asked:
        call.world.coverage.unsupported(f"DescribePrice.{name}" for name in asked)
        raise unmodelled("DescribePrice", [f"{name} {call.params[name]}" for name in asked])
