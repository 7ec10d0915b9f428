"""Converts dictionaries of the ECS API to domain values; an undocumented shape is an error, never an empty result."""

import base64
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from spottui.cloud.errors import CloudError, ErrorKind
from spottui.cloud.fields import decode_json, list_of, second_of, tags_of, text_of, whole_of
from spottui.cloud.instance_shapes import launch_spec
from spottui.domain.instance import Disk
from spottui.domain.launch_spec import ImageTraits, LaunchSpec


class Image(msgspec.Struct, frozen=True):
    """A custom image: `progress` in percent; `usable` when instances can be launched from it.

    `made` is when it was begun; `tags` are all of its tags; `snapshots` are those of its disks, `gib` their size. It is
    `complete` when it is Available and the cloud does not say that it cannot be used yet.
    """

    image_id: str
    status: str
    progress: int
    usable: bool
    made: datetime | None = None
    tags: tuple[tuple[str, str], ...] = ()
    snapshots: tuple[str, ...] = ()
    gib: int = 0
    name: str = ""
    complete: bool = False

    @property
    def lost(self) -> bool:
        """Whether it will never be usable."""
        return self.status in ("CreateFailed", "UnAvailable")


class Snapshot(msgspec.Struct, frozen=True):
    """A snapshot of a disk with the data of `made`; disks can be created from it once it is `usable`."""

    snapshot_id: str
    disk_id: str
    status: str
    progress: int
    tags: tuple[tuple[str, str], ...] = ()
    gib: int = 0
    name: str = ""
    made: datetime | None = None
    usable: bool = False

    @property
    def finished(self) -> bool:
        """Whether an image can be made of it."""
        return self.status == "accomplished"

    @property
    def lost(self) -> bool:
        """Whether it has failed and will never be usable."""
        return self.status == "failed"


class Invocation(msgspec.Struct, frozen=True):
    """A command on one instance: its status as the API names it, its exit code and what it printed."""

    status: str
    exit_code: int | None
    output: str

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.status not in ("", "Pending", "Scheduled", "Running", "Stopping")


class Eip(msgspec.Struct, frozen=True):
    """An EIP: `instance_id` is empty while it is unbound; `free` when it can be bound."""

    eip_id: str
    instance_id: str
    free: bool
    address: str = ""


def checked(action: str, body: bytes) -> dict[str, Any]:
    """Decode a body that is an object with a RequestId, as every answer of ECS is; raises `CloudError` otherwise."""
    try:
        answer = decode_json(body, _OBJECT)
    except msgspec.ValidationError:
        answer = {}
    except ValueError:
        raise CloudError(action, ErrorKind.BROKEN, message="an answer that is no JSON") from None
    if "RequestId" in answer:
        return answer
    raise CloudError(action, ErrorKind.BROKEN, message="an answer of an unknown shape")


def id_list(ids: Iterable[str]) -> str:
    """Return ids as the JSON array in a string that the API takes."""
    return json.dumps(list(ids))


Rows = dict[str, tuple[int, LaunchSpec]]
"""By instance id, the hash of the text of its row and the launch spec that was read from it."""


class InstancePage(msgspec.Struct, rename="pascal"):
    """A page of DescribeInstances whose rows are not decoded yet."""

    request_id: str
    instances: "InstanceRows"
    next_token: str | None = None


class InstanceRows(msgspec.Struct, rename="pascal"):
    """The list within a page."""

    instance: list[msgspec.Raw]


class _Named(msgspec.Struct, rename="pascal"):
    instance_id: str


INSTANCE_PAGE = msgspec.json.Decoder(InstancePage)
_NAMED = msgspec.json.Decoder(_Named)
_OBJECT = msgspec.json.Decoder(dict[str, Any])


def launch_specs(region: str, rows: Rows, page: InstancePage) -> tuple[LaunchSpec, ...]:
    """Read one page of DescribeInstances (docs/alibaba-facts.md 1.3), reusing `rows` whose text has not changed."""
    return tuple(_read(region, rows, bytes(row)) for row in page.instances.instance)


