"""Disk protection: the disks outlive the instance even if the image loses the race. The first bytes after a notice."""

import logging
import threading
import time
from collections import defaultdict, deque
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import msgspec

from spottui.cloud.batches import Answers
from spottui.cloud.budget import Priority, urgency
from spottui.cloud.ecs import Ecs
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.domain.clock import NOTICE_S, Clock
from spottui.domain.facts import DisksProtected, Logged, ProtectionUndone
from spottui.domain.instance import Disk, InterruptionBehavior
from spottui.domain.launch_spec import LaunchSpec
from spottui.journal import Journal
from spottui.recovery.planner import known_disks, specs_with_disks

log = logging.getLogger("spottui.recovery")

ACTION = "ModifyDiskAttribute"
PATIENCE_S = 1.0
"""A protection that fails never delays the image by more than this."""
RETRY_S = 0.2
DISKS_PER_CALL = 100
CALLS_AT_ONCE = 2
"""Parallel calls in one region: the second works while the first hangs; everything that arrives meanwhile is
batched."""
REMEMBERED_S = 600.0
"""How long a result is kept, so that a repeated message after the recovery's end protects nothing again."""


_MAY_BE_MENDED = (ErrorKind.CREDENTIALS, ErrorKind.DENIED)


class Protected(msgspec.Struct, frozen=True):
    """The result: the disks that now outlive the instance, and the others, each with the cloud's error."""

    disk_ids: tuple[str, ...] = ()
    request_id: str = ""
    refused: tuple[tuple[str, CloudError], ...] = ()

    @property
    def may_pass(self) -> bool:
        """Whether a disk is unprotected for a temporary reason, or one that somebody may fix."""
        return any(error.kind.passes or error.kind in _MAY_BE_MENDED for _, error in self.refused)


@dataclass(slots=True)
class _Request:
    """The disks of one instance that wait for a call."""

    instance_id: str
    disk_ids: tuple[str, ...]
    answer: "Future[Protected]"


@dataclass(slots=True)
class _Region:
    """The disks that wait for a call and the instances that wait for a look-up, with the number of calls in progress.

    The calls have threads of their own: in a storm nothing else of the recoveries delays them.
    """

    waiting: deque[_Request] = field(default_factory=deque)
    calls: int = 0
    unknown: dict[str, "Future[Protected]"] = field(default_factory=dict)
    looks: int = 0
    threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(2 * CALLS_AT_ONCE, thread_name_prefix="protect")
    )


