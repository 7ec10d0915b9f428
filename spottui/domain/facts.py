"""The log's facts: what was seen, decided and done, as fields; everything that is shown is a fold of them.

Stored with their tag, so neither tags nor field names change; `spottui.words` makes sentences of them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from msgspec import Struct

from spottui.domain.arming_facts import Armed as Armed
from spottui.domain.arming_facts import Disarmed as Disarmed
from spottui.domain.arming_facts import NotArmed as NotArmed
from spottui.domain.arming_facts import Stop as Stop
from spottui.domain.arming_facts import Stopped as Stopped
from spottui.domain.calm_facts import BeyondCap as BeyondCap
from spottui.domain.calm_facts import DisksProtected as DisksProtected
from spottui.domain.calm_facts import OutputLost as OutputLost
from spottui.domain.calm_facts import PricesSeen as PricesSeen
from spottui.domain.calm_facts import ProtectionUndone as ProtectionUndone
from spottui.domain.calm_facts import ReadyCallAnswered as ReadyCallAnswered
from spottui.domain.evidence_facts import LockGone as LockGone
from spottui.domain.evidence_facts import MessageSeen as MessageSeen
from spottui.domain.evidence_facts import PoisonSeen as PoisonSeen
from spottui.domain.evidence_facts import Released as Released
from spottui.domain.evidence_facts import SignSeen as SignSeen
from spottui.domain.evidence_facts import SourceAnswers as SourceAnswers
from spottui.domain.evidence_facts import SourceFailed as SourceFailed
from spottui.domain.fact_base import FactBase
from spottui.domain.forecast import Verdict
from spottui.domain.identity_facts import BackendChanging as BackendChanging
from spottui.domain.identity_facts import BackendServes as BackendServes
from spottui.domain.identity_facts import BackendsFound as BackendsFound
from spottui.domain.identity_facts import InterfaceRestored as InterfaceRestored
from spottui.domain.identity_facts import PrivateIpGivenUp as PrivateIpGivenUp
from spottui.domain.identity_facts import RecordsFound as RecordsFound
from spottui.domain.identity_facts import WeightKept as WeightKept
from spottui.domain.identity_facts import WeightRestored as WeightRestored
from spottui.domain.proof_facts import HookBegun as HookBegun
from spottui.domain.proof_facts import HookEnded as HookEnded
from spottui.domain.proof_facts import Probed as Probed
from spottui.domain.reasons import Failure, NextStep, Reason
from spottui.domain.recovery import AutoAnswer, Decision, ImageOf, Recovery, RecoveryState, Try
from spottui.domain.routes import Route


class PlanMade(FactBase, frozen=True, tag="plan"):
    """The plan was made: `image_s` is the expected image time, `digest` what is confirmed."""

    digest: str
    next_step: NextStep
    route: Route
    image_s: float
    name: str = ""


class PlanSurveyed(FactBase, frozen=True, tag="survey"):
    """The plan was surveyed: `next_step` is what a confirmation does first, `no_room` that all is sold out."""

    digest: str
    next_step: NextStep
    no_room: bool = False


class RouteChosen(FactBase, frozen=True, tag="route chosen"):
    """Another route was put first in the plan: by whom, or `why` by the recovery itself."""

    route: Route
    next_step: NextStep
    who: str = ""
    why: Verdict | None = None


class Decided(FactBase, frozen=True, tag="decision"):
    """A person or auto-mode confirmed the plan of that digest, vetoed it, or put it on hold."""

    decision: Decision
    who: str
    digest: str = ""


class CancelAsked(FactBase, frozen=True, tag="cancel"):
    """A person wants it to end at its next safe point."""

    who: str


class Retried(FactBase, frozen=True, tag="retry"):
    """Another run of a failed, cancelled or skipped recovery; without `who` it waits for a confirmation first."""

    run: int
    who: str = ""


class AutoAnswered(FactBase, frozen=True, tag="auto answer"):
    """Auto-mode's answer: the end of the veto window or the reason against it, and the added cost an hour.

    `again` means that only the cost has changed.
    """

    answer: AutoAnswer
    reason: Reason
    added_cost: float = 0.0
    veto_until: datetime | None = None
    again: bool = False


class DriverChanged(FactBase, frozen=True, tag="driver"):
    """A console drives the recovery from now on; with a lower `fence` nothing can be committed for it any more."""

    driver: str
    fence: int


class StateEntered(FactBase, frozen=True, tag="state"):
    """The recovery entered this state: why, and what comes next; `was` is the state before."""

    state: RecoveryState
    reason: Reason | None = None
    next_step: NextStep | None = None
    veto_until: datetime | None = None
    queued: int | None = None
    was: RecoveryState | None = None


class NextStepChanged(FactBase, frozen=True, tag="next"):
    """The next step changed within the same state; only for display."""

    next_step: NextStep | None = None
    reason: Reason | None = None
    queued: int | None = None
    image_s: float | None = None
    no_room: bool | None = None


class RouteLeft(FactBase, frozen=True, tag="route left"):
    """A route has become impossible; it and the `excluded` ones are not taken again in this run."""

    route: Route
    reason: Reason
    excluded: tuple[Route, ...] = ()


class RouteTaken(FactBase, frozen=True, tag="route taken"):
    """The recovery continues by this route, for a `reason` if it left another one."""

    route: Route
    reason: Reason | None = None


class EarlierImageTaken(FactBase, frozen=True, tag="earlier image"):
    """The replacement is launched from an earlier image of the instance, which was `made` then."""

    image_id: str
    made: datetime


class CallBegun(FactBase, frozen=True, tag="call begun"):
    """A mutating call is about to be made; with its ClientToken, if it has one, it can be repeated.

    `attempt` is the launch, `image_of` the source of an image, `target` the resource that is changed, and `who` the
    person who requested exactly this call.
    """

    action: str
    token: str = ""
    target: str = ""
    attempt: Try | None = None
    image_of: ImageOf | None = None
    who: str = ""


class CallAnswered(FactBase, frozen=True, tag="call answered"):
    """A call took effect: the resources that it made or changed, and the RequestId. `detail` is for people."""

    action: str
    token: str = ""
    request_id: str = ""
    resources: tuple[str, ...] = ()
    target: str = ""
    detail: str = ""


class CallFailed(FactBase, frozen=True, tag="call failed"):
    """A call failed; `next_try` is when it is repeated, if ever. `failure` says whether its effect is unknown."""

    action: str
    failure: Failure
    token: str = ""
    target: str = ""
    next_try: datetime | None = None


class LaunchRefused(FactBase, frozen=True, tag="launch refused"):
    """The launch with this token is settled: it made nothing, or `instance_id` was removed again."""

    token: str
    failure: Failure
    instance_id: str = ""


class ProgressSeen(FactBase, frozen=True, tag="progress"):
    """The progress of the image or a snapshot in percent; for an image also when it is expected, and the verdict."""

    progress: int
    image_id: str = ""
    forecast_at: datetime | None = None
    verdict: Verdict | None = None


class ProgressLost(FactBase, frozen=True, tag="progress lost"):
    """The image's progress is unknown since `since`."""

    since: datetime
    failure: Failure


