"""The whole fleet of one region, slowly: who is there, and what it takes to launch each of them again."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from spottui.cloud.ecs import Ecs
from spottui.domain.clock import Clock
from spottui.domain.instance import Instance
from spottui.domain.launch_spec import LaunchSpec, Secret
from spottui.journal import Journal
from spottui.journal.fleet import Captured

PAGE_PAUSE_S = 0.1
"""Between two pages, so that a large fleet neither floods the API nor stops the screen (sdk_traps.md 2)."""
DETAILS_AGE = timedelta(hours=1)
"""After this the RAM role and the user data of an instance are read again."""
FORGOTTEN_AFTER = timedelta(days=7)
DETAILS_PER_SWEEP = 200
"""At ten calls a second these take twenty seconds, before the fleet is swept again."""
ROLES_PER_CALL = 50


class FleetSweep:
    """Sweeps one region and keeps its launch specs in the journal. `instances` may be read from any thread."""

    def __init__(
        self, ecs: Ecs, journal: Journal, clock: Clock, on_page: Callable[[str, Sequence[Instance]], None]
    ) -> None:
        self._ecs = ecs
        self._journal = journal
        self._clock = clock
        self._on_page = on_page
        self._lock = threading.Lock()
        journal.fleet.forget(clock.now() - FORGOTTEN_AFTER)
        self._keep(dict(journal.fleet.load(ecs.region)))

    @property
    def instances(self) -> tuple[Instance, ...]:
        """The instances that the last sweep saw; the same tuple until one of them changes."""
        return self._instances

    def name_of(self, instance_id: str) -> str:
        """Return an instance's name, empty when it is not known."""
        with self._lock:
            known = self._captured.get(instance_id)
        return known.spec.instance.name if known else ""

    def look(self) -> None:
        """Sweep once; raises `CloudError`, and then nothing of what was known is forgotten."""
        found = self._sweep()
        if not found:
            self._ecs.check_permission()
        with self._lock:
            old = self._captured
            now = self._clock.now()
            self._keep({key: _merged(spec, old.get(key), now) for key, spec in found.items()})
        self._save(old, self._captured)
        self._capture_details()

    def show(self, instances: Iterable[Instance]) -> None:
        """Take over what another source has just seen of instances, so that the screen need not wait for a sweep."""
        with self._lock:
            known = ((self._captured.get(instance.instance_id), instance) for instance in instances)
            changed = {
                instance.instance_id: replace(one, spec=replace(one.spec, instance=instance))
                for one, instance in known
                if one and one.spec.instance != instance
            }
            if changed:
                self._keep(self._captured | changed)
        self._journal.announce()

    def _keep(self, captured: dict[str, Captured]) -> None:
        self._captured = captured
        self._instances = tuple(one.spec.instance for one in captured.values())

    def _sweep(self) -> dict[str, LaunchSpec]:
        found: dict[str, LaunchSpec] = {}
        for page in self._ecs.fleet():
            found.update((spec.instance.instance_id, spec) for spec in page)
            self._on_page(self._ecs.region, [spec.instance for spec in page])
            time.sleep(PAGE_PAUSE_S)
        for disks in self._ecs.disks_by_instance():
            for instance_id, of_one in disks.items():
                if instance_id in found:
                    found[instance_id] = replace(found[instance_id], disks=found[instance_id].disks + of_one)
            time.sleep(PAGE_PAUSE_S)
        return found

    def _save(self, old: dict[str, Captured], new: dict[str, Captured]) -> None:
        changed = [one for instance_id, one in new.items() if old.get(instance_id) != one]
        self._journal.fleet.put(self._ecs.region, changed)
        self._journal.fleet.keep_only(self._ecs.region, new)

    def _capture_details(self) -> None:
        """Read RAM roles and user data of the spot instances for which they are missing or old, some each sweep."""
        before = self._clock.now() - DETAILS_AGE
        with self._lock:
            due = [
                one
                for one in self._captured.values()
                if one.spec.instance.is_spot and (one.details_at is None or one.details_at < before)
            ][:DETAILS_PER_SWEEP]
        for start in range(0, len(due), ROLES_PER_CALL):
            some = due[start : start + ROLES_PER_CALL]
            roles = self._ecs.ram_roles([one.spec.instance.instance_id for one in some])
            for one in some:
                instance_id = one.spec.instance.instance_id
                self._remember(instance_id, roles.get(instance_id, ""), self._ecs.user_data(instance_id))
                time.sleep(PAGE_PAUSE_S)

    def _remember(self, instance_id: str, ram_role: str, user_data: Secret | None) -> None:
        now = self._clock.now()
        with self._lock:
            # Another source may have shown the instance anew while its details were read.
            spec = replace(self._captured[instance_id].spec, ram_role=ram_role, user_data=user_data)
            one = Captured(spec, now, now)
            self._captured = {**self._captured, instance_id: one}
        self._journal.fleet.put(self._ecs.region, [one])


def _merged(seen: LaunchSpec, known: Captured | None, now: datetime) -> Captured:
    """What the pages show, with the details that only calls of their own give."""
    if known is None:
        return Captured(seen, None, now)
    spec = replace(seen, ram_role=known.spec.ram_role, user_data=known.spec.user_data)
    return known if spec == known.spec else Captured(spec, known.details_at, now)
