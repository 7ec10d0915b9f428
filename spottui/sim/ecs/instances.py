"""Instances: what there is, their user data, roles and key pairs."""

import hashlib
import re
from collections.abc import Iterable

from spottui.sim.catalog import TYPES
from spottui.sim.ecs import filters, rendering
from spottui.sim.ecs.filters import Keep
from spottui.sim.errors import not_found
from spottui.sim.paging import by_number, by_token_or_number
from spottui.sim.params import Params
from spottui.sim.registry import Body, Call, action
from spottui.sim.world import World

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
    wanted = [*_filters(call.params), *_network_filters(call.world, call.params)]
    call.refuse_if_dry_run()
    rows = (row for row in call.world.instances.values() if row.region == region and row.listed_at <= call.now)
    return by_token_or_number(
        call, filters.keep_by_tag(rows, call.params.tags(), *wanted), lambda page: {"Instances": {"Instance": page}},
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
    instances = filters.keep(rows, filters.among("id", ids), filters.equals("ram_role", role))
    body = by_number(
        call, instances, lambda page: {"InstanceRamRoleSets": {"InstanceRamRoleSet": page}},
        lambda row: {"InstanceId": row.id, "RamRoleName": row.ram_role}, most=50,
    )  # fmt: skip
    return {"RegionId": region, **body}


@action()
def describe_instance_status(call: Call) -> Body:
    """Only ids and statuses, in pages of up to 50."""
    region = call.region_id
    wanted = call.params.numbered("InstanceId") or None
    rows = (row for row in call.world.instances.values() if row.region == region and row.listed_at <= call.now)
    instances = filters.keep(
        rows, filters.among("id", wanted), filters.equals("zone", call.params.text("ZoneId")),
        filters.fixed(call.params.text("ClusterId"), ""),
    )  # fmt: skip
    return by_number(
        call, instances, lambda page: {"InstanceStatuses": {"InstanceStatus": page}},
        lambda row: {"InstanceId": row.id, "Status": row.status}, most=50,
    )  # fmt: skip


@action()
def describe_instance_attribute(call: Call) -> Body:
    """One instance, with the fields of this older action."""
    row = call.world.instance(call.params.required("InstanceId"), call.any_region)
    full = rendering.instance(call.world, row)
    shown = {name: full[name] for name in _ATTRIBUTES}
    return {**shown, "IoOptimized": "optimized", "EnableJumboFrame": False}


@action()
def modify_instance_attribute(call: Call) -> Body:
    """Change names, description, user data, protection or security groups of an instance."""
    params = call.params
    row = call.world.instance(params.required("InstanceId"), call.any_region)
    params.accept("Password", "Recyclable", "CreditSpecification")
    row.name, row.description = params.text("InstanceName", row.name), params.text("Description", row.description)
    row.host_name, row.user_data = params.text("HostName", row.host_name), params.text("UserData", row.user_data)
    row.deletion_protection = params.flag("DeletionProtection", default=row.deletion_protection)
    groups = tuple(params.numbered("SecurityGroupIds"))
    known = call.world.regions[row.region].security_group_id
    if any(group != known for group in groups):
        raise not_found("SecurityGroupId", groups[0])
    row.security_group_ids = groups or row.security_group_ids
    call.changed(row.id)
    return {}


@action()
def describe_key_pairs(call: Call) -> Body:
    """The key pairs that instances of the region use."""
    region, params = call.region_id, call.params
    used = key_pairs(call.world, region)
    wildcard = re.compile(".*".join(re.escape(part) for part in params.text("KeyPairName", "*").split("*")))
    params.accept("IncludePublicKey")
    if params.text("ResourceGroupId") or params.tags():
        used = []
    wanted = params.text("KeyPairFingerPrint")
    found = [name for name in used if wildcard.fullmatch(name) and wanted in ("", _fingerprint(name))]
    return by_number(call, found, lambda page: {"KeyPairs": {"KeyPair": page}}, _key_pair, most=50)


def key_pairs(world: World, region: str) -> list[str]:
    """Names of the existing key pairs: those in use, and always `ops`."""
    used = {row.key_pair for row in world.instances.values() if row.region == region and row.key_pair}
    return sorted((used | {"ops"}) - set(world.settings.gone))


def _fingerprint(name: str) -> str:
    return hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()


def _key_pair(name: str) -> dict[str, object]:
    return {
        "KeyPairName": name, "KeyPairFingerPrint": _fingerprint(name), "CreationTime": "2024-01-01T00:00Z",
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
        filters.equals("http_tokens", params.text("HttpTokens")),
        filters.fixed(params.text("HttpEndpoint"), "enabled"),
        filters.fixed(params.text("HttpPutResponseHopLimit"), "1"), filters.fixed(params.text("HpcClusterId"), ""),
        filters.switched(params, "DeviceAvailable", lambda row: True),
        *filters.created(params),
    ]  # fmt: skip


def _network_filters(world: World, params: Params) -> Iterable[Keep | None]:
    params.accept("AdditionalAttributes", "NeedSaleCycle")
    vpc_id, eips, ipv6 = params.text("VpcId"), params.json_list("EipAddresses"), params.numbered("Ipv6Address")
    return [
        (lambda row: world.vswitches[row.vswitch_id].vpc_id == vpc_id) if vpc_id else None,
        (lambda row: row.eip_id in world.eips and world.eips[row.eip_id].address in eips) if eips is not None else None,
        (lambda row: bool(set(ipv6) & set(row.ipv6_addresses))) if ipv6 else None,
        filters.among("public_ip", params.json_list("PublicIpAddresses")),
        filters.fixed(params.text("InnerIpAddresses"), "[]"), filters.fixed(params.text("RdmaIpAddresses"), "[]"),
        filters.fixed(params.text("InternetChargeType"), "PayByTraffic"),
        filters.fixed(params.text("IoOptimized").replace("optimized", "true"), "true"),
    ]  # fmt: skip
