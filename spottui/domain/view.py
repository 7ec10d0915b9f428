"""What the desk shows at one moment: immutable, and all that a screen or a command reads."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

import msgspec

from spottui.domain.background import FleetBackground
from spottui.domain.facts import Logged, Stopped
from spottui.domain.instance import Instance
from spottui.domain.interruption import EVENT_GRACE_S, Interruption
from spottui.domain.plan import Plan
from spottui.domain.playback import Pace
from spottui.domain.reasons import Failure
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.region_key import DEFAULT_ACCOUNT, region_id, shown_account

ROWS_SHOWN = 200
"""The newest recoveries are on the screen, and of an instance so many entries of its history."""
STALE_AFTER_INTERVALS = 3.0


class SourceHealth(msgspec.Struct, frozen=True, gc=False):
    """How fresh one source of one region is: `queue`, `lock` or `sweep`.

    `failure` is why it gives no answer now, and `next_try` says when it is asked again.
    """

    name: str
    region: str
    interval_s: float
    last_ok: datetime | None = None
    failure: Failure | None = None
    next_try: datetime | None = None

    def age_s(self, now: datetime) -> float | None:
        """Seconds since the last good answer, or None when there was none."""
        return None if self.last_ok is None else max((now - self.last_ok).total_seconds(), 0.0)

    def is_stale(self, now: datetime) -> bool:
        """Whether the last good answer is older than three intervals, or never came and an error did."""
        age_s = self.age_s(now)
        return self.failure is not None if age_s is None else age_s > STALE_AFTER_INTERVALS * self.interval_s


class AutoMode(msgspec.Struct, frozen=True, gc=False):
    """Whether auto-mode may launch by itself, its limits, and what stopped it if it was disarmed.

    `who` armed or disarmed it, and `since` when. `waiting` recoveries are in line for a place, `last_hour` were
    confirmed by auto-mode; what those cost an hour more is `added_cost_per_hour`, and the ceiling is 0 for none.
    `resting` names the places where its replacements fail, and until when it goes nowhere else than around them. Where
    there are several accounts, the numbers are sums over them, and `by_account` has each by its name.
    """

    armed: bool
    in_flight: int
    max_at_once: int
    max_per_hour: int
    veto_window_s: float
    stopped: Stopped | None = None
    who: str = ""
    since: datetime | None = None
    waiting: int = 0
    last_hour: int = 0
    added_cost_per_hour: float = 0.0
    max_added_cost_per_hour: float = 0.0
    resting: tuple[tuple[str, datetime], ...] = ()
    by_account: tuple[tuple[str, "AutoMode"], ...] = ()


def in_all(by_account: tuple[tuple[str, AutoMode], ...]) -> AutoMode:
    """Return auto-mode over all accounts, of which there is at least one: the limits hold in each for itself."""
    (_, first), *others = by_account
    if not others:
        return first
    every = [auto for _, auto in by_account]
    ceilings = [auto.max_added_cost_per_hour for auto in every]
    return msgspec.structs.replace(
        first,
        in_flight=sum(auto.in_flight for auto in every),
        max_at_once=sum(auto.max_at_once for auto in every),
        max_per_hour=sum(auto.max_per_hour for auto in every),
        waiting=sum(auto.waiting for auto in every),
        last_hour=sum(auto.last_hour for auto in every),
        added_cost_per_hour=sum(auto.added_cost_per_hour for auto in every),
        max_added_cost_per_hour=sum(ceilings) if all(ceilings) else 0.0,
        by_account=by_account,
    )


class ApiBudget(msgspec.Struct, frozen=True, gc=False):
    """An API of a region that is closed after a throttle, slower than usual since one, or waited for.

    `rate` is in calls a second; nothing is sent before `closed_until`.
    """

    action: str
    region: str
    closed_until: datetime | None
    rate: float
    waiting: int


class LiveConsole(msgspec.Struct, frozen=True, gc=False):
    """A console that acts on the journal: its id, as recoveries name their driver, its host and process, since when.

    `answers` is False for one that holds its place and has not been heard of for seconds: a stopped process, say.
    `unread` names the stream that it prints to and nobody reads, where `status` looked for that.
    """

    id: str
    host: str
    pid: int
    since: datetime
    answers: bool = True
    unread: str = ""


class DeskView(msgspec.Struct, frozen=True, gc=False):
    """Everything on the desk; `version` grows with every change, objects that did not change are the same objects.

    `instances` holds the spot instances and those under reclaim; those of the regions `unswept` are as an earlier run
    saw them. `gone` are instances of recoveries that are not listed any more, as they were. `events` holds the newest
    facts of the feed, oldest first; `starting` is true until the journal and the SDKs are up; `budgets` are the APIs
    that hold something up; `replay` is how the past is played, None for what is now. `consoles` are those that act on
    this journal, and `own` is the id of this one. `plans` are the plans of recoveries that are at hand, by recovery id.
    `fleet_background` is None until somebody looked around the fleet (`Desk.look_around`). `accounts` are the names of
    all accounts, none where the configuration has none. A view that is `narrowed` to an `account` holds only what is of
    that one; `elsewhere` are then the recoveries of the others.
    """

    version: int
    at: datetime
    profile: str
    regions: tuple[str, ...]
    auto: AutoMode
    read_only: bool
    starting: bool
    sources: tuple[SourceHealth, ...]
    instances: tuple[Instance, ...]
    interruptions: tuple[Interruption, ...]
    recoveries: tuple[Recovery, ...]
    events: tuple[Logged, ...]
    problem: str = ""
    budgets: tuple[ApiBudget, ...] = ()
    unswept: tuple[str, ...] = ()
    gone: tuple[Instance, ...] = ()
    replay: Pace | None = None
    consoles: tuple[LiveConsole, ...] = ()
    own: str = ""
    plans: Mapping[str, Plan] = msgspec.field(default_factory=dict)
    fleet_background: FleetBackground | None = None
    accounts: tuple[str, ...] = ()
    account: str = ""
    elsewhere: tuple[Recovery, ...] = ()

    @property
    def region_ids(self) -> tuple[str, ...]:
        """The regions as the cloud names them, each once."""
        return tuple(dict.fromkeys(region_id(key) for key in self.regions))


def is_of(region: str, account: str) -> bool:
    """Whether a region key belongs to an account of `DeskView.accounts`; with an empty name all do."""
    return not account or shown_account(region) == account


class _OfRegion(Protocol):
    @property
    def region(self) -> str: ...


R = TypeVar("R", bound=_OfRegion)


def narrowed(view: DeskView, account: str) -> DeskView:
    """Return what a view holds of one account, by its name in `DeskView.accounts`; all of it for an empty name."""
    if not account:
        return view

    def own(rows: Iterable[R]) -> tuple[R, ...]:
        return tuple(row for row in rows if not row.region or is_of(row.region, account))

    def keys(regions: Iterable[str]) -> tuple[str, ...]:
        return tuple(key for key in regions if is_of(key, account))

    recoveries, autos = own(view.recoveries), {name or DEFAULT_ACCOUNT: auto for name, auto in view.auto.by_account}
    kept = {recovery.recovery_id for recovery in recoveries}
    return msgspec.structs.replace(
        view,
        account=account,
        regions=keys(view.regions),
        unswept=keys(view.unswept),
        auto=autos.get(account, view.auto),
        sources=own(view.sources),
        instances=own(view.instances),
        gone=own(view.gone),
        interruptions=own(view.interruptions),
        recoveries=recoveries,
        elsewhere=tuple(recovery for recovery in view.recoveries if recovery.recovery_id not in kept),
        events=own(view.events),
        budgets=own(view.budgets),
    )


def interruptions_of(
    recoveries: Iterable[Recovery], locks: Iterable[Interruption], now: datetime
) -> tuple[Interruption, ...]:
    """Return the reclaims of recoveries, newest first, and those known only from `locks` of a read-only watch."""
    reclaims = sorted((recovery.interruption for recovery in recoveries), key=lambda each: each.epoch, reverse=True)
    told = {
        (reclaim.region, reclaim.instance_id)
        for reclaim in reclaims
        if reclaim.unlocked_at is None and reclaim.over_at > now
    }
    return (*reclaims, *(lock for lock in locks if (lock.region, lock.instance_id) not in told))


def open_reclaims(view: DeskView) -> tuple[Interruption, ...]:
    """Return the newest interruption of each instance while it is in progress, oldest first.

    That is until its lock is seen gone or, without an open recovery, until a minute past the deadline: the view also
    holds past ones.
    """
    at_work = {recovery.recovery_id for recovery in view.recoveries if not recovery.state.is_final}
    newest: dict[tuple[str, str], Interruption] = {}
    for reclaim in sorted(view.interruptions, key=lambda reclaim: reclaim.epoch):
        newest[reclaim.region, reclaim.instance_id] = reclaim
    grace = timedelta(seconds=EVENT_GRACE_S)
    return tuple(
        reclaim
        for reclaim in newest.values()
        if reclaim.unlocked_at is None and (reclaim.id in at_work or view.at < reclaim.deadline + grace)
    )


def replacements(view: DeskView) -> dict[str, str]:
    """Return the new instance of each reclaim that is recovered, by the reclaim's id."""
    return {
        recovery.recovery_id: recovery.new_instance_id
        for recovery in view.recoveries
        if recovery.state is RecoveryState.RECOVERED and recovery.new_instance_id
    }
