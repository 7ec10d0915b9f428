"""One recovery: its reclaim, its state, the decisions about it, and what it has created."""

from datetime import datetime
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from spottui.domain.balancers import Backend
from spottui.domain.forecast import Verdict
from spottui.domain.hook import HookRun
from spottui.domain.instance import DnsRecord
from spottui.domain.interruption import Interruption
from spottui.domain.reasons import Doing, Failure, NextStep, Reason
from spottui.domain.routes import Route


class RecoveryState(StrEnum):
    """The state of a recovery, as the console and `status --json` show it."""

    SUSPECTED = "suspected"
    NEEDS_YOU = "needs you"
    VETO_WINDOW = "veto window"
    PROTECTING = "protecting"
    DRAINING = "draining"
    IMAGING = "imaging"
    LAUNCHING = "launching"
    STARTING = "starting"
    REBINDING = "rebinding"
    VERIFYING = "verifying"
    RECOVERED = "recovered"
    FAILED = "failed"
    CANCELLED = "cancelled"
    VETOED = "vetoed"
    SKIPPED = "skipped"

    @property
    def is_final(self) -> bool:
        """Whether it has ended."""
        return self in _FINAL

    @property
    def came_to_nothing(self) -> bool:
        """Whether it ended without a replacement and without a veto."""
        return self in (RecoveryState.FAILED, RecoveryState.CANCELLED, RecoveryState.SKIPPED)

    @property
    def waits_for_permission(self) -> bool:
        """Whether it waits for a confirmation by a person or auto-mode."""
        return self in _BEFORE_PERMISSION


_FINAL = frozenset(
    (
        RecoveryState.RECOVERED,
        RecoveryState.FAILED,
        RecoveryState.CANCELLED,
        RecoveryState.VETOED,
        RecoveryState.SKIPPED,
    )
)
_BEFORE_PERMISSION = frozenset((RecoveryState.SUSPECTED, RecoveryState.NEEDS_YOU, RecoveryState.VETO_WINDOW))


class Decision(StrEnum):
    """The decision of a person or auto-mode."""

    NONE = ""
    CONFIRM = "confirm"
    VETO = "veto"
    HOLD = "hold"


class ImageOf(StrEnum):
    """The source of an image; one of only the system disk is no image of the instance."""

    ALL_DISKS = "image of all cloud disks"
    KEPT_DISKS = "image of the kept disks"
    KEPT_SYSTEM_DISK = "image of the kept system disk"
    SYSTEM_DISK = "image of the system disk"


class Try(msgspec.Struct, frozen=True, gc=False):
    """One launch: its place, its ClientToken and its result.

    `failure` is None while the result is unknown, or if it succeeded; kind `removed` means that the cloud removed the
    instance again.
    """

    place: tuple[str, str, bool]
    vswitch_id: str
    image_id: str
    client_token: str
    data_disks: bool = True
    disk_category: str = ""
    at: datetime | None = None
    failure: Failure | None = None
    snapshots: tuple[tuple[str, str], ...] = ()
    """The old data disks and the snapshots of which the new ones are made."""
    public_ip: bool = True
    """Whether it requests a public IP, because the old one cannot be moved."""
    private_ip: str = ""
    """The private IP that it asks for, empty for any of its vSwitch."""

    @property
    def refusal(self) -> str:
        """The kind of its failure, empty without one."""
        return self.failure.kind if self.failure else ""


class Created(msgspec.Struct, frozen=True, gc=False):
    """A resource that a recovery made or changed.

    Its kind is `image`, `snapshot`, `instance`, `kept disk` or `attached disk`.
    """

    kind: str
    resource_id: str


class LeftRoute(msgspec.Struct, frozen=True, gc=False):
    """A route that this run has left, why, and which others are excluded by that."""

    route: Route
    reason: Reason
    excluded: tuple[Route, ...] = ()


class AutoAnswer(StrEnum):
    """Auto-mode's answer about a recovery."""

    GRANTED = "granted"
    """A veto window runs; the recovery has a slot."""
    CONFIRMED = "confirmed"
    IN_LINE = "in line"
    """Only the limits forbid it: it waits for a slot in the order of deadlines."""
    REFUSED = "refused"


class AutoAsked(msgspec.Struct, frozen=True, gc=False):
    """The last answer of auto-mode about this run, since when, and the added cost an hour."""

    answer: AutoAnswer
    reason: Reason
    at: datetime
    added_cost: float = 0.0
    veto_until: datetime | None = None


class PastRun(msgspec.Struct, frozen=True, gc=False):
    """How an earlier run ended, who had confirmed it, and auto-mode's answer about it."""

    run: int
    state: RecoveryState
    ended: datetime
    who: str = ""
    auto: AutoAsked | None = None


