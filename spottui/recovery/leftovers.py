"""What a recovery leaves that costs money: said on the things themselves, so that nobody keeps it for ever."""

from datetime import timedelta
from functools import partial

from spottui.cloud.tags import tag
from spottui.recovery.calls import call_once
from spottui.recovery.context import RecoveryContext

KINDS = {"image": "image", "snapshot": "snapshot", "kept disk": "disk"}
"""Kinds of created things to the ResourceType of TagResources."""


async def mark_leftovers(ctx: RecoveryContext) -> None:
    """Write on image, snapshots and kept disks whose they are and until when they are worth keeping."""
    recovery = ctx.recovery
    expires = (ctx.now() + timedelta(days=ctx.shared.settings.policy.keep_days)).date().isoformat()
    for kind, resource_type in KINDS.items():
        ids = [one for one in recovery.made(kind) if one not in recovery.made("attached disk")]
        if ids:
            write = partial(tag, ctx.ecs, resource_type, ids, ctx.id, expires)
            kept = f"{resource_type} {', '.join(ids)} to be kept until {expires}"
            await call_once(ctx, "TagResources", ", ".join(ids), write, kept)
