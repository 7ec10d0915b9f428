"""Instances: what there is, their user data, roles and key pairs."""

import hashlib
import re
from collections.abc import Iterable
from datetime import UTC, datetime

from spottui.sim.catalog import TYPES
from spottui.sim.ecs import filters, rendering
from spottui.sim.ecs.filters import Keep
from spottui.sim.errors import ApiError, not_found
from spottui.sim.paging import by_number, by_token_or_number
from spottui.sim.params import Params
from spottui.sim.registry import Body, Call, action

_STATUSES = ("Pending", "Running", "Starting", "Stopping", "Stopped")
_LOCK_REASONS = ("financial", "security", "Recycling", "dedicatedhostfinancial", "refunded")
_CHARGE_TYPES = ("PostPaid", "PrePaid")
_NETWORK_TYPES = ("vpc", "classic")
_ATTRIBUTES = (
    "InstanceId", "InstanceName", "HostName", "Description", "RegionId", "ZoneId", "ImageId", "SerialNumber",
    "InstanceType", "Cpu", "Memory", "Status", "StoppedMode", "OperationLocks", "CreationTime", "ExpiredTime",
    "InstanceChargeType", "InstanceNetworkType", "InternetChargeType", "InternetMaxBandwidthIn",
    "InternetMaxBandwidthOut", "VpcAttributes", "PublicIpAddress", "InnerIpAddress", "EipAddress",
    "SecurityGroupIds", "ClusterId", "VlanId", "CreditSpecification", "DedicatedHostAttribute",
)  # fmt: skip


@action()
def describe_instances(call: Call) -> Body:
    """Instances of a region, filtered, in either paging mode."""
    region = call.region_id
    wanted = _filters(call.params)
    call.refuse_if_dry_run()
    rows = (row for row in call.world.instances.values() if row.region == region and row.listed_at <= call.now)
    return by_token_or_number(
        call, filters.keep(rows, *wanted), lambda page: {"Instances": {"Instance": page}},
        lambda row: rendering.instance(call.world, row),
    )  # fmt: skip


@action()
def describe_user_data(call: Call) -> Body:
    """The Base64 user data of an instance, empty if it has none."""
    row = call.world.instance(call.params.required("InstanceId"), call.region_id)
    return {"RegionId": row.region, "InstanceId": row.id, "UserData": row.user_data}


@action()
def describe_instance_ram_role(call: Call) -> Body:
    """The RAM roles of up to 100 instances; those without one are left out."""
    region = call.region_id
    ids = call.params.json_list("InstanceIds")
    role = call.params.text("RamRoleName")
    rows = (row for row in call.world.instances.values() if row.region == region and row.ram_role)
    found = filters.keep(rows, filters.among("id", ids), filters.equals("ram_role", role))
    body = by_number(
        call, found, lambda page: {"InstanceRamRoleSets": {"InstanceRamRoleSet": page}},
        lambda row: {"InstanceId": row.id, "RamRoleName": row.ram_role}, most=50,
    )  # fmt: skip
    return {"RegionId": region, **body}


@action()
def describe_instance_status(call: Call) -> Body:
    """Only ids and statuses, in pages of up to 50."""
    region = call.region_id
    wanted = call.params.numbered("InstanceId") or None
    rows = (row for row in call.world.instances.values() if row.region == region and row.listed_at <= call.now)
    found = filters.keep(rows, filters.among("id", wanted), filters.equals("zone", call.params.text("ZoneId")))
    return by_number(
        call, found, lambda page: {"InstanceStatuses": {"InstanceStatus": page}},
        lambda row: {"InstanceId": row.id, "Status": row.status}, most=50,
    )  # fmt: skip


@action()
def describe_instance_attribute(call: Call) -> Body:
    """One instance, with what this older action says of it."""
    row = call.world.instance(call.params.required("InstanceId"), call.any_region)
    full = rendering.instance(call.world, row)
    shown = {name: full[name] for name in _ATTRIBUTES}
    return {**shown, "IoOptimized": "optimized", "EnableJumboFrame": False}


@action()
def describe_key_pairs(call: Call) -> Body:
    """The key pairs that instances of the region use."""
    region, params = call.region_id, call.params
    used = sorted({row.key_pair for row in call.world.instances.values() if row.region == region and row.key_pair})
    wildcard = re.compile(".*".join(re.escape(part) for part in params.text("KeyPairName", "*").split("*")))
    found = [name for name in used if wildcard.fullmatch(name)]
    return by_number(call, found, lambda page: {"KeyPairs": {"KeyPair": page}}, _key_pair, most=50)


def _key_pair(name: str) -> dict[str, object]:
    fingerprint = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
    return {
        "KeyPairName": name, "KeyPairFingerPrint": fingerprint, "CreationTime": "2024-01-01T00:00Z",
        "ResourceGroupId": "", "PublicKey": "", "Tags": {"Tag": []},
    }  # fmt: skip


def _filters(params: Params) -> Iterable[Keep | None]:
    status = params.choice("Status", _STATUSES, not_found("Status", params.text("Status")))
    lock = params.choice("LockReason", _LOCK_REASONS, not_found("LockReason", params.text("LockReason")))
    params.choice(
        "InstanceChargeType", _CHARGE_TYPES, not_found("InstanceChargeType", params.text("InstanceChargeType"))
    )
    params.choice("InstanceNetworkType", _NETWORK_TYPES, not_found("NetworkType", params.text("InstanceNetworkType")))
    family = params.text("InstanceTypeFamily")
    group = params.text("SecurityGroupId")
    return [
        filters.among("id", params.json_list("InstanceIds")),
        filters.equals("status", status),
        (lambda row: lock in row.locks) if lock else None,
        (lambda row: False) if params.text("InstanceChargeType") == "PrePaid" else None,
        filters.equals("zone", params.text("ZoneId")),
        filters.equals("vswitch_id", params.text("VSwitchId")),
        filters.equals("type", params.text("InstanceType")),
        (lambda row: TYPES[row.type].family == family) if family else None,
        (lambda row: group in row.security_group_ids) if group else None,
        filters.equals("image_id", params.text("ImageId")),
        filters.equals("key_pair", params.text("KeyPairName")),
        filters.equals("resource_group_id", params.text("ResourceGroupId")),
        filters.among("private_ip", params.json_list("PrivateIpAddresses")),
        filters.like("name", params.text("InstanceName")),
        filters.tagged(params.tags()),
        *_time_filters(params),
    ]  # fmt: skip


def _time_filters(params: Params) -> Iterable[Keep]:
    for pair in params.groups("Filter"):
        key, value = pair.get("Key", ""), pair.get("Value", "")
        if key not in ("CreationStartTime", "CreationEndTime", "ExpiredStartTime", "ExpiredEndTime"):
            raise not_found("FilterKey", key)
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\dZ", value):
            raise ApiError("InvalidFilterValue", 400, "The specified Filter.n.Value is not valid.")
        at = datetime.strptime(value, "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC).timestamp()
        yield _created(key, at)


def _created(key: str, at: float) -> Keep:
    if key == "CreationStartTime":
        return lambda row: bool(row.created_at >= at)
    if key == "CreationEndTime":
        return lambda row: bool(row.created_at <= at)
    # Pay-as-you-go instances expire in 2099.
    return lambda row: key == "ExpiredStartTime"
