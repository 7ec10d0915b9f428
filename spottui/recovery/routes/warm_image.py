"""The warm-image route: serve now from an earlier image; what was written since is on the kept disks only."""

from spottui.recovery.change import leaves, note, plan_of
from spottui.recovery.launching import launch_and_see_running, rebind, verify
from spottui.recovery.places import look_for_places
from spottui.recovery.stage import Stage
from spottui.recovery.work import Ended, Work


async def warm_image_route(recovery_id: str, stage: Stage) -> Ended:
    """Launch from the newest earlier image of this instance, and see it run."""
    await stage(look_for_places, recovery_id)
    image_id = await stage(choose_warm_image, recovery_id)
    if isinstance(image_id, Ended):
        return image_id
    launched = await launch_and_see_running(recovery_id, stage, image_id)
    if isinstance(launched, Ended):
        return launched
    not_moved = await stage(rebind, recovery_id, launched)
    return await stage(verify, recovery_id, launched, not_moved)


async def choose_warm_image(work: Work, recovery_id: str) -> str | Ended:
    """Return the id of the plan's earlier image, its age said in the audit."""
    warm = plan_of(work, recovery_id).warm_image
    if warm is None:
        return leaves("there is no earlier image of this instance")
    await note(
        work, recovery_id, "WarmImage", f"from the earlier image {warm.image_id} as of {warm.made:%Y-%m-%d %H:%M} UTC"
    )
    return warm.image_id
