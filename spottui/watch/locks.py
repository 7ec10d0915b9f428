"""The locks of one region, read by one call whatever the size of the fleet."""

import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from spottui.cloud.budget import TRY_AGAIN_S, Priority, urgency
from spottui.cloud.ecs import Ecs
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.domain.clock import Clock
from spottui.domain.instance import Instance, InstanceStatus
from spottui.domain.interruption import Evidence, Interruption, Observation, first_sight
from spottui.watch.fleet import FleetSweep
from spottui.watch.intake import Intake

TRUSTED_LOOKS = 5
"""Number of empty answers after which the permission is checked again: without it the list is empty too."""
VANISHED_S = 60.0
VANISHED_AGAIN_S = 5.0
"""How long and how often an instance whose lock is no longer listed is checked; after that the sweep sees it."""


class LockPoll:
    """Polls the instances with a `Recycling` lock and takes in new locks.

    Without an intake they are only shown: `reclaims` are those known only by these locks. Thread-safe.
    """

    def __init__(self, ecs: Ecs, fleet: FleetSweep, intake: Intake | None, clock: Clock) -> None:
        self._ecs = ecs
        self._fleet = fleet
        self._intake = intake
        self._clock = clock
        self._listed: frozenset[str] = frozenset()
        self._looked: datetime | None = None
        self._vanished: dict[str, float] = {}
        self._vanished_asked = 0.0
        self._reclaims: dict[str, Interruption] = {}
        self._trusted = 0

    @property
    def reclaims(self) -> tuple[Interruption, ...]:
        """The reclaims that are only shown, by their locks; they end when the fleet lists the instance without one."""
        return tuple(self._reclaims.values())

    def poll(self) -> None:
        """Poll once; raises `CloudError`, and an error proves nothing about any instance.

        After throttling it pauses only briefly, whatever the service says: others may have used up the limit.
        """
        asked_s = time.monotonic()
        try:
            locked = self._ecs.locked()
        except CloudError as error:
            if error.kind is ErrorKind.THROTTLED:
                error.retry_after_s = min(error.retry_after_s or TRY_AGAIN_S, TRY_AGAIN_S)
            raise
        # Use the clock as set by the answer: before it may have been far off.
        asked = self._clock.now() - timedelta(seconds=time.monotonic() - asked_s)
        self._check_permission(bool(locked))
        listed = {instance.instance_id: instance for instance in locked}
        self._take_in_new(listed)
        if self._intake:
            self._look_at_vanished(self._intake, listed)
        self._listed = frozenset(listed)
        self._looked = asked

    def unlocked(self, instances: Iterable[Instance]) -> list[Instance]:
        """Return instances that both the fleet and the last poll show without a lock: their locks are gone."""
        free = [
            instance for instance in instances if not instance.recycling and instance.instance_id not in self._listed
        ]
        ids = {instance.instance_id for instance in free}
        if not ids.isdisjoint(self._reclaims):
            self._reclaims = {key: reclaim for key, reclaim in self._reclaims.items() if key not in ids}
        return free

    def _take_in_new(self, listed: Mapping[str, Instance]) -> None:
        """Take in locks that were not listed before, and those whose last reclaim is over in the journal."""
        fresh = [instance for key, instance in listed.items() if key not in self._listed]
        if fresh:
            self._fleet.show(fresh)
        if self._intake is None:
            self._keep(fresh)
            return
        if fresh:
            self._intake.locks(fresh, self._looked)
        again = self._intake.without_lock(self._ecs.region, self._listed & listed.keys())
        if again:
            self._intake.locks([listed[key] for key in again])

    def _look_at_vanished(self, intake: Intake, listed: Mapping[str, Instance]) -> None:
        """Check instances that are no longer listed: only one that is shown running has lost its lock."""
        now = time.monotonic()
        lately = {key: since for key, since in self._vanished.items() if key not in listed and now - since < VANISHED_S}
        new = self._listed - listed.keys() - lately.keys()
        self._vanished = {**lately, **dict.fromkeys(new, now)}
        if not self._vanished or (not new and now - self._vanished_asked < VANISHED_AGAIN_S):
            return
        self._vanished_asked = now
        try:
            answers = self._ecs.launch_specs(self._vanished)
        except CloudError:
            return
        shown = [spec.instance for spec in answers.values()]
        running = [
            instance for instance in shown if instance.status is InstanceStatus.RUNNING and not instance.recycling
        ]
        if running:
            self._fleet.show(running)
            intake.seen_unlocked(self._ecs.region, running)
        self._vanished = {
            key: since
            for key, since in self._vanished.items()
            if key in answers and answers[key].instance not in running
        }

    def _keep(self, new: Iterable[Instance]) -> None:
        """A lock that is listed again after a page without it is the same one; old ones are forgotten."""
        now = self._clock.now()
        observations = (Observation(instance.region, instance.instance_id, Evidence.LOCK, now) for instance in new)
        seen = {observation.instance_id: first_sight(observation, now) for observation in observations}
        going_on = {key: reclaim for key, reclaim in self._reclaims.items() if reclaim.over_at > now}
        self._reclaims = {**seen, **going_on}

    def _check_permission(self, found_any: bool) -> None:
        """Without the permission the list is empty, too, so the permission is checked now and then."""
        self._trusted = TRUSTED_LOOKS if found_any else self._trusted - 1
        if self._trusted < 0:
            with urgency(Priority.LOCK_POLL):
                self._ecs.check_permission()
            self._trusted = TRUSTED_LOOKS
