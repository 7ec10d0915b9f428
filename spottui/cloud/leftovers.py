"""Resources that recoveries created: finding them by tag, tagging them with an expiry, and deleting them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from spottui.cloud import ecs_shapes as shapes
from spottui.cloud.batches import in_halves
from spottui.cloud.ecs import OUR_TAG, PAGE, Answer, Ecs
from spottui.cloud.fields import text_of
from spottui.cloud.sdk import models
from spottui.cloud.tagged import by_tag


def our_snapshots(ecs: Ecs) -> dict[str, shapes.Snapshot]:
    """Return every snapshot that has our tag, by id."""
    return {snapshot.snapshot_id: snapshot for snapshot in snapshots_tagged(ecs, OUR_TAG)}


def snapshots_tagged(ecs: Ecs, key: str, filters: Mapping[str, object] | None = None) -> tuple[shapes.Snapshot, ...]:
    """Return every snapshot that has a tag and passes the filters."""
    return by_tag(lambda query: _snapshots(ecs, {**(filters or {}), **query}), key)


def _snapshots(ecs: Ecs, query: Mapping[str, object]) -> Iterator[shapes.Snapshot]:
    """By token: where a snapshot is deleted meanwhile, numbered pages would skip another one."""
    token = ""
    while True:
        page = {"MaxResults": PAGE, **({"NextToken": token} if token else {})}
        body = ecs.read("DescribeSnapshots", {**query, **page})
        yield from ecs.parsed("DescribeSnapshots", shapes.snapshots, body).values()
        token = text_of(body, "NextToken")
        if not token:
            return


def delete_image(ecs: Ecs, image_id: str) -> str:
    """Delete an image that no instance runs from, not its snapshots; return the RequestId."""
    request = models.DeleteImageRequest(region_id=ecs.region_id, image_id=image_id, force=False)
    return ecs.change("", "DeleteImage", request).request_id


def delete_snapshot(ecs: Ecs, snapshot_id: str) -> str:
    """Delete a snapshot that no image refers to; return the RequestId."""
    request = models.DeleteSnapshotRequest(snapshot_id=snapshot_id, force=False)
    return ecs.change("", "DeleteSnapshot", request).request_id


def delete_disk(ecs: Ecs, disk_id: str) -> str:
    """Delete a disk that is attached to nothing; return the RequestId."""
    request = models.DeleteDiskRequest(disk_id=disk_id)
    return ecs.change("", "DeleteDisk", request).request_id


RESOURCES_PER_CALL = 50
EXPIRES_TAG = "spottui:expires"
"""The day, UTC, after which a leftover of a recovered instance may go."""


def tag(ecs: Ecs, resource_type: str, resource_ids: Iterable[str], interruption_id: str, expires: str) -> Answer:
    """Tag resources of one type (`image`, `snapshot`, `disk`) with their recovery and their expiry.

    Raises the `CloudError` of the first that could not be tagged, after all others have been.
    """
    tags = {OUR_TAG: interruption_id, EXPIRES_TAG: expires}

    def write(some: Sequence[str]) -> dict[str, str]:
        request = models.TagResourcesRequest(
            region_id=ecs.region_id,
            resource_type=resource_type,
            resource_id=list(some),
            tag=[models.TagResourcesRequestTag(key=key, value=value) for key, value in tags.items()],
        )
        body = ecs.act("TagResources", request)
        return dict.fromkeys(some, text_of(body, "RequestId"))

    tagged = in_halves(resource_ids, write, RESOURCES_PER_CALL)
    for error in tagged.refused.values():
        raise error
    return Answer(", ".join(tagged), next(iter(tagged.values()), ""))
