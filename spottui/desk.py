"""The desk: what a screen or a command reads, and the only thing through which it acts."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from spottui.domain.audit import Entry
from spottui.domain.background import Background
from spottui.domain.clock import Clock
from spottui.domain.feed import NOBODY, Event
from spottui.domain.history import InstanceRecord, Past
from spottui.domain.instance import Instance
from spottui.domain.interruption import Interruption
from spottui.domain.leftover import Leftover
from spottui.domain.plan import Plan, Route, by_route
from spottui.domain.recovery import Decision, Recovery, RecoveryState
from spottui.domain.refusal import Refused
from spottui.domain.settings import Settings
from spottui.domain.tokens import image_name
from spottui.domain.view import ApiBudget, DeskView
from spottui.journal import Journal
from spottui.recovery.engine import Engine
from spottui.recovery.janitor import Janitor
from spottui.recovery.preview import Previews
from spottui.recovery.work import Work
from spottui.watch.watch import Watch

EVENTS_SHOWN = 1000
ROWS_SHOWN = 200
PAST_SHOWN = 10_000
SETTLE_S = 0.05
VIEW_SHARE = 10
"""In a storm the next view waits so many times as long as the last one took."""


class Desk:
    """One console's view of everything and its commands. Thread-safe; commands raise `Refused` with words for people.

    `view` shows what is; `wait` blocks until there is something newer. A read-only desk refuses every command.
    """

    def __init__(
        self,
        settings: Settings,
        journal: Journal,
        watch: Watch,
        work: Work,
        engine: Engine,
        on_close: Callable[[], None],
        budgets: Callable[[], tuple[ApiBudget, ...]],
        *,
        read_only: bool,
    ) -> None:
        self._settings = settings
        self._journal = journal
        self._watch = watch
        self._work = work
        self._previews = Previews(work)
        self._janitor = Janitor(journal, work.regions, work.clock)
        self._engine = engine
        self._clock: Clock = work.clock
        self._on_close = on_close
        self._budgets = budgets
        self._read_only = read_only
        self._events: deque[Event] = deque(maxlen=EVENTS_SHOWN)
        self._reading = threading.Lock()
        self._written: _Written | None = None
        self._view_took_s = 0.0

    def view(self) -> DeskView:
        """Return everything as it is now."""
        version = self._journal.database.writes
        written = self._written_now()
        return DeskView(
            version=version,
            at=self._clock.now(),
            profile=self._settings.profile,
            regions=tuple(region.id for region in self._settings.regions),
            auto=self._work.guard.state(),
            read_only=self._read_only,
            starting=False,
            sources=self._watch.health.all(),
            instances=self._instances(written.recoveries),
            interruptions=self._with_locks_seen(written.interruptions),
            recoveries=written.recoveries,
            events=written.events,
            budgets=self._budgets(),
        )

    def wait(self, version: int, timeout_s: float) -> DeskView | None:
        """Wait until something is newer than `version`, at most `timeout_s` seconds; return the view, or None.

        Changes come in bursts, and what acts on a notice comes before what shows it: the view is taken a moment later.
        """
        if self._journal.database.wait(version, timeout_s) <= version:
            return None
        time.sleep(max(SETTLE_S, VIEW_SHARE * self._view_took_s))
        began = time.monotonic()
        view = self.view()
        self._view_took_s = time.monotonic() - began
        return view

    def plan(self, recovery_id: str) -> Plan | None:
        """Return the frozen plan of a recovery, or None while there is none."""
        return self._journal.recoveries.plan(recovery_id)

    def timeline(self, recovery_id: str) -> tuple[Entry, ...]:
        """Return all that is known of a recovery, oldest first: evidence, decisions, states, and every call."""
        return self._journal.audit.of(recovery_id)

    def record(self, region: str, instance_id: str) -> InstanceRecord:
        """Return what the journal remembers of an instance; asks no cloud."""
        captured = self._journal.fleet.get(region, instance_id)
        return InstanceRecord(
            captured.spec if captured else None,
            captured.details_at if captured else None,
            self._journal.image_timings.timing(captured.spec.main_category if captured else ""),
            self._journal.history.of(region, instance_id, ROWS_SHOWN),
        )

    def background(self, region: str, instance_id: str) -> Background | None:
        """Return what the cloud knows around an instance; None when no sweep has captured it. Asks the cloud."""
        captured = self._journal.fleet.get(region, instance_id)
        if captured is None or region not in self._work.regions:
            return None
        return asyncio.run(self._work.surveys.background(captured.spec))

    def past(self) -> tuple[Past, ...]:
        """Return the newest reclaims with what became of them, newest first."""
        return self._journal.history.newest(PAST_SHOWN)

    def find_events(
        self,
        words: Sequence[str],
        limit: int,
        *,
        above: int = 0,
        below: int | None = None,
        named: Mapping[str, Sequence[str]] = NOBODY,
    ) -> tuple[Event, ...]:
        """Return lines of the feed on disk that hold every word, by their numbers (`Events.find`)."""
        return self._journal.events.find(words, limit, above=above, below=below, named=named)

    def events_kept(self) -> int:
        """Return how many lines of the feed are on disk."""
        return self._journal.events.count()

    def plan_for(self, region: str, instance_id: str) -> Plan:
        """Return the plan that a recovery of this instance would have; may ask the cloud."""
        self._refuse_if_read_only()
        self._refuse_if_recovered(instance_id)
        return self._previews.show(region, instance_id)

    def confirm(self, recovery_id: str, digest: str, who: str, route: Route | None = None) -> None:
        """Say yes to exactly the plan that had this digest when it was read, with `route`, if given, put first in it.

        Yes and route are committed as one: who only looks at another route has changed nothing.
        """
        self._refuse_if_read_only()
        plan = self.plan(recovery_id)
        if plan is None or digest not in (plan.digest, plan.first_digest):
            raise Refused("The plan is not the one that was shown. Open it again.")
        self._decide(recovery_id, Decision.CONFIRM, who, route)

    def successors(self) -> int:
        """Return how many other consoles of this journal go on with the recoveries that this one leaves."""
        return self._engine.successors()

    def leftovers(self) -> tuple[Leftover, ...]:
        """Return what recoveries left behind that costs money; asks the cloud."""
        return self._janitor.leftovers()

    @property
    def storage_price(self) -> Mapping[str, float]:
        """What a GiB of a disk's category, or of a `snapshot`, costs a month as the configuration says."""
        return self._settings.storage_price

    def clean_up(self, resource_ids: Sequence[str], who: str) -> dict[str, str]:
        """Delete leftovers that may go; return what came of each: empty for gone, else why it is still there."""
        self._refuse_if_read_only()
        return dict(self._janitor.clean_up(resource_ids, who))

    def retry(self, recovery_id: str, digest: str, who: str) -> None:
        """Try again what came to nothing, with the plan of this digest: what was made is used, what failed is repeated.

        One that never had a plan waits for a yes again.
        """
        self._refuse_if_read_only()
        known = self._journal.recoveries.get(recovery_id)
        plan = self.plan(recovery_id)
        if known is None or (plan and digest not in (plan.digest, plan.first_digest)):
            raise Refused("The plan is not the one that was shown. Open it again.")
        self._refuse_if_recovered(known.instance_id)
        self._refuse_if_another_runs(known)
        decision = Decision.CONFIRM if plan else Decision.NONE
        reopened = self._journal.recoveries.reopen(recovery_id, decision, who if plan else "", self._clock.now())
        if reopened is None:
            raise Refused("Only a recovery that came to nothing can be tried again.")
        self._engine.begin_again(reopened)

    def recover(self, region: str, instance_id: str, digest: str, who: str, route: Route | None = None) -> str:
        """Recover an instance because an engineer says so, and return the recovery's id.

        By exactly the plan that had this digest when it was read, with `route`, if given, put first in it.
        """
        self._refuse_if_read_only()
        self._refuse_if_recovered(instance_id)
        plan = self._previews.shown(region, instance_id)
        if plan.digest != digest:
            raise Refused("The plan is not the one that was shown. Open it again.")
        if route:
            by_route(plan, route)
        recovery_id = self._watch.intake.engineer(region, instance_id).id
        own = replace(plan, image_name=image_name(recovery_id))
        self._journal.recoveries.set_plan(recovery_id, own, self._clock.now())
        self.confirm(recovery_id, digest, who, route)
        return recovery_id

    def veto(self, recovery_id: str, who: str) -> None:
        """Say no to a recovery that nobody has confirmed yet."""
        self._refuse_if_read_only()
        self._decide(recovery_id, Decision.VETO, who)

    def hold(self, recovery_id: str, who: str) -> None:
        """Keep auto-mode from a recovery; a person may still confirm it."""
        self._refuse_if_read_only()
        self._decide(recovery_id, Decision.HOLD, who)

    def cancel(self, recovery_id: str, who: str) -> None:
        """Cancel a running recovery at its next safe point."""
        self._refuse_if_read_only()
        known = self._journal.recoveries.get(recovery_id)
        if known and known.new_instance_id and not known.state.is_final:
            raise Refused(
                f"{known.new_instance_id} is launched already; stop or release it by hand if it is not wanted."
            )
        if not self._journal.recoveries.cancel(recovery_id, who, self._clock.now()):
            raise Refused("This recovery is over; there is nothing to cancel.")
        self._work.signals.wake(recovery_id)

    def arm(self, who: str) -> None:
        """Let auto-mode confirm by itself within its limits."""
        self._refuse_if_read_only()
        self._work.guard.arm(who)
        self._work.signals.wake_all()

    def disarm(self, who: str, reason: str) -> None:
        """Leave every confirmation to people."""
        self._refuse_if_read_only()
        self._work.guard.disarm(who, reason)
        self._work.signals.wake_all()

    def look_now(self) -> None:
        """Ask every source now instead of at its next turn; it changes nothing, so a read-only desk may."""
        self._watch.look_now()

    def close(self) -> None:
        """Stop watching. The process must end after this: recoveries under way go on at the next start."""
        self._watch.stop()
        self._on_close()

    def _decide(self, recovery_id: str, decision: Decision, who: str, route: Route | None = None) -> None:
        decided = self._journal.recoveries.decide(
            recovery_id, decision, who, self._clock.now(), only_if=_waits_for_a_word, route=route
        )
        if decided is None:
            raise Refused(
                "This recovery no longer waits for a yes or a no: x cancels it while it runs, r begins a new one."
            )
        self._work.signals.wake(recovery_id)

    def _refuse_if_read_only(self) -> None:
        if self._read_only:
            raise Refused("This console is read-only. Start spottui without --read-only to act.")

    def _refuse_if_recovered(self, instance_id: str) -> None:
        for known in self._journal.recoveries.latest(ROWS_SHOWN):
            # One that was started again itself can be reclaimed again.
            is_replaced = known.state is RecoveryState.RECOVERED and known.new_instance_id != instance_id
            if known.instance_id == instance_id and is_replaced:
                raise Refused(f"{instance_id} is recovered already: {known.new_instance_id} runs in its place.")

    def _refuse_if_another_runs(self, known: Recovery) -> None:
        for other in self._journal.recoveries.unfinished():
            if other.instance_id == known.instance_id and other.recovery_id != known.recovery_id:
                raise Refused(f"{known.instance_id} has another recovery under way: {other.state}.")

    def _instances(self, recoveries: tuple[Recovery, ...]) -> tuple[Instance, ...]:
        under_reclaim = {recovery.instance_id for recovery in recoveries if not recovery.state.is_final}
        return tuple(one for one in self._watch.instances if one.is_spot or one.instance_id in under_reclaim)

    def _with_locks_seen(self, known: tuple[Interruption, ...]) -> tuple[Interruption, ...]:
        """Those of the journal, and those that only the locks of a read-only watch speak of."""
        now = self._clock.now()
        told = {(one.region, one.instance_id) for one in known if one.unlocked_at is None and one.over_at > now}
        seen = (one for one in self._watch.locks if (one.region, one.instance_id) not in told)
        return (*known, *seen)

    def _written_now(self) -> "_Written":
        """Return what the journal holds, read again only when somebody has committed something."""
        with self._reading:
            commits = self._journal.database.commits()
            if self._written is None or self._written.commits != commits:
                seen = self._events[-1].seq if self._events else 0
                self._events.extend(self._journal.events.after(seen, EVENTS_SHOWN))
                self._written = _Written(
                    commits,
                    self._journal.recoveries.latest(ROWS_SHOWN),
                    self._journal.interruptions.latest(ROWS_SHOWN),
                    tuple(self._events),
                )
            return self._written


@dataclass(frozen=True, slots=True)
class _Written:
    """The newest rows of the journal as they were after so many commits."""

    commits: int
    recoveries: tuple[Recovery, ...]
    interruptions: tuple[Interruption, ...]
    events: tuple[Event, ...]


def _waits_for_a_word(recovery: Recovery) -> bool:
    return recovery.state.waits_for_permission and recovery.decision is not Decision.CONFIRM
