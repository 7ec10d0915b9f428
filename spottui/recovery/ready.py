"""Readiness in calm time: images of system disks and snapshot groups of data disks for the next reclaim.

The cloud holds the state. Names and ClientTokens derive from the instance and the slot, so that any number of consoles,
kills and restarts create exactly one of each.
"""

import logging
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta

from spottui.cloud.budget import Priority, urgency
from spottui.cloud.ecs import Ecs
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.cloud.ready import ready_groups, ready_images, ready_system_snapshots
from spottui.domain.clock import Clock
from spottui.domain.facts import BeyondCap, CallBegun, CallFailed, Fact, ReadyCallAnswered
from spottui.domain.instance import InstanceStatus
from spottui.domain.ready import KeptReady, kept_ready
from spottui.domain.settings import Settings
from spottui.journal import Journal
from spottui.journal.transaction import Transaction
from spottui.journal.writer import Urgency
from spottui.recovery.context import failure_of
from spottui.recovery.ready_steps import MadeReady, Step, made_ready, next_slot, possible_steps, unfinished_steps

log = logging.getLogger("spottui.recovery")

READY_S = 60.0
"""How often due steps are looked for."""
COPIES_AT_ONCE = 10
"""Parallel copies of system disks for this purpose, in one region."""
REFUSED_REST = timedelta(hours=1)
"""Back-off after a refusal that time or a person must fix, such as a quota."""
DENIED_REST = timedelta(minutes=5)
"""Back-off after a missing permission or a wrong key, which are fixed sooner."""

Rest = tuple[str, str]
"""What is backed off after a refusal: an action, of one target or (empty) of all."""


