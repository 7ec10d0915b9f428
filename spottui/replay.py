"""The desk of a replay: it shows a stretch of the journal as it was at each moment of a playback, and never acts.

A recovery at a moment is the fold of its facts until then, so that what is seen is what was.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any, NoReturn

from msgspec.structs import replace

from spottui.domain.background import DAYS, Background, Found
from spottui.domain.facts import NOBODY, QUIET, Armed, Disarmed, EarlierLine, Logged
from spottui.domain.fold import apply
from spottui.domain.history import InstanceRecord, Past
from spottui.domain.instance import Instance, InstanceStatus
from spottui.domain.interruption import Interruption
from spottui.domain.plan import Plan
from spottui.domain.playback import Playback
from spottui.domain.recovery import Decision, Recovery
from spottui.domain.refusal import Refused
from spottui.domain.savings import Savings
from spottui.domain.settings import Settings
from spottui.domain.view import ROWS_SHOWN, AutoMode, DeskView
from spottui.journal import Journal
from spottui.journal.incidents import Incident
from spottui.journal.savings import savings_since
from spottui.words import search

BEFORE, AFTER = timedelta(seconds=5), timedelta(seconds=5)
EVENTS_BEFORE = 1000
EVENTS_SHOWN = 1000
PAST_SHOWN = 10_000
_SEEN_EACH = timedelta(hours=2)
"""A spec is written again every hour as long as its instance is there."""
_ASKS_NOTHING = "a replay makes no cloud calls"


@dataclass(slots=True)
class Scene:
    """One recovery with its facts, oldest first, and the state of the fold at the newest moment that was asked for."""

    recovery: Recovery
    facts: tuple[Logged, ...]
    _done: int = 0
    _stands: Recovery | None = None

    def at(self, now: datetime) -> Recovery | None:
        """Return the recovery as it stood at a moment, None before its first sign."""
        if self._done and self.facts[self._done - 1].at > now:
            self._done, self._stands = 0, None
        while self._done < len(self.facts) and self.facts[self._done].at <= now:
            fact = self.facts[self._done]
            if self._stands is not None or not isinstance(fact.fact, EarlierLine):
                self._stands = apply(self._stands, fact)
            self._done += 1
        return self._stands


@dataclass(slots=True)
class Footage:
    """A stretch of time: its recoveries, its feed after some of before, and the instances that were there."""

    began: datetime
    ended: datetime
    scenes: tuple[Scene, ...]
    events: tuple[Logged, ...]
    instances: tuple[Instance, ...] = field(default=())
    plans: Mapping[str, Plan] = field(default_factory=dict)

    @property
    def moments(self) -> tuple[datetime, ...]:
        """Every time of it at which something was written, its beginning and its end; in no order."""
        facts = (logged.at for group in (*(scene.facts for scene in self.scenes), self.events) for logged in group)
        return (self.began, *(at for at in facts if self.began < at < self.ended), self.ended)


def footage(journal: Journal, incident: Incident) -> Footage:
    """Return all of the journal between an incident's first sign and the last that happened of it.

    What comes long afterwards, the janitor's work say, is left out.
    """
    reclaim, recovery = incident.interruption, incident.recovery
    over = max(reclaim.over_at, recovery.ended or reclaim.over_at)
    last = max((logged.at for logged in incident.log if logged.at <= over), default=over)
    began, ended = reclaim.first_seen - BEFORE, max(last, recovery.ended or last) + AFTER
    recoveries = [recovery for recovery in journal.history.between(began, ended) if recovery.started <= ended]
    scenes = tuple(Scene(recovery, journal.log.of(recovery.recovery_id)) for recovery in recoveries)
    inside = tuple(logged for logged in journal.log.between(began, ended) if not isinstance(logged.fact, QUIET))
    older = journal.log.before(inside[0].seq if inside else journal.log.first_after(began), EVENTS_BEFORE)
    plans = {
        recovery.recovery_id: plan for recovery in recoveries if (plan := journal.recoveries.plan(recovery.recovery_id))
    }
    return Footage(began, ended, scenes, (*older, *inside), _instances(journal, began, plans.values()), plans)


def _instances(journal: Journal, began: datetime, plans: Iterable[Plan]) -> tuple[Instance, ...]:
    """Those of the fleet, and those under reclaim as their plans hold them: the fleet forgets in a week."""
    captured = (seen for seen in journal.fleet.all() if seen.seen_at >= began - _SEEN_EACH)
    instances = (*(seen.spec.instance for seen in captured), *(plan.spec.instance for plan in plans))
    return tuple({(instance.region, instance.instance_id): instance for instance in instances}.values())


class Replay:
    """Reads like a `Desk`, at the moment of a playback; every command raises `Refused`. Thread-safe for one reader.

    `journal` is closed with it. Of what the journal does not keep over time, an instance's status say, it shows that
    it is not known; auto-mode's limits are those of now.
    """

    def __init__(self, settings: Settings, journal: Journal, footage: Footage, playback: Playback) -> None:
        self._settings = settings
        self._journal = journal
        self._footage = footage
        self._playback = playback
        # Threads read the clock before they write: a fact can be numbered after one of a later time.
        self._event_times = list(accumulate((event.at for event in footage.events), max))

    def view(self) -> DeskView:
        """Return everything as it was at the moment of the playback."""
        version, pace, now = self._playback.version, self._playback.pace, self._playback.now()
        recoveries, events = self._recoveries(now), self._events(now)
        return DeskView(
            version=version,
            at=now,
            profile=self._settings.profile,
            regions=self._regions(),
            accounts=self._settings.shown_accounts,
            auto=self._auto(events, recoveries),
            read_only=True,
            starting=False,
            sources=(),
            instances=self._instances(recoveries, now),
            interruptions=tuple(recovery.interruption for recovery in reversed(recoveries)),
            recoveries=tuple(sorted(recoveries, key=lambda recovery: (recovery.deadline, recovery.recovery_id))),
            events=events[-EVENTS_SHOWN:],
            replay=pace,
            plans=self._footage.plans,
        )

    def wait(self, version: int, timeout_s: float) -> DeskView | None:
        """Wait until something is newer than `version` and return the view then; None after `timeout_s` s of now."""
        self._playback.wait(version, timeout_s)
        return self.view() if self._playback.version > version else None

    def plan(self, recovery_id: str) -> Plan | None:
        """Return the plan of a recovery, which the journal keeps as it was last."""
        return self._journal.recoveries.plan(recovery_id)

    def timeline(self, recovery_id: str) -> tuple[Logged, ...]:
        """Return what was known of a recovery by now, oldest first."""
        now = self._playback.now()
        return tuple(logged for logged in self._journal.log.of(recovery_id) if logged.at <= now)

    def record(self, region: str, instance_id: str) -> InstanceRecord:
        """Return what the journal remembers of an instance: its spec as it was seen last, its reclaims until now."""
        captured = self._journal.fleet.get(region, instance_id)
        return InstanceRecord(
            captured.spec if captured else None,
            captured.details_at if captured and (captured.details_at or self._footage.ended) <= self._now() else None,
            self._journal.image_timings.timing(captured.spec.main_category if captured else ""),
            self._until_now(self._journal.history.of(region, instance_id, ROWS_SHOWN)),
        )

    def past(self) -> tuple[Past, ...]:
        """Return the newest reclaims until now with what had become of them, newest first."""
        return self._until_now(self._journal.history.newest(PAST_SHOWN))

    def savings(self, account: str = "") -> Savings:
        """Return what spot had saved by now in the last `DAYS`, of one account or of all."""
        now = self._now()
        return savings_since(self._journal, now - timedelta(days=DAYS), now, account)

    def background(self, region: str, instance_id: str) -> Background | None:
        """Return that nothing is known around an instance."""
        return Background(Found(problem=_ASKS_NOTHING), Found(problem=_ASKS_NOTHING), Found(problem=_ASKS_NOTHING))

    def look_around(self) -> None:
        """Learn nothing: prices and rates of then are not in the journal."""

    def readiness(self) -> NoReturn:
        """Refuse: which images and snapshots there were then is not in the journal."""
        raise Refused(_ASKS_NOTHING)

    def successors(self) -> int:
        """Return that nobody goes on with a replay."""
        return 0

    def leftovers(self) -> NoReturn:
        """Refuse: what is there now is another question."""
        raise Refused(_ASKS_NOTHING)

    @property
    def storage_price(self) -> Mapping[str, float]:
        """What a GiB costs a month as the configuration says now."""
        return self._settings.storage_price

    def find_events(
        self,
        words: Sequence[str],
        limit: int,
        *,
        above: int = 0,
        below: int | None = None,
        named: Mapping[str, Sequence[str]] = NOBODY,
    ) -> tuple[Logged, ...]:
        """Return facts of the feed until now that hold every word, by their numbers (`Log.find`)."""
        events = self._events(self._now())
        last = events[-1].seq if events else 0
        bound = None if below is None else min(below, last + 1)
        loggeds = self._journal.log.find(search(words, named), limit, above=above, below=bound)
        return tuple(event for event in loggeds if event.seq <= last)

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()

    def refuse(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse a command."""
        raise Refused("This is a replay; nothing can be changed.")

    plan_for = deletion = delete_on_demand = carry_out = recover = arm = disarm = look_now = refuse

    def _now(self) -> datetime:
        return self._playback.now()

    def _recoveries(self, now: datetime) -> list[Recovery]:
        return [stands for scene in self._footage.scenes if (stands := scene.at(now))]

    def _events(self, now: datetime) -> tuple[Logged, ...]:
        return self._footage.events[: bisect_right(self._event_times, now)]

    def _regions(self) -> tuple[str, ...]:
        return tuple(
            dict.fromkeys((*self._settings.region_keys, *(scene.recovery.region for scene in self._footage.scenes)))
        )

    def _instances(self, recoveries: Sequence[Recovery], now: datetime) -> tuple[Instance, ...]:
        reclaims = {(recovery.region, recovery.instance_id): recovery.interruption for recovery in recoveries}
        still_to_come = {scene.recovery.new_instance_id for scene in self._footage.scenes}
        still_to_come -= {recovery.new_instance_id for recovery in recoveries} | {
            recovery.instance_id for recovery in recoveries
        }
        seen = (
            (instance, reclaims.get((instance.region, instance.instance_id))) for instance in self._footage.instances
        )
        return tuple(
            _instance(instance, reclaim)
            for instance, reclaim in seen
            if instance.instance_id not in still_to_come and _was_there(instance, reclaim, now)
        )

    def _auto(self, events: Sequence[Logged], recoveries: Sequence[Recovery]) -> AutoMode:
        policy = self._settings.policy
        said = next((logged.fact for logged in reversed(events) if isinstance(logged.fact, Armed | Disarmed)), None)
        return AutoMode(
            armed=isinstance(said, Armed),
            in_flight=sum(
                recovery.decision is Decision.CONFIRM and not recovery.state.is_final for recovery in recoveries
            ),
            max_at_once=policy.max_at_once,
            max_per_hour=policy.max_per_hour,
            veto_window_s=policy.veto_window_s,
        )

    def _until_now(self, past: Sequence[Past]) -> tuple[Past, ...]:
        now = self._now()
        scenes = {scene.recovery.recovery_id: scene for scene in self._footage.scenes}
        begun = (incident for incident in past if incident.interruption.first_seen <= now)
        return tuple(self._as_of(incident, scenes.get(incident.recovery.recovery_id), now) for incident in begun)

    def _as_of(self, past: Past, scene: Scene | None, now: datetime) -> Past:
        stands = scene.at(now) if scene else None
        return Past.of(stands, self.plan(stands.recovery_id)) if stands else past


def _was_there(instance: Instance, reclaim: Interruption | None, now: datetime) -> bool:
    is_spot = instance.is_spot or reclaim is not None
    is_gone = reclaim is not None and reclaim.released_at is not None and reclaim.released_at <= now
    return is_spot and not is_gone and (instance.created is None or instance.created <= now)


def _instance(instance: Instance, reclaim: Interruption | None) -> Instance:
    is_locked = reclaim is not None and reclaim.locked and reclaim.unlocked_at is None
    return replace(instance, status=InstanceStatus.UNKNOWN, recycling=is_locked)
