"""Making an image and waiting for it, whatever it is made of."""

import asyncio
from datetime import datetime
from functools import partial
from itertools import count

from msgspec.structs import replace

from spottui.cloud.ecs import ImageSource
from spottui.cloud.ecs_shapes import Image
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.domain.facts import ImageGivenUp, ImageReady, ProgressBack, ProgressLost, ProgressSeen, StateEntered
from spottui.domain.forecast import TIGHT_S, Forecast, while_imaging
from spottui.domain.plan import Plan
from spottui.domain.reasons import Doing, NextStep, Reason, Why
from spottui.domain.recovery import ImageOf, Recovery, RecoveryState
from spottui.domain.tokens import client_token
from spottui.recovery.adoption import SUFFIXES, adopt_image, adopt_named, images_begun
from spottui.recovery.calls import Call, call, may_begin
from spottui.recovery.context import RecoveryContext, StepOutcome, cancelled, failure_of, leaves
from spottui.recovery.places import begin_to_look, look_for_places

POLL_S = 5.0
POLL_TIGHT_S = 2.0
POLL_SOON_S = 1.0
NEAR_S = 15.0
"""So close to the forecast end the image is polled each second, because every second is downtime."""
LOOK_FOR_PLACES_AFTER_S = 5.0
"""In a storm the first images take precedence."""
YOUNG_S = 10.0
"""An image that is refused after all, or is ready at once, shows it early."""
UNLISTED_GRACE_S = 120.0
"""A new image may not be listed at once (docs/alibaba-facts.md 3.2)."""
PATIENCE_S = 7200.0
FORECAST_MOVED_S = 2.0
NUMBERS = 50
"""How many image numbers are searched for the one that was started before a restart."""

_DOING = {
    ImageOf.ALL_DISKS: Doing.IMAGE,
    ImageOf.KEPT_DISKS: Doing.IMAGE_OF_KEPT_DISKS,
    ImageOf.SYSTEM_DISK: Doing.IMAGE_OF_SYSTEM_DISK,
    ImageOf.KEPT_SYSTEM_DISK: Doing.IMAGE_OF_KEPT_SYSTEM_DISK,
}


async def start_image(
    ctx: RecoveryContext, source: ImageSource, image_of: ImageOf, give_up_at: datetime
) -> str | CloudError | StepOutcome:
    """Start the recovery's next image, or take one that was started of the same source, and return its id.

    Every console uses the same name, made from the instance, so that the cloud refuses a second image. Another name is
    used only if an image of an earlier reclaim, or of somebody else, has that one.
    """
    recovery = ctx.recovery
    if recovery.image_id and recovery.image_of in (image_of, None):
        return recovery.image_id
    begun = await images_begun(ctx)
    for number in count(_unsettled(recovery)):
        name, token = _name(ctx.plan, image_of, number), client_token(ctx.id, "CreateImage", number)
        if not may_begin(ctx.recovery, token):
            return cancelled(ctx.recovery)
        entering = ctx.entering(RecoveryState.IMAGING, NextStep(_DOING[image_of]))
        creation = Call("CreateImage", token, give_up_at, entering, source.instance_id, image_of=image_of)
        adopted = await adopt_image(ctx, begun, creation)
        if adopted:
            return adopted
        if token not in recovery.unsettled and any(image.name == name for image in begun):
            continue
        outcome = await call(ctx, creation, partial(ctx.ecs.create_image, source, name, ctx.id, token))
        if not isinstance(outcome, CloudError):
            return outcome
        adopted = await _made_all_the_same(ctx, outcome, name, creation)
        if adopted or outcome.kind is not ErrorKind.EXISTS or ctx.now() > give_up_at:
            return adopted or outcome
    raise AssertionError("numbers do not end")


async def _made_all_the_same(ctx: RecoveryContext, error: CloudError, name: str, creation: Call) -> str | None:
    """Return the image that exists although the call failed, made by it or by another console; None for none."""
    if error.kind is ErrorKind.EXISTS:
        return await adopt_named(ctx, name, creation)
    return await adopt_image(ctx, await images_begun(ctx), creation) if error.kind.effect_unknown else None


def _name(plan: Plan, image_of: ImageOf, number: int) -> str:
    name = f"{plan.image_name[:100]}{SUFFIXES[image_of]}"
    return f"{name}-{number + 1}" if number else name


def _unsettled(recovery: Recovery) -> int:
    """Return the number of the image with an unknown outcome, else that of the next one."""
    if not recovery.unsettled:
        return recovery.images
    tokens = {client_token(recovery.recovery_id, "CreateImage", number): number for number in range(NUMBERS)}
    return next((tokens[token] for token in recovery.unsettled if token in tokens), recovery.images)


