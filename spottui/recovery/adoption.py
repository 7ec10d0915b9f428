"""Finding what already exists: a ClientToken may have expired, a journal been lost, or another journal be at work.

The cloud is asked before the first image, snapshot or launch, and before an unsettled one is repeated. Everything is
found by the tags that it gets at creation, and the recovery then uses it as its own.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta

from spottui.cloud import snapshot_groups
from spottui.cloud.disks import KEPT_NAME
from spottui.cloud.ecs import OUR_TAG
from spottui.cloud.ecs_shapes import Image
from spottui.cloud.errors import CloudError
from spottui.domain.facts import CallAnswered, CallBegun
from spottui.domain.fold import REMOVED
from spottui.domain.instance import Instance
from spottui.domain.recovery import ImageOf, Recovery, Try
from spottui.recovery.calls import Call
from spottui.recovery.context import RecoveryContext

CREATED_WITHIN = timedelta(minutes=2)
"""Creation times are given in whole minutes, and clocks differ."""
ADOPTED = "found by its tag"
POLL_S = 2.0
PATIENCE_S = 1.0
"""Limit of the look-up before the first image; it runs in parallel with the disk protection."""
FOLLOW_S = 10.0
"""How long the launch is left to another console that started the image."""
UNLISTED_S = 20.0
"""How long to look for something that the cloud says exists: a new resource may not be listed yet."""


async def adopt_instance(ctx: RecoveryContext, attempt: Try) -> str | CloudError | None:
    """Return the instance that was launched for this reclaim without being in the recovery, or None.

    Returns the error if the cloud did not answer: then it is unknown whether there is one.
    """
    mine = await launched(ctx)
    if isinstance(mine, CloudError):
        return mine
    if not mine:
        return None
    instance_id = mine[0]
    begun = CallBegun("RunInstances", attempt.client_token, attempt=attempt)
    await ctx.record(begun, CallAnswered("RunInstances", attempt.client_token, "", (instance_id,), detail=ADOPTED))
    return instance_id


async def launched(ctx: RecoveryContext) -> tuple[str, ...] | CloudError:
    """Return the listed instances that any console launched for this reclaim."""
    instances = await ctx.shared.polls.launched(ctx.recovery.region, ctx.id)
    if isinstance(instances, CloudError):
        return instances
    return tuple(instance.instance_id for instance in instances if _is_replacement(instance, ctx.recovery))


async def await_instance(ctx: RecoveryContext, attempt: Try, patience_s: float) -> str | CloudError | None:
    """Wait until an instance launched for this reclaim is listed, and return it; None for none."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + patience_s
    while True:
        is_late = loop.time() > until_s
        instance_id = await adopt_instance(ctx, attempt)
        if isinstance(instance_id, str) or is_late:
            return instance_id
        await asyncio.sleep(POLL_S)


def begin_to_look_for_images(ctx: RecoveryContext) -> "asyncio.Task[tuple[Image, ...] | CloudError]":
    """Start to look for images of this instance, in parallel with the steps before its own image."""
    if ctx.images is None:
        ctx.images = asyncio.create_task(ctx.shared.polls.images_of(ctx.recovery.region, ctx.id))
    return ctx.images


async def images_begun(ctx: RecoveryContext) -> tuple[Image, ...]:
    """Return the images of this instance that any console started, for this reclaim or an earlier one.

    A look-up that fails or hangs does not delay the image: if one was started, the cloud refuses its name later.
    """
    looking = begin_to_look_for_images(ctx)
    await asyncio.wait({looking}, timeout=PATIENCE_S)
    ctx.images = None
    images = looking.result() if looking.done() else ()
    return () if isinstance(images, CloudError) else images


async def adopt_image(ctx: RecoveryContext, images: Iterable[Image], creation: Call) -> str | None:
    """Return the image of this reclaim among those that were started, unless it is in the recovery; None for none.

    Whoever began it launches from it; a recovery that adopts it `follows`.
    """
    known = ctx.recovery.made("image")
    mine = (image for image in images if not (image.lost or image.image_id in known or _is_earlier(ctx, image.tags)))
    image = next((image for image in mine if _is_image(image, ctx.recovery, creation.image_of)), None)
    if image is None:
        return None
    ctx.follows = dict(image.tags).get(OUR_TAG) != ctx.id
    begun = CallBegun("CreateImage", creation.client_token, image_of=creation.image_of)
    answered = CallAnswered("CreateImage", creation.client_token, "", (image.image_id,), detail=ADOPTED)
    await ctx.record(*creation.before, begun, answered)
    return image.image_id


