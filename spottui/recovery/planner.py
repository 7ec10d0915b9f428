"""The plan of a recovery: made once from the captured launch spec, then frozen."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any, TypeVar

from msgspec.structs import replace

from spottui.cloud.batches import Answers
from spottui.cloud.disks import disks_of
from spottui.cloud.ecs import Ecs
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.domain.clock import Clock
from spottui.domain.instance import InterruptionBehavior
from spottui.domain.launch_spec import DISKS, RAM_ROLE, USER_DATA, ImageTraits, LaunchSpec
from spottui.domain.owner import owner_of
from spottui.domain.places import Offers, rank
from spottui.domain.plan import (
    Caution,
    CautionKind,
    Drain,
    PlaceRules,
    Plan,
    TiredPool,
    in_old_vswitch_first,
    routes_for,
)
from spottui.domain.probe import PROBE_TAG, Probe
from spottui.domain.ready import ready_policy
from spottui.domain.region_key import region_id
from spottui.domain.routes import Route
from spottui.domain.settings import PrivateIp, Settings
from spottui.domain.tokens import image_name
from spottui.journal import Journal
from spottui.journal.fleet import Captured
from spottui.journal.store import JournalAway

T = TypeVar("T")
Detail = tuple[str, Callable[[], object]]
"""How a field that DescribeInstances lacks is read, and its name in `unread`, empty if its absence is not reported."""

DETAILS_MAX_AGE = timedelta(hours=2)

KEPT = "kept disk"
"""The kind of a disk that disk protection changed: it is no longer deleted with its instance."""
DRAIN_TAG = "spottui:drain"
"""The tag by which an instance names its `[drain.NAME]`; an empty value means none."""
PRIVATE_IP_TAG = "spottui:private-ip"
"""The tag by which an instance says which private IP its replacement has: `keep` or `new`."""


def capture(
    ecs: Ecs, journal: Journal, clock: Clock, instance_id: str, *, awaits_details: bool = False
) -> LaunchSpec | None:
    """Return the complete launch spec of an instance: the captured one if it is young, else read anew.

    An instance that the cloud no longer lists is taken from the journal, whatever its age; None if neither knows it.
    Disks that only disk protection kept are as they were before. A detail that the cloud refuses keeps its last value,
    or is in `unread`; so does one without an answer, unless the caller `awaits_details`. Raises `CloudError`.
    """
    spec = _captured(ecs, journal, clock, instance_id, awaits_details=awaits_details)
    return _as_before_protection(journal, spec) if spec else None


def seen_lately(journal: Journal, clock: Clock, region: str, instance_id: str) -> Captured | None:
    """Return what a sweep has lately seen of an instance, with its disks but perhaps without its details."""
    captured = journal.fleet.of(region).get(instance_id)
    return captured if captured and _is_young(captured, clock) else None


def with_details(
    ecs: Ecs,
    journal: Journal,
    clock: Clock,
    seen: Captured,
    ram_role: str | CloudError,
    image: ImageTraits | CloudError | None,
    *,
    awaits_details: bool,
) -> LaunchSpec:
    """Return the launch spec of an instance that a sweep has seen, complete: its user data is read here.

    The RAM role and the image, which one call returns for many instances, are read by the caller. Refused details are
    treated as in `capture`. Raises `CloudError`.
    """
    details: dict[str, Detail] = {
        "ram_role": (RAM_ROLE, lambda: _given(ram_role)),
        "user_data": (USER_DATA, lambda: ecs.user_data(seen.spec.instance.instance_id)),
        "image": ("", lambda: _given(image)),
    }
    spec = _completed(seen.spec, seen, details, awaits_details=awaits_details)
    journal.fleet.put(ecs.region, [Captured(spec, clock.now(), clock.now())])
    return _as_before_protection(journal, spec)


def known_spec(journal: Journal, clock: Clock, region: str, instance_id: str) -> LaunchSpec | None:
    """Return the complete launch spec of an instance that a console captured lately and that no recovery has touched.

    None where the cloud must be asked, or disks were kept by an earlier recovery (`capture`).
    """
    seen = seen_lately(journal, clock, region, instance_id)
    if seen is None or seen.details_at is None or any(not disk.delete_with_instance for disk in seen.spec.disks):
        return None
    return seen.spec


def known_disks(
    journal: Journal, clock: Clock, region: str, instance_id: str, of: Callable[[LaunchSpec], T]
) -> T | None:
    """Return the result of `of` for an instance that a sweep has lately seen, else None."""
    seen = seen_lately(journal, clock, region, instance_id)
    return of(seen.spec) if seen else None


def specs_with_disks(ecs: Ecs, journal: Journal, clock: Clock, instance_ids: Iterable[str]) -> Answers[LaunchSpec]:
    """Return instances as the sweeps saw them, else as the cloud lists them now; enough to protect their disks.

    The answer about an instance that no sweep has seen is kept like a sweep's. Raises `CloudError`.
    """
    known = {instance_id: _last_seen(journal, ecs.region, instance_id) for instance_id in instance_ids}
    young = {key: captured.spec for key, captured in known.items() if captured and _is_young(captured, clock)}
    read = _read_anew(ecs, [key for key in known if key not in young])
    new = [Captured(spec, None, clock.now()) for key, spec in read.items() if known[key] is None]
    journal.fleet.put(ecs.region, new)
    return Answers(young | dict(read), read.refused)


def _last_seen(journal: Journal, region: str, instance_id: str) -> Captured | None:
    """What is on disk saves a call; no instance is left unprotected because the database is away."""
    try:
        return journal.fleet.get(region, instance_id)
    except JournalAway:
        return None


def _captured(ecs: Ecs, journal: Journal, clock: Clock, instance_id: str, *, awaits_details: bool) -> LaunchSpec | None:
    captured = journal.fleet.get(ecs.region, instance_id)
    if captured and captured.details_at and _is_young(captured, clock):
        return captured.spec
    listed = ecs.launch_specs([instance_id]).get(instance_id)
    if listed is None:
        return captured.spec if captured and captured.spec.disks else None
    details: dict[str, Detail] = {
        "disks": (DISKS, lambda: ecs.disks(instance_id)),
        "ram_role": (RAM_ROLE, lambda: ecs.ram_roles([instance_id]).get(instance_id, "")),
        "user_data": (USER_DATA, lambda: ecs.user_data(instance_id)),
        "image": ("", lambda: ecs.image_traits([listed.image_id]).get(listed.image_id)),
    }
    spec = _completed(listed, captured, details, awaits_details=awaits_details)
    journal.fleet.put(ecs.region, [Captured(spec, clock.now(), clock.now())])
    return spec


def _completed(
    spec: LaunchSpec, captured: Captured | None, details: Mapping[str, Detail], *, awaits_details: bool
) -> LaunchSpec:
    """Add what DescribeInstances lacks. No recovery waits for a refused detail: it is listed as unread."""
    found: dict[str, Any] = {}
    unread: list[str] = []
    for field, (name, read) in details.items():
        try:
            found[field] = read()
        except CloudError as error:
            if name and awaits_details and (error.kind.repeats or error.kind is ErrorKind.CREDENTIALS):
                raise
            if captured and name not in captured.spec.unread and (captured.details_at or name == DISKS):
                found[field] = getattr(captured.spec, field)
            elif name:
                unread.append(name)
    return replace(spec, **found, unread=tuple(unread))


def _given(answer: T | CloudError) -> T:
    if isinstance(answer, CloudError):
        raise answer
    return answer


def _as_before_protection(journal: Journal, spec: LaunchSpec) -> LaunchSpec:
    """Return the spec with the disks that a recovery kept as they were before it."""
    if all(disk.delete_with_instance for disk in spec.disks):
        return spec
    instance = spec.instance
    recoveries = journal.recoveries.of_instance(instance.region, instance.instance_id)
    kept = {disk_id for recovery in recoveries for disk_id in recovery.made(KEPT)}
    disks = (replace(disk, delete_with_instance=True) if disk.disk_id in kept else disk for disk in spec.disks)
    return replace(spec, disks=tuple(disks))


def _is_young(captured: Captured, clock: Clock) -> bool:
    """Whether a console was watching lately: it writes each spot instance's spec again at least every hour."""
    return bool(captured.spec.disks) and clock.now() - captured.seen_at < DETAILS_MAX_AGE


