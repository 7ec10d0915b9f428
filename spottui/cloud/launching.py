"""RunInstances from a template: checked first, then repeated with one token until its effect is known."""

import json
from collections.abc import Mapping

from spottui.cloud.errors import CloudError, ErrorKind, dry_run
from spottui.cloud.fields import numbered
from spottui.cloud.rpc import Rpc
from spottui.domain.settings import LaunchTemplate

TEMPLATE_TAG = "spottui-template"
LAUNCH_TAG = "spottui-launch"
"""Its value is the launch's ClientToken: how long the cloud remembers that is undocumented, but a tag stays."""
OWN_TAGS = (TEMPLATE_TAG, LAUNCH_TAG)


def check_launch(rpc: Rpc, template: LaunchTemplate, name: str, count: int) -> None:
    """Raise `CloudError` when the cloud would not launch it now; nothing is launched."""
    with dry_run():
        rpc.call("RunInstances", {**_query(template, name, count), "DryRun": "true"})


def launch(rpc: Rpc, template: LaunchTemplate, name: str, count: int, token: str) -> tuple[tuple[str, ...], str]:
    """Launch all of `count` instances or none; return their ids and the RequestId. Raises `CloudError`."""
    body = rpc.call("RunInstances", {**_query(template, name, count), "ClientToken": token})
    id_sets = body.get("InstanceIdSets") or {}
    ids = tuple(map(str, id_sets.get("InstanceIdSet") or ())) if isinstance(id_sets, dict) else ()
    if not ids:
        raise CloudError("RunInstances", ErrorKind.BROKEN, message=f"an answer without ids: {json.dumps(body)[:100]}")
    return ids, str(body.get("RequestId", ""))


def _query(template: LaunchTemplate, name: str, count: int) -> dict[str, object]:
    query: dict[str, object] = {
        "ImageId": template.image_id,
        "InstanceType": template.instance_type,
        "VSwitchId": template.vswitch_id,
        "InstanceChargeType": "PostPaid",
        "SpotStrategy": template.spot_strategy,
        "SpotPriceLimit": template.spot_price_limit if template.spot_strategy == "SpotWithPriceLimit" else "",
        "SpotInterruptionBehavior": template.interruption_behavior,
        "InstanceName": template.name or name,
        "KeyPairName": template.key_pair,
        "PasswordInherit": "" if template.key_pair else "true",
        "RamRoleName": template.ram_role,
        "SystemDisk.Category": template.system_disk_category,
        "SystemDisk.Size": template.system_disk_gib or "",
        "InternetMaxBandwidthOut": template.internet_bandwidth_out,
        "Amount": count,
        **numbered("SecurityGroupIds", template.security_group_ids),
        **_tags({**template.tags, TEMPLATE_TAG: name}),
    }
    return {key: value for key, value in query.items() if value != ""}


def _tags(tags: Mapping[str, str]) -> dict[str, object]:
    pairs = enumerate(tags.items(), 1)
    return {f"Tag.{n}.{part}": text for n, (key, value) in pairs for part, text in (("Key", key), ("Value", value))}
