"""Making an image and waiting for it, whatever it is made of."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

from spottui.cloud.ecs import ImageSource
from spottui.cloud.ecs_shapes import Image
from spottui.cloud.errors import CloudError
from spottui.domain.audit import Entry, Phase
from spottui.domain.forecast import TIGHT_S, Forecast, while_imaging
from spottui.domain.plan import Plan
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.tokens import client_token
from spottui.recovery.calls import Call, call, may_begin
from spottui.recovery.change import cancelled, change, entered, failed_as, leaves, plan_of, with_created
from spottui.recovery.outlook import with_forecast
from spottui.recovery.places import begin_to_look, look_for_places
from spottui.recovery.work import Ended, Work

POLL_S = 5.0
POLL_TIGHT_S = 2.0
POLL_SOON_S = 1.0
NEAR_S = 15.0
"""So near to the forecast end the image is looked at each second: the machine is down while nobody looks."""
LOOK_FOR_PLACES_AFTER = timedelta(seconds=5)
"""In a storm the images of others come first."""
YOUNG = timedelta(seconds=10)
"""An image that is refused after all, or is ready at once, shows early."""
UNLISTED_GRACE = timedelta(seconds=120)
"""A new image may not be listed at once (alibaba_facts.md 3.2)."""
PATIENCE = timedelta(hours=2)


async def start_image(
    work: Work, recovery_id: str, source: ImageSource, what: str, give_up_at: datetime
) -> str | CloudError | Ended:
    """Start the recovery's next image and return its id, or of one that was started of the same and is not lost."""
    recovery, plan = work.recovery(recovery_id), plan_of(work, recovery_id)
    if recovery.image_id and recovery.image_of in (what, ""):
        return recovery.image_id
    number = len(recovery.made("image"))
    ecs, token = work.ecs(recovery), client_token(recovery_id, "CreateImage", number)
    name = f"{plan.image_name[:120]}-{number + 1}" if number else plan.image_name
    if not may_begin(work, recovery, token):
        return cancelled(recovery)
    return await call(
        work,
        recovery_id,
        Call(
            "CreateImage",
            token,
            give_up_at=give_up_at,
            shows=lambda known: entered(known, RecoveryState.IMAGING, what),
            gives=lambda known, image_id: _begun(known, image_id, what, work.now()),
        ),
        lambda: ecs.create_image(source, name, recovery_id, token),
    )


async def wait_for_image(work: Work, recovery_id: str, image_id: str) -> Ended | None:
    """Wait until instances can be launched from the image, showing its progress and the forecast.

    Meanwhile the places are looked for. An image that is lost is forgotten as the recovery's own, so that another can
    be made.
    """
    plan, known = plan_of(work, recovery_id), work.recovery(recovery_id)
    started = known.imaging_since or work.now()
    # Who goes on after a restart knows what was told before.
    poll_s, seen, told = 0.0, work.now(), known.trouble if known.unseen_since else ""
    while True:
        recovery = work.recovery_lately(recovery_id)
        # What was so a moment ago may be the cancel of an earlier run.
        if recovery.cancel and work.recovery(recovery_id).cancel:
            return cancelled(work.recovery(recovery_id))
        image = await work.polls.image(recovery.region, image_id, poll_s)
        now = work.now()
        told = await _tell_of_poll(work, recovery_id, image, seen, told)
        seen = seen if told else now
        if now - started > LOOK_FOR_PLACES_AFTER:
            begin_to_look(work, recovery_id, plan_of(work, recovery_id))
        if isinstance(image, Image) and image.usable:
            await look_for_places(work, recovery_id)
            await _ready(work, recovery, image_id, plan, (now - started).total_seconds())
            return None
        lost = _lost(image, image_id, now - started)
        if lost:
            await change(work, recovery_id, without_image)
            return replace(leaves(lost), again=True)
        poll_s = POLL_TIGHT_S
        if isinstance(image, Image):
            poll_s = _show_progress(work, recovery, image, plan, started, now)


def without_image(known: Recovery) -> Recovery:
    """Return the recovery without its image, so that another can be made."""
    return replace(known, image_id="", imaging_since=None, forecast_at=None, progress=0)


async def _tell_of_poll(
    work: Work, recovery_id: str, answer: Image | CloudError | None, seen: datetime, told: str
) -> str:
    """Say once why the progress is not seen, and once that it is again; return what is said of it now."""
    trouble = f"{failed_as(answer)}, asked again every {POLL_TIGHT_S:.0f} s" if isinstance(answer, CloudError) else ""
    if trouble == told:
        return told
    if isinstance(answer, CloudError):
        entry = Entry(recovery_id, answer.action, Phase.ERROR, "", answer.request_id, f"failed: {answer.said}")
    else:
        entry = Entry(recovery_id, "DescribeImages", Phase.RESULT, detail="answers again")

    def show(known: Recovery) -> Recovery:
        return replace(known, unseen_since=(known.unseen_since or seen) if trouble else None, trouble=trouble)

    await asyncio.to_thread(work.journal.recoveries.change, recovery_id, work.now(), show, entry)
    return trouble


def _begun(known: Recovery, image_id: str, what: str, now: datetime) -> Recovery:
    since = now if known.image_id != image_id or known.imaging_since is None else known.imaging_since
    return replace(with_created(known, "image", image_id), image_id=image_id, image_of=what, imaging_since=since)


async def _ready(work: Work, recovery: Recovery, image_id: str, plan: Plan, seconds: float) -> None:
    spec, now = plan.spec, work.now()
    add = work.journal.image_timings.add
    await asyncio.to_thread(add, image_id, spec.main_category, spec.image_gib, seconds, now)
    await change(work, recovery.recovery_id, lambda known: _launchable(known, now))


def _launchable(known: Recovery, now: datetime) -> Recovery:
    """In a state of its own at once: a progress that was posted before comes too late to be shown."""
    there = entered(known, RecoveryState.LAUNCHING, "the image is ready")
    return replace(there, progress=100, forecast_at=now)


def _lost(image: Image | CloudError | None, image_id: str, since: timedelta) -> str:
    if isinstance(image, Image) and image.lost:
        return f"image {image_id} is {image.status}"
    if image is None and since > UNLISTED_GRACE:
        return f"image {image_id} is not listed"
    if since > PATIENCE:
        return f"image {image_id} is not ready after {since}"
    return ""


def _show_progress(work: Work, recovery: Recovery, image: Image, plan: Plan, started: datetime, now: datetime) -> float:
    """Post progress and forecast when they moved; return how soon to look again."""
    timing = work.journal.image_timings.timing(plan.spec.main_category)
    forecast = while_imaging(now, started, image.progress, recovery.deadline, plan.spec.image_gib, timing)

    def show(known: Recovery) -> Recovery:
        if known.image_id != image.image_id or known.state is not RecoveryState.IMAGING:
            return known
        return with_forecast(replace(known, progress=image.progress), forecast, now)

    if show(recovery) != recovery:
        work.bulletin.post(recovery.recovery_id, show)
    return _poll_s(forecast, started, now)


def _poll_s(forecast: Forecast, started: datetime, now: datetime) -> float:
    if now - started < YOUNG:
        return POLL_TIGHT_S
    if (forecast.ready_at - now).total_seconds() < NEAR_S:
        return POLL_SOON_S
    return POLL_TIGHT_S if forecast.slack_s < TIGHT_S else POLL_S