def _read_anew(ecs: Ecs, instance_ids: Collection[str]) -> Answers[LaunchSpec]:
    specs = ecs.launch_specs(instance_ids)
    attached = disks_of(ecs, specs)
    read = {
        key: replace(spec, disks=attached.get(key, ())) for key, spec in specs.items() if key not in attached.refused
    }
    return Answers(read, {**specs.refused, **attached.refused})


def make_plan(spec: LaunchSpec, settings: Settings, tired: tuple[TiredPool, ...] = ()) -> Plan:
    """Make the plan of a recovery from what is known without asking: a survey finds stock, prices and other types.

    The `tired` pools are those of `tolerance.tired_pools`.
    """
    region = next(region for region in settings.regions if region.key == spec.instance.region)
    policy = settings.policy
    rules = PlaceRules(dict(region.vswitches), policy.types, policy.other_types, policy.on_demand, tired)
    drain, unknown_drain = _drain(spec, settings)
    probe, unknown_probe = _probe(spec, settings)
    keeps, unknown_private_ip = _keeps_private_ip(spec, settings)
    candidates = rank(spec, rules, Offers())
    ready = ready_policy(settings, spec.instance)
    is_fresh = ready is not None and ready.schedule is not None and ready.schedule.fresh_system
    return Plan(
        # Nothing stops or releases what goes back to spot, and only an image has its data of now.
        routes=(Route.IMAGE,) if spec.back_to_spot else routes_for(spec, is_ready=ready is not None),
        spec=spec,
        candidates=in_old_vswitch_first(candidates, spec) if keeps else candidates,
        image_name=image_name(f"{spec.instance.region}.{spec.instance.instance_id}"),
        cautions=(*_cautions(spec, rules, region.vswitch_tag), *unknown_drain, *unknown_probe, *unknown_private_ip),
        rules=rules,
        drain=drain,
        probe=probe,
        keeps_private_ip=keeps,
        fresh_system=is_fresh and spec.has_instant_disks,
        private_zone=policy.private_zone if spec.instance.private_ip else "",
    )