class Ready:
    """Keeps the matching instances of one region ready; `look` does everything that is due and does not wait.

    `unswept` are the regions whose fleet is still that of an earlier run: nothing is done there. One thread calls
    `look`.
    """

    def __init__(
        self, ecs: Ecs, journal: Journal, settings: Settings, clock: Clock, unswept: Callable[[], Collection[str]]
    ) -> None:
        self._ecs = ecs
        self._journal = journal
        self._settings = settings
        self._clock = clock
        self._unswept = unswept
        self._awaits_sweep = True
        self._settled: dict[str, datetime] = {}
        self._unfinished: set[str] | None = None
        """The instances with a copy in progress; None until the first look: an earlier run may have left some."""
        self._rests: dict[Rest, datetime] = {}
        self._said: dict[Rest, str] = {}
        self._beyond_cap: tuple[str, ...] = ()

    def poll(self) -> None:
        """Give way to reclaims, then do what is due; raises `CloudError` if the cloud cannot be read.

        A refused call is logged and backed off.
        """
        self._give_way()
        if self._ecs.region in self._unswept():
            return
        now = self._clock.now()
        self._rests = {key: until for key, until in self._rests.items() if until > now}
        self._settled = {key: until for key, until in self._settled.items() if until > now}
        kept, known = self._kept(), self._journal.fleet.of(self._ecs.region)
        captured = [known.get(ready.spec.instance.instance_id) for ready in kept]
        self._awaits_sweep = not known or any(seen is None or seen.details_at is None for seen in captured)
        self._log_beyond_cap(kept)
        busy = self._in_recovery()
        due = [ready for ready in kept if self._is_due(ready.spec.instance.instance_id, busy)]
        if due:
            with urgency(Priority.READY):
                self._work(due, now)

    def is_urgent(self) -> bool:
        """Whether there may be more to do as soon as the first sweep has read all details."""
        return self._awaits_sweep

    def _give_way(self) -> None:
        """Cancel unfinished copies of an instance whose lock was seen: a disk takes one snapshot at a time.

        The recovery's copies take precedence; finished ones stay. Deleting an unfinished snapshot cancels it
        (docs/alibaba-facts.md 13).
        """
        locked = {
            recovery.instance_id
            for recovery in self._journal.recoveries.open()
            if recovery.region == self._ecs.region and recovery.interruption.locked
        }
        reclaimed = locked if self._unfinished is None else locked & self._unfinished
        if not reclaimed:
            return
        with urgency(Priority.IMAGE):
            made = made_ready((), ready_system_snapshots(self._ecs), ready_groups(self._ecs))
            for instance_id in reclaimed & made.keys():
                for step in unfinished_steps(made[instance_id]):
                    self._do(step, instance_id)
        if self._unfinished is not None:
            self._unfinished -= reclaimed

    def _kept(self) -> tuple[KeptReady, ...]:
        """Return the instances of this region; a cap covers those of all regions."""
        # Sweeps continue meanwhile, so the fleet is read at once.
        specs = [
            captured.spec
            for region in self._settings.region_keys
            for captured in tuple(self._journal.fleet.of(region).values())
        ]
        return tuple(
            ready for ready in kept_ready(self._settings, specs) if ready.spec.instance.region == self._ecs.region
        )

    def _work(self, due: Sequence[KeptReady], now: datetime) -> None:
        ecs = self._ecs
        made = made_ready(ready_images(ecs), ready_system_snapshots(ecs), ready_groups(ecs))
        self._unfinished = {instance_id for instance_id, of_one in made.items() if unfinished_steps(of_one)}
        in_use = {captured.spec.image_id for captured in tuple(self._journal.fleet.of(ecs.region).values())}
        room = COPIES_AT_ONCE - sum(of_one.copying for of_one in made.values())
        none = MadeReady()
        for kept in sorted(due, key=lambda ready: _oldest_first(made.get(ready.spec.instance.instance_id, none))):
            instance_id = kept.spec.instance.instance_id
            ahead = possible_steps(kept, made.get(instance_id, none), now, in_use)
            if ahead.is_settled:
                self._settled[instance_id] = next_slot(kept, now)
            for step in ahead.steps:
                if (room > 0 or not step.copies_system) and self._may_act(instance_id, self._in_recovery()):
                    room -= step.copies_system
                    self._do(step, instance_id)

    def _is_due(self, instance_id: str, busy: Collection[str]) -> bool:
        return instance_id not in self._settled and self._may_act(instance_id, busy)

    def _may_act(self, instance_id: str, busy: Collection[str]) -> bool:
        """Whether the instance runs without a reclaim and its image can be made; checked before each call."""
        captured = self._journal.fleet.of(self._ecs.region).get(instance_id)
        if captured is None or captured.details_at is None or not captured.spec.disks or instance_id in busy:
            return False
        return captured.spec.instance.status is InstanceStatus.RUNNING and not captured.spec.instance.recycling

    def _in_recovery(self) -> frozenset[str]:
        """Return the instances of this region with an open recovery, even a suspected one."""
        return frozenset(
            recovery.instance_id for recovery in self._journal.recoveries.open() if recovery.region == self._ecs.region
        )

    def _do(self, step: Step, instance_id: str) -> None:
        """Make one call, journaled before and after."""
        if (step.action, "") in self._rests or (step.action, step.target) in self._rests:
            return
        self._journal.run(self._logs(CallBegun(step.action, step.token, step.target), instance_id))
        if step.is_copy and self._unfinished is not None:
            self._unfinished.add(instance_id)
        try:
            answer = step.call(self._ecs)
        except CloudError as error:
            self._refused(step, instance_id, error)
            return
        self._said.pop((step.action, ""), None)
        made = ReadyCallAnswered(step.action, answer.resource_id, step.token, answer.request_id, step.target)
        self._journal.submit(self._logs(made, instance_id), Urgency.EYES)

    def _refused(self, step: Step, instance_id: str, error: CloudError) -> None:
        """Retry a temporary failure in the next round with the same token; log any other once, and back it off."""
        if error.kind is ErrorKind.THROTTLED:
            raise error
        if error.kind.repeats or error.kind is ErrorKind.NOT_READY:
            log.info("%s: %s", instance_id, error.line)
            return
        rest = (step.action, "" if error.kind.ends_launch else step.target)
        is_mended_soon = error.kind in (ErrorKind.DENIED, ErrorKind.CREDENTIALS)
        until = self._rests[rest] = self._clock.now() + (DENIED_REST if is_mended_soon else REFUSED_REST)
        if error.kind is not ErrorKind.EXISTS and self._said.get(rest) != error.code:
            self._said[rest] = error.code
            failed = CallFailed(step.action, failure_of(error), step.token, step.target, until)
            self._journal.submit(self._logs(failed, instance_id), Urgency.EYES)

    def _log_beyond_cap(self, kept: Sequence[KeptReady]) -> None:
        """Log for how many instances a cap is too low, once until that changes."""
        beyond = [ready for ready in kept if ready.beyond_cap]
        ids = tuple(ready.spec.instance.instance_id for ready in beyond)
        if ids != self._beyond_cap:
            self._beyond_cap = ids
            cap = max((ready.schedule.max_cost_per_month for ready in beyond), default=0.0)
            self._journal.submit(self._logs(BeyondCap(len(ids), cap, ids[0] if ids else ""), ""), Urgency.EYES)

    def _logs(self, fact: Fact, instance_id: str) -> Callable[[Transaction], None]:
        now, region = self._clock.now(), self._ecs.region
        return lambda transaction: transaction.log(fact, now, region, instance_id)


def _oldest_first(made: MadeReady) -> float:
    return made.newest_image.timestamp() if made.newest_image else 0.0
