"""Rows of the ECS API in the exact nesting the typed SDK models parse."""

from functools import cache
from typing import Any

from spottui.sim.catalog import TYPES, InstanceType
from spottui.sim.clock import iso_minutes, iso_seconds
from spottui.sim.ecs.launch_options import shown
from spottui.sim.imaging import is_available, is_usable, progress
from spottui.sim.model import Disk, Eip, Image, Instance, Snapshot, Tags
from spottui.sim.world import World

Row = dict[str, Any]


def tags(values: Tags) -> Row:
    """`{"Tag": [{"TagKey", "TagValue"}]}`."""
    return {"Tag": [{"TagKey": k, "TagValue": v} for k, v in values.items()]}


def instance(world: World, row: Instance) -> Row:
    """One row of DescribeInstances; times have the resolution of a minute."""
    own = {
        **_identity(row), **_size(TYPES[row.type]), **_lifecycle(row), **_spot(row), **_network(world, row),
        "Tags": tags(row.tags), **_CONSTANTS,
        "MetadataOptions": {"HttpTokens": row.http_tokens, "HttpEndpoint": "enabled"},
    }  # fmt: skip
    return shown(own, row.options)


def _identity(row: Instance) -> Row:
    return {
        "InstanceId": row.id, "InstanceName": row.name, "HostName": row.host_name,
        "Description": row.description, "RegionId": row.region, "ZoneId": row.zone,
        "ImageId": row.image_id, "SerialNumber": row.serial, "KeyPairName": row.key_pair,
        "ResourceGroupId": row.resource_group_id, "DeploymentSetId": row.deployment_set_id,
    }  # fmt: skip


