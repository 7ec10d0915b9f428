"""The states of a recovery and what is shown of it."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from spottui.domain.forecast import Verdict
from spottui.domain.plan import Route


class RecoveryState(StrEnum):
    """Where a recovery stands, in the words of the console and of `status --json`."""

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
        """Whether nothing more happens by itself."""
        return self in _FINAL

    @property
    def came_to_nothing(self) -> bool:
        """Whether it ended without a replacement and without a person's no."""
        return self in (RecoveryState.FAILED, RecoveryState.CANCELLED, RecoveryState.SKIPPED)

    @property
    def waits_for_permission(self) -> bool:
        """Whether neither a person nor auto-mode has said yes yet."""
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
    """What a person or auto-mode has said about a recovery."""

    NONE = ""
    CONFIRM = "confirm"
    VETO = "veto"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Try:
    """One launch: where, with which ClientToken, and what came of it.

    `refused` is empty while that is not known; `kind` is the refusal's, one of `cloud.errors.ErrorKind`.
    """

    place: tuple[str, str, bool]
    vswitch_id: str
    image_id: str
    client_token: str
    data_disks: bool = True
    disk_category: str = ""
    at: datetime | None = None
    refused: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Created:
    """One thing that a recovery made or changed: kind `image`, `snapshot`, `instance`, `kept disk`, `attached disk`."""

    kind: str
    resource_id: str


@dataclass(frozen=True, slots=True)
class Recovery:
    """One recovery as the console, `status --json` and the headless lines show it.

    `recovery_id` is the interruption's id. `progress` is the image's, in percent, -1 when that is not known.
    `veto_until` is set while a veto window runs, `imaging_since` once the image was started, `forecast_at` is when it
    is expected. `who` said yes, as `user@host tty`. `run` counts from 0 and grows with each retry; `tries` are its
    launches, of all runs, and `snapshots` the ids of the kept disks and of their snapshots. `image_of` says of what
    the image is made: one of the system disk alone is no image of the instance.

    `verdict` is the last forecast of an image that was being made; what holds now is `prospect.verdict_of`. An image
    takes `image_s` seconds once somebody says yes. `queued` counts those that auto-mode lets go before this one, None
    when it is not in line. `no_room` says that every place is sold out as far as is known, `awaits_release` that the
    kept disks are not free yet, `unseen_since` from when on the progress is not known. `trouble` is the last failure
    that nothing has overtaken, as `Action: Code`.
    """

    recovery_id: str
    region: str
    instance_id: str
    name: str
    state: RecoveryState
    deadline: datetime
    started: datetime
    reason: str = ""
    route: Route = Route.IMAGE
    verdict: Verdict | None = None
    forecast_at: datetime | None = None
    progress: int = 0
    veto_until: datetime | None = None
    decision: Decision = Decision.NONE
    who: str = ""
    cancel: bool = False
    image_id: str = ""
    imaging_since: datetime | None = None
    new_instance_id: str = ""
    next_step: str = ""
    ended: datetime | None = None
    created: tuple[Created, ...] = field(default=())
    tries: tuple[Try, ...] = field(default=())
    run: int = 0
    snapshots: tuple[tuple[str, str], ...] = ()
    image_of: str = ""
    image_s: float | None = None
    queued: int | None = None
    no_room: bool = False
    awaits_release: bool = False
    unseen_since: datetime | None = None
    trouble: str = ""

    @property
    def is_imaging(self) -> bool:
        """Whether an image, or what it is made of, is being made."""
        return self.state is RecoveryState.IMAGING and not self.awaits_release

    @property
    def is_queued(self) -> bool:
        """Whether auto-mode lets it go by itself once others have gone."""
        return self.state is RecoveryState.NEEDS_YOU and self.queued is not None

    def made(self, kind: str) -> tuple[str, ...]:
        """Return the ids of what it made of this kind."""
        return tuple(one.resource_id for one in self.created if one.kind == kind)
