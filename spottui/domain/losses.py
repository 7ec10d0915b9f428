"""What a replacement lacks of its old instance, or has in another way."""

from collections.abc import Iterator
from enum import StrEnum

import msgspec

from spottui.domain.launch_spec import LaunchSpec, carried_tags


class LossKind(StrEnum):
    """The kinds of losses."""

    PRIVATE_IP_KEPT = "private IP kept"
    PRIVATE_IP = "private IP"
    SECONDARY_IPS = "secondary private IPs"
    PUBLIC_IP = "public IP"
    IPV6 = "IPv6 addresses"
    PREFIXES = "address prefixes"
    INTERFACES = "network interfaces"
    INTERFACES_MOVED = "network interfaces moved"
    LOCAL_DISK = "local disk"
    TAGS = "tags"
    AUTO_RELEASE = "automatic release"
    CPU_OPTIONS = "CPU options"
    DEDICATED_HOST = "dedicated host"
    DELETION_PROTECTION = "deletion protection"
    BEYOND = "beyond a launch"
    ENCRYPTED = "encryption"
    UNREAD = "not read"


class Loss(msgspec.Struct, frozen=True, gc=False):
    """One loss: `what` are its ids, addresses, names or values, untrusted text of the cloud."""

    kind: LossKind
    what: tuple[str, ...] = ()


def lost(spec: LaunchSpec, *, keeps_private_ip: bool = False) -> tuple[Loss, ...]:
    """Return everything that a replacement launched from this spec lacks, or has in an unexpected way.

    A private IP that it keeps is had only after the release.
    """
    return tuple(_found(spec, keeps_private_ip=keeps_private_ip))


def _found(spec: LaunchSpec, *, keeps_private_ip: bool) -> Iterator[Loss]:
    kind = LossKind.PRIVATE_IP_KEPT if keeps_private_ip else LossKind.PRIVATE_IP
    yield from _if_any(kind, (spec.instance.private_ip,))
    if not keeps_private_ip:
        yield from _if_any(LossKind.SECONDARY_IPS, spec.secondary_ips)
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
    yield from _if_any(LossKind.PUBLIC_IP, (old.public_ip,))
    if spec.ipv6_addresses:
        yield Loss(LossKind.IPV6)
    yield from _if_any(LossKind.PREFIXES, spec.prefixes)
    yield from _if_any(LossKind.INTERFACES_MOVED, spec.interfaces)
    unknown = spec.network_interfaces - 1 - len(spec.interfaces)
    if unknown > 0:
        yield Loss(LossKind.INTERFACES, ("",) * unknown)


def _if_any(kind: LossKind, what: tuple[str, ...]) -> Iterator[Loss]:
    if any(what):
        yield Loss(kind, what)
