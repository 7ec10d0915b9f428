"""One call per region for all recoveries that wait for the same kind of resource."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Any, Generic, TypeVar

from spottui.cloud import disks, snapshot_groups
from spottui.cloud.batches import Answers
from spottui.cloud.ecs import OUR_TAG, Ecs
from spottui.cloud.ecs_shapes import Image, Snapshot
from spottui.cloud.errors import CloudError
from spottui.cloud.leftovers import our_snapshots
from spottui.cloud.snapshot_groups import SnapshotGroup
from spottui.cloud.tagged import Tagged
from spottui.cloud.thread_pools import ThreadPools
from spottui.domain.instance import Disk, Instance
from spottui.domain.launch_spec import ImageTraits
from spottui.recovery.arrivals import arrival

T = TypeVar("T")

FASTEST_S = 1.0
FIRST_POLL_S = 0.3
"""Seconds between polls that a first image or launch waits for; recoveries that begin meanwhile share the next poll."""
AT_ONCE_S = 0.05
"""Seconds between polls of instances: the plan waits for one, and the image of a dying instance for the plan."""


class SharedPoll(Generic[T]):
    """Polls for all waiting callers, as often as the most urgent one asks; never while nobody waits.

    Lives in one event loop. The result of a key that is missing in the answer is None, which only means "not seen".
    """

    def __init__(
        self, fetch: Callable[[Iterable[str]], Awaitable[Mapping[str, T]]], apart_s: float = FASTEST_S
    ) -> None:
        self._fetch = fetch
        self._apart_s = apart_s
        self._waiting: dict[str, tuple[float, asyncio.Future[T | CloudError | None]]] = {}
        self._task: asyncio.Task[None] | None = None
        self._sooner = asyncio.Event()
        self._looked = 0.0

    async def next(self, key: str, within_s: float) -> T | CloudError | None:
        """Return the next poll's result for `key`, within `within_s` seconds; polls are at least `apart_s` apart."""
        loop = asyncio.get_running_loop()
        due = max(loop.time() + within_s, self._looked + self._apart_s)
        known_due, future = self._waiting.get(key) or (due, loop.create_future())
        self._waiting[key] = (min(known_due, due), future)
        self._sooner.set()
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._run())
        return await asyncio.shield(future)

    async def _run(self) -> None:
        while self._waiting:
            await self._until_due()
            self._looked = asyncio.get_running_loop().time()
            batch, self._waiting = self._waiting, {}
            try:
                answers: Mapping[str, T] | CloudError = await self._fetch(batch)
            except CloudError as error:
                answers = error
            except Exception as error:
                _fail([future for _, future in batch.values()], error)
                continue
            for key, (_, future) in batch.items():
                if not future.done():
                    future.set_result(answers if isinstance(answers, CloudError) else _answer(answers, key))
            await asyncio.sleep(0)

    async def _until_due(self) -> None:
        loop = asyncio.get_running_loop()
        while (wait_s := min(due for due, _ in self._waiting.values()) - loop.time()) > 0:
            self._sooner.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await self._sooner.wait()
            except TimeoutError:
                return


M = TypeVar("M", bound=Tagged)


def _by_source(made: Iterable[M]) -> dict[str, tuple[M, ...]]:
    """Return resources of recoveries by the instance of their recovery."""
    by_source: dict[str, tuple[M, ...]] = {}
    for resource in made:
        source = _source(dict(resource.tags).get(OUR_TAG, ""))
        by_source[source] = (*by_source.get(source, ()), resource)
    return by_source


def _source(recovery_id: str) -> str:
    """Return the instance of a recovery by its id."""
    return recovery_id.rpartition(".")[0]


def _answer(answers: Mapping[str, T], key: str) -> T | CloudError | None:
    """An id that the cloud refused to look up does not count as unlisted."""
    try:
        return answers.get(key)
    except CloudError as error:
        return error


def _fail(futures: Iterable["asyncio.Future[Any]"], error: Exception) -> None:
    for future in futures:
        if not future.done():
            future.set_exception(error)


