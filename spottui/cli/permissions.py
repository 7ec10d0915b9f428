"""The RAM actions that spottui needs, the policies made from them, and a harmless call that tries each."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spottui.cloud.errors import CloudError, ErrorKind

if TYPE_CHECKING:
    from spottui.cloud.rpc import Rpc
    from spottui.domain.settings import Settings

NOBODY = "i-spottui0doctor0nobody"
"""An id that no instance has: a call with it is answered after the permission check, and changes nothing."""
NO_DISK = "d-spottui0doctor0nobody"
NO_IMAGE = "m-spottui0doctor0nobody"
NO_INTERFACE = {"NetworkInterfaceId": "eni-spottui0doctor0nobody"}
NO_BALANCER = {"LoadBalancerId": "lb-spottui0doctor0nobody"}
NO_VSERVER_GROUP = {"VServerGroupId": "rsp-spottui0doctor0nobody"}
NO_SERVER_GROUP = {"ServerGroupId": "sgp-spottui0doctor0nobody"}
NO_SERVERS = {"BackendServers": f'[{{"ServerId": "{NOBODY}", "Port": "80", "Weight": "0"}}]'}
ONE_SERVER = {"Servers.1.ServerId": NOBODY, "Servers.1.ServerType": "Ecs", "Servers.1.Port": "80"}


@dataclass(frozen=True, slots=True)
class Permission:
    """One RAM action; `probe` is the query of a call that changes nothing, None when there is none."""

    action: str
    probe: Mapping[str, str] | None = field(default_factory=dict)


WATCH = (
    Permission("DescribeInstances", {"DryRun": "true"}),
    Permission("DescribeDisks", {"PageSize": "10"}),
    Permission("DescribeUserData", {"InstanceId": NOBODY}),
    Permission("DescribeInstanceRamRole", {"InstanceIds": f'["{NOBODY}"]'}),
)
RECOVER = (
    Permission("ModifyDiskAttribute", {"DiskIds.1": NO_DISK, "DeleteWithInstance": "false"}),
    Permission("CreateImage", {"DryRun": "true", "InstanceId": NOBODY, "ImageName": "spottui-doctor"}),
    Permission("DescribeImages", {"PageSize": "1"}),
    Permission(
        "RunInstances",
        {
            "DryRun": "true",
            "ImageId": NO_IMAGE,
            "InstanceType": "ecs.c7.large",
            "VSwitchId": "vsw-spottui0doctor0nobody",
        },
    ),
    Permission("DescribeInstanceHistoryEvents", {"InstanceId": NOBODY, "EventType": "SystemFailure.Delete"}),
    Permission("TagResources", None),
    Permission("DescribeEipAddresses"),
    Permission("UnassociateEipAddress", {"AllocationId": "eip-spottui0doctor0nobody", "InstanceId": NOBODY}),
    Permission("AssociateEipAddress", {"AllocationId": "eip-spottui0doctor0nobody", "InstanceId": NOBODY}),
    Permission("ConvertNatPublicIpToEip", {"InstanceId": NOBODY}),
    Permission("StartInstance", {"DryRun": "true", "InstanceId": NOBODY}),
    Permission("CreateSnapshot", {"DryRun": "true", "DiskId": NO_DISK}),
    Permission("DescribeSnapshots", {"PageSize": "1"}),
    Permission("CreateSnapshotGroup", {"DiskId.1": NO_DISK}),
    Permission("DescribeSnapshotGroups"),
    Permission("AttachDisk", {"InstanceId": NOBODY, "DiskId": NO_DISK}),
    Permission("RunCommand", {"Type": "RunShellScript", "CommandContent": "true", "InstanceId.1": NOBODY}),
    Permission("DescribeInvocationResults"),
    Permission("DescribeSecurityGroups", {"PageSize": "1"}),
    Permission("DescribeInstanceTypes", {"InstanceTypes.1": "ecs.c7.large"}),
    Permission("DescribeAvailableResource", {"DestinationResource": "InstanceType", "SpotStrategy": "SpotAsPriceGo"}),
    Permission("DescribeSpotAdvice", {"InstanceTypes.1": "ecs.c7.large"}),
    Permission("DescribeSpotPriceHistory", {"NetworkType": "vpc", "InstanceType": "ecs.c7.large"}),
    Permission("DescribeVSwitches", {"PageSize": "1"}),
)
READY = (
    Permission("CreateSnapshot", {"DryRun": "true", "DiskId": NO_DISK}),
    Permission("CreateSnapshotGroup", None),
    Permission("CreateImage", {"DryRun": "true", "InstanceId": NOBODY, "ImageName": "spottui-doctor"}),
    Permission("TagResources", None),
    Permission("ModifyDiskAttribute", {"DiskIds.1": NO_DISK, "DeleteWithInstance": "false"}),
    Permission("DescribeImages", {"PageSize": "1"}),
    Permission("DescribeSnapshots", {"PageSize": "1"}),
    Permission("DescribeSnapshotGroups", {"MaxResults": "10"}),
    Permission("DeleteImage", {"DryRun": "true", "ImageId": NO_IMAGE}),
    Permission("DeleteSnapshot", None),
    Permission("DeleteSnapshotGroup", None),
)
"""What `[[ready]]` and `spottui ready` need beside watching; only what was made ready is deleted.

