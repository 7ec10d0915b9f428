"""The whole world as JSON for the control side, with the API's names for things."""

from typing import Any

from spottui.sim import model as m
from spottui.sim.balancers.model import Job, LoadBalancer, ServerGroup
from spottui.sim.catalog import TYPES
from spottui.sim.clock import iso_millis
from spottui.sim.imaging import is_available, is_usable, progress
from spottui.sim.ledger import blanked
from spottui.sim.mns.queues import Queue
from spottui.sim.stock import price
from spottui.sim.world import World


def state(world: World) -> dict[str, Any]:
    """Everything that exists now."""
    now = world.settle()
    return {
        "now": iso_millis(now), "speed": world.clock.speed,
        "instances": [_instance(row) for row in world.instances.values()],
        "images": [_image(row, now) for row in world.images.values()],
        "disks": [_disk(row) for row in world.disks.values()],
        "snapshots": [_snapshot(row, now) for row in world.snapshots.values()],
        "snapshot_groups": [_group(row) for row in world.snapshot_groups.values()],
        "launch_templates": [_template(row) for row in world.launch_templates.values()],
        "invocations": [_invocation(row) for row in world.invocations.values()],
        **_network(world), **_market(world, now),
        "topics": {row.name: _subscriptions(row) for row in world.topics.values()},
        "faults": world.faults.as_json(),
        "queues": {queue.name: _queue(queue, now) for queue in world.queues},
        "event_rules": [_rule(rule) for rule in world.event_rules.values()],
    }  # fmt: skip


def _network(world: World) -> dict[str, Any]:
    return {
        "regions": [_region(row) for row in world.regions.values()],
        "vswitches": [_vswitch(row) for row in world.vswitches.values()],
        "eips": [_eip(row) for row in world.eips.values()],
        "network_interfaces": [_eni(row) for row in world.enis.values()],
        "load_balancers": [_balancer(row) for row in world.load_balancers.values()],
        "server_groups": [_server_group(row) for row in world.server_groups.values()],
        "jobs": [_job(row) for row in world.jobs.values()],
        "dns_zones": [_zone(row) for row in world.dns_zones.values()],
        "services": [
            {"InstanceId": key, "Ports": list(row.ports), "Mode": row.mode} for key, row in world.services.items()
        ],
    }  # fmt: skip


def _market(world: World, now: float) -> dict[str, Any]:
    return {
        "stock": [
            {"InstanceType": kind, "ZoneId": zone, "Stock": left} for (kind, zone), left in world.stock.items()
        ],
        "prices": [
            {"InstanceType": kind.name, "ZoneId": zone, "SpotPrice": price(world, kind.name, zone, now),
             "OriginPrice": kind.list_price}
            for region in world.regions.values() for zone in region.zones for kind in TYPES.values()
        ],
    }  # fmt: skip


def _region(row: m.Region) -> dict[str, Any]:
    return {
        "RegionId": row.id, "ZoneIds": list(row.zones), "VpcId": row.vpc_id, "SecurityGroupId": row.security_group_id,
        "Queue": row.queue,
    }  # fmt: skip


def _eip(row: m.Eip) -> dict[str, Any]:
    return {
        "AllocationId": row.id, "IpAddress": row.address, "RegionId": row.region, "InstanceId": row.instance_id,
        "Busy": row.busy, "Tags": row.tags,
    }  # fmt: skip


def _job(row: Job) -> dict[str, Any]:
    return {
        "JobId": row.id, "Product": row.product, "Action": row.action, "ServerGroupId": row.group_id,
        "DoneAt": iso_millis(row.done_at),
    }  # fmt: skip


def _instance(row: m.Instance) -> dict[str, Any]:
    return {
        "InstanceId": row.id, "InstanceName": row.name, "RegionId": row.region, "ZoneId": row.zone,
        "InstanceType": row.type, "Status": row.status, "SpotStrategy": row.spot_strategy,
        "SpotInterruptionBehavior": row.behavior, "LockReasons": list(row.locks),
        "ReleaseAt": None if row.release_at is None else iso_millis(row.release_at),
        "ImageId": row.image_id, "VSwitchId": row.vswitch_id, "PrivateIpAddress": row.private_ip,
        "PublicIpAddress": row.public_ip, "SecondaryPrivateIpAddresses": list(row.more_private_ips),
        "Ipv6Addresses": list(row.ipv6_addresses), "SecurityGroupIds": list(row.security_group_ids),
        "EipAllocationId": row.eip_id, "KeyPairName": row.key_pair, "RamRoleName": row.ram_role,
        "DiskIds": row.disk_ids, "Tags": row.tags, "CreationTime": iso_millis(row.created_at),
    }  # fmt: skip


def _image(row: m.Image, now: float) -> dict[str, Any]:
    return {
        "ImageId": row.id, "ImageName": row.name, "RegionId": row.region, "Status": row.status,
        "Progress": f"{progress(row.started_at, row.done_at, row.failed_at or now)}%",
        "Usable": is_usable(row, now), "ImageOwnerAlias": row.owner,
        "SourceInstanceId": row.source_instance_id, "SnapshotIds": [m.snapshot_id for m in row.mappings],
        "CreationTime": iso_millis(row.started_at), "Tags": row.tags,
    }  # fmt: skip


