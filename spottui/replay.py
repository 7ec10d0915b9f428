"""The desk of a replay: it shows a stretch of the journal as it was at each moment of a playback, and never acts."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import accumulate
from typing import Any, NoReturn

from spottui.domain.as_of import interruption_as_of, recovery_as_of
from spottui.domain.audit import Entry
from spottui.domain.background import Background, Found
from spottui.domain.feed import NOBODY, Event, EventKind
from spottui.domain.history import InstanceRecord, Past
from spottui.domain.instance import Instance, InstanceStatus
from spottui.domain.interruption import Interruption
from spottui.domain.plan import Plan
from spottui.domain.playback import Playback
from spottui.domain.recovery import Decision, Recovery
from spottui.domain.refusal import Refused
from spottui.domain.settings import Settings
from spottui.domain.view import AutoMode, DeskView
from spottui.journal import Journal
from spottui.journal.footage import Footage, Scene

EVENTS_SHOWN = 1000
PAST_SHOWN = 10_000
ROWS_SHOWN = 200

Stand = tuple[Interruption, Recovery]
"""A reclaim and its recovery at one moment."""


class Replay:
    """Reads like a `Desk`, at the moment of a playback; every command raises `Refused`. Thread-safe.

    `journal` is closed with it. Of what the journal does
    not keep over time, an instance's status say, it shows that it is not known; auto-mode's limits are those of now.
    """

    def __init__(self, settings: Settings, journal: Journal, footage: Footage, playback: Playback) -> None:
        self._settings = settings
        self._journal = journal
        self._footage = footage
        self._playback = playback
        # Threads read the clock before they write: a line can be numbered after one of a later time.
        self._event_times = list(accumulate((event.at for event in footage.events), max))

    def view(self) -> DeskView:
        """Return everything as it was at the moment of the playback."""
        version, pace, now = self._playback.version, self._playback.pace, self._playback.now()
        stands, events = self._stands(now), self._events(now)
        return DeskView(
            version=version,
            at=now,
            profile=self._settings.profile,
            regions=self._regions(),
            auto=self._auto(events, [recovery for _, recovery in stands]),
            read_only=True,
            starting=False,
            sources=(),
            instances=self._instances(stands, now),
            interruptions=tuple(reclaim for reclaim, _ in reversed(stands)),
            recoveries=tuple(sorted((one for _, one in stands), key=lambda one: (one.deadline, one.recovery_id))),
            events=events[-EVENTS_SHOWN:],
            replay=pace,
        )

    def wait(self, version: int, timeout_s: float) -> DeskView | None:
        """Wait until something is newer than `version` and return the view then; None after `timeout_s` s of now."""
        self._playback.wait(version, timeout_s)
        return self.view() if self._playback.version > version else None

    def plan(self, recovery_id: str) -> Plan | None:
        """Return the plan of a recovery, which the journal keeps as it was last."""
        return self._journal.recoveries.plan(recovery_id)

    def timeline(self, recovery_id: str) -> tuple[Entry, ...]:
        """Return what was known of a recovery by now, oldest first."""
        now = self._playback.now()
        return tuple(entry for entry in self._journal.audit.of(recovery_id) if entry.at and entry.at <= now)

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

    def background(self, region: str, instance_id: str) -> Background | None:
        """Return that nothing is known around an instance."""
        return Background(Found(problem=_ASKS_NOTHING), Found(problem=_ASKS_NOTHING), Found(problem=_ASKS_NOTHING))

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
    ) -> tuple[Event, ...]:
        """Return lines of the feed until now that hold every word, by their numbers (`Events.find`)."""
        events = self._events(self._now())
        last = events[-1].seq if events else 0
        bound = None if below is None else min(below, last + 1)
        found = self._journal.events.find(words, limit, above=above, below=bound, named=named)
        return tuple(event for event in found if event.seq <= last)

    def events_kept(self) -> int:
        """Return how many lines of the feed there are."""
        return self._journal.events.count()

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()

    def refuse(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse a command."""
        raise Refused("This is a replay of what was: nothing can be done in it.")

    plan_for = confirm = retry = recover = veto = hold = cancel = arm = disarm = look_now = refuse

    def _now(self) -> datetime:
        return self._playback.now()

    def _stands(self, now: datetime) -> list[Stand]:
        return [stand for scene in self._footage.scenes if (stand := _stand(scene, now))]

    def _events(self, now: datetime) -> tuple[Event, ...]:
        return self._footage.events[: bisect_right(self._event_times, now)]

    def _regions(self) -> tuple[str, ...]:
        configured = (region.id for region in self._settings.regions)
        return tuple(dict.fromkeys((*configured, *(scene.interruption.region for scene in self._footage.scenes))))

    def _instances(self, stands: Sequence[Stand], now: datetime) -> tuple[Instance, ...]:
        reclaims = {(one.region, one.instance_id): one for one, _ in stands}
        still_to_come = {scene.recovery.new_instance_id for scene in self._footage.scenes}
        still_to_come -= {recovery.new_instance_id for _, recovery in stands}
        still_to_come -= {reclaim.instance_id for reclaim, _ in stands}
        seen = ((one, reclaims.get((one.region, one.instance_id))) for one in self._footage.instances)
        return tuple(
            _instance(one, reclaim)
            for one, reclaim in seen
            if one.instance_id not in still_to_come and _was_there(one, reclaim, now)
        )

    def _auto(self, events: Sequence[Event], recoveries: Sequence[Recovery]) -> AutoMode:
        policy = self._settings.policy
        said = next((event for event in reversed(events) if _says_auto_mode(event)), None)
        under_way = (one for one in recoveries if one.decision is Decision.CONFIRM and not one.state.is_final)
        return AutoMode(
            armed=said is not None and said.text.startswith(_ARMED),
            in_flight=sum(1 for _ in under_way),
            max_at_once=policy.max_at_once,
            max_per_hour=policy.max_per_hour,
            veto_window_s=policy.veto_window_s,
        )

    def _until_now(self, past: Sequence[Past]) -> tuple[Past, ...]:
        now = self._now()
        scenes = {scene.recovery.recovery_id: scene for scene in self._footage.scenes}
        begun = (one for one in past if one.interruption.first_seen <= now)
        return tuple(self._as_of(one, scenes.get(one.recovery.recovery_id), now) for one in begun)

    def _as_of(self, past: Past, scene: Scene | None, now: datetime) -> Past:
        stand = _stand(scene, now) if scene else None
        return Past.of(*stand, self.plan(past.recovery.recovery_id)) if stand else past


_ASKS_NOTHING = "a replay asks the cloud nothing"
_ARMED, _DISARMED = "auto-mode armed", "auto-mode disarmed"


def _says_auto_mode(event: Event) -> bool:
    return event.kind is EventKind.AUTO and event.text.startswith((_ARMED, _DISARMED))


def _stand(scene: Scene, now: datetime) -> Stand | None:
    reclaim = interruption_as_of(scene.interruption, scene.audit, scene.seen_again, now)
    if reclaim is None:
        return None
    recovery = recovery_as_of(scene.recovery, scene.audit, scene.outlooks, reclaim.deadline, now)
    return (reclaim, recovery) if recovery else None


def _was_there(instance: Instance, reclaim: Interruption | None, now: datetime) -> bool:
    is_spot = instance.is_spot or reclaim is not None
    is_gone = reclaim is not None and reclaim.released_at is not None and reclaim.released_at <= now
    return is_spot and not is_gone and (instance.created is None or instance.created <= now)


def _instance(instance: Instance, reclaim: Interruption | None) -> Instance:
    is_locked = reclaim is not None and reclaim.locked and reclaim.unlocked_at is None
    return replace(instance, status=InstanceStatus.UNKNOWN, recycling=is_locked)
