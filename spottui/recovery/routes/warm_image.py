"""The warm-image route: serve now from an earlier image; later writes are on the kept disks only."""

from spottui.domain.facts import EarlierImageTaken
from spottui.domain.launch_spec import LaunchSource
from spottui.domain.reasons import Reason, Why
from spottui.recovery.context import RecoveryContext, StepOutcome, leaves
from spottui.recovery.launching import bring_up
from spottui.recovery.places import look_for_places


async def warm_image_route(ctx: RecoveryContext) -> StepOutcome:
    """Launch from the newest earlier image of this instance, and wait until it runs."""
    await look_for_places(ctx)
    warm = ctx.plan.warm_image
    if warm is None:
        return leaves(Reason(Why.NO_EARLIER_IMAGE))
    if not ctx.recovery.tries:
        await ctx.record(EarlierImageTaken(warm.image_id, warm.made))
    return await bring_up(ctx, LaunchSource(warm.image_id))
