"""The kept-disk route: the disks that outlived the instance, an image of the system disk, the data disks moved over."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from spottui.cloud import disks
from spottui.cloud.ecs import SYSTEM_DEVICE, ImageSource
from spottui.cloud.ecs_shapes import Snapshot
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.domain.instance import Disk, Instance
from spottui.domain.outcome import OF_KEPT_DISKS, OF_KEPT_SYSTEM_DISK
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.tokens import client_token
from spottui.recovery.calls import Call, attempt, call, may_begin, tell
from spottui.recovery.change import (
    cancelled,
    change,
    enter,
    entered,
    failed,
    leaves,
    not_done,
    plan_of,
    with_created,
)
from spottui.recovery.imaging import start_image, wait_for_image, without_image
from spottui.recovery.launching import launch_and_see_running, rebind, verify
from spottui.recovery.stage import Stage
from spottui.recovery.work import Ended, Work

LOOK_S = 2.0
RELEASE_GRACE = timedelta(minutes=10)
"""How long after the deadline the release of the disks is awaited."""
GONE_GRACE = timedelta(seconds=30)
"""How long a disk must be missing from the answers after the deadline before it is called gone."""
SNAPSHOT_PATIENCE = timedelta(hours=2)
ATTACH_PATIENCE = timedelta(minutes=3)


async def kept_disk_route(recovery_id: str, stage: Stage) -> Ended:
    """Image of the kept system disk, launch in the disks' zone, attach the data disks.

    Where that zone has no room, the data disks go into the image too, and it is launched wherever there is.
    """
    home = await stage(wait_for_release, recovery_id)
    if isinstance(home, Ended):
        return home
    launched = await _launch_from(recovery_id, stage, whole=False, zone=home)
    if isinstance(launched, Ended) and launched.again:
        await stage(set_image_aside, recovery_id)
        launched = await _launch_from(recovery_id, stage, whole=True, zone="")
    elif not isinstance(launched, Ended):
        lost = await stage(attach_data_disks, recovery_id, launched)
        if lost:
            return lost
    if isinstance(launched, Ended):
        return launched
    not_moved = await stage(rebind, recovery_id, launched)
    return await stage(verify, recovery_id, launched, not_moved)


async def _launch_from(recovery_id: str, stage: Stage, *, whole: bool, zone: str) -> str | Ended:
    lost = await stage(snapshot_disks, recovery_id, whole)
    if lost:
        return lost
    image_id = await stage(image_of_snapshots, recovery_id, whole)
    if isinstance(image_id, Ended):
        return image_id
    lost = await stage(wait_for_image, recovery_id, image_id)
    if lost:
        return replace(lost, again=False)
    return await launch_and_see_running(recovery_id, stage, image_id, zone, data_disks=whole)


async def wait_for_release(work: Work, recovery_id: str) -> str | Ended:
    """Wait until the kept disks are free; return the zone that the replacement is bound to, empty for any.

    A disk that is not listed is called gone only when the cloud lists others, or nothing at all, well after the
    deadline: an empty answer alone is no evidence.
    """
    plan = plan_of(work, recovery_id)
    recovery = work.recovery(recovery_id)
    kept = _kept(recovery, plan.spec.cloud_disks)
    if not any(disk.kind == "system" for disk in kept):
        return leaves("its system disk was not kept")
    await change(work, recovery_id, partial(_awaiting, len(kept)))
    until, poll_s = max(recovery.deadline, work.now()) + RELEASE_GRACE, 0.0
    since = work.now()
    while work.now() < until:
        if work.recovery(recovery_id).cancel:
            return cancelled(work.recovery(recovery_id))
        found = await asyncio.gather(*(work.polls.disk(recovery.region, disk.disk_id, poll_s) for disk in kept))
        poll_s = LOOK_S
        waiting = [one for one in found if isinstance(one, CloudError) or (one and one.status != "Available")]
        gone = [disk.disk_id for disk, one in zip(kept, found, strict=True) if one is None]
        if not waiting and not gone:
            return plan.spec.instance.zone if len(kept) > 1 else ""
        elsewhere = [one for one in found if isinstance(one, Disk) and _is_taken(one, recovery)]
        if elsewhere:
            return leaves(f"disk {elsewhere[0].disk_id} is attached to {elsewhere[0].instance_id} now")
        if gone and not waiting and work.now() > max(recovery.deadline, since) + GONE_GRACE:
            return leaves(f"disk {gone[0]} is not there any more")
        spared = await _spared(work, recovery)
        if spared:
            return spared
    return leaves(f"the kept disks were not free within {RELEASE_GRACE} of the deadline")


async def snapshot_disks(work: Work, recovery_id: str, whole: bool) -> Ended | None:
    """Snapshot the kept system disk, with `whole` the data disks too, and wait until they are finished."""
    recovery = await enter(work, recovery_id, RecoveryState.IMAGING, "snapshot of the kept disks")
    wanted = _imaged(recovery, plan_of(work, recovery_id).spec.cloud_disks, whole)
    begun = await asyncio.gather(*(_snapshot(work, recovery_id, disk.disk_id) for disk in wanted))
    ended = next((one for one in begun if isinstance(one, Ended)), None)
    if ended:
        return ended
    until = work.now() + SNAPSHOT_PATIENCE
    for snapshot_id in begun:
        lost = await _wait_for_snapshot(work, recovery_id, str(snapshot_id), until)
        if lost:
            return lost
    return None


async def image_of_snapshots(work: Work, recovery_id: str, whole: bool) -> str | Ended:
    """Start an image of the finished snapshots and return its id."""
    recovery = work.recovery(recovery_id)
    wanted = _imaged(recovery, plan_of(work, recovery_id).spec.cloud_disks, whole)
    snapshots = {disk.disk_id: _snapshot_of(recovery, disk.disk_id) for disk in wanted}
    source = ImageSource(snapshots=tuple((_device(disk), snapshots[disk.disk_id]) for disk in wanted))
    what = OF_KEPT_DISKS if whole else OF_KEPT_SYSTEM_DISK
    outcome = await start_image(work, recovery_id, source, what, work.now() + SNAPSHOT_PATIENCE)
    if isinstance(outcome, CloudError):
        return leaves(not_done(outcome, "no image", recovery_id))
    return outcome


async def set_image_aside(work: Work, recovery_id: str) -> None:
    """The image of the system disk alone is of no use elsewhere; another is made."""
    await change(work, recovery_id, without_image)


async def attach_data_disks(work: Work, recovery_id: str, new_id: str) -> Ended | None:
    """Attach the kept data disks to the replacement. The call has no token: so look where each disk is before it."""
    recovery = await enter(work, recovery_id, RecoveryState.REBINDING, f"attach the kept data disks to {new_id}")
    for disk in _kept(recovery, plan_of(work, recovery_id).spec.cloud_disks):
        if disk.kind != "system":
            problem = await _attach(work, recovery, disk, new_id)
            if problem:
                return failed(f"{new_id} runs, but {problem}; t tries again")
    return None


def _awaiting(disks_kept: int, known: Recovery) -> Recovery:
    kept = "1 disk" if disks_kept == 1 else f"{disks_kept} disks"
    waits = f"release at {known.deadline:%H:%M:%S} UTC, then an image; the data is kept on {kept}"
    return replace(entered(known, RecoveryState.IMAGING, waits), awaits_release=True)


def _kept(recovery: Recovery, cloud_disks: tuple[Disk, ...]) -> list[Disk]:
    """The disks that outlive the instance, the system disk first: protected by us, or by whoever made them."""
    protected = recovery.made("kept disk")
    return [disk for disk in cloud_disks if disk.disk_id in protected or not disk.delete_with_instance]


def _imaged(recovery: Recovery, cloud_disks: tuple[Disk, ...], whole: bool) -> list[Disk]:
    return [disk for disk in _kept(recovery, cloud_disks) if whole or disk.kind == "system"]


def _device(disk: Disk) -> str:
    return SYSTEM_DEVICE if disk.kind == "system" else disk.device


def _is_taken(disk: Disk, recovery: Recovery) -> bool:
    return disk.instance_id not in ("", recovery.instance_id)


async def _spared(work: Work, recovery: Recovery) -> Ended | None:
    """An instance that runs on without a lock after its deadline was not reclaimed."""
    if work.now() < recovery.deadline + GONE_GRACE:
        return None
    found = await work.polls.instance(recovery.region, recovery.instance_id, 0.0)
    if isinstance(found, Instance) and not found.recycling:
        return Ended(RecoveryState.SKIPPED, f"{recovery.instance_id} is there without a lock: called off")
    return None


def _snapshot_action(disk_id: str) -> str:
    return f"CreateSnapshot {disk_id}"


def _snapshot_of(recovery: Recovery, disk_id: str) -> str:
    """The snapshot that the recovery made of a disk, empty when there is none."""
    return dict(recovery.snapshots).get(disk_id, "")


async def _snapshot(work: Work, recovery_id: str, disk_id: str) -> str | Ended:
    recovery = work.recovery(recovery_id)
    known = _snapshot_of(recovery, disk_id)
    if known:
        return known
    token = client_token(recovery_id, _snapshot_action(disk_id))
    if not may_begin(work, recovery, token):
        return cancelled(recovery)
    outcome = await call(
        work,
        recovery_id,
        Call(
            "CreateSnapshot",
            token,
            give_up_at=work.now() + SNAPSHOT_PATIENCE,
            shows=lambda known: entered(known, RecoveryState.IMAGING, "snapshot of the kept disks"),
            gives=lambda known, snapshot_id: replace(
                with_created(known, "snapshot", snapshot_id), snapshots=(*known.snapshots, (disk_id, snapshot_id))
            ),
        ),
        partial(disks.create_snapshot, work.ecs(recovery), disk_id, recovery_id, token),
    )
    if isinstance(outcome, CloudError):
        return leaves(not_done(outcome, f"no snapshot of {disk_id}", recovery_id))
    return outcome


async def _wait_for_snapshot(work: Work, recovery_id: str, snapshot_id: str, until: datetime) -> Ended | None:
    recovery, poll_s = work.recovery(recovery_id), 0.0
    while work.now() < until:
        if work.recovery(recovery_id).cancel:
            return cancelled(work.recovery(recovery_id))
        found = await work.polls.snapshot(recovery.region, snapshot_id, poll_s)
        poll_s = LOOK_S
        if isinstance(found, Snapshot):
            if found.finished:
                return None
            if found.lost:
                return leaves(f"snapshot {snapshot_id} failed")
            await change(work, recovery_id, partial(_with_progress, found.progress))
    return leaves(f"snapshot {snapshot_id} is not finished after {SNAPSHOT_PATIENCE}")


def _with_progress(progress: int, known: Recovery) -> Recovery:
    return replace(known, progress=progress)


async def _attach(work: Work, recovery: Recovery, disk: Disk, new_id: str) -> str:
    """Attach one disk; return what is wrong when it cannot be."""
    until, problem = work.now() + ATTACH_PATIENCE, f"disk {disk.disk_id} is not listed"
    while work.now() < until:
        found = await work.polls.disk(recovery.region, disk.disk_id, 0.0)
        if isinstance(found, Disk) and found.instance_id == new_id:
            return ""
        if isinstance(found, Disk) and _is_taken(found, recovery):
            return f"disk {disk.disk_id} is attached to {found.instance_id}"
        if isinstance(found, Disk) and found.status == "Available":
            refused = await _attach_once(work, recovery, disk, new_id)
            if refused is None:
                await change(
                    work, recovery.recovery_id, lambda known: with_created(known, "attached disk", disk.disk_id)
                )
                return ""
            problem = f"disk {disk.disk_id} is not attached: {refused.line}"
            if refused.kind in (ErrorKind.DENIED, ErrorKind.REFUSED):
                return problem
        await work.signals.wait(recovery.recovery_id, LOOK_S)
    return problem


async def _attach_once(work: Work, recovery: Recovery, disk: Disk, new_id: str) -> CloudError | None:
    outcome = await attempt(work, partial(disks.attach, work.ecs(recovery), disk, new_id))
    await tell(work, recovery.recovery_id, "AttachDisk", outcome, f"{disk.disk_id} to {new_id}")
    return outcome if isinstance(outcome, CloudError) else None
