"""What a person is warned of before a yes to a plan."""

from spottui.domain.losses import Loss, LossKind
from spottui.domain.plan import Caution, CautionKind, Plan
from spottui.domain.text import plain

_SHOWN = 60
_LONGEST = 500


def warnings(plan: Plan) -> tuple[str, ...]:
    """Return a line for each thing that the replacement will lack, and for each other caution of the plan."""
    return (*(loss(warning) for warning in plan.losses), *(caution(warning) for warning in plan.cautions))


def loss(loss: Loss) -> str:
    """Return what a replacement lacks, or has otherwise than one would think."""
    return _LOSSES[loss.kind].format(", ".join(plain(name, _SHOWN) for name in loss.what), count=len(loss.what))


def caution(caution: Caution) -> str:
    """Return what else a yes should know of."""
    what = [plain(name, _LONGEST) for name in caution.what]
    parts = what if caution.kind is CautionKind.BACK_TO_SPOT else [", ".join(what)]
    return _CAUTIONS[caution.kind].format(*parts)


_LOSSES = {
    LossKind.PRIVATE_IP_KEPT: (
        "private IP {} is kept: the launch waits for the release, and stays in the same zone while it can have the "
        "address"
    ),
    LossKind.PRIVATE_IP: "new private IP: {} is in use until the release",
    LossKind.SECONDARY_IPS: "{count} new secondary private IPs: {} are in use until the release",
    LossKind.PUBLIC_IP: "public IP {} is converted to an EIP and moved; lost if the cloud refuses that",
    LossKind.IPV6: "new IPv6 addresses: the old ones are lost",
    LossKind.PREFIXES: "address prefixes are lost: {}",
    LossKind.INTERFACES: "{count} more network interfaces are not recreated",
    LossKind.INTERFACES_MOVED: "network interfaces {} are moved, but only to a replacement in their own zone",
    LossKind.LOCAL_DISK: "local disk {} is lost",
    LossKind.TAGS: "tags dropped: {} (an instance has at most 20, and the recovery needs its own)",
    LossKind.AUTO_RELEASE: "automatic release ({}) is not carried over: the replacement runs until you release it",
    LossKind.CPU_OPTIONS: "CPU options ({}) are kept on the same instance type only",
    LossKind.DEDICATED_HOST: "dedicated host {} is kept in its own zone only",
    LossKind.DELETION_PROTECTION: (
        "deletion protection does not stop a reclaim; only an on-demand replacement can have it"
    ),
    LossKind.BEYOND: "a launch cannot request {}",
    LossKind.ENCRYPTED: "{} encrypted: the image uses the same key and works in this account only",
    LossKind.UNREAD: "{} could not be read: the replacement is launched without it",
}
_CAUTIONS = {
    CautionKind.STOPPED_ONLY: (
        "a reclaim stops this instance instead of releasing it, so it is started again; if that fails and a "
        "replacement is launched, do not start the old one as well"
    ),
    CautionKind.SCALING_GROUP: "scaling group {}: ESS replaces it, so this would be a second replacement",
    CautionKind.ONE_ZONE: "no vSwitch is configured in another zone",
    CautionKind.NO_TAGGED_VSWITCH: "no vSwitch in another zone, neither configured nor tagged",
    CautionKind.UNKNOWN_DRAIN: "no drain: there is no [drain.{}] in the configuration",
    CautionKind.OWNED: "owned by {}, which replaces it automatically: this would be a second replacement",
    CautionKind.UNKNOWN_PROBE: "no probe: {} is not a [probe.NAME] of the configuration",
    CautionKind.UNKNOWN_PRIVATE_IP: "its tag spottui:private-ip says {}, which is ignored: allowed are keep and new",
    CautionKind.NOT_LOOKED_UP: "not looked up: {}",
    CautionKind.BACK_TO_SPOT: (
        "back to spot: {1} is on-demand and keeps running and costing until it is deleted, which takes a second yes: "
        "B on it, or recover --to-spot, once the new one serves. What is written on {1} after its image began is not "
        "on the new instance. By hand: aliyun ecs DeleteInstance --RegionId {0} --InstanceId {1} --Force true"
    ),
}