class Polls:
    """The shared polls of every region, made when they are first waited for."""

    def __init__(self, regions: Mapping[str, Ecs], thread_pools: ThreadPools) -> None:
        self._regions = regions
        self._thread_pools = thread_pools
        self._images: dict[str, SharedPoll[Image]] = {}
        self._instances: dict[str, SharedPoll[Instance]] = {}
        self._gone: dict[str, SharedPoll[bool]] = {}
        self._disks: dict[str, SharedPoll[Disk]] = {}
        self._launched: dict[str, SharedPoll[tuple[Instance, ...]]] = {}
        self._imaged: dict[str, SharedPoll[tuple[Image, ...]]] = {}
        self._kept: dict[str, SharedPoll[tuple[Snapshot, ...]]] = {}
        self._snapshots: dict[str, SharedPoll[Snapshot]] = {}
        self._groups: dict[str, SharedPoll[SnapshotGroup]] = {}
        self._grouped: dict[str, SharedPoll[tuple[SnapshotGroup, ...]]] = {}
        self._ram_roles: dict[str, SharedPoll[str]] = {}
        self._traits: dict[str, SharedPoll[ImageTraits]] = {}

    async def image(self, region: str, image_id: str, within_s: float) -> Image | CloudError | None:
        """Return what the region's next image poll shows of an image."""
        fetch = Ecs.own_images
        poll = self._images.setdefault(region, SharedPoll(lambda ids: self._asked(fetch, region, ids)))
        return await poll.next(image_id, within_s)

    async def instance(self, region: str, instance_id: str, within_s: float) -> Instance | CloudError | None:
        """Return what the region's next instance poll shows of an instance."""
        poll = self._instances.setdefault(region, SharedPoll(lambda ids: self._some_instances(region, ids), AT_ONCE_S))
        return await poll.next(instance_id, within_s)

    async def gone(self, region: str, instance_id: str) -> bool | CloudError:
        """Return whether an instance is gone for good: the account may list instances, and it is not among them."""
        poll = self._gone.setdefault(region, SharedPoll(lambda ids: self._which_are_gone(region, ids)))
        return await poll.next(instance_id, 0.0) or False

    async def launched(self, region: str, recovery_id: str) -> tuple[Instance, ...] | CloudError:
        """Return the instances launched by all recoveries of the same instance as this one's, on any console.

        Their tag is the id of the recovery that launched them: `region.instance.epoch`.
        """
        poll = self._launched.setdefault(region, SharedPoll(lambda _: self._our_instances(region), FIRST_POLL_S))
        return await poll.next(_source(recovery_id), 0.0) or ()

    async def images_of(self, region: str, recovery_id: str) -> tuple[Image, ...] | CloudError:
        """Return the images begun by all recoveries of the same instance as this one's, on any console."""
        poll = self._imaged.setdefault(region, SharedPoll(lambda _: self._images_by_source(region), FIRST_POLL_S))
        return await poll.next(_source(recovery_id), 0.0) or ()

    async def snapshots_of(self, region: str, recovery_id: str) -> tuple[Snapshot, ...] | CloudError:
        """Return the snapshots begun by all recoveries of the same instance as this one's, on any console."""
        poll = self._kept.setdefault(region, SharedPoll(lambda _: self._snapshots_by_source(region)))
        return await poll.next(_source(recovery_id), 0.0) or ()

    async def disk(self, region: str, disk_id: str, within_s: float) -> Disk | CloudError | None:
        """Return what the region's next disk poll shows of a disk, attached or not."""
        poll = self._disks.setdefault(region, SharedPoll(lambda ids: self._asked(disks.by_id, region, ids)))
        return await poll.next(disk_id, within_s)

    async def snapshot(self, region: str, snapshot_id: str, within_s: float) -> Snapshot | CloudError | None:
        """Return what the region's next snapshot poll shows of a snapshot."""
        fetch = disks.snapshots
        poll = self._snapshots.setdefault(region, SharedPoll(lambda ids: self._asked(fetch, region, ids)))
        return await poll.next(snapshot_id, within_s)

    async def snapshot_group(self, region: str, group_id: str, within_s: float) -> SnapshotGroup | CloudError | None:
        """Return what the region's next poll of snapshot groups shows of one."""
        fetch = snapshot_groups.by_id
        poll = self._groups.setdefault(region, SharedPoll(lambda ids: self._asked(fetch, region, ids)))
        return await poll.next(group_id, within_s)

    async def snapshot_groups_of(self, region: str, recovery_id: str) -> tuple[SnapshotGroup, ...] | CloudError:
        """Return the snapshot groups begun by all recoveries of the same instance as this one's, on any console."""
        poll = self._grouped.setdefault(region, SharedPoll(lambda _: self._groups_by_source(region), FIRST_POLL_S))
        return await poll.next(_source(recovery_id), 0.0) or ()

    async def ram_role(self, region: str, instance_id: str) -> str | CloudError:
        """Return the RAM role of an instance, empty when it has none."""
        fetch = Ecs.ram_roles
        poll = self._ram_roles.setdefault(region, SharedPoll(lambda ids: self._asked(fetch, region, ids), FIRST_POLL_S))
        return await poll.next(instance_id, 0.0) or ""

    async def image_traits(self, region: str, image_id: str) -> ImageTraits | CloudError | None:
        """Return what is known of the machine of an image, None when it is not listed."""
        fetch = Ecs.image_traits
        poll = self._traits.setdefault(region, SharedPoll(lambda ids: self._asked(fetch, region, ids), FIRST_POLL_S))
        return await poll.next(image_id, 0.0)

    async def _our_instances(self, region: str) -> Mapping[str, tuple[Instance, ...]]:
        return _by_source(await arrival(self._thread_pools.read(self._regions[region].our_instances)))

    async def _images_by_source(self, region: str) -> Mapping[str, tuple[Image, ...]]:
        return _by_source((await arrival(self._thread_pools.read(self._regions[region].our_images))).values())

    async def _snapshots_by_source(self, region: str) -> Mapping[str, tuple[Snapshot, ...]]:
        ours = partial(our_snapshots, self._regions[region])
        return _by_source((await arrival(self._thread_pools.read(ours))).values())

    async def _groups_by_source(self, region: str) -> Mapping[str, tuple[SnapshotGroup, ...]]:
        ours = partial(snapshot_groups.tagged, self._regions[region], OUR_TAG)
        return _by_source((await arrival(self._thread_pools.read(ours))).values())

    async def _some_instances(self, region: str, ids: Iterable[str]) -> Mapping[str, Instance]:
        specs = await self._asked(Ecs.launch_specs, region, ids)
        return specs.each(lambda spec: spec.instance)

    async def _which_are_gone(self, region: str, ids: Iterable[str]) -> Mapping[str, bool]:
        gone = await arrival(self._thread_pools.read(self._regions[region].gone, list(ids)))
        return dict.fromkeys(gone, True)

    async def _asked(
        self, fetch: Callable[[Ecs, Iterable[str]], Answers[T]], region: str, ids: Iterable[str]
    ) -> Answers[T]:
        return await arrival(self._thread_pools.read(fetch, self._regions[region], list(ids)))
