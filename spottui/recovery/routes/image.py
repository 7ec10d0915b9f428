"""The image route: a full image of the dying instance, and a replacement launched from it."""

from dataclasses import replace
from datetime import timedelta

from spottui.cloud.ecs import ImageSource
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.domain.plan import Route
from spottui.recovery.change import cancelled, leaves, not_done
from spottui.recovery.imaging import start_image, wait_for_image
from spottui.recovery.launching import launch_and_see_running, rebind, verify
from spottui.recovery.stage import Stage
from spottui.recovery.work import Ended, Work

IMAGES = 2
"""An image that the service gives up is made once more, while the instance is there."""
TIME_FOR_AN_IMAGE = timedelta(seconds=5)
"""So long after the deadline an image of what is still there may be tried."""


async def image_route(recovery_id: str, stage: Stage) -> Ended:
    """Image, launch at the first candidate that has room, and see it run."""
    lost: Ended | None = None
    for _ in range(IMAGES):
        image_id = await stage(create_image, recovery_id)
        if isinstance(image_id, Ended):
            return _both(lost, image_id)
        lost = await stage(wait_for_image, recovery_id, image_id)
        if lost is None:
            return await _launch(recovery_id, stage, image_id)
        if not lost.again:
            return lost
    assert lost is not None
    return lost


async def create_image(work: Work, recovery_id: str) -> str | Ended:
    """Start the image of the instance and return its id."""
    recovery = work.recovery(recovery_id)
    give_up_at = max(recovery.deadline, work.now()) + TIME_FOR_AN_IMAGE
    source = ImageSource(instance_id=recovery.instance_id)
    outcome = await start_image(work, recovery_id, source, "image of all cloud disks", give_up_at)
    if not isinstance(outcome, CloudError):
        return outcome
    recovery = work.recovery(recovery_id)
    if recovery.cancel and not outcome.kind.effect_unknown:
        return cancelled(recovery)
    ended = leaves(not_done(outcome, "no image", recovery_id))
    if outcome.kind in (ErrorKind.DENIED, ErrorKind.QUOTA):
        # Kept disks come back by an image too.
        return replace(ended, bars=(Route.KEPT_DISK,))
    return replace(ended, leaves=not outcome.kind.effect_unknown)


async def _launch(recovery_id: str, stage: Stage, image_id: str) -> Ended:
    launched = await launch_and_see_running(recovery_id, stage, image_id)
    if isinstance(launched, Ended):
        return launched
    not_moved = await stage(rebind, recovery_id, launched)
    return await stage(verify, recovery_id, launched, not_moved)


def _both(lost: Ended | None, ended: Ended) -> Ended:
    return ended if lost is None else replace(ended, reason=f"{lost.reason}, then {ended.reason}")