def _drain(spec: LaunchSpec, settings: Settings) -> tuple[Drain | None, tuple[Caution, ...]]:
    """Return the drain that the instance's tag names, else the policy's, and a caution of a name not configured.

    The tag chooses among the commands of the configuration; what it says is never one.
    """
    tag = dict(spec.instance.tags).get(DRAIN_TAG)
    name = settings.policy.drain if tag is None else tag
    if not name:
        return None, ()
    drain_settings = settings.drain.get(name)
    if drain_settings is None:
        return None, (Caution(CautionKind.UNKNOWN_DRAIN, (name,)),)
    return Drain(name, drain_settings.command, drain_settings.timeout_s), ()


def _probe(spec: LaunchSpec, settings: Settings) -> tuple[Probe | None, tuple[Caution, ...]]:
    """Return the probe that the instance's tag names, else the policy's, and a caution of a name not configured."""
    tag = dict(spec.instance.tags).get(PROBE_TAG)
    name = settings.policy.probe if tag is None else tag
    if not name:
        return None, ()
    probe_settings = settings.probe.get(name)
    return (
        (Probe(name, probe_settings), ()) if probe_settings else (None, (Caution(CautionKind.UNKNOWN_PROBE, (name,)),))
    )


def _keeps_private_ip(spec: LaunchSpec, settings: Settings) -> tuple[bool, tuple[Caution, ...]]:
    """Return whether the replacement is to have the old private IP, and a caution of a tag that says nothing known.

    An instance that is stopped, not released, has it for good, and so has one that goes back to spot.
    """
    tag = dict(spec.instance.tags).get(PRIVATE_IP_TAG)
    is_known = tag is None or tag in list(PrivateIp)
    wanted = tag if tag and is_known else settings.policy.private_ip
    is_released = spec.instance.behavior is not InterruptionBehavior.STOP and not spec.back_to_spot
    keeps = wanted == PrivateIp.KEEP and is_released and bool(spec.instance.private_ip)
    return keeps, () if is_known else (Caution(CautionKind.UNKNOWN_PRIVATE_IP, (tag or "",)),)


def _cautions(spec: LaunchSpec, rules: PlaceRules, vswitch_tag: str) -> Iterator[Caution]:
    """Return cautions about whatever else manages the instance."""
    old = spec.instance
    if old.behavior is InterruptionBehavior.STOP:
        yield Caution(CautionKind.STOPPED_ONLY)
    if spec.back_to_spot:
        yield Caution(CautionKind.BACK_TO_SPOT, (region_id(old.region), old.instance_id))
    owner = owner_of(old)
    if owner:
        yield Caution(CautionKind.OWNED, (owner.label,))
    if not vswitch_tag and not [zone for zone in rules.vswitches if zone != old.zone]:
        yield Caution(CautionKind.ONE_ZONE)
