"""The service that manages an instance, by its tags."""

from collections.abc import Callable
from enum import StrEnum

import msgspec

from spottui.domain.instance import Instance


class OwnerKind(StrEnum):
    """A service that launches instances automatically, and replaces lost ones."""

    ESS = "ESS"
    ACK = "ACK"
    KARPENTER = "Karpenter"
    AUTO_PROVISIONING_GROUP = "AutoProvisioningGroup"


class Owner(msgspec.Struct, frozen=True, gc=False):
    """The service, and the `id` of the group, node pool or cluster: untrusted text, empty if no tag has it."""

    kind: OwnerKind
    id: str = ""

    @property
    def label(self) -> str:
        """Its kind and id, as a table shows them."""
        return f"{self.kind} {self.id}".rstrip()


def owner_of(instance: Instance) -> Owner | None:
    """Return the owner of an instance, None without one; of several owners the one that controls the others.

    The nodes of ACK and of Karpenter are also in a scaling group or an AutoProvisioningGroup. The tags of ESS and ACK
    are documented, the others are those that the code of both Karpenter providers sets.
    """
    tags = dict(instance.tags)
    for kind, id_in in _OWNERS:
        owner_id = id_in(tags)
        if owner_id is not None:
            return Owner(kind, owner_id)
    return None


def _karpenter(tags: dict[str, str]) -> str | None:
    if not any(key.startswith("karpenter.sh/") for key in tags):
        return None
    return tags.get("karpenter.sh/nodepool", "")


def _ack(tags: dict[str, str]) -> str | None:
    clusters = [key.removeprefix(_CLUSTER) for key in tags if key.startswith(_CLUSTER)]
    ids = [tags[key] for key in ("alibabacloud.com/nodepool-id", "ack.aliyun.com") if key in tags]
    return next(iter((*ids, *clusters)), None)


_CLUSTER = "kubernetes.io/cluster/"
_OWNERS: tuple[tuple[OwnerKind, Callable[[dict[str, str]], str | None]], ...] = (
    (OwnerKind.KARPENTER, _karpenter),
    (OwnerKind.ACK, _ack),
    (OwnerKind.ESS, lambda tags: tags.get("acs:autoscaling:scalingGroupId")),
    (OwnerKind.AUTO_PROVISIONING_GROUP, lambda tags: tags.get("acs:autoprovisioninggroup:id")),
)
