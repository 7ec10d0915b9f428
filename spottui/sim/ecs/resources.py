"""What can be launched where, and at what spot price."""

from spottui.sim import stock
from spottui.sim.catalog import TYPES, spot_price
from spottui.sim.clock import iso_seconds
from spottui.sim.errors import ApiError, invalid
from spottui.sim.registry import Body, Call, action

_HOUR_S = 3600
_KINDS = ("Zone", "IoOptimized", "InstanceType", "SystemDisk", "DataDisk", "Network", "ddh")


@action()
def describe_available_resource(call: Call) -> Body:
    """Stock of instance types (or disk categories) by zone; advisory, as in the real cloud."""
    params, region = call.params, call.region
    kind = params.required("DestinationResource")
    if kind not in _KINDS:
        raise ApiError("InvalidDestinationResource", 400, "The specified DestinationResource is not valid.")
    zones = [zone for zone in region.zones if params.text("ZoneId", zone) == zone]
    rows = [] if call.blind else [_zone(call, region.id, zone, kind) for zone in zones]
    return {"AvailableZones": {"AvailableZone": rows}}


def _zone(call: Call, region: str, zone: str, kind: str) -> dict[str, object]:
    values = _types(call, zone) if kind == "InstanceType" else _categories(kind)
    stocked = any(value["Status"] == "Available" for value in values)
    resource = {"Type": kind, "SupportedResources": {"SupportedResource": values}}
    return {
        "RegionId": region, "ZoneId": zone, "Status": "Available" if stocked else "SoldOut",
        "StatusCategory": "WithStock" if stocked else "WithoutStock",
        "AvailableResources": {"AvailableResource": [resource]},
    }  # fmt: skip


def _types(call: Call, zone: str) -> list[dict[str, object]]:
    params = call.params
    cores, memory = params.whole("Cores", 0, 0, 1024), params.number("Memory", 0)
    fitting = [
        t for t in TYPES.values()
        if params.text("InstanceType", t.name) == t.name
        and (not cores or t.vcpu == cores) and (not memory or t.memory_mib == memory * 1024)
    ]  # fmt: skip
    return [_supported(t.name, stock.category(call.world, t.name, zone)) for t in fitting]


def _categories(kind: str) -> list[dict[str, object]]:
    if kind not in ("SystemDisk", "DataDisk"):
        return [_supported(kind, "WithStock")]
    return [
        {**_supported(name, "WithStock"), "Min": 20, "Max": 2048, "Unit": "GiB"}
        for name in ("cloud_essd", "cloud_auto", "cloud_efficiency")
    ]


def _supported(value: str, category: str) -> dict[str, object]:
    status = "SoldOut" if category == "WithoutStock" else "Available"
    return {"Value": value, "Status": status, "StatusCategory": category}


@action()
def describe_spot_price_history(call: Call) -> Body:
    """Hourly spot prices of a type, three hours back, steady in this cloud."""
    params, region = call.params, call.region
    params.required("NetworkType")
    name = params.required("InstanceType")
    if name not in TYPES:
        raise invalid("InstanceType")
    zones = [zone for zone in region.zones if params.text("ZoneId", zone) == zone]
    hour = call.now // _HOUR_S * _HOUR_S
    rows = [_price(name, zone, hour - back * _HOUR_S) for back in (2, 1, 0) for zone in zones]
    return {"Currency": "CNY", "NextOffset": 0, "SpotPrices": {"SpotPriceType": rows}}


def _price(name: str, zone: str, at: float) -> dict[str, object]:
    return {
        "InstanceType": name, "ZoneId": zone, "NetworkType": "vpc", "IoOptimized": "optimized",
        "Timestamp": iso_seconds(at), "SpotPrice": spot_price(name, zone),
        "OriginPrice": TYPES[name].list_price,
    }  # fmt: skip
