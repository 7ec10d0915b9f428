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
from spottui.domain.fact_base import FactBase as _Fact
from spottui.domain.forecast import Verdict
from spottui.domain.identity_facts import BackendChanging as BackendChanging
from spottui.domain.identity_facts import BackendServes as BackendServes
from spottui.domain.identity_facts import BackendsFound as BackendsFound
from spottui.domain.identity_facts import InterfaceRestored as InterfaceRestored
from spottui.domain.identity_facts import PrivateIpGivenUp as PrivateIpGivenUp
from spottui.domain.identity_facts import RecordsFound as RecordsFound
from spottui.domain.identity_facts import WeightKept as WeightKept
from spottui.domain.identity_facts import WeightRestored as WeightRestored
from spottui.domain.interruption import Evidence
from spottui.domain.proof_facts import HookBegun as HookBegun
from spottui.domain.proof_facts import HookEnded as HookEnded
from spottui.domain.proof_facts import Probed as Probed
from spottui.domain.reasons import Failure, NextStep, Reason
from spottui.domain.recovery import AutoAnswer, Decision, ImageOf, Recovery, RecoveryState, Try
from spottui.domain.routes import Route


class SignSeen(_Fact, frozen=True, tag="sign"):
    """A source saw that an instance is being reclaimed: since `began`, until `deadline` as all signs together say.

    `again` counts the repeated signs so far, 0 for the first of its source. The first sign of all opens the recovery:
    it has the `epoch`, and the instance's `name` if known. `marks` are the letters of all signs, this one
    included (`Interruption.marks`). For a lock, `not_before` is when it was last looked for in vain (`Observation`).
    """

    source: Evidence
    began: datetime
    deadline: datetime
    own_deadline: datetime
    action: str = ""
    message_id: str = ""
    again: int = 0
    epoch: int = 0
    name: str = ""
    marks: str = ""
    not_before: datetime | None = None


class LockGone(_Fact, frozen=True, tag="lock gone"):
    """The cloud listed the instance without its lock, or it was restarted: the next lock is a new one."""


class Released(_Fact, frozen=True, tag="released"):
    """The instance is gone for good, since `released`."""

    released: datetime
    deadline: datetime | None = None


class MessageSeen(_Fact, frozen=True, tag="message"):
    """A queue message about something else; `name` is the event's, `text` includes its content, both untrusted.

    A reclaim for another console names its `unconfigured_region` or its `other_account`. `not_listed` counts reclaims
    of instances that the cloud does not list; `text` has the ids of the first.
    """

    name: str
    text: str = ""
    message_id: str = ""
    unconfigured_region: str = ""
    other_account: str = ""
    not_listed: int = 0


class PoisonSeen(_Fact, frozen=True, tag="poison"):
    """A queue message that cannot be read: why, and the kept part of its body; untrusted."""

    why: str
    message_id: str = ""
    body: str = ""
    length: int = 0


class SourceFailed(_Fact, frozen=True, tag="source failed"):
    """A source fails; written once until the cause changes."""

    source: str
    failure: Failure


class SourceAnswers(_Fact, frozen=True, tag="source answers"):
    """A source that failed answers again."""

    source: str


class PlanMade(_Fact, frozen=True, tag="plan"):
    """The plan was made: `image_s` is the expected image time, `digest` what is confirmed."""

    digest: str
    next_step: NextStep
    route: Route
    image_s: float
    name: str = ""


class PlanSurveyed(_Fact, frozen=True, tag="survey"):
    """The plan was surveyed: `next_step` is what a confirmation does first, `no_room` that all is sold out."""

    digest: str
    next_step: NextStep
    no_room: bool = False


class RouteChosen(_Fact, frozen=True, tag="route chosen"):
    """Another route was put first in the plan: by whom, or `why` by the recovery itself."""

    route: Route
    next_step: NextStep
    who: str = ""
    why: Verdict | None = None


class Decided(_Fact, frozen=True, tag="decision"):
    """A person or auto-mode confirmed the plan of that digest, vetoed it, or put it on hold."""

    decision: Decision
    who: str
    digest: str = ""


class CancelAsked(_Fact, frozen=True, tag="cancel"):
    """A person wants it to end at its next safe point."""

    who: str


class Retried(_Fact, frozen=True, tag="retry"):
    """Another run of a failed, cancelled or skipped recovery; without `who` it waits for a confirmation first."""

    run: int
    who: str = ""


class AutoAnswered(_Fact, frozen=True, tag="auto answer"):
    """Auto-mode's answer: the end of the veto window or the reason against it, and the added cost an hour.

    `again` means that only the cost has changed.
    """

    answer: AutoAnswer
    reason: Reason
    added_cost: float = 0.0
    veto_until: datetime | None = None
    again: bool = False


class DriverChanged(_Fact, frozen=True, tag="driver"):
    """A console drives the recovery from now on; with a lower `fence` nothing can be committed for it any more."""

    driver: str
    fence: int


