"""What a call would make may be there already: a token is forgotten, a journal lost, another journal at work.

So the cloud is asked before the first launch, and before an unsettled launch or image is sent again: by the tags that
both get at their creation. What is found is the recovery's own.
"""

from datetime import timedelta

from spottui.cloud.ecs import OUR_TAG
from spottui.cloud.errors import CloudError
from spottui.domain.facts import CallAnswered, CallBegun
from spottui.domain.fold import REMOVED
from spottui.domain.instance import Instance
from spottui.domain.recovery import ImageOf, Recovery, Try
from spottui.recovery.context import RecoveryContext

CREATED_WITHIN = timedelta(minutes=2)
"""Creation times have minutes only, and clocks differ."""
ADOPTED = "found by its tag"


async def adopt_instance(ctx: RecoveryContext, one: Try) -> str | CloudError | None:
    """Return the instance that was launched for this reclaim and that the recovery does not know of; None for none.

    An error is returned where the cloud does not say: then nobody knows.
    """
    found = await ctx.shared.polls.launched(ctx.recovery.region, ctx.id)
    if isinstance(found, CloudError):
        return found
    mine = [instance for instance in found if _is_ours(instance, ctx.recovery)]
    if not mine:
        return None
    instance_id = mine[0].instance_id
    begun = CallBegun("RunInstances", one.client_token, attempt=one)
    await ctx.record(begun, CallAnswered("RunInstances", one.client_token, "", (instance_id,), detail=ADOPTED))
    return instance_id


async def adopt_image(ctx: RecoveryContext, token: str, image_of: ImageOf) -> str | None:
    """Return the image that this recovery has begun and does not know of; None for none, or where nobody says."""
    found = await ctx.shared.polls.images_of(ctx.recovery.region, ctx.id)
    if isinstance(found, CloudError):
        return None
    known = ctx.recovery.made("image")
    image_id = next((one.image_id for one in found if not one.lost and one.image_id not in known), None)
    if image_id:
        begun = CallBegun("CreateImage", token, image_of=image_of)
        await ctx.record(begun, CallAnswered("CreateImage", token, "", (image_id,), detail=ADOPTED))
    return image_id


def _is_ours(instance: Instance, recovery: Recovery) -> bool:
    """Whether it was launched for this reclaim; one that an earlier reclaim of the instance left is not."""
    removed = {one.failure.message for one in recovery.tries if one.failure and one.failure.kind == REMOVED}
    if instance.instance_id in removed or instance.instance_id == recovery.instance_id:
        return False
    if dict(instance.tags).get(OUR_TAG) == recovery.recovery_id:
        return True
    return instance.created is not None and instance.created >= recovery.started - CREATED_WITHIN
