"""Converts one instance of DescribeInstances to its launch spec (docs/alibaba-facts.md 1.3)."""

from collections.abc import Iterable
from typing import Any

from spottui.cloud.fields import kept_once, list_of, minute_of, tags_of, text_of, whole_of
from spottui.domain.instance import Instance, InstanceStatus, InterruptionBehavior
from spottui.domain.launch_fields import BEYOND
from spottui.domain.launch_spec import CpuOptions, LaunchSpec, PrivateDns

_USUAL: dict[str, object] = {"MetadataOptions.HttpPutResponseHopLimit": 1}


def launch_spec(region: str, item: dict[str, Any]) -> LaunchSpec:
    """Return all of the spec that the row shows; disks, RAM role and user data need separate calls."""
    vpc = item.get("VpcAttributes") or {}
    options = item.get("MetadataOptions") or {}
    interfaces = list_of(item, "NetworkInterfaces", "NetworkInterface")
    primary = _primary(interfaces)
    return LaunchSpec(
        instance=_instance(region, item),
        vswitch_id=text_of(vpc, "VSwitchId"),
        security_group_ids=kept_once(tuple(list_of(item, "SecurityGroupIds", "SecurityGroupId"))),
        disks=(),
        key_pair=text_of(item, "KeyPairName"),
        host_name=text_of(item, "HostName"),
        description=text_of(item, "Description"),
        resource_group_id=text_of(item, "ResourceGroupId"),
        spot_price_limit=kept_once(float(item.get("SpotPriceLimit") or 0)),
        spot_duration=item.get("SpotDuration"),
        internet_bandwidth_out=int(item.get("InternetMaxBandwidthOut") or 0),
        internet_bandwidth_in=whole_of(item, "InternetMaxBandwidthIn") or 0,
        internet_charge_type=text_of(item, "InternetChargeType"),
        deletion_protection=bool(item.get("DeletionProtection")),
        credit_specification=text_of(item, "CreditSpecification"),
        deployment_set_id=text_of(item, "DeploymentSetId"),
        http_tokens=text_of(options, "HttpTokens"),
        http_endpoint=text_of(options, "HttpEndpoint"),
        image_id=text_of(item, "ImageId"),
        vpc_id=text_of(vpc, "VpcId"),
        tenancy=text_of(item.get("DedicatedInstanceAttribute") or {}, "Tenancy"),
        hpc_cluster_id=text_of(item, "HpcClusterId"),
        deployment_set_group=whole_of(item, "DeploymentSetGroupNo"),
        private_dns=_private_dns(item.get("PrivateDnsNameOptions")),
        ipv6_addresses=len(list_of(primary, "Ipv6Sets", "Ipv6Set")),
        network_interfaces=max(len(interfaces), 1),
        eni_id=_eni_id(primary),
        interfaces=tuple(
            eni_id for interface in interfaces if interface is not primary and (eni_id := _eni_id(interface))
        ),
        auto_release=minute_of(text_of(item, "AutoReleaseTime")),
        cpu_options=_cpu_options(item),
        nested_virtualization=text_of(item.get("CpuOptions") or {}, "NestedVirtualization") == "enabled",
        dedicated_host_id=text_of(item.get("DedicatedHostAttribute") or {}, "DedicatedHostId"),
        affinity=text_of(item.get("DedicatedInstanceAttribute") or {}, "Affinity"),
        ptp=text_of(item.get("ClockOptions") or {}, "PtpStatus") == "enabled",
        hibernation=bool((item.get("HibernationOptions") or {}).get("Configured")),
        secure_boot=bool((item.get("SecurityOptions") or {}).get("EnableSecureBoot")),
        secondary_ips=_secondary_ips(primary),
        prefixes=_prefixes(primary),
        beyond=tuple((field, value) for field in BEYOND if (value := _set_value(item, field))),
    )


def _primary(interfaces: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return next((interface for interface in interfaces if text_of(interface, "Type") == "Primary"), {})


def _eni_id(interface: dict[str, Any]) -> str:
    return text_of(interface, "NetworkInterfaceId")


def _prefixes(interface: dict[str, Any]) -> tuple[str, ...]:
    return tuple(
        text_of(row, f"{kind}Prefix")
        for kind in ("Ipv4", "Ipv6")
        for row in list_of(interface, f"{kind}PrefixSets", f"{kind}PrefixSet")
    )


def _secondary_ips(interface: dict[str, Any]) -> tuple[str, ...]:
    addresses = list_of(interface, "PrivateIpSets", "PrivateIpSet")
    return tuple(text_of(address, "PrivateIpAddress") for address in addresses if not address.get("Primary"))


def _cpu_options(item: dict[str, Any]) -> CpuOptions | None:
    """Return the options that a person chose; the cloud also shows the type's own, which multiply to its vCPUs."""
    options = item.get("CpuOptions") or {}
    cores, threads = whole_of(options, "CoreCount") or 0, whole_of(options, "ThreadsPerCore") or 0
    if not cores or not threads or cores * threads == int(item.get("Cpu") or 0):
        return None
    return CpuOptions(cores, threads, text_of(options, "Numa"), text_of(options, "TopologyType"))


def _set_value(item: dict[str, Any], field: str) -> str:
    """The value of a nested field as text, empty when it is left out, off, zero or what every instance has."""
    value: object = item
    for name in field.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, list):
        return ", ".join(str(part) for part in value)
    return "" if value in (None, "", False, 0, "disabled", "Disabled", _USUAL.get(field)) else str(value)


def _private_dns(options: dict[str, Any] | None) -> PrivateDns | None:
    if not options:
        return None
    return PrivateDns(
        text_of(options, "HostnameType"),
        options.get("EnableInstanceIdDnsARecord"),
        options.get("EnableInstanceIdDnsAAAARecord"),
        options.get("EnableIpDnsARecord"),
        options.get("EnableIpDnsPtrRecord"),
    )


def _instance(region: str, item: dict[str, Any]) -> Instance:
    vpc = item.get("VpcAttributes") or {}
    locks = list_of(item, "OperationLocks", "LockReason")
    return Instance(
        region=region,
        instance_id=text_of(item, "InstanceId"),
        name=text_of(item, "InstanceName"),
        instance_type=text_of(item, "InstanceType"),
        zone=text_of(item, "ZoneId"),
        status=_status(item),
        spot_strategy=text_of(item, "SpotStrategy"),
        recycling=any(isinstance(lock, dict) and lock.get("LockReason") == "Recycling" for lock in locks),
        behavior=_behavior(item),
        private_ip=next(iter(list_of(vpc, "PrivateIpAddress", "IpAddress")), ""),
        public_ip=next(iter(list_of(item, "PublicIpAddress", "IpAddress")), ""),
        eip_id=text_of(item.get("EipAddress") or {}, "AllocationId"),
        tags=tags_of(item),
        created=minute_of(text_of(item, "CreationTime")),
        vcpus=int(item.get("Cpu") or 0),
        memory_gib=kept_once(float(item.get("Memory") or 0) / 1024),
    )


def _status(item: dict[str, Any]) -> InstanceStatus:
    try:
        return InstanceStatus(text_of(item, "Status"))
    except ValueError:
        return InstanceStatus.UNKNOWN


def _behavior(item: dict[str, Any]) -> InterruptionBehavior:
    stops = text_of(item, "SpotInterruptionBehavior") == InterruptionBehavior.STOP
    return InterruptionBehavior.STOP if stops else InterruptionBehavior.TERMINATE