And the snapshot group that the route `instant` has just begun, where an image has to be made instead: without the
permission the image waits until the group is uploaded.
"""
DELETE_ON_DEMAND = "DeleteInstance"
CLEAN_READS = (
    "DescribeInstances", "DescribeImages", "DescribeSnapshots", "DescribeSnapshotGroups", "DescribeDisks",
)  # fmt: skip
CLEAN = (
    Permission("DeleteImage", {"DryRun": "true", "ImageId": NO_IMAGE}),
    Permission("DeleteSnapshot", None),
    Permission("DeleteSnapshotGroup", None),
    Permission("DeleteDisk", None),
)
"""Needed by `spottui janitor --delete`; only DeleteImage has a DryRun. No recovery needs to delete."""
QUEUE_WATCH = ("GetQueueAttributes", "ReceiveMessage", "BatchReceiveMessage", "DeleteMessage", "BatchDeleteMessage")
QUEUE_SETUP = ("CreateQueue", "GetQueueAttributes", "SendMessage", "ChangeMessageVisibility")
HISTORY = ("DescribeSystemEventAttribute",)
CLB = (
    Permission("DescribeLoadBalancers", {"PageSize": "1"}),
    Permission("DescribeLoadBalancerAttribute", NO_BALANCER),
    Permission("DescribeVServerGroups", NO_BALANCER),
    Permission("DescribeVServerGroupAttribute", NO_VSERVER_GROUP),
    Permission("DescribeHealthStatus", NO_BALANCER),
    Permission("SetBackendServers", {**NO_BALANCER, **NO_SERVERS}),
    Permission("AddBackendServers", {**NO_BALANCER, **NO_SERVERS}),
    Permission("RemoveBackendServers", {**NO_BALANCER, **NO_SERVERS}),
    Permission("SetVServerGroupAttribute", {**NO_VSERVER_GROUP, **NO_SERVERS}),
    Permission("AddVServerGroupBackendServers", {**NO_VSERVER_GROUP, **NO_SERVERS}),
    Permission("RemoveVServerGroupBackendServers", {**NO_VSERVER_GROUP, **NO_SERVERS}),
)
SERVER_GROUPS = (
    Permission("ListServerGroups", {"MaxResults": "1"}),
    Permission("ListServerGroupServers", NO_SERVER_GROUP),
    Permission("ListListeners", {"MaxResults": "1"}),
    Permission("GetListenerHealthStatus", {"ListenerId": "lsn-spottui0doctor0nobody"}),
    Permission("UpdateServerGroupServersAttribute", {**NO_SERVER_GROUP, **ONE_SERVER, "DryRun": "true"}),
    Permission("AddServersToServerGroup", {**NO_SERVER_GROUP, **ONE_SERVER, "DryRun": "true"}),
    Permission("RemoveServersFromServerGroup", {**NO_SERVER_GROUP, **ONE_SERVER, "DryRun": "true"}),
)
"""The same for ALB and NLB."""
INTERFACES = (
    Permission("DescribeNetworkInterfaces", {"PageSize": "1"}),
    Permission("ModifyNetworkInterfaceAttribute", {**NO_INTERFACE, "DeleteOnRelease": "false"}),
    Permission("DetachNetworkInterface", {**NO_INTERFACE, "InstanceId": NOBODY}),
    Permission("AttachNetworkInterface", {**NO_INTERFACE, "InstanceId": NOBODY}),
    Permission("AssignPrivateIpAddresses", {**NO_INTERFACE, "SecondaryPrivateIpAddressCount": "1"}),
)
PRIVATE_ZONE = ("DescribeZones", "DescribeZoneRecords", "UpdateZoneRecord")
RULES = (
    "DescribeEventRuleList",
    "DescribeEventRuleTargetList",
    "PutEventRule",
    "PutEventRuleTargets",
    "SendDryRunSystemEvent",
)


def policy_document(kind: str, settings: "Settings") -> dict[str, Any]:
    """Return the smallest RAM policy for `watch`, `recover` (which includes watching), or one part beside them.

    `accounts` is for the program's own identity, which assumes the role of each account; the others are for who acts.
    `balancers` has a statement for each kind of load balancers, and `identity` for each service that names an instance:
    a team leaves out those that it does not use.
    """
    match kind:
        case "setup":
            statements = [_statement("cms", RULES, ["*"]), _statement("mns", QUEUE_SETUP, _queues(settings))]
        case "accounts":
            roles = [
                account_settings.role_arn
                for account_settings in settings.accounts.values()
                if account_settings.role_arn
            ]
            statements = [_statement("sts", ["AssumeRole"], roles)]
        case "clean":
            statements = [_statement("ecs", [*CLEAN_READS, *_actions(CLEAN)], ["*"])]
        case "balancers":
            statements = [
                _statement("slb", _actions(CLB), ["*"]),
                _statement("alb", _actions(SERVER_GROUPS), ["*"]),
                _statement("nlb", _actions(SERVER_GROUPS), ["*"]),
            ]
        case "identity":
            # Only needed where instances have secondary interfaces or private IPs, or `policy.private_zone` is set.
            statements = [_statement("ecs", _actions(INTERFACES), ["*"]), _statement("pvtz", PRIVATE_ZONE, ["*"])]
        case "delete-on-demand":
            # Only needed to delete an on-demand instance after its way back to spot.
            statements = [_statement("ecs", [DELETE_ON_DEMAND], ["*"])]
        case "ready":
            statements = [_statement("ecs", _actions((*WATCH, *READY)), ["*"])]
        case "recover":
            statements = _watching(settings, (*WATCH, *RECOVER))
            # Only needed where instances have a RAM role, which the new instance is to have too.
            statements.append(_statement("ram", ["PassRole"], ["*"]))
            # Only needed where a region has a `vswitch_tag`.
            statements.append(_statement("vpc", ["DescribeVSwitches"], ["*"]))
        case _:
            statements = _watching(settings, WATCH)
    return {"Version": "1", "Statement": statements}


def statement_for(service: str, action: str) -> str:
    """Return the statement that grants one action, on one line."""
    return f'{{"Effect": "Allow", "Action": "{service}:{action}", "Resource": "*"}}'


def missing_permission(rpc: "Rpc", permission: Permission) -> CloudError | None:
    """Try an action with its probe; None if the call was permitted, whatever the answer to a made-up id."""
    try:
        rpc.call(permission.action, permission.probe or {})
    except CloudError as error:
        let_in = error.kind not in (
            ErrorKind.DENIED,
            ErrorKind.CREDENTIALS,
            ErrorKind.THROTTLED,
            ErrorKind.BROKEN,
            ErrorKind.UNREACHABLE,
        )
        return None if let_in else error
    return None


def _watching(settings: "Settings", permissions: tuple[Permission, ...]) -> list[dict[str, Any]]:
    return [
        _statement("ecs", _actions(permissions), ["*"]),
        _statement("mns", QUEUE_WATCH, _queues(settings)),
        _statement("cms", HISTORY, ["*"]),
    ]


def _actions(permissions: Iterable[Permission]) -> list[str]:
    return [permission.action for permission in permissions]


def _statement(service: str, actions: Any, resources: list[str]) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": [f"{service}:{action}" for action in actions], "Resource": resources}


def _queues(settings: "Settings") -> list[str]:
    """The account's id is part of its MNS endpoint."""
    resources: list[str] = []
    for region in settings.regions:
        account = re.match(r"(?:https?://)?(\d{6,})\.mns", region.mns_endpoint)
        queue = f"acs:mns:{region.id}:{account[1] if account else '*'}:/queues/{region.queue}"
        resources += [queue, f"{queue}/messages"]
    return resources
