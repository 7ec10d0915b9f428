"""The life-raft: the disks outlive the instance even if the image loses the race."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from functools import partial

from spottui.cloud.ecs import Ecs
from spottui.cloud.errors import CloudError
from spottui.cloud.lanes import Lanes
from spottui.domain.audit import Entry, Phase
from spottui.domain.clock import Clock
from spottui.domain.launch_spec import LaunchSpec
from spottui.domain.recovery import Created, Recovery
from spottui.journal import Journal
from spottui.recovery.planner import spec_with_disks

ACTION = "ModifyDiskAttribute"
PATIENCE_S = 1.0
"""A life-raft that fails never delays the image by more than this."""
RETRY_S = 0.2


class LifeRafts:
    """Sends life-rafts, the first in the moment in which an interruption is on disk, before its workflow has begun.

    The call has no token and may be repeated, is harmless and undone with one call: it goes out on the queue event
    alone, but only for an instance that the cloud itself shows as spot. Thread-safe.
    """

    def __init__(self, journal: Journal, regions: dict[str, Ecs], lanes: Lanes, clock: Clock) -> None:
        self._journal = journal
        self._regions = regions
        self._lanes = lanes
        self._clock = clock
        self._lock = threading.Lock()
        self._out: dict[str, Future[str]] = {}

    def send(self, region: str, instance_id: str, recovery_id: str) -> Future[str]:
        """Send the life-raft of a recovery unless this process has; the result says what came of it, for the log."""
        with self._lock:
            if recovery_id not in self._out:
                self._out[recovery_id] = self._lanes.act(self._protect, self._regions[region], instance_id, recovery_id)
            return self._out[recovery_id]

    def forget(self, recovery_id: str) -> None:
        """Drop what is kept for a recovery that is over."""
        with self._lock:
            self._out.pop(recovery_id, None)

    def _protect(self, ecs: Ecs, instance_id: str, recovery_id: str) -> str:
        try:
            spec = spec_with_disks(ecs, self._journal, self._clock, instance_id)
        except CloudError as error:
            return f"not protected: {error.line}"
        if spec is None or not spec.instance.is_spot:
            return "not protected: the fleet does not know it as a spot instance"
        disk_ids = [disk.disk_id for disk in spec.cloud_disks if disk.delete_with_instance]
        if not disk_ids:
            return "nothing to protect"
        try:
            request_id = _persist(lambda: ecs.protect(disk_ids))
        except CloudError as error:
            lost = Entry(recovery_id, ACTION, Phase.ERROR, "", error.request_id, f"failed: {error.line}")
            self._journal.recoveries.change(recovery_id, self._clock.now(), lambda known: known, lost)
            return f"not protected: {error.line}"
        kept = Entry(recovery_id, ACTION, Phase.RESULT, "", request_id, " ".join(disk_ids))
        self._journal.recoveries.change(recovery_id, self._clock.now(), partial(_with_kept, spec, disk_ids), kept)
        return "protected"


def _persist(do: Callable[[], str]) -> str:
    """Try for a second what may pass."""
    give_up = time.monotonic() + PATIENCE_S
    while True:
        try:
            return do()
        except CloudError as error:
            if not error.kind.passes or time.monotonic() + RETRY_S > give_up:
                raise
        time.sleep(RETRY_S)


def _with_kept(spec: LaunchSpec, disk_ids: list[str], known: Recovery) -> Recovery:
    kept = tuple(Created("kept disk", disk_id) for disk_id in disk_ids)
    new = tuple(one for one in kept if one not in known.created)
    return replace(known, name=spec.instance.name, created=known.created + new)
