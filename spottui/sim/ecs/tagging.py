"""Tags of instances, disks, images, snapshots and EIPs."""

from collections.abc import Iterator, Mapping

from spottui.sim.errors import ApiError, missing
from spottui.sim.model import Disk, Eip, Eni, Image, Instance, LaunchTemplate, Snapshot, SnapshotGroup
from spottui.sim.registry import Body, Call, action

_Taggable = Instance | Disk | Image | Snapshot | Eip | Eni | SnapshotGroup | LaunchTemplate
_MAX_TAGS = 20


@action()
def tag_resources(call: Call) -> Body:
    """Add tags to up to 50 resources of one type; all or none."""
    ids, tags = call.params.numbered("ResourceId"), call.params.tags()
    if not ids:
        raise missing("ResourceId.N")
    if not tags:
        raise missing("Tag.N")
    rows = [_resource(call, resource_id) for resource_id in ids]
    if any(len({**row.tags, **tags}) > _MAX_TAGS for row in rows):
        raise ApiError("QuotaExceed.Tags", 403, "The number of tags exceeds the quota.")
    for row in rows:
        row.tags.update(tags)
    call.changed(", ".join(ids))
    return {}


@action()
def untag_resources(call: Call) -> Body:
    """Take tags by their keys, or All of them, from up to 50 resources of one type."""
    ids, keys = call.params.numbered("ResourceId"), call.params.numbered("TagKey")
    if not ids:
        raise missing("ResourceId.N")
    if not keys and not call.params.flag("All"):
        raise missing("TagKey.N")
    rows = [_resource(call, resource_id) for resource_id in ids]
    for row in rows:
        for key in keys or list(row.tags):
            row.tags.pop(key, None)
    call.changed(", ".join(ids))
    return {}


@action(refuses=("TagFilter",))
def list_tag_resources(call: Call) -> Body:
    """Tags by resource or by tag, one row per pair, in one page of this cloud."""
    ids, wanted = call.params.numbered("ResourceId"), call.params.tags()
    if not ids and not wanted:
        raise missing("ResourceId.N")
    kind = call.params.required("ResourceType")
    region = call.region_id
    rows = [row for row in _table(call).values() if row.region == region and (not ids or row.id in ids)]
    pairs = [] if call.blind else [pair for row in rows for pair in _pairs(row, kind, wanted)]
    return {"NextToken": "", "TagResources": {"TagResource": pairs}}


def _pairs(row: _Taggable, kind: str, wanted: Mapping[str, str]) -> Iterator[dict[str, str]]:
    if any(k not in row.tags or v not in ("", row.tags[k]) for k, v in wanted.items()):
        return
    for key, value in row.tags.items():
        yield {"ResourceId": row.id, "ResourceType": kind, "TagKey": key, "TagValue": value}


def _table(call: Call) -> Mapping[str, _Taggable]:
    world = call.world
    tables: dict[str, Mapping[str, _Taggable]] = {
        "instance": world.instances, "disk": world.disks, "image": world.images,
        "snapshot": world.snapshots, "eip": world.eips, "eni": world.enis,
        "snapshotgroup": world.snapshot_groups, "launchtemplate": world.launch_templates,
    }  # fmt: skip
    kind = call.params.required("ResourceType").lower()
    if kind not in tables:
        raise ApiError("InvalidResourceType.NotFound", 404, "The ResourceType provided does not exist.")
    return tables[kind]


def _resource(call: Call, resource_id: str) -> _Taggable:
    row = _table(call).get(resource_id)
    if row is None or row.region != call.region_id:
        raise ApiError("InvalidResourceId.NotFound", 404, f"The specified ResourceId is not found: {resource_id}")
    return row
