"""The locks of one region: one call whatever the size of the fleet."""

from collections.abc import Iterable

from spottui.cloud.budget import TRY_AGAIN_S, Priority, urgency
from spottui.cloud.ecs import Ecs
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.domain.clock import Clock
from spottui.domain.instance import Instance
from spottui.domain.interruption import Evidence, Interruption, Observation, first_sight
from spottui.watch.fleet import FleetSweep
from spottui.watch.intake import Intake

TRUSTED_LOOKS = 15
"""Empty answers after which the permission is checked again: half a minute of them."""


class LockPoll:
    """Asks for the instances with a `Recycling` lock and takes in those that were not locked before.

    Without an intake they are only shown: `reclaims` is what these locks alone speak of. Thread-safe.
    """

    def __init__(self, ecs: Ecs, fleet: FleetSweep, intake: Intake | None, clock: Clock) -> None:
        self._ecs = ecs
        self._fleet = fleet
        self._intake = intake
        self._clock = clock
        self._locked: frozenset[str] = frozenset()
        self._reclaims: dict[str, Interruption] = {}
        self._trusted = 0

    @property
    def reclaims(self) -> tuple[Interruption, ...]:
        """The reclaims that were seen by their locks, and only shown; they are over when the fleet shows them gone."""
        return tuple(self._reclaims.values())

    def look(self) -> None:
        """Ask once; raises `CloudError`, and an error says nothing about any instance.

        A throttle is waited for in short pauses only, whatever the service says: the API may be closed by others.
        """
        try:
            locked = self._ecs.locked()
        except CloudError as error:
            if error.kind is ErrorKind.THROTTLED:
                error.retry_after_s = min(error.retry_after_s or TRY_AGAIN_S, TRY_AGAIN_S)
            raise
        self._check_permission(bool(locked))
        new = [instance for instance in locked if instance.instance_id not in self._locked]
        if new:
            self._fleet.show(new)
            if self._intake:
                self._intake.locks(new)
            else:
                self._keep(new)
        self._locked = frozenset(instance.instance_id for instance in locked)

    def seen(self, instances: Iterable[Instance]) -> None:
        """Forget locks that the fleet shows gone: the next one is reported even if no look of ours was in between."""
        unlocked = {instance.instance_id for instance in instances if not instance.recycling}
        self._locked -= unlocked
        if not unlocked.isdisjoint(self._reclaims):
            self._reclaims = {key: one for key, one in self._reclaims.items() if key not in unlocked}

    def _keep(self, new: Iterable[Instance]) -> None:
        """A lock that is listed again after a page without it is the same one; what is long over is forgotten."""
        now = self._clock.now()
        found = (Observation(one.region, one.instance_id, Evidence.LOCK, now) for one in new)
        seen = {one.instance_id: first_sight(one, now) for one in found}
        going_on = {key: one for key, one in self._reclaims.items() if one.over_at > now}
        self._reclaims = {**seen, **going_on}

    def _check_permission(self, found_any: bool) -> None:
        """Without the permission the list is empty too: now and then, the permission itself is asked for."""
        self._trusted = TRUSTED_LOOKS if found_any else self._trusted - 1
        if self._trusted < 0:
            with urgency(Priority.LOCK_POLL):
                self._ecs.check_permission()
            self._trusted = TRUSTED_LOOKS
