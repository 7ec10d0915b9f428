"""The RunInstances request that makes an instance like the old one (docs/alibaba-facts.md 4.1)."""

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from spottui.cloud.sdk import models
from spottui.domain.instance import Disk
from spottui.domain.launch_spec import (
    MOST_TAGS,
    PRICE_LIMITED,
    LaunchSource,
    LaunchSpec,
    Part,
    PrivateDns,
    carried_tags,
)
from spottui.domain.plan import Candidate
from spottui.domain.region_key import region_id

_BURSTABLE = "ecs.t"


def launch_request(
    spec: LaunchSpec,
    candidate: Candidate,
    source: LaunchSource,
    token: str,
    own_tags: Mapping[str, str],
    *,
    left_out: Collection[Part] = (),
) -> models.RunInstancesRequest:
    """Make the request: the image keeps the password, so none is sent; the vSwitch decides the zone.

    No private IP is asked for: the old one stays occupied until the release. `left_out` are parts that the cloud has
    refused.
    """
    old = spec.instance
    return models.RunInstancesRequest(
        region_id=region_id(old.region),
        client_token=token or None,
        image_id=source.image_id,
        instance_type=candidate.instance_type,
        zone_id=candidate.zone,
        v_switch_id=candidate.vswitch_id,
        security_group_ids=list(spec.security_group_ids),
        instance_name=old.name or None,
        host_name=spec.host_name or None,
        description=spec.description or None,
        instance_charge_type="PostPaid",
        **_spot(spec, on_demand=candidate.on_demand),
        **_what_may_be_gone(spec, left_out),
        user_data=spec.user_data.value if spec.user_data else None,
        internet_max_bandwidth_out=spec.internet_bandwidth_out if old.public_ip else 0,
        internet_max_bandwidth_in=_bandwidth_in(spec),
        internet_charge_type=spec.internet_charge_type or None,
        ipv_6address_count=spec.ipv6_addresses or None,
        **_of_on_demand(spec, candidate),
        **_of_the_type(spec, candidate),
        hpc_cluster_id=spec.hpc_cluster_id or None,
        tenancy=spec.tenancy or None,
        clock_options=models.RunInstancesRequestClockOptions(ptp_status="enabled") if spec.ptp else None,
        hibernation_options=_hibernation() if spec.hibernation else None,
        security_options=_secure_boot() if spec.secure_boot else None,
        http_tokens=spec.http_tokens or None,
        http_endpoint=spec.http_endpoint or None,
        private_dns_name_options=_private_dns(spec.private_dns) if spec.private_dns else None,
        **_disks(spec, candidate, source),
        tag=_tags(old.tags, own_tags),
        amount=1,
    )


def _disks(spec: LaunchSpec, candidate: Candidate, source: LaunchSource) -> dict[str, Any]:
    disks = [_as_asked(disk, candidate.disk_category) for disk in spec.cloud_disks]
    data = [_data_disk(disk, dict(source.snapshots)) for disk in disks if disk.kind == "data" and source.data_disks]
    system = next((_system_disk(disk) for disk in disks if disk.kind == "system"), None)
    return {"system_disk": system, "data_disk": data or None}


def _bandwidth_in(spec: LaunchSpec) -> int | None:
    """Return the limit if it is below the default, which is the most that a launch may request.

    The outbound bandwidth and at least 10 Mbit/s (ecs20140526, `RunInstancesRequest`); the cloud may show more.
    """
    most = max(10, spec.internet_bandwidth_out)
    return spec.internet_bandwidth_in if spec.instance.public_ip and 0 < spec.internet_bandwidth_in < most else None


def _what_may_be_gone(spec: LaunchSpec, left_out: Collection[Part]) -> dict[str, Any]:
    """Return named resources of the old instance that may no longer exist."""
    return {
        "password_inherit": True if not spec.key_pair and Part.PASSWORD not in left_out else None,
        "key_pair_name": (spec.key_pair or None) if Part.KEY_PAIR not in left_out else None,
        "ram_role_name": (spec.ram_role or None) if Part.RAM_ROLE not in left_out else None,
        "resource_group_id": (spec.resource_group_id or None) if Part.RESOURCE_GROUP not in left_out else None,
        **(_deployment(spec) if Part.DEPLOYMENT_SET not in left_out else {}),
    }


def check_request(spec: LaunchSpec, candidate: Candidate) -> models.RunInstancesRequest:
    """Make the DryRun of a launch, with the old instance's own image: the new one does not exist yet.

    That image has no preset password to inherit, and no data disks whose devices could be named.
    """
    request = launch_request(spec, candidate, LaunchSource(spec.image_id), "", {})
    request.dry_run = True
    request.password_inherit = None
    request.user_data = None
    for disk in request.data_disk or []:
        disk.device = None
    return request


def check_key(spec: LaunchSpec, candidate: Candidate) -> str:
    """Return a text that is equal for launches that one DryRun covers.

    Names, tags, and how many disks there are of which size make no difference.
    """
    instance = replace(spec.instance, name="", tags=())
    kinds = tuple(dict.fromkeys(_kind_of(disk) for disk in spec.cloud_disks))
    alike = replace(spec, instance=instance, host_name="", description="", disks=kinds)
    return json.dumps(check_request(alike, candidate).to_map(), sort_keys=True)


def _kind_of(disk: Disk) -> Disk:
    return Disk("", "", disk.kind, disk.category, 0, disk.performance_level, encrypted=disk.encrypted)


