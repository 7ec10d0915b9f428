"""What a person is warned of before a yes to a plan."""

from spottui.domain.losses import Loss, LossKind
from spottui.domain.plan import Caution, CautionKind, Plan
from spottui.domain.text import plain

_SHOWN = 60
_LONGEST = 500


def warnings(plan: Plan) -> tuple[str, ...]:
    """Return a line for each thing that the replacement will lack, and for each other caution of the plan."""
    return (*(loss(one) for one in plan.losses), *(caution(one) for one in plan.cautions))


def loss(known: Loss) -> str:
    """Return what a replacement lacks, or has otherwise than one would think."""
    return _LOSSES[known.kind].format(", ".join(plain(one, _SHOWN) for one in known.what), count=len(known.what))


def caution(known: Caution) -> str:
    """Return what else a yes should know of."""
    return _CAUTIONS[known.kind].format(", ".join(plain(one, _LONGEST) for one in known.what))


_LOSSES = {
    LossKind.PRIVATE_IP: "new private IP: {} stays taken until the release",
    LossKind.SECONDARY_IPS: "secondary private IPs are lost: {}",
    LossKind.PUBLIC_IP: "public IP {} is converted to an EIP and moved; lost if the cloud refuses that",
    LossKind.IPV6: "new IPv6 addresses: the old ones are lost",
    LossKind.PREFIXES: "address prefixes are lost: {}",
    LossKind.INTERFACES: "{count} further network interfaces are not made again",
    LossKind.LOCAL_DISK: "disk {} is local and lost",
    LossKind.TAGS: "an instance has at most 20 tags and the recovery needs its own: {} dropped",
    LossKind.AUTO_RELEASE: "no automatic release: the old instance had {}, the replacement runs until it is released",
    LossKind.CPU_OPTIONS: "CPU options ({}) are kept on the same instance type only",
    LossKind.DEDICATED_HOST: "dedicated host {} is kept in its own zone only",
    LossKind.DELETION_PROTECTION: (
        "deletion protection does not stop a reclaim; only an on-demand replacement can have it"
    ),
    LossKind.BEYOND: "no launch can ask for {}",
    LossKind.ENCRYPTED: "{} encrypted: the image stays so, with the same key, for this account only",
    LossKind.UNREAD: "{} could not be read: the replacement is launched without",
}
_CAUTIONS = {
    CautionKind.STOPPED_ONLY: (
        "at a reclaim the instance is stopped, not released: it is started again; where that fails and a "
        "replacement is launched, starting the old one later would be a second one"
    ),
    CautionKind.SCALING_GROUP: "scaling group {}: ESS replaces it by itself, a replacement would be a second one",
    CautionKind.OWNED: "it belongs to {}, which replaces it by itself: a replacement would be a second one",
    CautionKind.ONE_ZONE: "no other zone has a vSwitch in the configuration",
    CautionKind.NO_TAGGED_VSWITCH: "no other zone has a vSwitch, neither in the configuration nor by its tag",
    CautionKind.UNKNOWN_DRAIN: "no drain: {} is not a [drain.NAME] of the configuration",
    CautionKind.UNKNOWN_PROBE: "no probe: {} is not a [probe.NAME] of the configuration",
    CautionKind.NOT_LOOKED_UP: "not looked up: {}",
}
