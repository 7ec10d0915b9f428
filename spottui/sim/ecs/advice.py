"""What else could be launched: spot advice, recommended types, quotas of the account."""

from spottui.sim import stock
from spottui.sim.catalog import TYPES, InstanceType
from spottui.sim.errors import ApiError, invalid, not_found
from spottui.sim.registry import Body, Call, action
from spottui.sim.stock import INTERRUPTION_RATES, interruption_rate, price

_MOST_TYPES = 10
_PRIORITIES = ("InventoryFirst", "PriceFirst", "NewProductFirst")
_PLENTY = 1_000_000


@action()
def describe_spot_advice(call: Call) -> Body:
    """How often types are interrupted and how cheap they are on average, by zone (docs/alibaba-facts.md 5)."""
    params, region = call.params, call.region
    wanted = params.numbered("InstanceTypes")
    if len(wanted) > _MOST_TYPES:
        raise ApiError("InvalidParameter.InstanceTypes", 400, f"At most {_MOST_TYPES} instance types.")
    fitting = _fitting(call, wanted)
    zones = [zone for zone in region.zones if params.text("ZoneId", zone) == zone]
    if params.text("ZoneId") and not zones:
        raise not_found("ZoneId", params.text("ZoneId"))
    rows = [] if call.blind else [_advice(call, zone, fitting) for zone in zones]
    return {"RegionId": region.id, "AvailableSpotZones": {"AvailableSpotZone": rows}}


def _advice(call: Call, zone: str, types: list[InstanceType]) -> dict[str, object]:
    stocked = [t for t in types if stock.has(call.world, t.name, zone)]
    # A zone without anything to offer has no resources element at all.
    if not stocked:
        return {"ZoneId": zone}
    return {
        "ZoneId": zone,
        "AvailableSpotResources": {"AvailableSpotResource": [_resource(call, t, zone) for t in stocked]},
    }


def _resource(call: Call, kind: InstanceType, zone: str) -> dict[str, object]:
    words = interruption_rate(call.world, kind.name, zone)
    discount = round(100 * price(call.world, kind.name, zone, call.now) / kind.list_price)
    return {
        "InstanceType": kind.name, "InterruptRateDesc": words, "InterruptionRate": INTERRUPTION_RATES[words],
        "AverageSpotDiscount": discount,
    }  # fmt: skip


def _fitting(call: Call, wanted: list[str]) -> list[InstanceType]:
    params = call.params
    family = params.text("InstanceTypeFamily")
    cores, memory = params.whole("Cores", 0, 0, 1024), params.number("Memory", 0)
    params.accept("InstanceFamilyLevel")
    gpus = params.text("GpuSpec") or params.whole("GpuAmount", 0, 0, 1024)
    least_cores, least_memory = params.whole("MinCores", 0, 0, 1024), params.number("MinMemory", 0)
    return [
        t for t in TYPES.values()
        if (not wanted or t.name in wanted) and family in ("", t.family)
        and cores in (0, t.vcpu) and memory * 1024 in (0, t.memory_mib)
        and not gpus and t.vcpu >= least_cores and t.memory_mib >= least_memory * 1024
    ]  # fmt: skip


@action()
def describe_recommend_instance_type(call: Call) -> Body:
    """Types like the one asked for that have stock, by inventory, price or age."""
    params, region = call.params, call.region
    params.accept("InstanceChargeType", "InstanceFamilyLevel", "IoOptimized", "SystemDiskCategory", "ZoneMatchMode")
    params.required("NetworkType")
    asked = _asked_for(call)
    strategy = params.text("PriorityStrategy", "InventoryFirst")
    if strategy not in _PRIORITIES:
        raise invalid("PriorityStrategy")
    families = params.numbered("InstanceTypeFamily")
    limit = params.number("MaxPrice", 10**6)
    zones = [zone for zone in region.zones if params.text("ZoneId", zone) == zone]
    offers = [
        (kind, zone) for kind in TYPES.values() for zone in zones
        if (kind.vcpu, kind.memory_mib) == asked and (not families or kind.family in families)
        and stock.has(call.world, kind.name, zone) and _cost(call, kind, zone) <= limit
    ]  # fmt: skip
    offers.sort(key=lambda offer: _rank(call, strategy, *offer))
    rows = [_recommended(call, region.id, n, *offer) for n, offer in enumerate(offers, 1)]
    return {"Data": {"RecommendInstanceType": [] if call.blind else rows}}


def _asked_for(call: Call) -> tuple[int, int]:
    name = call.params.text("InstanceType")
    call.params.accept("Cores", "Memory")
    if name:
        if name not in TYPES:
            raise ApiError("InvalidInstanceType.ValueNotSupported", 400, "The specified InstanceType is not supported.")
        return TYPES[name].vcpu, TYPES[name].memory_mib
    cores = int(call.params.required("Cores")) if call.params.whole("Cores", 0, 1, 1024) else 0
    if not cores:
        call.params.required("Cores")
    call.params.required("Memory")
    return cores, int(call.params.number("Memory", 0) * 1024)


def _cost(call: Call, kind: InstanceType, zone: str) -> float:
    if call.params.text("SpotStrategy", "NoSpot") == "NoSpot":
        return kind.list_price
    return price(call.world, kind.name, zone, call.now)


def _rank(call: Call, strategy: str, kind: InstanceType, zone: str) -> tuple[float, ...]:
    left = stock.left(call.world, kind.name, zone)
    inventory = -1.0 * (10**6 if left is None else left)
    if strategy == "PriceFirst":
        return _cost(call, kind, zone), inventory
    generation = int("".join(c for c in kind.family if c.isdigit()) or 0)
    return (-generation, inventory) if strategy == "NewProductFirst" else (inventory, _cost(call, kind, zone))


def _recommended(call: Call, region: str, number: int, kind: InstanceType, zone: str) -> dict[str, object]:
    return {
        "RegionId": region, "ZoneId": zone, "CommodityCode": "ecs", "Priority": number,
        "InstanceChargeType": "PostPaid", "SpotStrategy": call.params.text("SpotStrategy", "NoSpot"),
        "NetworkType": "vpc", "Scene": call.params.text("Scene", "CREATE"),
        "InstanceType": {
            "InstanceType": kind.name, "InstanceTypeFamily": kind.family, "Cores": kind.vcpu,
            "Memory": kind.memory_mib, "Generation": "ecs-3", "SupportIoOptimized": "optimized",
        },
        "Zones": {"zone": [{"ZoneNo": zone, "NetworkTypes": {"NetworkType": ["vpc"]}}]},
    }  # fmt: skip


@action()
def describe_account_attributes(call: Call) -> Body:
    """Quotas of vCPUs of the account in a region, and what is used of them."""
    call.params.accept("ZoneId")
    region = call.region_id
    rows = [row for row in call.world.instances.values() if row.region == region]
    quota = call.world.settings.spot_vcpus
    values = {
        "max-spot-instance-vcpu-count": _PLENTY if quota is None else quota,
        "used-spot-instance-vcpu-count": sum(TYPES[row.type].vcpu for row in rows if row.is_spot),
        "max-postpaid-instance-vcpu-count": _PLENTY,
        "used-postpaid-instance-vcpu-count": sum(TYPES[row.type].vcpu for row in rows if not row.is_spot),
    }
    wanted = call.params.numbered("AttributeName") or list(values)
    items = [
        {"AttributeName": name, "AttributeValues": {"ValueItem": [{"Value": str(values[name])}]}}
        for name in wanted if name in values
    ]  # fmt: skip
    return {"AccountAttributeItems": {"AccountAttributeItem": [] if call.blind else items}}
