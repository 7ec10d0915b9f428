"""From the dictionaries of the ECS API to domain values; a shape that is not as documented is an error, never empty."""

import base64
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from spottui.cloud.errors import CloudError, ErrorKind
from spottui.domain.instance import Disk, Instance, InstanceStatus, InterruptionBehavior
from spottui.domain.launch_spec import LaunchSpec, PrivateDns


@dataclass(frozen=True, slots=True)
class Image:
    """A custom image: `progress` in percent; `usable` when instances can be launched from it.

    `made` is when it was begun; `tags` are all of its tags; `snapshots` are those of its disks, `gib` their size.
    """

    image_id: str
    status: str
    progress: int
    usable: bool
    made: datetime | None = None
    tags: tuple[tuple[str, str], ...] = ()
    snapshots: tuple[str, ...] = ()
    gib: int = 0

    @property
    def lost(self) -> bool:
        """Whether it will never be usable."""
        return self.status in ("CreateFailed", "UnAvailable")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot of a disk."""

    snapshot_id: str
    disk_id: str
    status: str
    progress: int
    tags: tuple[tuple[str, str], ...] = ()
    gib: int = 0

    @property
    def finished(self) -> bool:
        """Whether an image can be made of it."""
        return self.status == "accomplished"

    @property
    def lost(self) -> bool:
        """Whether it will never be."""
        return self.status == "failed"


@dataclass(frozen=True, slots=True)
class Invocation:
    """A command on one instance: its status as the API names it, its exit code and what it printed."""

    status: str
    exit_code: int | None
    output: str

    @property
    def over(self) -> bool:
        """Whether nothing more is to be expected of it."""
        return self.status not in ("", "Pending", "Scheduled", "Running", "Stopping")


@dataclass(frozen=True, slots=True)
class Eip:
    """An EIP: `instance_id` is empty while it is bound to nothing; `free` when it can be bound."""

    eip_id: str
    instance_id: str
    free: bool


def checked(action: str, body: object) -> dict[str, Any]:
    """Return the body when it is an object with a RequestId, as every answer of ECS is; raise `CloudError` else."""
    if isinstance(body, dict) and "RequestId" in body:
        return body
    raise CloudError(action, ErrorKind.BROKEN, message="an answer of an unknown shape")


def id_list(ids: Iterable[str]) -> str:
    """Return ids as the JSON array in a string that the API takes."""
    return json.dumps(list(ids))


def launch_specs(region: str, body: dict[str, Any]) -> tuple[LaunchSpec, ...]:
    """Read one page of DescribeInstances (alibaba_facts.md 1.3)."""
    return tuple(_launch_spec(region, item) for item in _rows("DescribeInstances", body, "Instances", "Instance"))


def disks(body: dict[str, Any]) -> dict[str, tuple[Disk, ...]]:
    """Read a page of DescribeDisks: each instance's disks, the system disk first, then by device."""
    found: dict[str, list[Disk]] = {}
    for item in _rows("DescribeDisks", body, "Disks", "Disk"):
        found.setdefault(_text(item, "InstanceId"), []).append(_disk(item))
    found.pop("", None)
    return {instance_id: tuple(sorted(of_one, key=_system_first)) for instance_id, of_one in found.items()}


def total(body: dict[str, Any]) -> int:
    """Return `TotalCount`, which holds for calls that page by number only."""
    return int(body.get("TotalCount") or 0)


def images(body: dict[str, Any]) -> tuple[Image, ...]:
    """Read one page of DescribeImages; `Progress` is a string such as `37%` (alibaba_facts.md 3.2)."""
    return tuple(_image(item) for item in _rows("DescribeImages", body, "Images", "Image"))


def eips(body: dict[str, Any]) -> tuple[Eip, ...]:
    """Read DescribeEipAddresses."""
    rows = _rows("DescribeEipAddresses", body, "EipAddresses", "EipAddress")
    return tuple(
        Eip(_text(row, "AllocationId"), _text(row, "InstanceId"), _text(row, "Status") == "Available") for row in rows
    )


def ram_roles(body: dict[str, Any]) -> dict[str, str]:
    """Read the role names by instance from DescribeInstanceRamRole."""
    rows = _rows("DescribeInstanceRamRole", body, "InstanceRamRoleSets", "InstanceRamRoleSet")
    return {_text(row, "InstanceId"): _text(row, "RamRoleName") for row in rows if row.get("RamRoleName")}


