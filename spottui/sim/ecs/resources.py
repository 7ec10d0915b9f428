"""What can be launched where, and at what spot price."""

from datetime import UTC, datetime

from spottui.sim import stock
from spottui.sim.catalog import TYPES, InstanceType
from spottui.sim.clock import iso_seconds
from spottui.sim.ecs.launch_disks import has_category
from spottui.sim.errors import ApiError, invalid, not_found
from spottui.sim.registry import Body, Call, action
from spottui.sim.stock import HOUR_S, price

_PRICES_PER_PAGE = 1000
_GENERATION = "ecs-3"
_UNKNOWN_OF_TYPES = (
    "GPUSpec", "GpuSpecs", "LocalStorageCategories", "LocalStorageCategory", "MaximumCpuSpeedFrequency",
    "MaximumCpuTurboFrequency", "MaximumGPUAmount", "MinimumBaselineCredit", "MinimumCpuSpeedFrequency",
    "MinimumCpuTurboFrequency", "MinimumDiskQuantity", "MinimumEniIpv6AddressQuantity",
    "MinimumEniPrivateIpAddressQuantity", "MinimumEniQuantity", "MinimumEriQuantity", "MinimumInitialCredit",
    "MinimumInstanceBandwidthRx", "MinimumInstanceBandwidthTx", "MinimumInstancePpsRx", "MinimumInstancePpsTx",
    "MinimumLocalStorageAmount", "MinimumPrimaryEniQueueNumber", "MinimumQueuePairNumber",
    "MinimumSecondaryEniQueueNumber", "NvmeSupport", "PhysicalProcessorModel", "PhysicalProcessorModels",
    "CpuArchitectures", "InstanceCategories",
)  # fmt: skip
"""What DescribeInstanceTypes can ask of a type and this catalog does not say."""
_KINDS = ("Zone", "IoOptimized", "InstanceType", "SystemDisk", "DataDisk", "Network", "ddh")


@action(refuses=("DedicatedHostId",))
def describe_available_resource(call: Call) -> Body:
    """Stock of instance types (or disk categories) by zone; advisory, as in the real cloud."""
    params, region = call.params, call.region
    kind = params.required("DestinationResource")
    if kind not in _KINDS:
        raise ApiError("InvalidDestinationResource", 400, "The specified DestinationResource is not valid.")
    params.choice("InstanceChargeType", ("PostPaid", "PrePaid"), invalid("InstanceChargeType"))
    params.choice("SpotStrategy", ("NoSpot", "SpotWithPriceLimit", "SpotAsPriceGo"), invalid("SpotStrategy"))
    params.accept("SystemDiskCategory", "DataDiskCategory")
    params.accept("SpotDuration", "IoOptimized", "NetworkCategory", "ResourceType", "Scope")
    if params.text("InstanceType") and (params.text("Cores") or params.text("Memory")):
        raise ApiError("InvalidParam.TypeAndCpuMem.Conflict", 400, "InstanceType conflicts with Cores and Memory.")
    zones = [zone for zone in region.zones if params.text("ZoneId", zone) == zone]
    if params.text("ZoneId") and not zones:
        raise not_found("ZoneId", params.text("ZoneId"))
    rows = [] if call.blind else [_zone(call, region.id, zone, kind) for zone in zones]
    return {"AvailableZones": {"AvailableZone": rows}}


def _zone(call: Call, region: str, zone: str, kind: str) -> dict[str, object]:
    values = _types(call, zone) if kind == "InstanceType" else _categories(call, zone, kind)
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
    for category in filter(None, (params.text("SystemDiskCategory"), params.text("DataDiskCategory"))):
        fitting = [t for t in fitting if has_category(call.world, t.name, category)]
        fitting = fitting if has_category(call.world, zone, category) else []
    return [_supported(t.name, stock.category(call.world, t.name, zone)) for t in fitting]


@action()
def describe_instance_type_families(call: Call) -> Body:
    """The families of the types there are."""
    call.region_id  # noqa: B018  mandatory here
    families = dict.fromkeys(kind.family for kind in TYPES.values())
    generation = call.params.text("Generation")
    rows = [{"InstanceTypeFamilyId": name, "Generation": _GENERATION} for name in families]
    shown = [] if call.blind or generation not in ("", _GENERATION) else rows
    return {"InstanceTypeFamilies": {"InstanceTypeFamily": shown}}


def _categories(call: Call, zone: str, kind: str) -> list[dict[str, object]]:
    if kind not in ("SystemDisk", "DataDisk"):
        return [_supported(kind, "WithStock")]
    return [
        {**_supported(name, "WithStock"), "Min": 20, "Max": 2048, "Unit": "GiB"}
        for name in ("cloud_essd", "cloud_auto", "cloud_efficiency")
        if has_category(call.world, zone, name) and has_category(call.world, call.params.text("InstanceType"), name)
    ]