@cache
def _size(kind: InstanceType) -> Row:
    return {
        "InstanceType": kind.name, "InstanceTypeFamily": kind.family, "Cpu": kind.vcpu,
        "Memory": kind.memory_mib, "GPUAmount": 0, "GPUSpec": "",
        "CpuOptions": {"CoreCount": kind.vcpu // 2, "ThreadsPerCore": 2, "Numa": ""},
    }  # fmt: skip


def _lifecycle(row: Instance) -> Row:
    return {
        "Status": row.status, "StoppedMode": row.stopped_mode,
        "OperationLocks": {"LockReason": [{"LockReason": reason, "LockMsg": ""} for reason in row.locks]},
        "CreationTime": iso_minutes(row.created_at),
        "StartTime": iso_minutes(row.started_at) if row.started_at else "",
        "ExpiredTime": "2099-12-31T15:59Z", "AutoReleaseTime": "",
        "DeletionProtection": row.deletion_protection, "Recyclable": "Recycling" in row.locks,
    }  # fmt: skip


def _spot(row: Instance) -> Row:
    spot = {"InstanceChargeType": "PostPaid", "SpotStrategy": row.spot_strategy, "SpotPriceLimit": 0.0}
    if row.is_spot:
        spot |= {
            "SpotPriceLimit": row.spot_price_limit, "SpotDuration": row.spot_duration,
            "SpotInterruptionBehavior": row.behavior,
        }  # fmt: skip
    return spot


def _network(world: World, row: Instance) -> Row:
    vswitch = world.vswitches[row.vswitch_id]
    eip = world.eips.get(row.eip_id)
    return {
        "InstanceNetworkType": "vpc", "InternetChargeType": "PayByTraffic",
        "InternetMaxBandwidthIn": 100, "InternetMaxBandwidthOut": row.bandwidth_out,
        "VpcAttributes": {
            "VpcId": vswitch.vpc_id, "VSwitchId": vswitch.id, "NatIpAddress": "",
            "PrivateIpAddress": {"IpAddress": [row.private_ip]},
        },
        "PublicIpAddress": {"IpAddress": [row.public_ip] if row.public_ip else []},
        "InnerIpAddress": {"IpAddress": []}, "EipAddress": _bound_eip(eip),
        "SecurityGroupIds": {"SecurityGroupId": list(row.security_group_ids)},
        "NetworkInterfaces": {"NetworkInterface": [_interface(row), *_more_interfaces(world, row)]},
    }  # fmt: skip


def _bound_eip(eip: Eip | None) -> Row:
    return {
        "AllocationId": eip.id if eip else "", "IpAddress": eip.address if eip else "",
        "InternetChargeType": "PayByTraffic" if eip else "", "IsSupportUnassociate": eip is not None,
        **({"Bandwidth": eip.bandwidth} if eip else {}),
    }  # fmt: skip


def _interface(row: Instance) -> Row:
    return {
        "NetworkInterfaceId": row.eni_id, "PrimaryIpAddress": row.private_ip, "MacAddress": row.mac,
        "Type": "Primary", "PrivateIpSets": private_ips((row.private_ip, *row.more_private_ips)),
        "Ipv6Sets": {"Ipv6Set": [{"Ipv6Address": address, "Primary": False} for address in row.ipv6_addresses]},
    }  # fmt: skip


def private_ips(addresses: tuple[str, ...]) -> Row:
    """Private addresses of an interface, the primary one first."""
    return {"PrivateIpSet": [{"PrivateIpAddress": address, "Primary": n == 0} for n, address in enumerate(addresses)]}


def _more_interfaces(world: World, row: Instance) -> list[Row]:
    if not world.enis:
        return []
    return [
        {
            "NetworkInterfaceId": eni.id, "PrimaryIpAddress": eni.private_ips[0], "MacAddress": eni.mac,
            "Type": "Secondary", "PrivateIpSets": private_ips(eni.private_ips),
            "Ipv6Sets": {"Ipv6Set": [{"Ipv6Address": address, "Primary": False} for address in eni.ipv6_addresses]},
        }
        for eni in world.enis.values() if eni.instance_id == row.id
    ]  # fmt: skip


_CONSTANTS: Row = {
    "OSName": "Ubuntu 22.04 64位", "OSNameEn": "Ubuntu 22.04 64 bit", "OSType": "linux",
    "IoOptimized": True, "ClusterId": "", "VlanId": "", "CreditSpecification": "",
    "DeviceAvailable": True, "LocalStorageAmount": 0, "SaleCycle": "",
    "DeploymentSetGroupNo": 0, "HpcClusterId": "", "ISP": "", "RdmaIpAddress": {"IpAddress": []},
    "DedicatedHostAttribute": {"DedicatedHostId": "", "DedicatedHostName": ""},
    "DedicatedInstanceAttribute": {"Tenancy": "default", "Affinity": "default"},
    "EcsCapacityReservationAttr": {"CapacityReservationId": "", "CapacityReservationPreference": ""},
    "HibernationOptions": {"Configured": False},
}  # fmt: skip
"""What is the same for every instance; nothing writes into an answer."""


def disk(row: Disk) -> Row:
    """One row of DescribeDisks."""
    return {
        "DiskId": row.id, "DiskName": row.name, "Description": "", "RegionId": row.region,
        "ZoneId": row.zone, "Type": row.type, "Category": row.category, "Size": row.size_gib,
        "Device": row.device, "InstanceId": row.instance_id, "Status": row.status,
        "DeleteWithInstance": row.delete_with_instance, "DeleteAutoSnapshot": False,
        "Portable": row.type == "data" and not row.is_local, "Encrypted": row.encrypted, "KMSKeyId": row.kms_key_id,
        "PerformanceLevel": row.performance_level, "MultiAttach": "Disabled", "DiskChargeType": "PostPaid",
        "ImageId": row.image_id, "SourceSnapshotId": row.source_snapshot_id, "ProductCode": "",
        "EnableAutoSnapshot": True, "EnableAutomatedSnapshotPolicy": False, "AutoSnapshotPolicyId": "",
        "ResourceGroupId": "", "BurstingEnabled": False,
        "CreationTime": iso_seconds(row.created_at), "AttachedTime": iso_seconds(row.created_at),
        "DetachedTime": "", "ExpiredTime": "2099-12-31T15:59Z",
        "OperationLocks": {"OperationLock": []}, "MountInstances": {"MountInstance": []},
        "Attachments": {"Attachment": _attachments(row)}, "Tags": tags(row.tags),
    }  # fmt: skip


def _attachments(row: Disk) -> list[Row]:
    if not row.instance_id:
        return []
    at = iso_seconds(row.created_at)
    return [{"InstanceId": row.instance_id, "Device": row.device, "AttachedTime": at}]


def image(world: World, row: Image, now: float) -> Row:
    """One row of DescribeImages; Progress stays where it was when an image failed."""
    done = progress(row.started_at, row.done_at, row.failed_at or now)
    return {
        "ImageId": row.id, "ImageName": row.name, "ImageFamily": row.family, "Description": row.description,
        "Status": row.status, "Progress": f"{done}%", "Usable": is_usable(row, now), "Usage": "none",
        "CreationTime": iso_seconds(row.started_at), "ImageOwnerAlias": row.owner, "ImageVersion": "",
        "OSType": "linux", "OSName": "Ubuntu 22.04 64位", "OSNameEn": "Ubuntu 22.04 64 bit",
        "Platform": "Ubuntu", "Architecture": row.architecture, "BootMode": row.boot_mode,
        "Size": sum(m.size_gib for m in row.mappings if m.type == "system"), "IsSelfShared": "False",
        "IsCopied": row.is_copied, "IsSubscribed": False, "IsPublic": row.owner == "system",
        "IsSupportIoOptimized": True, "IsSupportCloudinit": True, "ProductCode": "", "ResourceGroupId": "",
        "LoginAsNonRootSupported": True, "Features": {"NvmeSupport": "supported", "ImdsSupport": row.imds},
        "DiskDeviceMappings": {"DiskDeviceMapping": _mappings(world, row, f"{done}%")}, "Tags": tags(row.tags),
    }  # fmt: skip


def _mappings(world: World, row: Image, done: str) -> list[Row]:
    return [
        {
            "Device": m.device, "Type": m.type, "Size": str(m.size_gib), "SnapshotId": m.snapshot_id,
            "Progress": done, "Format": "", "RemainTime": 0,
            "Encrypted": m.snapshot_id in world.snapshots and world.snapshots[m.snapshot_id].encrypted,
            "ImportOSSBucket": "", "ImportOSSObject": "",
        }
        for m in row.mappings
    ]  # fmt: skip


def snapshot(row: Snapshot, now: float) -> Row:
    """One row of DescribeSnapshots."""
    done = row.status == "accomplished"
    left = 0 if done else max(0, int(row.done_at - now))
    return {
        "SnapshotId": row.id, "SnapshotName": row.name, "Description": "", "RegionId": row.region,
        "Status": row.status, "Progress": f"{progress(row.started_at, row.done_at, now)}%",
        "RemainTime": left, "Available": is_available(row, now), "InstantAccess": True, "Category": "Standard",
        "CreationTime": iso_seconds(row.started_at), "LastModifiedTime": iso_seconds(row.started_at),
        "SourceDiskId": row.disk_id, "SourceDiskType": row.disk_type, "SourceDiskSize": str(row.size_gib),
        "SnapshotType": "user", "Usage": row.usage or "none",
        "Encrypted": row.encrypted, "KMSKeyId": row.kms_key_id, "ProductCode": "",
        "RetentionDays": 0, "ResourceGroupId": "", "Tags": tags(row.tags),
    }  # fmt: skip