async def adopt_named(ctx: RecoveryContext, name: str, creation: Call) -> str | None:
    """Wait until the image for which the cloud refused a name or token is listed, and return it.

    None if another image has that name.
    """
    loop, ecs = asyncio.get_running_loop(), ctx.ecs
    until_s = loop.time() + UNLISTED_S
    while True:
        is_late = loop.time() > until_s
        is_taken = await ctx.attempt(lambda: ecs.has_image_named(name))
        images = await ctx.shared.polls.images_of(ctx.recovery.region, ctx.id)
        image_id = None if isinstance(images, CloudError) else await adopt_image(ctx, images, creation)
        if image_id or is_late or (is_taken is True and not isinstance(images, CloudError)):
            return image_id
        await asyncio.sleep(POLL_S)


async def adopt_snapshot(ctx: RecoveryContext, token: str, disk_id: str) -> str | None:
    """Return the snapshot of a kept disk that any console started for this reclaim.

    None if there is none or the cloud does not answer. A snapshot from before the release, of an image or in a group,
    has another name, because it lacks the writes since then.
    """
    snapshots = await ctx.shared.polls.snapshots_of(ctx.recovery.region, ctx.id)
    if isinstance(snapshots, CloudError):
        return None
    of_disk = (row for row in snapshots if (row.disk_id, row.name) == (disk_id, KEPT_NAME) and not row.lost)
    snapshot = next((row for row in of_disk if _is_of_reclaim(row.tags, row.made, ctx.recovery)), None)
    if snapshot is None:
        return None
    begun = CallBegun("CreateSnapshot", token, disk_id)
    await ctx.record(begun, CallAnswered("CreateSnapshot", token, "", (snapshot.snapshot_id,), disk_id, ADOPTED))
    return snapshot.snapshot_id


async def adopt_group(ctx: RecoveryContext, token: str, disk_ids: Iterable[str]) -> str | None:
    """Return the snapshot group of exactly these disks that any console started for this reclaim.

    None for none, or where nobody says. Whoever began it launches from it; a recovery that adopts it `follows`.
    """
    groups = await ctx.shared.polls.snapshot_groups_of(ctx.recovery.region, ctx.id)
    if isinstance(groups, CloudError):
        return None
    of_disks = (
        group
        for group in groups
        if group.disk_ids == set(disk_ids) and not (group.lost or _is_earlier(ctx, group.tags))
    )
    group = next((group for group in of_disks if _is_of_reclaim(group.tags, group.made, ctx.recovery)), None)
    if group is None:
        return None
    ctx.follows = dict(group.tags).get(OUR_TAG) != ctx.id
    answered = CallAnswered(snapshot_groups.ACTION, token, "", (group.group_id,), detail=ADOPTED)
    await ctx.record(CallBegun(snapshot_groups.ACTION, token), answered)
    return group.group_id


async def await_adoption(adopt: Callable[[], Awaitable[str | None]]) -> str | None:
    """Wait until a resource that the cloud says exists is listed, and return it; None if it never is."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + UNLISTED_S
    while True:
        is_late = loop.time() > until_s
        adopted = await adopt()
        if adopted or is_late:
            return adopted
        await asyncio.sleep(POLL_S)


SUFFIXES = {
    ImageOf.ALL_DISKS: "",
    ImageOf.KEPT_DISKS: "-kept",
    ImageOf.KEPT_SYSTEM_DISK: "-kept-system",
    ImageOf.SYSTEM_DISK: "-fresh",
}
"""Suffixes of image names, before the number, by the image's source."""
_OF = {suffix: image_of for image_of, suffix in SUFFIXES.items() if suffix}


def _is_image(image: Image, recovery: Recovery, image_of: ImageOf | None) -> bool:
    name, _, number = image.name.rpartition("-")
    stem = name if number.isdigit() else image.name
    made_of = next((_OF[suffix] for suffix in _OF if stem.endswith(suffix)), ImageOf.ALL_DISKS)
    if made_of is not image_of:
        return False
    return _is_of_reclaim(image.tags, image.made, recovery)


def _is_replacement(instance: Instance, recovery: Recovery) -> bool:
    """Whether it was launched for this reclaim and not for an earlier one of the instance."""
    removed = {attempt.failure.message for attempt in recovery.tries if attempt.failure and attempt.refusal == REMOVED}
    if instance.instance_id in removed or instance.instance_id == recovery.instance_id:
        return False
    return _is_of_reclaim(instance.tags, instance.created, recovery)


def _is_earlier(ctx: RecoveryContext, tags: tuple[tuple[str, str], ...]) -> bool:
    """Whether another recovery of this journal began it, however lately: it lacks what was written since then."""
    owner = dict(tags).get(OUR_TAG, "")
    return owner != ctx.id and ctx.shared.journal.recoveries.known(owner) is not None


def _is_of_reclaim(tags: tuple[tuple[str, str], ...], made: datetime | None, recovery: Recovery) -> bool:
    """Whether what a recovery of this instance made is of this reclaim: it is our own, or recent."""
    is_young = made is not None and made >= recovery.started - CREATED_WITHIN
    return is_young or dict(tags).get(OUR_TAG) == recovery.recovery_id