def history_events(body: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Read instance id and event type of a page of DescribeInstanceHistoryEvents."""
    rows = _rows("DescribeInstanceHistoryEvents", body, "InstanceSystemEventSet", "InstanceSystemEventType")
    return tuple((_text(row, "InstanceId"), _text(row.get("EventType") or {}, "Name")) for row in rows)


def all_disks(body: dict[str, Any]) -> dict[str, Disk]:
    """Read a page of DescribeDisks by disk id, the unattached too."""
    return {_text(item, "DiskId"): _disk(item) for item in _rows("DescribeDisks", body, "Disks", "Disk")}


def snapshots(body: dict[str, Any]) -> dict[str, Snapshot]:
    """Read a page of DescribeSnapshots by id."""
    rows = _rows("DescribeSnapshots", body, "Snapshots", "Snapshot")
    return {_text(row, "SnapshotId"): _snapshot(row) for row in rows}


def invocation(body: dict[str, Any]) -> Invocation | None:
    """Read the one result of DescribeInvocationResults; its output is Base64 (alibaba_facts.md 6.1)."""
    found = body.get("Invocation")
    if not isinstance(found, dict):
        raise CloudError("DescribeInvocationResults", ErrorKind.BROKEN, message="an answer of an unknown shape")
    rows = _rows("DescribeInvocationResults", found, "InvocationResults", "InvocationResult")
    return _invocation(rows[0]) if rows else None


def _rows(action: str, body: dict[str, Any], outer: str, inner: str) -> list[dict[str, Any]]:
    rows = body.get(outer, {}).get(inner) if isinstance(body.get(outer), dict) else None
    if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
        return rows
    raise CloudError(action, ErrorKind.BROKEN, message=f"an answer without {outer}.{inner}")


def _launch_spec(region: str, item: dict[str, Any]) -> LaunchSpec:
    vpc = item.get("VpcAttributes") or {}
    options = item.get("MetadataOptions") or {}
    interfaces = _inner(item, "NetworkInterfaces", "NetworkInterface")
    return LaunchSpec(
        instance=_instance(region, item),
        vswitch_id=_text(vpc, "VSwitchId"),
        security_group_ids=tuple(_inner(item, "SecurityGroupIds", "SecurityGroupId")),
        disks=(),
        key_pair=_text(item, "KeyPairName"),
        host_name=_text(item, "HostName"),
        description=_text(item, "Description"),
        resource_group_id=_text(item, "ResourceGroupId"),
        spot_price_limit=float(item.get("SpotPriceLimit") or 0),
        spot_duration=item.get("SpotDuration"),
        internet_bandwidth_out=int(item.get("InternetMaxBandwidthOut") or 0),
        internet_charge_type=_text(item, "InternetChargeType"),
        deletion_protection=bool(item.get("DeletionProtection")),
        credit_specification=_text(item, "CreditSpecification"),
        deployment_set_id=_text(item, "DeploymentSetId"),
        http_tokens=_text(options, "HttpTokens"),
        http_endpoint=_text(options, "HttpEndpoint"),
        image_id=_text(item, "ImageId"),
        vpc_id=_text(vpc, "VpcId"),
        tenancy=_text(item.get("DedicatedInstanceAttribute") or {}, "Tenancy"),
        hpc_cluster_id=_text(item, "HpcClusterId"),
        deployment_set_group=_whole(item, "DeploymentSetGroupNo"),
        private_dns=_private_dns(item.get("PrivateDnsNameOptions")),
        ipv6_addresses=sum(len(_inner(one, "Ipv6Sets", "Ipv6Set")) for one in interfaces if _is_primary(one)),
        network_interfaces=max(len(interfaces), 1),
    )


def _is_primary(interface: dict[str, Any]) -> bool:
    return _text(interface, "Type") == "Primary"


def _private_dns(options: dict[str, Any] | None) -> PrivateDns | None:
    if not options:
        return None
    return PrivateDns(
        _text(options, "HostnameType"),
        options.get("EnableInstanceIdDnsARecord"),
        options.get("EnableInstanceIdDnsAAAARecord"),
        options.get("EnableIpDnsARecord"),
        options.get("EnableIpDnsPtrRecord"),
    )


def _instance(region: str, item: dict[str, Any]) -> Instance:
    vpc = item.get("VpcAttributes") or {}
    locks = _inner(item, "OperationLocks", "LockReason")
    return Instance(
        region=region,
        instance_id=_text(item, "InstanceId"),
        name=_text(item, "InstanceName"),
        instance_type=_text(item, "InstanceType"),
        zone=_text(item, "ZoneId"),
        status=_status(item),
        spot_strategy=_text(item, "SpotStrategy"),
        recycling=any(isinstance(lock, dict) and lock.get("LockReason") == "Recycling" for lock in locks),
        behavior=_behavior(item),
        private_ip=next(iter(_inner(vpc, "PrivateIpAddress", "IpAddress")), ""),
        public_ip=next(iter(_inner(item, "PublicIpAddress", "IpAddress")), ""),
        eip_id=_text(item.get("EipAddress") or {}, "AllocationId"),
        tags=_tags(item),
        created=_minute(_text(item, "CreationTime")),
        vcpus=int(item.get("Cpu") or 0),
        memory_gib=float(item.get("Memory") or 0) / 1024,
    )


def _disk(item: dict[str, Any]) -> Disk:
    return Disk(
        disk_id=_text(item, "DiskId"),
        device=_text(item, "Device"),
        kind=_text(item, "Type"),
        category=_text(item, "Category"),
        size_gib=int(item.get("Size") or 0),
        performance_level=_text(item, "PerformanceLevel"),
        delete_with_instance=bool(item.get("DeleteWithInstance", True)),
        status=_text(item, "Status"),
        instance_id=_text(item, "InstanceId"),
        encrypted=bool(item.get("Encrypted")),
        tags=_tags(item),
        name=_text(item, "DiskName"),
        description=_text(item, "Description"),
        kms_key_id=_text(item, "KMSKeyId"),
        provisioned_iops=_whole(item, "ProvisionedIops"),
        bursting=item.get("BurstingEnabled"),
        snapshot_policy_id=_text(item, "AutoSnapshotPolicyId"),
    )


def _system_first(disk: Disk) -> tuple[bool, str]:
    return disk.kind != "system", disk.device


def _image(item: dict[str, Any]) -> Image:
    status, mappings = _text(item, "Status"), _inner(item, "DiskDeviceMappings", "DiskDeviceMapping")
    return Image(
        image_id=_text(item, "ImageId"),
        status=status,
        progress=_percent(item),
        usable=status == "Available" or item.get("Usable") is True,
        made=_second(_text(item, "CreationTime")),
        tags=_tags(item),
        snapshots=tuple(_text(one, "SnapshotId") for one in mappings),
        gib=sum(_gib(one, "Size") for one in mappings),
    )


def _percent(item: dict[str, Any]) -> int:
    digits = _text(item, "Progress").rstrip("%")
    return int(digits) if digits.isascii() and digits.isdigit() else 0


def _snapshot(item: dict[str, Any]) -> Snapshot:
    return Snapshot(
        snapshot_id=_text(item, "SnapshotId"),
        disk_id=_text(item, "SourceDiskId"),
        status=_text(item, "Status"),
        progress=_percent(item),
        tags=_tags(item),
        gib=_gib(item, "SourceDiskSize"),
    )


def _gib(item: dict[str, Any], key: str) -> int:
    """Sizes are numbers or texts of digits, as the action pleases."""
    return int(item.get(key) or 0)


def _invocation(item: dict[str, Any]) -> Invocation:
    code = _text(item, "ExitCode")
    output = base64.b64decode(_text(item, "Output"), validate=False).decode(errors="replace")
    return Invocation(
        _text(item, "InvokeRecordStatus") or _text(item, "InvocationStatus"),
        int(code) if code.lstrip("-").isdigit() else None,
        output,
    )


def _tags(item: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((_text(tag, "TagKey"), _text(tag, "TagValue")) for tag in _inner(item, "Tags", "Tag"))


def _inner(item: dict[str, Any], outer: str, inner: str) -> list[Any]:
    value = (item.get(outer) or {}).get(inner)
    return value if isinstance(value, list) else []


def _text(item: dict[str, Any], key: str) -> str:
    value = item.get(key)
    # Ten thousand instances have few zones, types and groups: kept once each, they take half the memory.
    return "" if value is None else sys.intern(str(value))


def _whole(item: dict[str, Any], key: str) -> int | None:
    value = item.get(key)
    return None if value in (None, "") else int(value)


def _status(item: dict[str, Any]) -> InstanceStatus:
    try:
        return InstanceStatus(_text(item, "Status"))
    except ValueError:
        return InstanceStatus.UNKNOWN


def _behavior(item: dict[str, Any]) -> InterruptionBehavior:
    stops = _text(item, "SpotInterruptionBehavior") == InterruptionBehavior.STOP
    return InterruptionBehavior.STOP if stops else InterruptionBehavior.TERMINATE


def _minute(text: str) -> datetime | None:
    """Times have minute resolution, `2017-12-10T04:04Z`."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def _second(text: str) -> datetime | None:
    """Images have the resolution of a second, `2019-11-15T06:07:05Z`."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
