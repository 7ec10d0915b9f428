"""Standing protection: in calm time disks are made to outlive their instance, and can be put back as they were."""

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from spottui.cloud import disks
from spottui.cloud.ecs import Ecs
from spottui.cloud.errors import CloudError
from spottui.domain.facts import DisksProtected, Fact, ProtectionUndone
from spottui.domain.instance import Disk, InterruptionBehavior
from spottui.domain.launch_spec import LaunchSpec
from spottui.domain.refusal import Refused
from spottui.journal import Journal
from spottui.journal.transaction import Transaction
from spottui.recovery.context import failure_of

_PAGE = 1000
_FACTS = (DisksProtected, ProtectionUndone)


class Outcome(msgspec.Struct, frozen=True):
    """The result: the disks that were changed, and those that were not, each with the cloud's error."""

    changed: tuple[str, ...]
    refused: tuple[tuple[str, CloudError], ...] = ()


def to_protect(spec: LaunchSpec) -> tuple[Disk, ...]:
    """Return the cloud disks of an instance that would be deleted with it; none in Stop mode, which keeps them."""
    if spec.instance.behavior is InterruptionBehavior.STOP:
        return ()
    return tuple(disk for disk in spec.cloud_disks if disk.delete_with_instance)


def protected_disks(journal: Journal) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return the disks that were protected in calm time and not put back, by region and instance id."""
    standing: dict[tuple[str, str], tuple[str, ...]] = {}
    seq = 0
    while page := journal.log.after(seq, _PAGE, _FACTS):
        for logged in page:
            key = logged.region, logged.instance_id
            known = standing.get(key, ())
            if isinstance(logged.fact, DisksProtected):
                standing[key] = (*known, *(disk_id for disk_id in logged.fact.disk_ids if disk_id not in known))
            elif isinstance(logged.fact, ProtectionUndone):
                standing[key] = tuple(disk_id for disk_id in known if disk_id not in logged.fact.disk_ids)
        seq = page[-1].seq
    return {key: disk_ids for key, disk_ids in standing.items() if disk_ids}


def protect(journal: Journal, ecs: Ecs, spec: LaunchSpec, who: str, now: datetime) -> Outcome:
    """Make the disks of an instance outlive it; raises `Refused` while it is being reclaimed.

    The intent is journaled first: after a crash the undo finds every disk that may have been changed.
    """
    _refuse_during_reclaim(journal, spec)
    wanted = tuple(disk.disk_id for disk in to_protect(spec))
    if not wanted:
        return Outcome(())
    journal.run(_logs(spec, DisksProtected(wanted, who), now))
    answers = ecs.protect_each(wanted)
    for disk_id, error in answers.refused.items():
        if not error.kind.effect_unknown:
            journal.run(_logs(spec, ProtectionUndone((disk_id,), who, failure_of(error)), now))
    return Outcome(tuple(answers), tuple(answers.refused.items()))


def undo(journal: Journal, ecs: Ecs, spec: LaunchSpec, disk_ids: Sequence[str], who: str, now: datetime) -> Outcome:
    """Let protected disks be deleted with their instance again, as far as they are still attached to it.

    Raises `Refused` while it is being reclaimed: they may be the last copy of the data.
    """
    _refuse_during_reclaim(journal, spec)
    mine = {disk.disk_id: disk for disk in spec.cloud_disks}
    changed = tuple(disk_id for disk_id in disk_ids if disk_id in mine and not mine[disk_id].delete_with_instance)
    if changed:
        try:
            disks.unprotect(ecs, changed)
        except CloudError as error:
            return Outcome((), tuple((disk_id, error) for disk_id in changed))
    journal.run(_logs(spec, ProtectionUndone(tuple(disk_ids), who), now))
    return Outcome(changed)


def _refuse_during_reclaim(journal: Journal, spec: LaunchSpec) -> None:
    instance = spec.instance
    is_open = any(
        (recovery.region, recovery.instance_id) == (instance.region, instance.instance_id)
        for recovery in journal.recoveries.open()
    )
    if instance.recycling or is_open:
        raise Refused(f"{instance.instance_id} is being reclaimed or recovered: its disks are left unchanged.")


def _logs(spec: LaunchSpec, fact: Fact, now: datetime) -> Callable[[Transaction], None]:
    return lambda transaction: transaction.log(fact, now, spec.instance.region, spec.instance.instance_id)