class Recovery(msgspec.Struct, frozen=True, gc=False):
    """One recovery as the console, `status --json` and the headless lines show it: the fold of its facts.

    `progress` is the image's, in percent, -1 if unknown. `veto_until` is set while a veto window runs,
    `imaging_since` once the image was started, `forecast_at` is when it is expected. `who` confirmed the plan of
    `digest`, as `user@host tty`; `auto` is auto-mode's answer. `run` counts from 0 and grows with each
    retry; `tries` are its launches, of all runs, `images` counts the requested images, and `snapshots` are
    the ids of the kept disks and of their snapshots. `snapshot_group` is that of the data disks for the route
    `instant`, asked for at `snapshots_since`, and `group_snapshots` are its snapshots, after their disks, once disks
    can be made of them. `routes_left` are those that this run has left. `unsettled` are the tokens of calls with an
    unknown effect. `probe_commands` counts the commands that probed the replacement, `hooks` are
    those of all runs.

    `verdict` is the last forecast of an image in progress; the present one is `verdicts.verdict_of`. An image takes
    `image_s` seconds after the confirmation. `queued` counts those that auto-mode starts before this one, None if it is
    not queued. `no_room` means that every place is sold out as far as known; the progress is unknown since
    `unseen_since`. `trouble` is the last failure that has not been resolved.

    `backends` are its entries in load balancers as found after the notice, `lowered` those whose weight was or is being
    lowered to 0 and was not restored; `kept` were the last healthy ones of their groups.

    `driver` is the console that drives it, and `fence` the number of its turn; `version` is the number of the last
    fact.
    """

    interruption: Interruption
    name: str = ""
    state: RecoveryState = RecoveryState.SUSPECTED
    reason: Reason | None = None
    next_step: NextStep | None = None
    route: Route = Route.IMAGE
    verdict: Verdict | None = None
    forecast_at: datetime | None = None
    progress: int = 0
    veto_until: datetime | None = None
    decision: Decision = Decision.NONE
    who: str = ""
    digest: str = ""
    auto: AutoAsked | None = None
    cancel: bool = False
    image_id: str = ""
    image_of: ImageOf | None = None
    imaging_since: datetime | None = None
    images: int = 0
    new_instance_id: str = ""
    ended: datetime | None = None
    created: tuple[Created, ...] = ()
    tries: tuple[Try, ...] = ()
    snapshots: tuple[tuple[str, str], ...] = ()
    snapshot_group: str = ""
    snapshots_since: datetime | None = None
    group_snapshots: tuple[tuple[str, str], ...] = ()
    eip_id: str = ""
    """The EIP that was made of the instance's public IP."""
    private_ip_lost: Reason | None = None
    """Why this run launches without the old private IP, where its plan keeps it."""
    kept_interfaces: tuple[str, ...] = ()
    """Network interfaces that this recovery let outlive the instance, or began to, and did not restore."""
    records: tuple[DnsRecord, ...] = ()
    """Those that named the old private IP when the replacement served."""
    run: int = 0
    past_runs: tuple[PastRun, ...] = ()
    routes_left: tuple[LeftRoute, ...] = ()
    unsettled: tuple[str, ...] = ()
    drain_begun: datetime | None = None
    drained: bool = False
    probe_commands: int = 0
    hooks: tuple[HookRun, ...] = ()
    disks_free: bool = False
    whole_image: bool = False
    image_s: float | None = None
    queued: int | None = None
    no_room: bool = False
    unseen_since: datetime | None = None
    trouble: Failure | None = None
    has_plan: bool = False
    backends: tuple[Backend, ...] = ()
    lowered: tuple[Backend, ...] = ()
    kept: tuple[Backend, ...] = ()
    driver: str = ""
    fence: int = 0
    version: int = 0

    @property
    def recovery_id(self) -> str:
        """Its identity, which is its interruption's."""
        return self.interruption.id

    @property
    def region(self) -> str:
        """The region of the instance."""
        return self.interruption.region

    @property
    def instance_id(self) -> str:
        """The reclaimed instance."""
        return self.interruption.instance_id

    @property
    def deadline(self) -> datetime:
        """When the instance is expected to be released."""
        return self.interruption.deadline

    @property
    def started(self) -> datetime:
        """When the first sign was seen."""
        return self.interruption.first_seen

    @property
    def is_imaging(self) -> bool:
        """Whether an image or its source is being made."""
        return self.state is RecoveryState.IMAGING and not self.awaits_release

    @property
    def awaits_release(self) -> bool:
        """Whether the kept disks are not free yet."""
        return self.next_step is not None and self.next_step.doing is Doing.AWAIT_RELEASE

    @property
    def is_queued(self) -> bool:
        """Whether auto-mode starts it once others are done."""
        return self.state is RecoveryState.NEEDS_YOU and self.queued is not None

    @property
    def open_hooks(self) -> tuple[HookRun, ...]:
        """Its hooks without a result."""
        return tuple(hook for hook in self.hooks if not hook.ended)

    @property
    def open_try(self) -> Try | None:
        """The launch that was not refused: it made the replacement, or may have."""
        last = self.tries[-1] if self.tries else None
        return last if last and last.failure is None else None

    def made(self, kind: str) -> tuple[str, ...]:
        """Return the ids of its resources of this kind."""
        return tuple(created.resource_id for created in self.created if created.kind == kind)

    def with_made(self, kind: str, resource_id: str) -> "Recovery":
        """Return it with one more resource."""
        created = Created(kind, resource_id)
        return self if created in self.created else replace(self, created=(*self.created, created))