def _read(region: str, rows: Rows, row: bytes) -> LaunchSpec:
    # Parsing a row costs many times more than hashing its text, and few rows change between sweeps.
    instance_id, number = decode_json(row, _NAMED).instance_id, hash(row)
    before = rows.get(instance_id)
    spec = before[1] if before and before[0] == number else launch_spec(region, decode_json(row, _OBJECT))
    rows[instance_id] = (number, spec)
    return spec


def disks(body: dict[str, Any]) -> dict[str, tuple[Disk, ...]]:
    """Read a page of DescribeDisks: each instance's disks, the system disk first, then by device."""
    by_instance: dict[str, list[Disk]] = {}
    for item in _rows("DescribeDisks", body, "Disks", "Disk"):
        by_instance.setdefault(text_of(item, "InstanceId"), []).append(_disk(item))
    by_instance.pop("", None)
    return {instance_id: tuple(sorted(of_one, key=_system_first)) for instance_id, of_one in by_instance.items()}


def images(body: dict[str, Any]) -> tuple[Image, ...]:
    """Read one page of DescribeImages; `Progress` is a string such as `37%` (docs/alibaba-facts.md 3.2)."""
    return tuple(_image(item) for item in _rows("DescribeImages", body, "Images", "Image"))


def security_groups(body: dict[str, Any]) -> frozenset[str]:
    """Read the ids of a page of DescribeSecurityGroups."""
    rows = _rows("DescribeSecurityGroups", body, "SecurityGroups", "SecurityGroup")
    return frozenset(text_of(item, "SecurityGroupId") for item in rows)


def image_traits(body: dict[str, Any]) -> dict[str, ImageTraits]:
    """Read each image's machine traits from a page of DescribeImages, by image id."""
    rows = _rows("DescribeImages", body, "Images", "Image")
    return {text_of(row, "ImageId"): _traits(row) for row in rows}


def eips(body: dict[str, Any]) -> tuple[Eip, ...]:
    """Read DescribeEipAddresses."""
    rows = _rows("DescribeEipAddresses", body, "EipAddresses", "EipAddress")
    return tuple(
        Eip(
            eip_id=text_of(row, "AllocationId"),
            instance_id=text_of(row, "InstanceId"),
            free=text_of(row, "Status") == "Available",
            address=text_of(row, "IpAddress"),
        )
        for row in rows
    )


def ram_roles(body: dict[str, Any]) -> dict[str, str]:
    """Read the role names by instance from DescribeInstanceRamRole."""
    rows = _rows("DescribeInstanceRamRole", body, "InstanceRamRoleSets", "InstanceRamRoleSet")
    return {text_of(row, "InstanceId"): text_of(row, "RamRoleName") for row in rows if row.get("RamRoleName")}


