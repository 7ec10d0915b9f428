"""The image route: a full image of the dying instance, and a replacement launched from it."""

from datetime import timedelta

from msgspec.structs import replace

from spottui.cloud.ecs import ImageSource
from spottui.cloud.errors import CloudError
from spottui.domain.launch_spec import LaunchSource
from spottui.domain.reasons import Reason, Why
from spottui.domain.recovery import ImageOf
from spottui.domain.routes import Route
from spottui.recovery.context import RecoveryContext, StepOutcome, cancelled, leaves, not_done
from spottui.recovery.imaging import start_image, wait_for_image
from spottui.recovery.launching import bring_up

IMAGES = 2
"""An image that the service abandons is made once more while the instance exists."""
TIME_FOR_AN_IMAGE = timedelta(seconds=5)
"""How long after the deadline an image of an instance that still exists may be tried."""


async def image_route(ctx: RecoveryContext) -> StepOutcome:
    """Image, launch at the first candidate with capacity, and wait until it runs."""
    lost: StepOutcome | None = None
    while True:
        image_id = await create_image(ctx)
        if isinstance(image_id, StepOutcome):
            return _both(lost, image_id)
        lost = await wait_for_image(ctx, image_id)
        if lost is None:
            return await bring_up(ctx, LaunchSource(image_id))
        if not lost.retryable or ctx.recovery.images % IMAGES == 0:
            return lost


async def create_image(ctx: RecoveryContext) -> str | StepOutcome:
    """Start the image of the instance and return its id."""
    recovery = ctx.recovery
    give_up_at = max(recovery.deadline, ctx.now()) + TIME_FOR_AN_IMAGE
    outcome = await start_image(ctx, ImageSource(instance_id=recovery.instance_id), ImageOf.ALL_DISKS, give_up_at)
    if not isinstance(outcome, CloudError):
        return outcome
    if ctx.recovery.cancel and not outcome.kind.effect_unknown:
        return cancelled(ctx.recovery)
    ended = leaves(not_done(ctx, Why.NO_IMAGE, outcome))
    # Kept disks are recovered by an image, too.
    return replace(ended, excluded_routes=(Route.KEPT_DISK,)) if outcome.kind.ends_launch else ended


def _both(lost: StepOutcome | None, ended: StepOutcome) -> StepOutcome:
    return ended if lost is None else replace(ended, reason=Reason(Why.THEN, causes=(lost.reason, ended.reason)))