def _supported(value: str, category: str) -> dict[str, object]:
    status = "SoldOut" if category == "WithoutStock" else "Available"
    return {"Value": value, "Status": status, "StatusCategory": category}


@action(refuses=_UNKNOWN_OF_TYPES)
def describe_instance_types(call: Call) -> Body:
    """The instance types there are, whether they have stock or not."""
    params = call.params
    wanted, families = params.numbered("InstanceTypes"), params.numbered("InstanceTypeFamilies")
    params.accept("AdditionalAttributes")
    least, most = params.whole("MinimumCpuCoreCount", 0, 0, 1024), params.whole("MaximumCpuCoreCount", 1024, 1, 1024)
    least_gib, most_gib = params.number("MinimumMemorySize", 0), params.number("MaximumMemorySize", 10**6)
    rows = [
        _type(kind) for kind in TYPES.values()
        if (not wanted or kind.name in wanted) and least <= kind.vcpu <= most
        and least_gib <= kind.memory_mib / 1024 <= most_gib
        and params.text("CpuArchitecture", kind.architecture) == kind.architecture
        and params.text("InstanceTypeFamily", kind.family) == kind.family
        and (not families or kind.family in families)
        and params.text("InstanceCategory", "General-purpose") == "General-purpose"
        and params.text("InstanceFamilyLevel", "EnterpriseLevel") == "EnterpriseLevel"
        and params.whole("MinimumGPUAmount", 0, 0, 1024) == 0
        and kind.local_gib >= params.whole("MinimumLocalStorageCapacity", 0, 0, 10**6)
    ]  # fmt: skip
    return {"NextToken": "", "InstanceTypes": {"InstanceType": [] if call.blind else rows}}


def _type(kind: InstanceType) -> dict[str, object]:
    local = {"LocalStorageAmount": 1, "LocalStorageCapacity": kind.local_gib, "LocalStorageCategory": "local_ssd_pro"}
    return {
        "InstanceTypeId": kind.name, "InstanceTypeFamily": kind.family, "CpuCoreCount": kind.vcpu,
        "MemorySize": kind.memory_mib / 1024, "CpuArchitecture": kind.architecture, "GPUAmount": 0, "GPUSpec": "",
        "InstanceFamilyLevel": "EnterpriseLevel", "InstanceCategory": "General-purpose",
        **(local if kind.local_gib else {"LocalStorageCategory": ""}),
    }  # fmt: skip


@action()
def describe_spot_price_history(call: Call) -> Body:
    """Hourly spot prices of a type between StartTime and EndTime, at most 30 days, by default the last three hours."""
    params, region = call.params, call.region
    params.accept("IoOptimized", "OSType", "SpotDuration")
    network = params.required("NetworkType")
    if network not in ("vpc", "classic"):
        raise ApiError("InvalidNetworkType", 400, "The specified NetworkType is not valid.")
    name = params.required("InstanceType")
    if name not in TYPES:
        raise invalid("InstanceType")
    zones = [zone for zone in region.zones if params.text("ZoneId", zone) == zone]
    hours = _hours(call)
    offset = params.whole("Offset", 0, 0, 10**6)
    rows = [(zone, at) for at in hours for zone in zones]
    page = [_price(call, name, zone, at) for zone, at in rows[offset : offset + _PRICES_PER_PAGE]]
    following = offset + _PRICES_PER_PAGE if offset + _PRICES_PER_PAGE < len(rows) else 0
    return {"Currency": "CNY", "NextOffset": following, "SpotPrices": {"SpotPriceType": page}}


def _hours(call: Call) -> list[float]:
    start = _moment(call.params.text("StartTime"), call.now - 3 * HOUR_S)
    end = _moment(call.params.text("EndTime"), call.now)
    if end < start or end - start > 30 * 86_400:
        raise ApiError("InvalidStartTime.ValueNotSupported", 400, "The span of time is negative or above 30 days.")
    first = start // HOUR_S + 1
    return [hour * HOUR_S for hour in range(int(first), int(end // HOUR_S) + 1)]


def _moment(text: str, default: float) -> float:
    if not text:
        return default
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise ApiError("InvalidStartTime.Malformed", 400, "The specified time is not yyyy-MM-ddTHH:mm:ssZ.") from None


def _price(call: Call, name: str, zone: str, at: float) -> dict[str, object]:
    return {
        "InstanceType": name, "ZoneId": zone, "NetworkType": "vpc", "IoOptimized": "optimized",
        "Timestamp": iso_seconds(at), "SpotPrice": price(call.world, name, zone, at),
        "OriginPrice": TYPES[name].list_price,
    }  # fmt: skip
