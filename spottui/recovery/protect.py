"""The life-raft: the disks outlive the instance even if the image loses the race."""

import logging
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial

from spottui.cloud.budget import Priority, urgency
from spottui.cloud.ecs import Ecs
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.cloud.lanes import Lanes
from spottui.domain.audit import Entry, Phase
from spottui.domain.clock import NOTICE_S, Clock
from spottui.domain.instance import InterruptionBehavior
from spottui.domain.launch_spec import LaunchSpec
from spottui.domain.recovery import Created, Recovery
from spottui.journal import Journal
from spottui.recovery.planner import spec_with_disks

log = logging.getLogger("spottui.recovery")

ACTION = "ModifyDiskAttribute"
PATIENCE_S = 1.0
"""A life-raft that fails never delays the image by more than this."""
RETRY_S = 0.2
DISKS_PER_CALL = 100
CALLS_AT_ONCE = 2
"""In one region: the second goes on when the first hangs, and all that comes meanwhile is gathered."""


@dataclass(frozen=True, slots=True)
class _Raft:
    recovery_id: str
    spec: LaunchSpec
    disk_ids: tuple[str, ...]
    landed: Future[str]


@dataclass(slots=True)
class _Harbour:
    """One region's rafts that wait for a call, and how many calls are under way."""

    waiting: deque[_Raft] = field(default_factory=deque)
    calls: int = 0


class LifeRafts:
    """Sends life-rafts, the first in the moment in which an interruption is on disk, before its workflow has begun.

    The call has no token and may be repeated, is harmless and undone with one call: it goes out on the queue event
    alone, but only for an instance that the cloud itself shows as spot. The first goes out at once; those that come
    while calls are under way share the next one, up to 100 disks. Thread-safe.
    """

    def __init__(self, journal: Journal, regions: dict[str, Ecs], lanes: Lanes, clock: Clock) -> None:
        self._journal = journal
        self._regions = regions
        self._lanes = lanes
        self._clock = clock
        self._lock = threading.Lock()
        self._out: dict[str, Future[str]] = {}
        self._harbours: defaultdict[str, _Harbour] = defaultdict(_Harbour)

    def send(self, region: str, instance_id: str, recovery_id: str) -> Future[str]:
        """Send the life-raft of a recovery unless this process has; the result says what came of it, for the log."""
        with self._lock:
            known = self._out.get(recovery_id)
            if known and not (known.done() and known.exception()):
                return known
            landed = self._out[recovery_id] = Future()
        self._lanes.act(self._put_out, self._regions[region], instance_id, recovery_id, landed)
        return landed

    def forget(self, recovery_id: str) -> None:
        """Drop what is kept for a recovery that is over."""
        with self._lock:
            self._out.pop(recovery_id, None)

    def _put_out(self, ecs: Ecs, instance_id: str, recovery_id: str, landed: Future[str]) -> None:
        try:
            spec = self._spec(ecs, instance_id)
        except Exception as error:
            landed.set_exception(error)
            return
        if isinstance(spec, str):
            landed.set_result(spec)
            return
        disk_ids = tuple(disk.disk_id for disk in spec.cloud_disks if disk.delete_with_instance)
        if not disk_ids:
            landed.set_result("nothing to protect")
            return
        with self._lock:
            harbour = self._harbours[ecs.region]
            harbour.waiting.append(_Raft(recovery_id, spec, disk_ids, landed))
            if harbour.calls == CALLS_AT_ONCE:
                return
            harbour.calls += 1
        while rafts := self._next(harbour):
            self._call(ecs, rafts)

    def _spec(self, ecs: Ecs, instance_id: str) -> LaunchSpec | str:
        """Return what is known of a spot instance, or why there is nothing to protect."""
        try:
            with urgency(Priority.PROTECT):
                spec = spec_with_disks(ecs, self._journal, self._clock, instance_id)
        except CloudError as error:
            return f"not protected: {error.line}"
        if spec is None or not spec.instance.is_spot:
            return "not protected: the fleet does not know it as a spot instance"
        if spec.instance.behavior is InterruptionBehavior.STOP:
            # A stopped instance keeps its disks; unbound from it they would outlive it for good.
            return "nothing to protect: the instance is stopped with its disks"
        return spec

    def _next(self, harbour: _Harbour) -> list[_Raft]:
        """Take the rafts of one call, or give up the right to call when none waits."""
        rafts: list[_Raft] = []
        with self._lock:
            room = DISKS_PER_CALL
            while harbour.waiting and len(harbour.waiting[0].disk_ids) <= room:
                rafts.append(harbour.waiting.popleft())
                room -= len(rafts[-1].disk_ids)
            if not rafts:
                harbour.calls -= 1
        return rafts

    def _call(self, ecs: Ecs, rafts: list[_Raft]) -> None:
        try:
            said = self._protect(ecs, rafts)
        except Exception as error:
            log.exception("life-rafts in %s", ecs.region)
            for raft in rafts:
                raft.landed.set_exception(error)
            return
        for raft in rafts if said else ():
            raft.landed.set_result(said)

    def _protect(self, ecs: Ecs, rafts: list[_Raft]) -> str:
        """Protect the disks of all these and say what came of it; nothing where each was tried alone instead."""
        disk_ids = [disk_id for raft in rafts for disk_id in raft.disk_ids]
        try:
            request_id = self._persist(partial(ecs.protect, disk_ids), alone=len(rafts) == 1)
        except CloudError as error:
            if len(rafts) > 1 and (error.kind is ErrorKind.BUSY or not error.kind.passes):
                for raft in rafts:
                    self._call(ecs, [raft])
                return ""
            failed = f"failed: {error.said}"
            entries = [Entry(raft.recovery_id, ACTION, Phase.ERROR, "", error.request_id, failed) for raft in rafts]
            self._commit(entries, [lambda known: known] * len(rafts))
            return f"not protected: {error.line}"
        entries = [
            Entry(raft.recovery_id, ACTION, Phase.RESULT, "", request_id, " ".join(raft.disk_ids)) for raft in rafts
        ]
        self._commit(entries, [partial(_with_kept, raft) for raft in rafts])
        return "protected"

    def _persist(self, do: Callable[[], str], *, alone: bool) -> str:
        """Try for a second what may pass, and a throttled call until it may be made: nobody's is answered before.

        One disk that is busy does not hold up the disks of others.
        """
        began = time.monotonic()
        while True:
            try:
                return do()
            except CloudError as error:
                throttled = error.kind is ErrorKind.THROTTLED
                passes = throttled or error.kind.effect_unknown or (alone and error.kind is ErrorKind.BUSY)
                wait_s = (error.retry_after_s or 60.0 - self._clock.now().second) if throttled else RETRY_S
                patience_s = NOTICE_S if throttled else PATIENCE_S
                if not passes or time.monotonic() + wait_s > began + patience_s:
                    raise
            time.sleep(wait_s)

    def _commit(self, entries: list[Entry], changes: list[Callable[[Recovery], Recovery]]) -> None:
        both = {entry.recovery_id: (change, entry) for entry, change in zip(entries, changes, strict=True)}
        self._journal.recoveries.change_all(self._clock.now(), both)


def _with_kept(raft: _Raft, known: Recovery) -> Recovery:
    kept = tuple(Created("kept disk", disk_id) for disk_id in raft.disk_ids)
    new = tuple(one for one in kept if one not in known.created)
    return replace(known, name=raft.spec.instance.name, created=known.created + new)
