"""Every field of DescribeInstances and what happens to it in a replacement, in one table.

The names are those of the API, nested ones joined by a dot, members of lists without a number (model
`DescribeInstancesResponseBodyInstancesInstance` of ecs20140526). A test compares them with the SDK's model, so that a
field that the cloud adds must be entered here.
"""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec


class Carried(msgspec.Struct, frozen=True, gc=False):
    """Carried over by this parameter of RunInstances, or by this call after the launch."""

    by: str


class Reported(msgspec.Struct, frozen=True, gc=False):
    """The replacement may lack it: `domain.losses` reports it."""


class Beyond(msgspec.Struct, frozen=True, gc=False):
    """No launch of a spot instance can request it: reported with its name and value if set."""


class Irrelevant(msgspec.Struct, frozen=True, gc=False):
    """It belongs only to the old instance, or follows from what is carried over."""

    why: str


Fate = Carried | Reported | Beyond | Irrelevant

_BY_TYPE = Irrelevant("the instance type decides it, and the plan shows the type")
_BY_IMAGE = Irrelevant("the image decides it")
_STATE = Irrelevant("a state of the old instance")
_CLASSIC = Irrelevant("of the classic network only, where nothing is launched any more")
_OF_THE_EIP = Irrelevant("of the EIP itself, which is moved as it is")
_INTERFACE = "NetworkInterfaces.NetworkInterface"

