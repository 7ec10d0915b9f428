"""The slow sweep of a region's whole fleet: its instances, and what is needed to launch each of them again."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from msgspec.structs import replace

from spottui.cloud.batches import Answers
from spottui.cloud.ecs import ROLES_PER_CALL, Ecs, Rows
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.domain.clock import Clock
from spottui.domain.instance import Disk, Instance
from spottui.domain.launch_spec import DISKS, RAM_ROLE, USER_DATA, ImageTraits, LaunchSpec, Secret
from spottui.journal import Journal
from spottui.journal.fleet import Captured

T = TypeVar("T")
Disks = Mapping[str, tuple[Disk, ...]]
"""The disks of a region, by instance id, the system disk first."""
log = logging.getLogger("spottui.watch")

PAGE_PAUSE_S = 0.1
"""Pause between two pages, so that a large fleet neither floods the API nor blocks the screen (docs/sdk-traps.md 2)."""
DETAILS_AGE = timedelta(hours=1)
"""After this the RAM role and the user data of an instance are read again."""
FORGOTTEN_AFTER = timedelta(days=7)
DETAILS_PER_SWEEP = 200
"""At ten calls a second these take twenty seconds before the next sweep."""
UNREAD_AGE = timedelta(minutes=10)
"""After this a refused detail is asked for again."""
DETAILS = (RAM_ROLE, USER_DATA)


class FleetSweep:
    """Sweeps one region and keeps its launch specs in the journal. `instances` may be read from any thread.

    `on_fleet` is called once all instances and disks have been read: the details of many take far longer.
    """

    def __init__(
        self,
        ecs: Ecs,
        journal: Journal,
        clock: Clock,
        on_page: Callable[[str, Sequence[Instance]], None],
        on_fleet: Callable[[str], None],
    ) -> None:
        self._ecs = ecs
        self._journal = journal
        self._clock = clock
        self._on_page = on_page
        self._on_fleet = on_fleet
        self._lock = threading.Lock()
        self._said: set[tuple[str, str]] = set()
        self._rows: Rows = {}
        journal.fleet.forget(clock.now() - FORGOTTEN_AFTER)
        self._keep(dict(journal.fleet.load(ecs.region)))
        self.is_of_an_earlier_run = bool(self._captured)

    @property
    def instances(self) -> tuple[Instance, ...]:
        """The instances that the last sweep saw; the same tuple until one of them changes."""
        return self._instances

    def name_of(self, instance_id: str) -> str:
        """Return an instance's name, empty if unknown."""
        with self._lock:
            captured = self._captured.get(instance_id)
        return captured.spec.instance.name if captured else ""

    def poll(self) -> None:
        """Sweep once; if it raises `CloudError`, nothing known is forgotten.

        An error of the disks is raised at the end, after the instances and their other details were kept.
        """
        problem = self._take_over()
        self._capture_details()
        if problem:
            raise problem

    def _take_over(self) -> CloudError | None:
        """Keep the instances and disks of a sweep; return why the disks could not be read."""
        specs, disks, problem = self._sweep()
        if not specs:
            self._ecs.check_permission()
        with self._lock:
            old = self._captured
            now = self._clock.now()
            merged = {key: _merged(spec, disks, old.get(key), now) for key, spec in specs.items()}
            self._keep(merged)
        # A row that says what it said is then the spec that is known: ten thousand are not held twice.
        self._rows = {key: (self._rows[key][0], captured.spec) for key, captured in merged.items()}
        self.is_of_an_earlier_run = False
        if not problem:
            self._on_fleet(self._ecs.region)
        self._save(old, self._captured)
        return problem

    def show(self, instances: Iterable[Instance]) -> None:
        """Take over instances that another source has just seen, so that the screen need not wait for a sweep."""
        with self._lock:
            seen = ((self._captured.get(instance.instance_id), instance) for instance in instances)
            changed = {
                instance.instance_id: replace(captured, spec=replace(captured.spec, instance=instance))
                for captured, instance in seen
                if captured and captured.spec.instance != instance
            }
            if changed:
                self._keep(self._captured | changed)
        self._journal.announce()

    def _keep(self, captured: dict[str, Captured]) -> None:
        self._captured = captured
        self._instances = tuple(seen.spec.instance for seen in captured.values())

    def _sweep(self) -> tuple[dict[str, LaunchSpec], Disks | None, CloudError | None]:
        """Return the instances, their disks, and why these could not be read: then they are None."""
        specs: dict[str, LaunchSpec] = {}
        for page in self._ecs.fleet(self._rows):
            specs.update((spec.instance.instance_id, spec) for spec in page)
            self._on_page(self._ecs.region, [spec.instance for spec in page])
            time.sleep(PAGE_PAUSE_S)
        disks: dict[str, tuple[Disk, ...]] = {}
        try:
            for attached in self._ecs.disks_by_instance():
                for instance_id, more in attached.items():
                    disks[instance_id] = disks.get(instance_id, ()) + more
                time.sleep(PAGE_PAUSE_S)
        except CloudError as error:
            return specs, None, error
        return specs, disks, None

    def _save(self, old: dict[str, Captured], new: dict[str, Captured]) -> None:
        changed = [captured for instance_id, captured in new.items() if old.get(instance_id) != captured]
        self._journal.fleet.put(self._ecs.region, changed)
        self._journal.fleet.keep_only(self._ecs.region, new)

    def _capture_details(self) -> None:
        """Read missing or old details of spot instances, some in each sweep.

        A refused detail of an instance is marked as unread and retried later: it does not delay the others.
        """
        due = self._due()
        for start in range(0, len(due), ROLES_PER_CALL):
            specs = [captured.spec for captured in due[start : start + ROLES_PER_CALL]]
            ids = [spec.instance.instance_id for spec in specs]
            roles = self._attempt(partial(self._ecs.ram_roles, ids))
            images = self._attempt(partial(self._ecs.image_traits, {spec.image_id for spec in specs}))
            for spec in specs:
                self._capture_of(spec, roles, {} if isinstance(images, CloudError) else dict(images))
                time.sleep(PAGE_PAUSE_S)

    def _due(self) -> list[Captured]:
        now = self._clock.now()
        with self._lock:
            spots = [captured for captured in self._captured.values() if captured.spec.instance.is_spot]
        return [
            captured
            for captured in spots
            if captured.details_at is None or captured.details_at < now - _good_for(captured)
        ][:DETAILS_PER_SWEEP]

    def _capture_of(
        self, spec: LaunchSpec, roles: Answers[str] | CloudError, images: Mapping[str, ImageTraits]
    ) -> None:
        instance_id = spec.instance.instance_id
        if isinstance(roles, CloudError):
            role: str | CloudError = roles
        else:
            role = roles.refused.get(instance_id) or roles.get(instance_id, "")
        user_data = self._attempt(partial(self._ecs.user_data, instance_id))
        self._remember(instance_id, role, user_data, images.get(spec.image_id))
        if isinstance(user_data, CloudError) and user_data.kind is ErrorKind.UNREACHABLE:
            # No answer: the next sweep begins with another instance, in case this one alone is the cause.
            raise user_data

    def _attempt(self, call: Callable[[], T]) -> T | CloudError:
        """Return the result of a call for a detail, or its error; an error of the source itself is raised."""
        try:
            return call()
        except CloudError as error:
            if error.kind in (ErrorKind.THROTTLED, ErrorKind.CREDENTIALS):
                raise
            said = (error.action, error.code)
            if said not in self._said:
                self._said.add(said)
                log.warning("launch specs of %s lack a detail: %s", self._ecs.region, error.line)
            return error

    def _remember(
        self, instance_id: str, role: str | CloudError, user_data: Secret | CloudError | None, image: ImageTraits | None
    ) -> None:
        now = self._clock.now()
        with self._lock:
            # Another source may have updated the instance while its details were read.
            before = self._captured[instance_id]
            captured = Captured(_with_details(before, role, user_data, image), now, now)
            self._captured = {**self._captured, instance_id: captured}
        self._journal.fleet.put(self._ecs.region, [captured])