def history_events(body: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Read instance id and event type of a page of DescribeInstanceHistoryEvents."""
    rows = _rows("DescribeInstanceHistoryEvents", body, "InstanceSystemEventSet", "InstanceSystemEventType")
    return tuple((text_of(row, "InstanceId"), text_of(row.get("EventType") or {}, "Name")) for row in rows)


def all_disks(body: dict[str, Any]) -> dict[str, Disk]:
    """Read a page of DescribeDisks by disk id, including unattached disks."""
    return {text_of(item, "DiskId"): _disk(item) for item in _rows("DescribeDisks", body, "Disks", "Disk")}


def snapshots(body: dict[str, Any]) -> dict[str, Snapshot]:
    """Read a page of DescribeSnapshots by id."""
    rows = _rows("DescribeSnapshots", body, "Snapshots", "Snapshot")
    return {text_of(row, "SnapshotId"): _snapshot(row) for row in rows}


def invocation(body: dict[str, Any]) -> Invocation | None:
    """Read the one result of DescribeInvocationResults; its output is Base64 (docs/alibaba-facts.md 6.1)."""
    invocation = body.get("Invocation")
    if not isinstance(invocation, dict):
        raise CloudError("DescribeInvocationResults", ErrorKind.BROKEN, message="an answer of an unknown shape")
    rows = _rows("DescribeInvocationResults", invocation, "InvocationResults", "InvocationResult")
    return _invocation(rows[0]) if rows else None


def _rows(action: str, body: dict[str, Any], outer: str, inner: str) -> list[dict[str, Any]]:
    rows = body.get(outer, {}).get(inner) if isinstance(body.get(outer), dict) else None
    if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
        return rows
    raise CloudError(action, ErrorKind.BROKEN, message=f"an answer without {outer}.{inner}")


def _disk(item: dict[str, Any]) -> Disk:
    return Disk(
        disk_id=text_of(item, "DiskId"),
        device=text_of(item, "Device"),
        kind=text_of(item, "Type"),
        category=text_of(item, "Category"),
        size_gib=int(item.get("Size") or 0),
        performance_level=text_of(item, "PerformanceLevel"),
        delete_with_instance=bool(item.get("DeleteWithInstance", True)),
        status=text_of(item, "Status"),
        instance_id=text_of(item, "InstanceId"),
        encrypted=bool(item.get("Encrypted")),
        tags=tags_of(item),
        name=text_of(item, "DiskName"),
        description=text_of(item, "Description"),
        kms_key_id=text_of(item, "KMSKeyId"),
        provisioned_iops=whole_of(item, "ProvisionedIops"),
        bursting=item.get("BurstingEnabled"),
        snapshot_policy_id=text_of(item, "AutoSnapshotPolicyId"),
    )


def _system_first(disk: Disk) -> tuple[bool, str]:
    return disk.kind != "system", disk.device


def _image(item: dict[str, Any]) -> Image:
    status, mappings = text_of(item, "Status"), list_of(item, "DiskDeviceMappings", "DiskDeviceMapping")
    return Image(
        image_id=text_of(item, "ImageId"),
        status=status,
        progress=_percent(item),
        usable=status == "Available" or item.get("Usable") is True,
        made=second_of(text_of(item, "CreationTime")),
        tags=tags_of(item),
        snapshots=tuple(text_of(mapping, "SnapshotId") for mapping in mappings),
        gib=sum(_gib(mapping, "Size") for mapping in mappings),
        name=text_of(item, "ImageName"),
        complete=status == "Available" and item.get("Usable") is not False,
    )


def _traits(item: dict[str, Any]) -> ImageTraits:
    imds = text_of(item.get("Features") or {}, "ImdsSupport")
    return ImageTraits(text_of(item, "Architecture"), text_of(item, "Platform"), text_of(item, "BootMode"), imds)


def _percent(item: dict[str, Any]) -> int:
    digits = text_of(item, "Progress").rstrip("%")
    return int(digits) if digits.isascii() and digits.isdigit() else 0


def _snapshot(item: dict[str, Any]) -> Snapshot:
    return Snapshot(
        snapshot_id=text_of(item, "SnapshotId"),
        disk_id=text_of(item, "SourceDiskId"),
        status=text_of(item, "Status"),
        progress=_percent(item),
        tags=tags_of(item),
        gib=_gib(item, "SourceDiskSize"),
        name=text_of(item, "SnapshotName"),
        made=second_of(text_of(item, "CreationTime")),
        usable=item.get("Available") is True,
    )


def _gib(item: dict[str, Any], key: str) -> int:
    """Sizes are numbers or strings of digits, depending on the action."""
    return int(item.get(key) or 0)


def _invocation(item: dict[str, Any]) -> Invocation:
    code = text_of(item, "ExitCode")
    output = base64.b64decode(text_of(item, "Output"), validate=False).decode(errors="replace")
    return Invocation(
        text_of(item, "InvokeRecordStatus") or text_of(item, "InvocationStatus"),
        int(code) if code.lstrip("-").isdigit() else None,
        output,
    )