FATES: Mapping[str, Fate] = MappingProxyType(
    {
        "AdditionalInfo.EnableHighDensityMode": Beyond(),
        "AdditionalInfo.ManagedHostId": Beyond(),
        "AdditionalInfo.NodeSerialNumber": Irrelevant("of the old host"),
        "AutoReleaseTime": Reported(),
        "ClockOptions.PtpStatus": Carried("ClockOptions.PtpStatus"),
        "ClusterId": _CLASSIC,
        "Cpu": _BY_TYPE,
        "CpuOptions.CoreCount": Carried("CpuOptions.Core"),
        "CpuOptions.EnableVISST": Beyond(),
        "CpuOptions.EnableVRDT": Beyond(),
        "CpuOptions.NestedVirtualization": Carried("CpuOptions.NestedVirtualization"),
        "CpuOptions.Numa": Carried("CpuOptions.Numa"),
        "CpuOptions.ThreadsPerCore": Carried("CpuOptions.ThreadsPerCore"),
        "CpuOptions.TopologyType": Carried("CpuOptions.TopologyType"),
        "CpuOptions.TurboMode": Beyond(),
        "CreationTime": _STATE,
        "CreditSpecification": Carried("CreditSpecification"),
        "DedicatedHostAttribute.DedicatedHostClusterId": Irrelevant("follows from the host"),
        "DedicatedHostAttribute.DedicatedHostId": Reported(),
        "DedicatedHostAttribute.DedicatedHostName": Irrelevant("follows from the host"),
        "DedicatedInstanceAttribute.Affinity": Carried("Affinity"),
        "DedicatedInstanceAttribute.Tenancy": Carried("Tenancy"),
        "DeletionProtection": Reported(),
        "DeploymentSetGroupNo": Carried("DeploymentSetGroupNo"),
        "DeploymentSetId": Carried("DeploymentSetId"),
        "Description": Carried("Description"),
        "DeviceAvailable": _STATE,
        "EcsCapacityReservationAttr.CapacityReservationId": Beyond(),
        "EcsCapacityReservationAttr.CapacityReservationPreference": Irrelevant("follows from the reservation"),
        "EipAddress.AllocationId": Carried("AssociateEipAddress"),
        "EipAddress.Bandwidth": _OF_THE_EIP,
        "EipAddress.InternetChargeType": _OF_THE_EIP,
        "EipAddress.IpAddress": _OF_THE_EIP,
        "EipAddress.IsSupportUnassociate": _OF_THE_EIP,
        "EnableNVS": Beyond(),
        "ExpiredTime": Irrelevant("pay-as-you-go instances do not expire"),
        "GPUAmount": _BY_TYPE,
        "GPUSpec": _BY_TYPE,
        "HibernationOptions.Configured": Carried("HibernationOptions.Configured"),
        "HostName": Carried("HostName"),
        "HpcClusterId": Carried("HpcClusterId"),
        "ISP": Beyond(),
        "ImageId": Irrelevant("the replacement runs from the recovery's own image"),
        "ImageOptions.CurrentOSNVMeSupported": _BY_IMAGE,
        "ImageOptions.LoginAsNonRoot": Irrelevant("the accounts of the old instance are in the image"),
        "InnerIpAddress.IpAddress": _CLASSIC,
        "InstanceChargeType": Carried("InstanceChargeType"),
        "InstanceId": Irrelevant("a replacement is another instance"),
        "InstanceName": Carried("InstanceName"),
        "InstanceNetworkType": Irrelevant("the vSwitch decides it"),
        "InstanceType": Carried("InstanceType"),
        "InstanceTypeFamily": _BY_TYPE,
        "InternetChargeType": Carried("InternetChargeType"),
        "InternetMaxBandwidthIn": Carried("InternetMaxBandwidthIn"),
        "InternetMaxBandwidthOut": Carried("InternetMaxBandwidthOut"),
        "IoOptimized": Irrelevant("every type that is sold is"),
        "KeyPairName": Carried("KeyPairName"),
        "LocalStorageAmount": _BY_TYPE,
        "LocalStorageCapacity": _BY_TYPE,
        "Memory": _BY_TYPE,
        "MetadataOptions.HttpEndpoint": Carried("HttpEndpoint"),
        # RunInstances documents the parameter as not available: a refusal would cost the place.
        "MetadataOptions.HttpPutResponseHopLimit": Beyond(),
        "MetadataOptions.HttpTokens": Carried("HttpTokens"),
        "MetadataOptions.InstanceMetadataTags": Beyond(),
        f"{_INTERFACE}.Ipv4PrefixSets.Ipv4PrefixSet.Ipv4Prefix": Reported(),
        f"{_INTERFACE}.Ipv6PrefixSets.Ipv6PrefixSet.Ipv6Prefix": Reported(),
        f"{_INTERFACE}.Ipv6Sets.Ipv6Set.Ipv6Address": Reported(),
        f"{_INTERFACE}.Ipv6Sets.Ipv6Set.Primary": Irrelevant("follows from the address"),
        f"{_INTERFACE}.MacAddress": Irrelevant("a new interface has a new one"),
        f"{_INTERFACE}.NetworkInterfaceId": Irrelevant("the primary one goes with its instance, others are moved"),
        f"{_INTERFACE}.PrimaryIpAddress": Irrelevant("the same as the private IP"),
        f"{_INTERFACE}.PrivateIpSets.PrivateIpSet.Primary": Irrelevant("follows from the address"),
        f"{_INTERFACE}.PrivateIpSets.PrivateIpSet.PrivateDnsName": Irrelevant("made anew by the private DNS options"),
        f"{_INTERFACE}.PrivateIpSets.PrivateIpSet.PrivateIpAddress": Reported(),
        f"{_INTERFACE}.Type": Reported(),
        "OSName": _BY_IMAGE,
        "OSNameEn": _BY_IMAGE,
        "OSType": _BY_IMAGE,
        "OperationLocks.LockReason.LockMsg": _STATE,
        "OperationLocks.LockReason.LockReason": _STATE,
        "PrivateDnsNameOptions.EnableInstanceIdDnsAAAARecord": Carried("PrivateDnsNameOptions"),
        "PrivateDnsNameOptions.EnableInstanceIdDnsARecord": Carried("PrivateDnsNameOptions"),
        "PrivateDnsNameOptions.EnableIpDnsARecord": Carried("PrivateDnsNameOptions"),
        "PrivateDnsNameOptions.EnableIpDnsPtrRecord": Carried("PrivateDnsNameOptions"),
        "PrivateDnsNameOptions.HostnameType": Carried("PrivateDnsNameOptions"),
        "PublicIpAddress.IpAddress": Reported(),
        "RdmaIpAddress.IpAddress": Beyond(),
        "Recyclable": _STATE,
        "RegionId": Carried("RegionId"),
        "ResourceGroupId": Carried("ResourceGroupId"),
        "SaleCycle": Irrelevant("of subscriptions only"),
        "SecurityGroupIds.SecurityGroupId": Carried("SecurityGroupIds"),
        "SecurityOptions.EnableSecureBoot": Carried("SecurityOptions.EnableSecureBoot"),
        "SerialNumber": Irrelevant("a replacement has its own"),
        "SpotDuration": Carried("SpotDuration"),
        "SpotInterruptionBehavior": Carried("SpotInterruptionBehavior"),
        "SpotPriceLimit": Carried("SpotPriceLimit"),
        "SpotStrategy": Carried("SpotStrategy"),
        "StartTime": _STATE,
        "Status": _STATE,
        "StoppedMode": _STATE,
        "Tags.Tag.TagKey": Carried("Tag"),
        "Tags.Tag.TagValue": Carried("Tag"),
        "VlanId": _CLASSIC,
        "VpcAttributes.NatIpAddress": _CLASSIC,
        "VpcAttributes.PrivateIpAddress.IpAddress": Reported(),
        "VpcAttributes.VSwitchId": Carried("VSwitchId"),
        "VpcAttributes.VpcId": Irrelevant("the vSwitch decides it"),
        "ZoneId": Carried("ZoneId"),
    }
)

BEYOND = tuple(field for field, fate in FATES.items() if isinstance(fate, Beyond))
"""The fields that are read only to be reported."""
