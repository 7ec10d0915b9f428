"""Tags on what a recovery leaves behind."""

from collections.abc import Sequence

from spottui.cloud.ecs import OUR_TAG, Answer, Ecs
from spottui.cloud.sdk import models

EXPIRES_TAG = "spottui:expires"
"""The day, UTC, after which a leftover of a recovered instance may go."""


def tag(ecs: Ecs, resource_type: str, resource_ids: Sequence[str], interruption_id: str, expires: str) -> Answer:
    """Write on at most 50 things of one type (`image`, `snapshot`, `disk`) whose they are and when they expire."""
    tags = {OUR_TAG: interruption_id, EXPIRES_TAG: expires}
    request = models.TagResourcesRequest(
        region_id=ecs.region,
        resource_type=resource_type,
        resource_id=list(resource_ids),
        tag=[models.TagResourcesRequestTag(key=key, value=value) for key, value in tags.items()],
    )
    body = ecs.act("TagResources", ecs.client.tag_resources_with_options, request)
    return Answer(", ".join(resource_ids), str(body.request_id or ""))
