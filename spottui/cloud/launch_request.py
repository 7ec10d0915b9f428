"""The RunInstances request that makes an instance like the old one (alibaba_facts.md 4.1)."""

from collections.abc import Mapping

from alibabacloud_ecs20140526 import models

from spottui.domain.instance import Disk
from spottui.domain.launch_spec import LaunchSpec
from spottui.domain.plan import Candidate

_RESERVED_TAGS = ("aliyun", "acs:")


def launch_request(
    spec: LaunchSpec,
    candidate: Candidate,
    image_id: str,
    token: str,
    own_tags: Mapping[str, str],
    *,
    data_disks: bool = True,
) -> models.RunInstancesRequest:
    """Make the request: the image keeps the password, so none is sent; the vSwitch decides the zone.

    The old private IP is not asked for: it stays occupied until the release.
    """
    old = spec.instance
    return models.RunInstancesRequest(
        region_id=old.region,
        client_token=token,
        image_id=image_id,
        instance_type=candidate.instance_type,
        zone_id=candidate.zone,
        v_switch_id=candidate.vswitch_id,
        security_group_ids=list(spec.security_group_ids),
        instance_name=old.name or None,
        host_name=spec.host_name or None,
        description=spec.description or None,
        instance_charge_type="PostPaid",
        spot_strategy=old.spot_strategy if old.is_spot else None,
        spot_price_limit=spec.spot_price_limit if old.spot_strategy == "SpotWithPriceLimit" else None,
        spot_duration=spec.spot_duration if old.is_spot else None,
        spot_interruption_behavior=old.behavior.value if old.is_spot else None,
        password_inherit=True if not spec.key_pair else None,
        key_pair_name=spec.key_pair or None,
        ram_role_name=spec.ram_role or None,
        user_data=spec.user_data.value if spec.user_data else None,
        resource_group_id=spec.resource_group_id or None,
        internet_max_bandwidth_out=spec.internet_bandwidth_out if old.public_ip else 0,
        internet_charge_type=spec.internet_charge_type or None,
        deletion_protection=spec.deletion_protection or None,
        credit_specification=spec.credit_specification or None,
        deployment_set_id=spec.deployment_set_id or None,
        http_tokens=spec.http_tokens or None,
        http_endpoint=spec.http_endpoint or None,
        system_disk=_system_disk(spec),
        data_disk=[_data_disk(disk) for disk in spec.cloud_disks if data_disks and disk.kind == "data"] or None,
        tag=_tags({**dict(old.tags), **own_tags}),
        amount=1,
    )


def _system_disk(spec: LaunchSpec) -> models.RunInstancesRequestSystemDisk | None:
    disk = next((disk for disk in spec.cloud_disks if disk.kind == "system"), None)
    if disk is None:
        return None
    return models.RunInstancesRequestSystemDisk(
        category=disk.category, size=str(disk.size_gib), performance_level=disk.performance_level or None
    )


def _data_disk(disk: Disk) -> models.RunInstancesRequestDataDisk:
    """The image's own data disk, named by its device, with the category that the old one had."""
    return models.RunInstancesRequestDataDisk(
        device=disk.device,
        category=disk.category,
        size=disk.size_gib,
        performance_level=disk.performance_level or None,
    )


def _tags(tags: Mapping[str, str]) -> list[models.RunInstancesRequestTag]:
    """At most 20, ours included; keys that the cloud reserves cannot be set."""
    free = [(key, value) for key, value in tags.items() if not key.startswith(_RESERVED_TAGS)]
    return [models.RunInstancesRequestTag(key=key, value=value) for key, value in free[-20:]]
