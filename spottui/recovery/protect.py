"""The life-raft: the disks outlive the instance even if the image loses the race."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from spottui.cloud.ecs import Answer
from spottui.cloud.errors import CloudError
from spottui.domain.launch_spec import LaunchSpec
from spottui.domain.recovery import Created, Recovery
from spottui.recovery.calls import attempt, call
from spottui.recovery.planner import spec_with_disks
from spottui.recovery.work import Work

PATIENCE = timedelta(seconds=1)
"""A life-raft that fails never delays the image by more than this."""


async def protect(work: Work, recovery_id: str) -> str:
    """Keep the cloud disks of a spot instance when it goes; return what came of it, for the log.

    Harmless and undone with one call, so it goes out on the queue event alone, but only for an instance that the
    cloud itself shows as spot. The call has no token and may be repeated.
    """
    recovery = work.recovery(recovery_id)
    ecs = work.ecs(recovery)
    spec = await attempt(work, lambda: spec_with_disks(ecs, work.journal, recovery.instance_id))
    if isinstance(spec, CloudError):
        return f"not protected: {spec.line}"
    if spec is None or not spec.instance.is_spot:
        return "not protected: the fleet does not know it as a spot instance"
    disk_ids = [disk.disk_id for disk in spec.cloud_disks if disk.delete_with_instance]
    if not disk_ids:
        return "nothing to protect"
    outcome = await call(
        work,
        recovery,
        "ModifyDiskAttribute",
        "",
        work.now() + PATIENCE,
        lambda: Answer(" ".join(disk_ids), ecs.protect(disk_ids)),
    )
    if isinstance(outcome, CloudError):
        return f"not protected: {outcome.line}"
    await asyncio.to_thread(
        work.journal.recoveries.change, recovery_id, work.now(), lambda known: _with_kept(known, spec, disk_ids)
    )
    return "protected"


def _with_kept(recovery: Recovery, spec: LaunchSpec, disk_ids: list[str]) -> Recovery:
    kept = tuple(Created("kept disk", disk_id) for disk_id in disk_ids)
    new = tuple(one for one in kept if one not in recovery.created)
    return replace(recovery, name=spec.instance.name, created=recovery.created + new)