class StateEntered(_Fact, frozen=True, tag="state"):
    """The recovery entered this state: why, and what comes next; `was` is the state before."""

    state: RecoveryState
    reason: Reason | None = None
    next_step: NextStep | None = None
    veto_until: datetime | None = None
    queued: int | None = None
    was: RecoveryState | None = None


class NextStepChanged(_Fact, frozen=True, tag="next"):
    """The next step changed within the same state; only for display."""

    next_step: NextStep | None = None
    reason: Reason | None = None
    queued: int | None = None
    image_s: float | None = None
    no_room: bool | None = None


class RouteLeft(_Fact, frozen=True, tag="route left"):
    """A route has become impossible; it and the `excluded` ones are not taken again in this run."""

    route: Route
    reason: Reason
    excluded: tuple[Route, ...] = ()


class RouteTaken(_Fact, frozen=True, tag="route taken"):
    """The recovery continues by this route, for a `reason` if it left another one."""

    route: Route
    reason: Reason | None = None


class EarlierImageTaken(_Fact, frozen=True, tag="earlier image"):
    """The replacement is launched from an earlier image of the instance, which was `made` then."""

    image_id: str
    made: datetime


class CallBegun(_Fact, frozen=True, tag="call begun"):
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


class CallAnswered(_Fact, frozen=True, tag="call answered"):
    """A call took effect: the resources that it made or changed, and the RequestId. `detail` is for people."""

    action: str
    token: str = ""
    request_id: str = ""
    resources: tuple[str, ...] = ()
    target: str = ""
    detail: str = ""


class CallFailed(_Fact, frozen=True, tag="call failed"):
    """A call failed; `next_try` is when it is repeated, if ever. `failure` says whether its effect is unknown."""

    action: str
    failure: Failure
    token: str = ""
    target: str = ""
    next_try: datetime | None = None


class LaunchRefused(_Fact, frozen=True, tag="launch refused"):
    """The launch with this token is settled: it made nothing, or `instance_id` was removed again."""

    token: str
    failure: Failure
    instance_id: str = ""


class ProgressSeen(_Fact, frozen=True, tag="progress"):
    """The progress of the image or a snapshot in percent; for an image also when it is expected, and the verdict."""

    progress: int
    image_id: str = ""
    forecast_at: datetime | None = None
    verdict: Verdict | None = None


class ProgressLost(_Fact, frozen=True, tag="progress lost"):
    """The image's progress is unknown since `since`."""

    since: datetime
    failure: Failure


class ProgressBack(_Fact, frozen=True, tag="progress back"):
    """The image's progress is known again."""


class ImageReady(_Fact, frozen=True, tag="image ready"):
    """The image is usable; it took so many seconds."""

    image_id: str
    seconds: float = 0.0


class ImageGivenUp(_Fact, frozen=True, tag="image given up"):
    """The image is abandoned: another one may be made."""

    image_id: str
    whole: bool = False
    """It was of only the system disk, and the next one is of all kept disks."""


class SnapshotsUsable(_Fact, frozen=True, tag="snapshots usable"):
    """Disks can be made of the snapshots of a group: pairs of disk and snapshot."""

    group_id: str
    snapshots: tuple[tuple[str, str], ...]


class DisksFree(_Fact, frozen=True, tag="disks free"):
    """The kept disks outlived the instance and are free."""


class PublicIpKept(_Fact, frozen=True, tag="public IP kept"):
    """The instance's public IP is an EIP now, which can be moved to the replacement."""

    address: str
    eip_id: str


class StartedAgain(_Fact, frozen=True, tag="started again"):
    """The instance itself was restarted: it is its own replacement."""


class Drained(_Fact, frozen=True, tag="drained"):
    """The result of the drain: the command's status, exit code and output, or why it did not run.

    With neither it was not finished after `seconds`; less than one second was too short to begin.
    """

    name: str
    status: str
    exit_code: int | None = None
    output: str = ""
    seconds: float = 0.0
    failure: Failure | None = None


class EarlierLine(_Fact, frozen=True, tag="earlier line"):
    """A line of a journal of version 2, whose facts were sentences: its kind, its words and the RequestId.

    `failed` says of a call that it did.
    """

    event: str
    text: str
    request_id: str = ""
    failed: bool = False


class CarriedOver(_Fact, frozen=True, tag="carried over"):
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
"""What is in the log and not in the feed: another fact says it, or nobody reads it."""

WAKES = (SignSeen, LockGone, Released, Decided, CancelAsked, RouteChosen, PlanSurveyed, Retried)
"""What comes from somebody else than the recovery's own task, which looks at once when it waits."""

NOBODY: Mapping[str, Sequence[str]] = MappingProxyType({})
"""No instance id for any word of a search in the log."""


class Logged(Struct, frozen=True, gc=False):
    """A fact as it stands in the log: `seq` grows by one with each, and ids are empty where it is about no one."""

    seq: int
    at: datetime
    fact: Fact
    region: str = ""
    instance_id: str = ""
    recovery_id: str = ""
