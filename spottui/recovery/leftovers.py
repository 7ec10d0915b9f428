"""What a recovery leaves that costs money: said on the things themselves, so that nobody keeps it for ever."""

from datetime import timedelta
from functools import partial

from spottui.cloud.tags import tag
from spottui.recovery.calls import attempt, tell
from spottui.recovery.work import Work

KINDS = {"image": "image", "snapshot": "snapshot", "kept disk": "disk"}
"""Kinds of created things to the ResourceType of TagResources."""


async def mark_leftovers(work: Work, recovery_id: str) -> None:
    """Write on image, snapshots and kept disks whose they are and until when they are worth keeping."""
    recovery = work.recovery(recovery_id)
    expires = (work.now() + timedelta(days=work.settings.policy.keep_days)).date().isoformat()
    ecs = work.ecs(recovery)
    for kind, resource_type in KINDS.items():
        ids = [one for one in recovery.made(kind) if one not in recovery.made("attached disk")]
        if not ids:
            continue
        outcome = await attempt(work, partial(tag, ecs, resource_type, ids, recovery_id, expires))
        kept = f"{resource_type} {', '.join(ids)} to be kept until {expires}"
        await tell(work, recovery_id, "TagResources", outcome, kept)