class ProgressBack(FactBase, frozen=True, tag="progress back"):
    """The image's progress is known again."""


class ImageReady(FactBase, frozen=True, tag="image ready"):
    """The image is usable; it took so many seconds."""

    image_id: str
    seconds: float = 0.0


class ImageGivenUp(FactBase, frozen=True, tag="image given up"):
    """The image is abandoned: another one may be made."""

    image_id: str
    whole: bool = False
    """Whether this image had only the system disk, and the next one has all kept disks."""


class SnapshotsUsable(FactBase, frozen=True, tag="snapshots usable"):
    """Disks can be made of the snapshots of a group: pairs of disk and snapshot."""

    group_id: str
    snapshots: tuple[tuple[str, str], ...]


class DisksFree(FactBase, frozen=True, tag="disks free"):
    """The kept disks outlived the instance and are free."""


class PublicIpKept(FactBase, frozen=True, tag="public IP kept"):
    """The instance's public IP is an EIP now, which can be moved to the replacement."""

    address: str
    eip_id: str


class StartedAgain(FactBase, frozen=True, tag="started again"):
    """The instance itself was restarted: it is its own replacement."""


class Drained(FactBase, frozen=True, tag="drained"):
    """The result of the drain: the command's status, exit code and output, or why it did not run.

    With neither it was not finished after `seconds`; less than one second was too short to begin.
    """

    name: str
    status: str
    exit_code: int | None = None
    output: str = ""
    seconds: float = 0.0
    failure: Failure | None = None


class EarlierLine(FactBase, frozen=True, tag="earlier line"):
    """A line of a journal of version 2, whose facts were sentences: its kind, its words and the RequestId.

    `failed` says of a call that it did.
    """

    event: str
    text: str
    request_id: str = ""
    failed: bool = False


class CarriedOver(FactBase, frozen=True, tag="carried over"):
    """A recovery as a journal of version 2 held it: all that came before this is lines."""

    recovery: Recovery


Fact = (
    EarlierLine | CarriedOver | SignSeen | LockGone | Released | MessageSeen | PoisonSeen | SourceFailed | SourceAnswers
    | PlanMade | PlanSurveyed | RouteChosen | Decided | CancelAsked | Retried | AutoAnswered | Armed | NotArmed
    | Disarmed | DriverChanged | StateEntered | NextStepChanged | RouteLeft | RouteTaken | EarlierImageTaken | CallBegun
    | CallAnswered | CallFailed | LaunchRefused | ProgressSeen | ProgressLost | ProgressBack | ImageReady | ImageGivenUp
    | DisksFree | StartedAgain | Drained | SnapshotsUsable | PublicIpKept | BackendsFound | BackendChanging | WeightKept
    | WeightRestored | BackendServes | Probed | HookBegun | HookEnded | ReadyCallAnswered | BeyondCap | DisksProtected
    | ProtectionUndone | OutputLost | PrivateIpGivenUp | RecordsFound | PricesSeen | InterfaceRestored
)  # fmt: skip


QUIET = (
    CarriedOver, PlanMade, PlanSurveyed, DriverChanged, NextStepChanged, RouteLeft, CallBegun, LaunchRefused,
    ProgressSeen, ImageReady, ImageGivenUp, DisksFree, StartedAgain, LockGone, BackendsFound, BackendChanging,
    WeightRestored, HookBegun, ReadyCallAnswered, SnapshotsUsable, PublicIpKept, RecordsFound, PricesSeen,
    InterfaceRestored,
)  # fmt: skip
"""Facts that are in the log but not in the feed: redundant, or of no interest to people."""

WAKES = (SignSeen, LockGone, Released, Decided, CancelAsked, RouteChosen, PlanSurveyed, Retried)
"""What comes from somebody else than the recovery's own task, which looks at once when it waits."""

NOBODY: Mapping[str, Sequence[str]] = MappingProxyType({})
"""No instance id for any word of a search in the log."""


class Logged(Struct, frozen=True, gc=False):
    """A fact in the log: `seq` grows by one with each; ids are empty if it belongs to no instance or recovery."""

    seq: int
    at: datetime
    fact: Fact
    region: str = ""
    instance_id: str = ""
    recovery_id: str = ""