def _disk(row: m.Disk) -> dict[str, Any]:
    return {
        "DiskId": row.id, "RegionId": row.region, "ZoneId": row.zone, "Type": row.type,
        "Category": row.category, "Size": row.size_gib, "Device": row.device, "Status": row.status,
        "InstanceId": row.instance_id, "DeleteWithInstance": row.delete_with_instance,
        "SourceSnapshotId": row.source_snapshot_id, "Encrypted": row.encrypted, "KMSKeyId": row.kms_key_id,
        "Tags": row.tags,
    }  # fmt: skip


def _snapshot(row: m.Snapshot, now: float) -> dict[str, Any]:
    return {
        "SnapshotId": row.id, "RegionId": row.region, "SourceDiskId": row.disk_id, "Status": row.status,
        "Progress": f"{progress(row.started_at, row.done_at, now)}%", "Available": is_available(row, now),
        "CreationTime": iso_millis(row.started_at), "Tags": row.tags,
    }  # fmt: skip


def _eni(row: m.Eni) -> dict[str, Any]:
    return {
        "NetworkInterfaceId": row.id, "RegionId": row.region, "VSwitchId": row.vswitch_id,
        "InstanceId": row.instance_id, "PrivateIpAddresses": list(row.private_ips),
        "DeleteOnRelease": row.delete_on_release, "Tags": row.tags,
    }  # fmt: skip


def _group(row: m.SnapshotGroup) -> dict[str, Any]:
    return {
        "SnapshotGroupId": row.id, "RegionId": row.region, "Name": row.name, "InstanceId": row.instance_id,
        "SnapshotIds": list(row.snapshot_ids), "Tags": row.tags,
    }  # fmt: skip


def _template(row: m.LaunchTemplate) -> dict[str, Any]:
    return {
        "LaunchTemplateId": row.id, "RegionId": row.region, "LaunchTemplateName": row.name,
        "Versions": [blanked(version) for version in row.versions], "DefaultVersionNumber": row.default_version,
    }  # fmt: skip


def _invocation(row: m.Invocation) -> dict[str, Any]:
    return {
        "InvokeId": row.id, "RegionId": row.region, "InstanceIds": row.instance_ids, "ExitCode": row.exit_code,
        "ErrorCode": row.error_code,
    }  # fmt: skip


def _subscriptions(row: m.Topic) -> dict[str, str]:
    return {name: subscription.endpoint for name, subscription in row.subscriptions.items()}


def _balancer(row: LoadBalancer) -> dict[str, Any]:
    listeners = [
        {
            "ListenerId": listener.id,
            "Protocol": listener.protocol,
            "Port": listener.port,
            "ServerGroupId": listener.group_id,
        }
        for listener in row.listeners
    ]
    return {
        "LoadBalancerId": row.id, "Product": row.product, "RegionId": row.region, "LoadBalancerName": row.name,
        "Address": row.address, "Listeners": listeners, "Tags": row.tags,
    }  # fmt: skip


def _server_group(row: ServerGroup) -> dict[str, Any]:
    servers = [
        {"ServerId": server.server_id, "Type": server.type, "ServerIp": server.ip, "Port": server.port,
         "Weight": server.weight, "Description": server.description, "Status": server.status, "Health": server.health}
        for server in row.servers
    ]  # fmt: skip
    return {
        "ServerGroupId": row.id, "Product": row.product, "RegionId": row.region, "ServerGroupName": row.name,
        "LoadBalancerId": row.load_balancer_id, "Status": row.status, "Servers": servers, "Tags": row.tags,
    }  # fmt: skip


def _zone(row: m.DnsZone) -> dict[str, Any]:
    records = [
        {
            "RecordId": dns_record.id,
            "Rr": dns_record.rr,
            "Type": dns_record.type,
            "Value": dns_record.value,
            "Ttl": dns_record.ttl,
            "Status": dns_record.status,
        }
        for dns_record in row.records.values()
    ]
    return {"ZoneId": row.id, "ZoneName": row.name, "Records": records}


def _vswitch(row: m.VSwitch) -> dict[str, Any]:
    return {
        "VSwitchId": row.id, "RegionId": row.region, "ZoneId": row.zone, "VpcId": row.vpc_id, "CidrBlock": row.cidr,
        "Tags": row.tags,
    }  # fmt: skip


def _queue(queue: Queue, now: float) -> dict[str, Any]:
    active, inactive, delayed = queue.counts(now)
    return {
        "ActiveMessages": active, "InactiveMessages": inactive, "DelayMessages": delayed,
        "VisibilityTimeout": queue.attributes.visibility_timeout,
    }  # fmt: skip


def _rule(rule: m.EventRule) -> dict[str, Any]:
    targets = [{"Id": key, "Region": region, "Queue": q} for key, (region, q) in rule.targets.items()]
    return {"Name": rule.name, "State": rule.state, "EventNames": list(rule.event_names), "Targets": targets}
