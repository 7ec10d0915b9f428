"""Custom images: made from an instance or a snapshot, looked up, deleted."""

import re
from collections.abc import Iterable
from dataclasses import replace

from spottui.sim.catalog import TYPES
from spottui.sim.ecs import filters, rendering
from spottui.sim.errors import ApiError, invalid, missing
from spottui.sim.imaging import ImageOrder, check_snapshots, copy_of, image_from_disks, image_from_mappings, is_usable
from spottui.sim.model import Image, Instance, Mapping, Snapshot
from spottui.sim.paging import by_number
from spottui.sim.registry import Body, Call, action

_NAME = re.compile(r"[A-Za-z\u4e00-\u9fff][\w\u4e00-\u9fff.:_-]{1,127}")
_MOST_DATA_DISKS = 16
_ARCHITECTURES, _BOOT_MODES = ("x86_64", "i386", "arm64"), ("BIOS", "UEFI", "UEFI-Preferred")
_STATUSES = ("Creating", "Waiting", "Available", "UnAvailable", "CreateFailed", "Deprecated")


@action()
def create_image(call: Call) -> Body:
    """Start an image; an instance wins over a disk mapping, and that over a snapshot, when several are given."""
    order = _order(call)
    if call.params.flag("DryRun"):
        _check_order(call, order)
        _source(call, order)
        call.refuse_if_dry_run()
    return call.once("CreateImage", lambda: _create(call, order))


def _create(call: Call, order: ImageOrder) -> tuple[Body, str]:
    _check_order(call, order)
    source = _source(call, order)
    if isinstance(source, Instance):
        cloud_disks = [disk for disk in call.world.disks_of(source) if not disk.is_local]
        image = image_from_disks(call.world, call.now, _like(call, order, source), cloud_disks)
    else:
        image = image_from_mappings(call.world, call.now, order, source)
    return {"ImageId": image.id}, image.id


def _like(call: Call, order: ImageOrder, source: Instance) -> ImageOrder:
    """An image of an instance boots as the image that the instance came from, if that is still known."""
    image = call.world.images.get(source.image_id)
    if image is None:
        return replace(order, architecture=TYPES[source.type].image_architecture, boot_mode="UEFI-Preferred", imds="v2")
    return replace(order, architecture=image.architecture, boot_mode=image.boot_mode, imds=image.imds)


def _order(call: Call) -> ImageOrder:
    params = call.params
    params.accept("Platform", "ImageVersion", "ResourceGroupId", "DetectionStrategy")
    name, description = params.text("ImageName"), params.text("Description")
    if name and (not _NAME.fullmatch(name) or name.startswith(("http://", "https://"))):
        raise ApiError("InvalidImageName.Malformed", 400, "The specified Image name is wrongly formed.")
    if description and (not 2 <= len(description) <= 256 or description.startswith(("http://", "https://"))):
        raise ApiError("InvalidDescription.Malformed", 400, "The specified description is wrongly formed.")
    return ImageOrder(
        call.region_id, name, description, params.text("ImageFamily"), params.tags(), params.text("InstanceId"),
        params.choice("Architecture", _ARCHITECTURES, invalid("Architecture"), "x86_64"),
        params.choice("BootMode", _BOOT_MODES, invalid("BootMode"), "BIOS"),
        params.choice("Features.ImdsSupport", ("v1", "v2"), invalid("Features.ImdsSupport"), "v1"),
    )  # fmt: skip


def _check_order(call: Call, order: ImageOrder) -> None:
    own = [i for i in call.world.images.values() if i.region == order.region and i.owner == "self"]
    if order.name and any(i.name == order.name for i in own):
        raise ApiError("InvalidImageName.Duplicated", 400, "The specified Image name has already been used.")
    quota = call.world.settings.image_quota
    if quota is not None and len(own) >= quota:
        raise ApiError("QuotaExceed.Image", 403, "The Image Quota exceeds.")


