"""Custom images: made from an instance or a snapshot, looked up, deleted."""

import re

from spottui.sim.ecs import filters, rendering
from spottui.sim.errors import ApiError, missing
from spottui.sim.imaging import ImageOrder, image_from_disks, image_from_snapshot, is_usable
from spottui.sim.model import Image, Instance
from spottui.sim.paging import by_number
from spottui.sim.registry import Body, Call, action

_NAME = re.compile(r"[A-Za-z\u4e00-\u9fff][\w\u4e00-\u9fff.:_-]{1,127}")
_STATUSES = ("Creating", "Waiting", "Available", "UnAvailable", "CreateFailed", "Deprecated")


@action()
def create_image(call: Call) -> Body:
    """Start an image; an instance wins over a snapshot when both are given."""
    order = _order(call)
    if not call.params.text("InstanceId") and not call.params.text("SnapshotId"):
        raise missing("InstanceId")
    if call.params.flag("DryRun"):
        _check_source(call, order)
        call.refuse_if_dry_run()
    return call.once("CreateImage", lambda: _create(call, order))


def _create(call: Call, order: ImageOrder) -> tuple[Body, str]:
    source = _check_source(call, order)
    if isinstance(source, Instance):
        cloud_disks = [disk for disk in call.world.disks_of(source) if not disk.is_local]
        image = image_from_disks(call.world, call.now, order, cloud_disks)
    else:
        snapshot = call.world.snapshot(call.params.required("SnapshotId"))
        image = image_from_snapshot(call.world, call.now, order, snapshot)
    return {"ImageId": image.id}, image.id


def _order(call: Call) -> ImageOrder:
    name = call.params.text("ImageName")
    if name and (not _NAME.fullmatch(name) or name.startswith(("http://", "https://"))):
        raise ApiError("InvalidImageName.Malformed", 400, "The specified Image name is wrongly formed.")
    return ImageOrder(
        call.region_id, name, call.params.text("Description"), call.params.text("ImageFamily"),
        call.params.tags(), call.params.text("InstanceId"),
    )  # fmt: skip


def _check_source(call: Call, order: ImageOrder) -> Instance | None:
    if order.name and any(i.name == order.name and i.region == order.region for i in call.world.images.values()):
        raise ApiError("InvalidImageName.Duplicated", 400, "The specified Image name has already been used.")
    if order.source_instance_id:
        return _check_instance(call, call.world.instance(order.source_instance_id, order.region))
    snapshot = call.world.snapshot(call.params.required("SnapshotId"), order.region)
    if snapshot.status != "accomplished":
        raise ApiError("InvalidSnapshotId.NotReady", 403, "The specified snapshot is not ready.")
    return None


def _check_instance(call: Call, row: Instance) -> Instance:
    if row.status not in ("Running", "Stopped"):
        raise ApiError(
            "IncorrectInstanceStatus", 400, "The current status of the resource does not support this operation."
        )
    if "security" in row.locks:
        raise ApiError("InstanceLockedForSecurity", 400, "The instance is locked due to security.")
    if any(s.status == "progressing" and s.disk_id in row.disk_ids for s in call.world.snapshots.values()):
        raise ApiError("IncorrectDiskStatus.CreatingSnapshot", 403, "A previous snapshot creation is in process.")
    return row


@action()
def describe_images(call: Call) -> Body:
    """Images of a region; without a Status only those that are Available."""
    region, params = call.region_id, call.params
    if params.text("Usable") and not params.text("Status"):
        raise missing("Status")
    rows = (row for row in call.world.images.values() if row.region == region)
    found = filters.keep(
        rows,
        filters.among("status", _wanted_statuses(params.text("Status", "Available"))),
        filters.among("id", params["ImageId"].split(",") if params.text("ImageId") else None),
        filters.equals("owner", params.text("ImageOwnerAlias")),
        filters.like("name", params.text("ImageName")),
        filters.equals("family", params.text("ImageFamily")),
        _of_snapshot(params.text("SnapshotId")),
        _of_usable(call),
        filters.tagged(params.tags()),
    )
    call.refuse_if_dry_run()
    body = by_number(call, found, lambda page: {"Images": {"Image": page}}, lambda row: rendering.image(row, call.now))
    return {"RegionId": region, **body}


def _wanted_statuses(text: str) -> list[str] | None:
    if text == "ALL":
        return None
    statuses = text.split(",")
    if any(status not in _STATUSES for status in statuses):
        raise ApiError("InvalidStatus.Malformed", 400, f"The specified parameter Status is not valid: {text}")
    return statuses


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
