"""From signs to reclaims: each sign joins the recovery that it belongs to, and the first one opens it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from spottui.domain.facts import DriverChanged, Fact, LockGone, Released, SignSeen
from spottui.domain.interruption import (
    Course,
    Evidence,
    Interruption,
    Observation,
    Release,
    deadline_of,
    first_sight,
    fuse,
    is_dated_in,
    plausible,
    same_reclaim,
)
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.journal.transaction import Transaction

EPOCHS = 20
"""How many of the newest reclaims of an instance are searched for the one of an observation."""

NameOf = Callable[[str, str], str]
"""Returns the name of an instance by region and id, empty if unknown."""


@dataclass(slots=True)
class Sighting:
    """The content of a source's batch: signs, releases, and facts about no recovery with region and instance id."""

    observations: list[Observation] = field(default_factory=list)
    releases: list[Release] = field(default_factory=list)
    others: list[tuple[Fact, str, str]] = field(default_factory=list)


def take_in(
    transaction: Transaction, seen: Sighting, name_of: NameOf, driver: str, now: datetime
) -> tuple[Recovery, ...]:
    """Write all of it, and return the recoveries concerned, including those that were opened.

    `driver` is the console that drives new recoveries. For a release only those recoveries are returned to which it was
    news.
    """
    for fact, region, instance_id in seen.others:
        transaction.log(fact, now, region, instance_id)
    known = _known(transaction, seen)
    recoveries = [_observe(transaction, observation, known, name_of, driver, now) for observation in seen.observations]
    gone = [recovery for release in seen.releases for recovery in _release(transaction, release, known, now)]
    return (*recoveries, *gone)


def unlocked(transaction: Transaction, region: str, instance_ids: Sequence[str], now: datetime) -> None:
    """Write that the cloud listed these instances without their earlier lock: the next lock is a new one."""
    known = transaction.of_instances(region, instance_ids)
    for instance_id in instance_ids:
        _unlock(transaction, known.get(instance_id, [])[:EPOCHS], now)


def release(transaction: Transaction, gone: Release, now: datetime) -> tuple[Recovery, ...]:
    """Write that an instance is gone, and return the recoveries to which that was news."""
    return take_in(transaction, Sighting(releases=[gone]), lambda *_: "", "", now)


_Known = dict[tuple[str, str], list[Recovery]]
"""Return the recoveries of instances by region and id, newest first."""


def _known(transaction: Transaction, seen: Sighting) -> _Known:
    wanted: dict[str, list[str]] = {}
    spoken_of = [(observation.region, observation.instance_id) for observation in seen.observations]
    for region, instance_id in spoken_of + [(release.region, release.instance_id) for release in seen.releases]:
        wanted.setdefault(region, []).append(instance_id)
    found: _Known = {}
    for region, ids in wanted.items():
        found.update(((region, key), ones[:EPOCHS]) for key, ones in transaction.of_instances(region, ids).items())
    return found


def _observe(
    transaction: Transaction, seen: Observation, known: _Known, name_of: NameOf, driver: str, now: datetime
) -> Recovery:
    of_instance = known.setdefault((seen.region, seen.instance_id), [])
    seen = plausible(seen, now)
    same = _meant(of_instance, seen)
    if same is None:
        opened = _open(transaction, seen, of_instance, name_of, driver, now)
        of_instance.insert(0, opened)
        return opened
    fused = fuse(same.interruption, seen)
    again = fused.duplicates if fused.evidence == same.interruption.evidence else 0
    after = transaction.record(same.recovery_id, _sign(seen, fused, again), now)
    of_instance[of_instance.index(same)] = after
    return after


def _meant(of_instance: Iterable[Recovery], seen: Observation) -> Recovery | None:
    """Return the recovery that an observation belongs to; an old message may belong to an old one.

    A lock that was never seen removed is still the same one.
    """
    matching = [recovery for recovery in of_instance if same_reclaim(recovery.interruption, seen, course_of(recovery))]
    if seen.source is Evidence.LOCK:
        nearest = [recovery for recovery in matching if recovery.interruption.locked]
    else:
        nearest = [recovery for recovery in matching if is_dated_in(recovery.interruption, seen)]
    return next(iter(nearest or matching), None)


def course_of(recovery: Recovery) -> Course:
    """Return how a recovery matches another sign of its instance."""
    state = recovery.state
    if state.came_to_nothing and state is not RecoveryState.CANCELLED:
        return Course.CAME_TO_NOTHING
    if state in (RecoveryState.CANCELLED, RecoveryState.VETOED):
        return Course.STOPPED
    is_free = state.is_final or recovery.interruption.unlocked_at is not None
    if recovery.new_instance_id == recovery.instance_id and is_free:
        return Course.RESTARTED
    return Course.REPLACED if state is RecoveryState.RECOVERED else Course.OPEN


def _open(
    transaction: Transaction,
    seen: Observation,
    of_instance: Sequence[Recovery],
    name_of: NameOf,
    driver: str,
    now: datetime,
) -> Recovery:
    """Two reclaims of an instance cannot begin in the same second; two requests of an engineer can."""
    opened = first_sight(seen, now)
    epoch = opened.epoch
    # An old message may speak of a reclaim before those of `of_instance`: its recovery is not begun anew.
    while of_instance and transaction.recovery(_id(seen, epoch)):
        epoch += 1
    sign, recovery_id = _sign(seen, opened, 0, epoch, name_of(seen.region, seen.instance_id)), _id(seen, epoch)
    recovery = transaction.begin(sign, now, seen.region, seen.instance_id, recovery_id)
    # A released instance never comes back, whoever requests it; one that shows its lock was not released.
    is_shown = seen.source is Evidence.LOCK
    before = (past.interruption.released_at for past in of_instance if past.interruption.released_at and not is_shown)
    released = next(before, None) or transaction.released_at(seen.region, seen.instance_id)
    if released:
        recovery = transaction.record(recovery_id, Released(released, recovery.deadline), now)
    if driver:
        recovery = transaction.record(recovery_id, DriverChanged(driver, 1), now)
    return recovery


def _id(seen: Observation, epoch: int) -> str:
    return f"{seen.region}.{seen.instance_id}.{epoch}"


def _sign(seen: Observation, reclaim: Interruption, again: int, epoch: int = 0, name: str = "") -> SignSeen:
    return SignSeen(
        source=seen.source,
        began=seen.at,
        deadline=reclaim.deadline,
        own_deadline=deadline_of(seen),
        action=seen.action,
        message_id=seen.message_id,
        again=again,
        epoch=epoch,
        name=name,
        marks=reclaim.marks,
        not_before=seen.not_before,
    )


def _release(transaction: Transaction, gone: Release, known: _Known, now: datetime) -> list[Recovery]:
    """Write the first report of a release, and return the open recoveries to which it was news."""
    of_instance = known.get((gone.region, gone.instance_id), [])
    told: list[Recovery] = []
    for recovery in of_instance:
        if recovery.interruption.released_at is None:
            after = transaction.record(recovery.recovery_id, Released(gone.at, recovery.deadline), now)
            told += [] if recovery.state.is_final else [after]
    if not of_instance:
        transaction.log(Released(gone.at), now, gone.region, gone.instance_id)
    return told


def _unlock(transaction: Transaction, of_instance: Sequence[Recovery], now: datetime) -> None:
    for recovery in of_instance:
        if recovery.interruption.locked and recovery.interruption.unlocked_at is None:
            transaction.record(recovery.recovery_id, LockGone(), now)