def _with_details(
    captured: Captured, role: str | CloudError, user_data: Secret | CloudError | None, image: ImageTraits | None
) -> LaunchSpec:
    """Keep a detail that is refused now as it was last read; it is unread only if it never was."""
    spec = captured.spec
    never = DETAILS if captured.details_at is None else spec.unread
    refused = [name for name, value in ((RAM_ROLE, role), (USER_DATA, user_data)) if isinstance(value, CloudError)]
    return replace(
        spec,
        ram_role=spec.ram_role if isinstance(role, CloudError) else role,
        user_data=spec.user_data if isinstance(user_data, CloudError) else user_data,
        image=image or spec.image,
        unread=(*_but_details(spec.unread), *(name for name in refused if name in never)),
    )


def _good_for(captured: Captured) -> timedelta:
    return UNREAD_AGE if set(DETAILS) & set(captured.spec.unread) else DETAILS_AGE


def _but_details(unread: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in unread if name not in DETAILS)


def _merged(seen: LaunchSpec, disks: Disks | None, captured: Captured | None, now: datetime) -> Captured:
    """Return an instance of a page with its details from separate calls, and its earlier disks if unread."""
    before = captured.spec if captured else None
    if disks is None and not (before and before.disks):
        unread: tuple[str, ...] = (DISKS,)
    else:
        unread = ()
    attached = disks.get(seen.instance.instance_id, ()) if disks is not None else before.disks if before else ()
    if captured and seen is before and attached == seen.disks and unread == seen.unread:
        return captured
    if before is None or captured is None:
        return Captured(replace(seen, disks=attached, unread=unread), None, now)
    spec = replace(
        seen,
        disks=attached,
        ram_role=before.ram_role,
        user_data=before.user_data,
        image=before.image if seen.image_id == before.image_id else None,
        unread=(*unread, *(name for name in before.unread if name in DETAILS)),
    )
    return Captured(spec, captured.details_at, captured.seen_at if spec == before else now)