def _source(call: Call, order: ImageOrder) -> Instance | tuple[Mapping, ...]:
    if order.source_instance_id:
        return _check_instance(call, call.world.instance(order.source_instance_id, order.region))
    mappings = call.params.groups("DiskDeviceMapping")
    if mappings:
        return _mappings(call, mappings)
    if not call.params.text("SnapshotId"):
        raise missing("InstanceId")
    snapshot = _finished(call, call.params.text("SnapshotId"))
    if snapshot.disk_type != "system":
        raise ApiError("InvalidSnapshot.NotSystemDisk", 403, "The specified snapshot is not of a system disk.")
    return (Mapping("/dev/xvda", "system", snapshot.size_gib, snapshot.id),)


def _check_instance(call: Call, row: Instance) -> Instance:
    if row.status not in ("Running", "Stopped"):
        raise ApiError(
            "IncorrectInstanceStatus", 400, "The current status of the resource does not support this operation."
        )
    if "security" in row.locks:
        raise ApiError("InstanceLockedForSecurity", 400, "The instance is locked due to security.")
    check_snapshots(call.world, call.now, [disk for disk in call.world.disks_of(row) if not disk.is_local])
    return row


def _mappings(call: Call, given: list[dict[str, str]]) -> tuple[Mapping, ...]:
    if len(given) > 1 + _MOST_DATA_DISKS:
        raise invalid("DiskDeviceMapping", f"has more than {_MOST_DATA_DISKS} data disks")
    rows = tuple(_mapping(call, mapping, first=n == 0) for n, mapping in enumerate(given))
    if len({row.device for row in rows}) < len(rows):
        raise ApiError("InvalidDevice.InUse", 403, "A device of DiskDeviceMapping is used twice.")
    return rows


def _mapping(call: Call, given: dict[str, str], *, first: bool) -> Mapping:
    snapshot = _finished(call, given.get("SnapshotId", ""))
    # The SDK documents: the system disk is /dev/xvda, data disks are /dev/xvdb to /dev/xvdz.
    kind = given.get("DiskType") or ("system" if first else "data")
    device = given.get("Device") or ("/dev/xvda" if kind == "system" else "")
    if not re.fullmatch("/dev/xvda" if kind == "system" else "/dev/xvd[b-z]", device):
        raise ApiError("InvalidDevice.Malformed", 400, "The specified DiskDeviceMapping.N.Device is not valid.")
    size = given.get("Size") or str(snapshot.size_gib)
    if not size.isdigit() or int(size) < snapshot.size_gib:
        raise ApiError("InvalidSize.LessThanSnapshotSize", 400, "DiskDeviceMapping.N.Size is less than the snapshot.")
    return Mapping(device, kind, int(size), snapshot.id)


def _finished(call: Call, snapshot_id: str) -> Snapshot:
    snapshot = call.world.snapshot(snapshot_id, call.region_id)
    if snapshot.status != "accomplished":
        raise ApiError("InvalidSnapshotId.NotReady", 403, "The specified snapshot is not ready.")
    return snapshot


@action()
def describe_images(call: Call) -> Body:
    """Images of a region; without a Status only those that are Available."""
    region, params = call.region_id, call.params
    if params.text("Usable") and not params.text("Status"):
        raise missing("Status")
    rows = (row for row in call.world.images.values() if row.region == region and row.listed_at <= call.now)
    images = filters.keep_by_tag(
        rows,
        params.tags(),
        filters.among("status", _wanted_statuses(params.text("Status", "Available"))),
        filters.among("id", _wanted_ids(call)),
        filters.equals("owner", params.text("ImageOwnerAlias")),
        filters.like("name", params.text("ImageName")),
        filters.equals("family", params.text("ImageFamily")),
        _of_snapshot(params.text("SnapshotId")),
        _of_usable(call),
        *_more_filters(call),
    )
    call.refuse_if_dry_run()
    body = by_number(
        call, images, lambda page: {"Images": {"Image": page}}, lambda row: rendering.image(call.world, row, call.now)
    )
    return {"RegionId": region, **body}