async def wait_for_image(ctx: RecoveryContext, image_id: str) -> StepOutcome | None:
    """Wait until instances can be launched from the image, showing its progress and the forecast.

    Meanwhile the places are surveyed. A lost image is removed from the recovery, so that another can be made; it is
    lost only if the cloud says so in a look that began after the limit, never because of a missing answer.
    """
    recovery = ctx.recovery
    if recovery.image_id == image_id and recovery.state is not RecoveryState.IMAGING:
        if recovery.progress == 100 or recovery.new_instance_id:
            return None
        await ctx.enter(RecoveryState.IMAGING, NextStep(_DOING[recovery.image_of or ImageOf.ALL_DISKS]))
    loop = asyncio.get_running_loop()
    waits_since_s = loop.time()
    began_s = waits_since_s - max((ctx.now() - (recovery.imaging_since or ctx.now())).total_seconds(), 0.0)
    seen, poll_s = ctx.now(), 0.0
    # Of one that is ready at the first look, after a restart, nobody knows for how long it has been.
    is_watched = waits_since_s - began_s < POLL_S
    while not ctx.recovery.cancel:
        waited_s = loop.time() - waits_since_s
        image = await ctx.shared.polls.image(recovery.region, image_id, poll_s)
        took_s = loop.time() - began_s
        seen = await _record_poll(ctx, image, seen)
        if took_s > LOOK_FOR_PLACES_AFTER_S:
            begin_to_look(ctx)
        if isinstance(image, Image) and image.usable:
            await look_for_places(ctx)
            await _ready(ctx, image_id, took_s, is_watched=is_watched)
            return None
        lost = _lost(image, image_id, waited_s)
        if lost:
            await ctx.record(ImageGivenUp(image_id))
            return replace(leaves(lost), retryable=True)
        is_watched = is_watched or isinstance(image, Image)
        poll_s = _show_progress(ctx, image, took_s) if isinstance(image, Image) else POLL_TIGHT_S
    return cancelled(ctx.recovery)


async def _record_poll(ctx: RecoveryContext, answer: Image | CloudError | None, seen: datetime) -> datetime:
    """Write once that the progress is unknown, once that it is known again; return when it was last seen."""
    recovery = ctx.recovery
    if isinstance(answer, CloudError):
        failure = failure_of(answer)
        told = recovery.unseen_since and recovery.trouble and (recovery.trouble.code, recovery.trouble.kind)
        if told != (failure.code, failure.kind):
            await ctx.record(ProgressLost(recovery.unseen_since or seen, failure))
        return seen
    if recovery.unseen_since:
        await ctx.record(ProgressBack())
    return ctx.now()


async def _ready(ctx: RecoveryContext, image_id: str, seconds: float, *, is_watched: bool) -> None:
    spec = ctx.plan.spec
    if is_watched and ctx.recovery.image_of in (ImageOf.ALL_DISKS, None):
        # One of finished snapshots, or of fewer disks, says nothing of how long the next image of an instance takes.
        ctx.shared.journal.image_timings.add(image_id, spec.main_category, spec.image_gib, seconds, ctx.now())
    ready = ImageReady(image_id, round(seconds, 1))
    await ctx.record(ready, StateEntered(RecoveryState.LAUNCHING, next_step=NextStep(Doing.IMAGE_READY)))


def _lost(image: Image | CloudError | None, image_id: str, waited_s: float) -> Reason | None:
    """Return why the wait is over, by a look that began after so many seconds of waiting."""
    if isinstance(image, CloudError):
        return None
    if isinstance(image, Image) and image.lost:
        return Reason(Why.IMAGE_LOST, image_id, image.status)
    if image is None and waited_s > UNLISTED_GRACE_S:
        return Reason(Why.IMAGE_LOST, image_id)
    return Reason(Why.IMAGE_NOT_READY, image_id, seconds=round(waited_s)) if waited_s > PATIENCE_S else None


def _show_progress(ctx: RecoveryContext, image: Image, took_s: float) -> float:
    """Write progress and forecast if they have changed; return in how many seconds to look again."""
    plan, recovery, now = ctx.plan, ctx.recovery, ctx.now()
    timing = ctx.shared.journal.image_timings.timing(plan.spec.main_category)
    started = recovery.imaging_since or now
    forecast = while_imaging(now, started, image.progress, recovery.deadline, plan.spec.image_gib, timing)
    if image.progress != recovery.progress or _moved(recovery, forecast):
        expected = max(forecast.ready_at, now)
        ctx.show(ProgressSeen(image.progress, image.image_id, expected, forecast.verdict))
    if took_s < YOUNG_S:
        return POLL_TIGHT_S
    if (forecast.ready_at - now).total_seconds() < NEAR_S:
        return POLL_SOON_S
    return POLL_TIGHT_S if forecast.slack_s < TIGHT_S else POLL_S


def _moved(recovery: Recovery, forecast: Forecast) -> bool:
    old = recovery.forecast_at
    moved_s = 1e9 if old is None else abs((forecast.ready_at - old).total_seconds())
    return moved_s >= FORECAST_MOVED_S or recovery.verdict is not forecast.verdict
