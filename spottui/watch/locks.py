"""The locks of one region: one call whatever the size of the fleet."""

from collections.abc import Iterable

from spottui.cloud.ecs import Ecs
from spottui.domain.instance import Instance
from spottui.watch.fleet import FleetSweep
from spottui.watch.intake import Intake

TRUSTED_LOOKS = 15
"""Empty answers after which the permission is checked again: half a minute of them."""


class LockPoll:
    """Asks for the instances with a `Recycling` lock and takes in those that were not locked before.

    Without an intake they are only shown.
    """

    def __init__(self, ecs: Ecs, fleet: FleetSweep, intake: Intake | None) -> None:
        self._ecs = ecs
        self._fleet = fleet
        self._intake = intake
        self._locked: frozenset[str] = frozenset()
        self._trusted = 0

    def look(self) -> None:
        """Ask once; raises `CloudError`, and an error says nothing about any instance."""
        locked = self._ecs.locked()
        self._check_permission(bool(locked))
        new = [instance for instance in locked if instance.instance_id not in self._locked]
        if new:
            self._fleet.show(new)
            if self._intake:
                self._intake.locks(new)
        self._locked = frozenset(instance.instance_id for instance in locked)

    def seen(self, instances: Iterable[Instance]) -> None:
        """Forget locks that the fleet shows gone: the next one is reported even if no look of ours was in between."""
        self._locked -= {instance.instance_id for instance in instances if not instance.recycling}

    def _check_permission(self, found_any: bool) -> None:
        """Without the permission the list is empty too: now and then, the permission itself is asked for."""
        self._trusted = TRUSTED_LOOKS if found_any else self._trusted - 1
        if self._trusted < 0:
            self._ecs.check_permission()
            self._trusted = TRUSTED_LOOKS