class DiskProtection:
    """Protects the disks of instances under reclaim, up to 100 disks a call.

    The call has no token, can be repeated, is harmless and can be undone: it is sent on the queue event alone, before
    anything is written, but only for an instance that the cloud itself lists as spot. The first is sent at once; those
    that arrive while calls are in progress share the next one. Thread-safe.
    """

    def __init__(self, journal: Journal, regions: dict[str, Ecs], clock: Clock) -> None:
        self._journal = journal
        self._regions = regions
        self._clock = clock
        self._lock = threading.Lock()
        self._sent: dict[tuple[str, str], Future[Protected]] = {}
        self._over: deque[tuple[float, tuple[str, str]]] = deque()
        self._queues: defaultdict[str, _Region] = defaultdict(_Region)
        self._undone: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        """Disks whose standing protection was undone: what the last sweep saw of them is no longer true."""
        journal.follow(self._follow)

    def send(self, region: str, instance_ids: Sequence[str]) -> None:
        """Protect the disks of instances unless this process has; instances that a sweep has seen come first."""
        with self._lock:
            self._forget_old()
            new = [each for each in dict.fromkeys(instance_ids) if not self._was_sent(region, each)]
            for instance_id in new:
                answer = self._sent[region, instance_id] = Future()
                of = partial(disks_to_protect, undone=frozenset(self._undone.get((region, instance_id), ())))
                disk_ids = known_disks(self._journal, self._clock, region, instance_id, of)
                if disk_ids is None:
                    self._queues[region].unknown[instance_id] = answer
                else:
                    self._wait_for_call(region, _Request(instance_id, disk_ids, answer))
        self._begin(region)
        self._begin_to_look(region)

    def of(self, region: str, instance_id: str) -> "Future[Protected]":
        """Return the future result of an instance's disk protection, which is sent now if it was not."""
        self.send(region, [instance_id])
        with self._lock:
            return self._sent[region, instance_id]

    def confirm(self, region: str, instance_id: str, disk_ids: tuple[str, ...]) -> "Future[Protected]":
        """Protect given disks of an instance, whatever a look has shown of them; return the future result."""
        answer: Future[Protected] = Future()
        with self._lock:
            self._wait_for_call(region, _Request(instance_id, disk_ids, answer))
        self._begin(region)
        return answer

    def again(self, region: str, instance_id: str) -> "Future[Protected]":
        """Retry a protection that failed, or failed in part; return its future result."""
        with self._lock:
            future = self._sent.get((region, instance_id))
            if future and future.done():
                del self._sent[region, instance_id]
        return self.of(region, instance_id)

    def forget(self, region: str, instance_id: str) -> None:
        """Forget the result for an ended recovery, some time from now."""
        with self._lock:
            self._over.append((time.monotonic(), (region, instance_id)))

    def _follow(self, logged: Sequence[Logged]) -> None:
        """Protect again what a person unprotected while its reclaim began."""
        for entry in logged:
            if isinstance(entry.fact, DisksProtected):
                with self._lock:
                    # Looked up, not indexed: an empty set for each instance ever protected would stay for ever.
                    if undone := self._undone.get((entry.region, entry.instance_id)):
                        undone.difference_update(entry.fact.disk_ids)
            if isinstance(entry.fact, ProtectionUndone):
                with self._lock:
                    self._undone[entry.region, entry.instance_id].update(entry.fact.disk_ids)
                    was_sent = self._sent.pop((entry.region, entry.instance_id), None)
                if was_sent:
                    self.send(entry.region, [entry.instance_id])

    def _was_sent(self, region: str, instance_id: str) -> bool:
        future = self._sent.get((region, instance_id))
        return future is not None and not (future.done() and future.exception())

    def _forget_old(self) -> None:
        while self._over and time.monotonic() - self._over[0][0] > REMEMBERED_S:
            self._sent.pop(self._over.popleft()[1], None)

    def _begin_to_look(self, region: str) -> None:
        with self._lock:
            queue = self._queues[region]
            if not queue.unknown or queue.looks >= CALLS_AT_ONCE:
                return
            queue.looks += 1
        queue.threads.submit(self._look_while_any, self._regions[region], queue)

    def _look_while_any(self, ecs: Ecs, queue: _Region) -> None:
        """Look up instances that no sweep has seen lately, all that arrived meanwhile in one call."""
        while True:
            with self._lock:
                asked, queue.unknown = queue.unknown, {}
                if not asked:
                    queue.looks -= 1
                    return
            try:
                self._look_up(ecs, asked)
            except Exception as error:
                log.exception("disks of %s", ecs.region)
                for answer in asked.values():
                    if not answer.done():
                        answer.set_exception(error)

    def _look_up(self, ecs: Ecs, asked: "Mapping[str, Future[Protected]]") -> None:
        try:
            with urgency(Priority.PROTECT):
                specs = specs_with_disks(ecs, self._journal, self._clock, asked)
        except CloudError as error:
            specs = Answers({}, dict.fromkeys(asked, error))
        with self._lock:
            for instance_id, answer in asked.items():
                if instance_id in specs.refused:
                    answer.set_result(Protected(refused=((instance_id, specs.refused[instance_id]),)))
                    continue
                disk_ids = disks_to_protect(specs[instance_id]) if instance_id in specs else ()
                self._wait_for_call(ecs.region, _Request(instance_id, disk_ids, answer))
        self._begin(ecs.region)

    def _wait_for_call(self, region: str, request: _Request) -> None:
        if request.disk_ids:
            self._queues[region].waiting.append(request)
        else:
            request.answer.set_result(Protected())

    def _begin(self, region: str) -> None:
        """Start calls in threads of their own, as many as are allowed."""
        with self._lock:
            queue = self._queues[region]
            more = min(CALLS_AT_ONCE - queue.calls, len(queue.waiting))
            queue.calls += max(more, 0)
        for _ in range(more):
            queue.threads.submit(self._call_while_any, self._regions[region], queue)

    def _call_while_any(self, ecs: Ecs, queue: _Region) -> None:
        while requests := self._next(queue):
            try:
                self._answer(ecs, requests)
            except Exception as error:
                log.exception("disk protection in %s", ecs.region)
                for request in requests:
                    if not request.answer.done():
                        request.answer.set_exception(error)

    def _next(self, queue: _Region) -> list[_Request]:
        """Take the disks of one call, or end this caller if nothing waits."""
        requests: list[_Request] = []
        with self._lock:
            room = DISKS_PER_CALL
            while queue.waiting and len(queue.waiting[0].disk_ids) <= room:
                requests.append(queue.waiting.popleft())
                room -= len(requests[-1].disk_ids)
            if not requests:
                queue.calls -= 1
        return requests

    def _answer(self, ecs: Ecs, requests: list[_Request]) -> None:
        wanted = [disk_id for request in requests for disk_id in request.disk_ids]
        request_id, refused = self._protect(ecs, wanted, since=time.monotonic())
        for request in requests:
            mine = {disk_id: refused[disk_id] for disk_id in request.disk_ids if disk_id in refused}
            kept = [disk_id for disk_id in request.disk_ids if disk_id not in mine]
            if any(_may_be_old(error) for error in mine.values()):
                new, new_refused = self._protect_as_they_are_now(ecs, request)
                kept += [disk_id for disk_id in new if disk_id not in kept]
                mine = new_refused
            request.answer.set_result(Protected(tuple(kept), request_id, tuple(mine.items())))

    def _protect(
        self, ecs: Ecs, disk_ids: list[str], since: float, *, alone: bool = False
    ) -> tuple[str, dict[str, CloudError]]:
        """Protect disks; a refused batch is split in halves until each disk has an answer of its own."""
        try:
            return self._persist(ecs, disk_ids, since, alone=alone or len(disk_ids) == 1), {}
        except CloudError as error:
            together = len(disk_ids) > 1 and (error.kind is ErrorKind.BUSY or not error.kind.passes)
            if not together:
                return "", dict.fromkeys(disk_ids, error)
        half = len(disk_ids) // 2
        first, first_refused = self._protect(ecs, disk_ids[:half], since)
        second, second_refused = self._protect(ecs, disk_ids[half:], since)
        return first or second, first_refused | second_refused

    def _protect_as_they_are_now(self, ecs: Ecs, request: _Request) -> tuple[list[str], dict[str, CloudError]]:
        """Read the disks again: the known list may be hours old."""
        try:
            with urgency(Priority.PROTECT):
                disks = [disk.disk_id for disk in ecs.disks(request.instance_id) if _is_to_protect(disk)]
        except CloudError as error:
            return [], {request.instance_id: error}
        if not disks:
            return [], {}
        _, refused = self._protect(ecs, disks, time.monotonic())
        return [disk_id for disk_id in disks if disk_id not in refused], refused

    def _persist(self, ecs: Ecs, disk_ids: list[str], since: float, *, alone: bool) -> str:
        """Retry temporary failures for a second, and a throttled call until it is accepted.

        A busy disk does not delay the disks of others.
        """
        while True:
            try:
                return ecs.protect(disk_ids)
            except CloudError as error:
                throttled = error.kind is ErrorKind.THROTTLED
                passes = throttled or error.kind.effect_unknown or (alone and error.kind is ErrorKind.BUSY)
                wait_s = (error.retry_after_s or 60.0 - self._clock.now().second) if throttled else RETRY_S
                patience_s = NOTICE_S if throttled else PATIENCE_S
                if not passes or time.monotonic() + wait_s > since + patience_s:
                    raise
            time.sleep(wait_s)


def disks_to_protect(spec: LaunchSpec, undone: Collection[str] = ()) -> tuple[str, ...]:
    """Return the disks of a spot instance that would be deleted with it; none in Stop mode, which keeps them.

    Protected, they would outlive even a later deletion of the instance.
    """
    if not spec.instance.is_spot or spec.instance.behavior is InterruptionBehavior.STOP:
        return ()
    return tuple(
        disk.disk_id for disk in spec.disks if _is_to_protect(disk) or (disk.disk_id in undone and not disk.is_local)
    )


def _is_to_protect(disk: Disk) -> bool:
    return disk.delete_with_instance and not disk.is_local


def _may_be_old(error: CloudError) -> bool:
    return not error.kind.passes and error.kind not in (ErrorKind.DENIED, ErrorKind.CREDENTIALS)