def _more_filters(call: Call) -> Iterable[filters.Keep | None]:
    params = call.params
    params.accept("ActionType", "ShowExpired")
    kind = TYPES.get(params.text("InstanceType"))
    return [
        filters.equals("architecture", params.text("Architecture")),
        filters.equals("architecture", kind.image_architecture if kind else ""),
        filters.switched(params, "IsPublic", lambda row: bool(row.owner == "system")),
        filters.switched(params, "IsSupportCloudinit", lambda row: True),
        filters.switched(params, "IsSupportIoOptimized", lambda row: True),
        filters.fixed(params.text("OSType"), "linux"), filters.fixed(params.text("ResourceGroupId"), ""),
        filters.fixed(params.text("ImageOwnerId"), call.world.account_id),
        _of_usage(call),
        *filters.created(params, "started_at"),
    ]  # fmt: skip


def _of_usage(call: Call) -> filters.Keep | None:
    wanted = call.params.choice("Usage", ("instance", "none"), invalid("Usage"))
    if not wanted:
        return None
    used = {row.image_id for row in call.world.instances.values()}
    return lambda row: (row.id in used) == (wanted == "instance")


def _wanted_statuses(text: str) -> list[str] | None:
    if text == "ALL":
        return None
    statuses = text.split(",")
    if any(status not in _STATUSES for status in statuses):
        raise ApiError("InvalidStatus.Malformed", 400, f"The specified parameter Status is not valid: {text}")
    return statuses


def _wanted_ids(call: Call) -> list[str] | None:
    text = call.params.text("ImageId")
    if not text:
        return None
    return text.split(",") if call.world.settings.image_id_list else [text]


def _of_snapshot(snapshot_id: str) -> filters.Keep | None:
    if not snapshot_id:
        return None
    return lambda row: any(m.snapshot_id == snapshot_id for m in row.mappings)


def _of_usable(call: Call) -> filters.Keep | None:
    if not call.params.text("Usable"):
        return None
    wanted = call.params.flag("Usable")
    return lambda row: is_usable(row, call.now) == wanted


@action()
def delete_image(call: Call) -> Body:
    """Delete an image, not its snapshots. One that is not there is ignored, as the documentation says."""
    region = call.region_id
    image = call.world.images.get(call.params.required("ImageId"))
    if image is None or image.region != region:
        return {}
    _check_deletable(call, image)
    call.refuse_if_dry_run()
    del call.world.images[image.id]
    call.changed(f"{image.id} deleted")
    return {}


def _check_deletable(call: Call, image: Image) -> None:
    if image.owner != "self":
        raise ApiError("InvalidImageId.NotFound", 404, "The specified ImageId does not exist.")
    if call.params.flag("Force"):
        return
    if any(row.image_id == image.id for row in call.world.instances.values()):
        raise ApiError("ImageUsingByInstance", 403, "The specified image is in use by an instance.")


@action()
def copy_image(call: Call) -> Body:
    """Copy an image that is Available to another region; it is made anew there, snapshots and all."""
    source = call.world.image(call.params.required("ImageId"), call.region_id)
    target = call.world.region(call.params.required("DestinationRegionId")).id
    if source.status != "Available" or source.owner != "self":
        raise ApiError("IncorrectImageStatus", 403, "The specified image is not available or not yours.")
    call.refuse_if_dry_run()
    return call.once("CopyImage", lambda: _copy(call, source, target))


def _copy(call: Call, source: Image, target: str) -> tuple[Body, str]:
    params = call.params
    order = ImageOrder(
        target, params.text("DestinationImageName"), params.text("DestinationDescription"), tags=params.tags(),
        architecture=source.architecture, boot_mode=source.boot_mode, imds=source.imds,
    )  # fmt: skip
    _check_order(call, order)
    image = copy_of(call.world, call.now, order, source)
    return {"ImageId": image.id}, image.id
