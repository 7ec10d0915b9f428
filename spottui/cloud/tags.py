"""Tags on what a recovery leaves behind."""

from collections.abc import Iterable, Sequence

from spottui.cloud.batches import in_halves
from spottui.cloud.ecs import OUR_TAG, Answer, Ecs
from spottui.cloud.sdk import models

RESOURCES_PER_CALL = 50
EXPIRES_TAG = "spottui:expires"
"""The day, UTC, after which a leftover of a recovered instance may go."""


def tag(ecs: Ecs, resource_type: str, resource_ids: Iterable[str], interruption_id: str, expires: str) -> Answer:
    """Write on things of one type (`image`, `snapshot`, `disk`) whose they are and when they expire.

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
        body = ecs.act("TagResources", ecs.client.tag_resources_with_options, request)
        return dict.fromkeys(some, str(body.request_id or ""))

    tagged = in_halves(resource_ids, write, RESOURCES_PER_CALL)
    for error in tagged.refused.values():
        raise error
    return Answer(", ".join(tagged), next(iter(tagged.values()), ""))