def _spot(spec: LaunchSpec, *, on_demand: bool) -> dict[str, str | float | int | None]:
    """The strategy is always sent: without it an instance is launched at full price."""
    terms = spec.spot_terms
    if on_demand or terms is None:
        return {"spot_strategy": "NoSpot"}
    return {
        "spot_strategy": terms.strategy,
        "spot_price_limit": terms.price_limit if terms.strategy == PRICE_LIMITED else None,
        "spot_duration": terms.duration,
        "spot_interruption_behavior": terms.behavior.value,
    }


def _of_on_demand(spec: LaunchSpec, candidate: Candidate) -> dict[str, str | bool | None]:
    """Return parameters that are refused for a spot instance: release protection, and a dedicated host of one zone."""
    if spec.spot_terms and not candidate.on_demand:
        return {}
    at_home = bool(spec.dedicated_host_id) and candidate.zone == spec.instance.zone
    return {
        "deletion_protection": spec.deletion_protection or None,
        "dedicated_host_id": spec.dedicated_host_id if at_home else None,
        "affinity": spec.affinity or None if at_home else None,
    }


def _of_the_type(spec: LaunchSpec, candidate: Candidate) -> dict[str, Any]:
    """Return parameters that other types may refuse: CPU options, and the credit mode of burstable types."""
    is_same = candidate.instance_type == spec.instance.instance_type
    fields: dict[str, Any] = {}
    if is_same or candidate.instance_type.startswith(_BURSTABLE):
        fields["credit_specification"] = spec.credit_specification or None
    if is_same and (spec.cpu_options or spec.nested_virtualization):
        options = spec.cpu_options
        fields["cpu_options"] = models.RunInstancesRequestCpuOptions(
            core=options.cores if options else None,
            threads_per_core=options.threads_per_core if options else None,
            numa=options.numa or None if options else None,
            topology_type=options.topology or None if options else None,
            nested_virtualization="enabled" if spec.nested_virtualization else None,
        )
    return fields


def _deployment(spec: LaunchSpec) -> dict[str, Any]:
    if not spec.deployment_set_id:
        return {}
    return {
        "deployment_set_id": spec.deployment_set_id,
        "deployment_set_group_no": spec.deployment_set_group or None,
    }


def _as_asked(disk: Disk, category: str) -> Disk:
    """Return the disk as it was, or with the available category, without parameters of the old one only."""
    if category in ("", disk.category):
        return disk
    return replace(disk, category=category, performance_level="", provisioned_iops=None, bursting=None)


def _system_disk(disk: Disk) -> models.RunInstancesRequestSystemDisk:
    """RunInstances has no DeleteWithInstance for it (docs/alibaba-facts.md 4.1)."""
    return models.RunInstancesRequestSystemDisk(size=str(disk.size_gib), **_any_disk(disk))


def _data_disk(disk: Disk, snapshots: Mapping[str, str]) -> models.RunInstancesRequestDataDisk:
    """The image's own data disk, named by its device, as the old one was, or one that is made of its snapshot."""
    snapshot_id = snapshots.get(disk.disk_id)
    # A disk of a snapshot has the snapshot's own encryption.
    made_as = replace(disk, encrypted=False) if snapshot_id else disk
    return models.RunInstancesRequestDataDisk(
        device=disk.device,
        size=disk.size_gib,
        snapshot_id=snapshot_id,
        delete_with_instance=disk.delete_with_instance,
        **_any_disk(made_as),
    )


def _any_disk(disk: Disk) -> dict[str, str | int | bool | None]:
    # Provisioned IOPS and bursting are parameters of ESSD AutoPL disks only, the level of ESSDs only.
    is_auto = disk.category == "cloud_auto"
    return {
        "category": disk.category,
        "disk_name": disk.name or None,
        "description": disk.description or None,
        "performance_level": disk.performance_level or None,
        "encrypted": "true" if disk.encrypted else None,
        "kmskey_id": disk.kms_key_id or None if disk.encrypted else None,
        "auto_snapshot_policy_id": disk.snapshot_policy_id or None,
        "provisioned_iops": disk.provisioned_iops if is_auto else None,
        "bursting_enabled": disk.bursting if is_auto else None,
    }


def _hibernation() -> models.RunInstancesRequestHibernationOptions:
    return models.RunInstancesRequestHibernationOptions(configured=True)


def _secure_boot() -> models.RunInstancesRequestSecurityOptions:
    return models.RunInstancesRequestSecurityOptions(enable_secure_boot=True)


def _private_dns(names: PrivateDns) -> models.RunInstancesRequestPrivateDnsNameOptions:
    return models.RunInstancesRequestPrivateDnsNameOptions(
        hostname_type=names.host_name_type or None,
        enable_instance_id_dns_arecord=names.instance_id_a,
        enable_instance_id_dns_aaaarecord=names.instance_id_aaaa,
        enable_ip_dns_arecord=names.ip_a,
        enable_ip_dns_ptr_record=names.ip_ptr,
    )


def _tags(tags: Iterable[tuple[str, str]], own: Mapping[str, str]) -> list[models.RunInstancesRequestTag]:
    """The recovery's own tags are never the ones that are dropped."""
    kept, _ = carried_tags(tags)
    others = [(key, value) for key, value in kept if key not in own]
    every = [*others[: MOST_TAGS - len(own)], *own.items()]
    return [models.RunInstancesRequestTag(key=key, value=value) for key, value in every]
