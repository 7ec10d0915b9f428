"""What a replacement will not have of its old instance, or has in a way that is worth a thought."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from spottui.domain.launch_spec import LaunchSpec, carried_tags
from spottui.domain.text import plain

_SHOWN = 60


class LossKind(StrEnum):
    """What it is that a replacement lacks."""

    PRIVATE_IP = "private IP"
    SECONDARY_IPS = "secondary private IPs"
    PUBLIC_IP = "public IP"
    IPV6 = "IPv6 addresses"
    PREFIXES = "address prefixes"
    INTERFACES = "network interfaces"
    LOCAL_DISK = "local disk"
    TAGS = "tags"
    AUTO_RELEASE = "automatic release"
    CPU_OPTIONS = "CPU options"
    DEDICATED_HOST = "dedicated host"
    DELETION_PROTECTION = "deletion protection"
    BEYOND = "beyond a launch"
    ENCRYPTED = "encryption"
    UNREAD = "not read"


@dataclass(frozen=True, slots=True)
class Loss:
    """One thing that is lost: `what` are its ids, addresses, names or values, untrusted text of the cloud."""

    kind: LossKind
    what: tuple[str, ...] = ()


def lost(spec: LaunchSpec) -> tuple[Loss, ...]:
    """Return all that a replacement launched from this spec lacks, or has otherwise than one would think."""
    return tuple(_found(spec))


def words(loss: Loss) -> str:
    """Return a loss as one line for people, with nothing in it that acts on a terminal."""
    return _WORDS[loss.kind].format(", ".join(plain(one, _SHOWN) for one in loss.what), count=len(loss.what))


_WORDS = {
    LossKind.PRIVATE_IP: "new private IP: {} stays taken until the release",
    LossKind.SECONDARY_IPS: "secondary private IPs are lost: {}",
    LossKind.PUBLIC_IP: "new public IP: {} is lost",
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


def _found(spec: LaunchSpec) -> Iterator[Loss]:
    yield from _addresses(spec)
    yield from (Loss(LossKind.LOCAL_DISK, (disk.disk_id,)) for disk in spec.disks if disk.is_local)
    encrypted = tuple(disk.disk_id for disk in spec.cloud_disks if disk.encrypted)
    options = spec.cpu_options
    cpu = (f"{options.cores} cores, {options.threads_per_core} threads each",) if options else ()
    _, dropped = carried_tags(spec.instance.tags)
    release = f"{spec.auto_release:%Y-%m-%d %H:%M} UTC" if spec.auto_release else ""
    yield from _if_any(LossKind.ENCRYPTED, encrypted)
    yield from _if_any(LossKind.TAGS, dropped)
    yield from _if_any(LossKind.AUTO_RELEASE, (release,))
    yield from _if_any(LossKind.CPU_OPTIONS, cpu)
    yield from _if_any(LossKind.DEDICATED_HOST, (spec.dedicated_host_id,))
    if spec.deletion_protection:
        yield Loss(LossKind.DELETION_PROTECTION)
    yield from _if_any(LossKind.BEYOND, tuple(f"{name} {value}" for name, value in spec.beyond))
    yield from _if_any(LossKind.UNREAD, spec.unread)


def _addresses(spec: LaunchSpec) -> Iterator[Loss]:
    old = spec.instance
    yield from _if_any(LossKind.PRIVATE_IP, (old.private_ip,))
    yield from _if_any(LossKind.SECONDARY_IPS, spec.secondary_ips)
    yield from _if_any(LossKind.PUBLIC_IP, (old.public_ip,))
    if spec.ipv6_addresses:
        yield Loss(LossKind.IPV6)
    yield from _if_any(LossKind.PREFIXES, spec.prefixes)
    if spec.network_interfaces > 1:
        yield Loss(LossKind.INTERFACES, ("",) * (spec.network_interfaces - 1))


def _if_any(kind: LossKind, what: tuple[str, ...]) -> Iterator[Loss]:
    if any(what):
        yield Loss(kind, what)
