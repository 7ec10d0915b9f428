"""The desk: what a screen or a command reads, and the only thing through which it acts."""

import asyncio
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import TypeVar

from spottui.domain.background import DAYS, Background, FleetBackground
from spottui.domain.billed_resources import Leftover
from spottui.domain.clock import Clock
from spottui.domain.commands import ANOTHER_PLAN, Command, Confirm, refuse_if_replaced
from spottui.domain.facts import NOBODY, DriverChanged, Logged, OutputLost, PricesSeen, Stop, Stopped
from spottui.domain.history import InstanceRecord, Past
from spottui.domain.instance import Instance
from spottui.domain.interruption import Evidence, Observation
from spottui.domain.places import Offers, Pair, Price
from spottui.domain.plan import Plan, by_route
from spottui.domain.readiness import FleetReadiness
from spottui.domain.recovery import Recovery
from spottui.domain.refusal import Ended, Refused
from spottui.domain.routes import Route
from spottui.domain.savings import Savings
from spottui.domain.settings import Settings
from spottui.domain.view import ROWS_SHOWN, ApiBudget, DeskView, interruptions_of
from spottui.domain.way_back import Deletion
from spottui.journal import Journal
from spottui.journal.reclaims import Sighting, take_in
from spottui.journal.savings import savings_since
from spottui.journal.store import JournalProblem
from spottui.journal.transaction import Transaction
from spottui.journal.writer import Urgency
from spottui.recovery.context import Shared
from spottui.recovery.decisions import carry_out
from spottui.recovery.engine import Engine
from spottui.recovery.fleet_background import look_around
from spottui.recovery.janitor import Janitor
from spottui.recovery.on_demand_deletion import delete_on_demand, to_delete
from spottui.recovery.permission import set_plan_unless_known
from spottui.recovery.preview import Previews
from spottui.recovery.readiness import readiness_of_watched
from spottui.watch.watch import Watch
from spottui.words import search, stopped

T = TypeVar("T")

PAST_SHOWN = 10_000
SETTLE_S = 0.05
VIEW_SHARE = 10
"""In a storm the next view waits so many times as long as the last one took."""
LONGEST_PAUSE_S = 1.0
"""A view in which the process was stopped, or the host slept, seems to take as long: the next comes all the same."""
PRICES_EVERY_S = 3600.0
"""The prices of the fleet are recorded so often at most."""
PATIENCE_S = 10.0
"""A person's command is dropped if it cannot be written within this time."""


def pause_s(view_took_s: float) -> float:
    """Return how long to wait before the next view, given how long the last one took."""
    return min(max(SETTLE_S, VIEW_SHARE * view_took_s), LONGEST_PAUSE_S)


class Desk:
    """One console's view of everything and its commands. Thread-safe; commands raise `Refused` with words for people.

    `view` shows what is; `wait` blocks until there is something newer; both raise `Ended` once the journal is broken.
    A read-only desk refuses every command.
    """

    def __init__(
        self,
        settings: Settings,
        shared: Shared,
        watch: Watch,
        engine: Engine,
        on_close: Callable[[], None],
        budgets: Callable[[], tuple[ApiBudget, ...]],
        *,
        read_only: bool,
    ) -> None:
        self._settings = settings
        self._shared = shared
        self._journal: Journal = shared.journal
        self._watch = watch
        self._previews = Previews(shared)
        self._janitor = Janitor(shared.journal, shared.regions, shared.clock, settings)
        self._engine = engine
        self._clock: Clock = shared.clock
        self._on_close = on_close
        self._budgets = budgets
        self._read_only = read_only
        self._view_took_s = 0.0
        self._last_seen: dict[str, Instance] = {}
        self._fleet_background: FleetBackground | None = None
        self._prices_recorded_at = -math.inf

    def view(self) -> DeskView:
        """Return everything as it is now."""
        journal, version = self._journal, self._journal.version
        if journal.writer.broken:
            raise Ended(journal.writer.broken)
        recoveries = journal.recoveries.latest(ROWS_SHOWN)
        instances = self._instances(recoveries)
        return DeskView(
            version=version,
            at=self._clock.now(),
            profile=self._settings.profile,
            regions=self._settings.region_keys,
            accounts=self._settings.shown_accounts,
            auto=self._shared.auto_mode.state(),
            read_only=self._read_only,
            starting=False,
            sources=self._watch.health.all(),
            instances=instances,
            unswept=self._watch.unswept,
            gone=self._gone(recoveries, instances),
            interruptions=interruptions_of(recoveries, self._watch.locks, self._clock.now()),
            recoveries=recoveries,
            events=tuple(journal.recoveries.feed),
            problem=f"journal: {journal.writer.problem}" if journal.writer.problem else "",
            budgets=self._budgets(),
            consoles=journal.consoles.living(),
            own=journal.consoles.own,
            plans=journal.recoveries.known_plans(recoveries),
            fleet_background=self._fleet_background,
        )

    def wait(self, version: int, timeout_s: float) -> DeskView | None:
        """Wait until something is newer than `version`, at most `timeout_s` seconds; return the view, or None.

        Changes come in bursts, and what acts on a notice comes before what shows it: the view is taken a moment later.
        """
        if self._journal.wait(version, timeout_s) <= version:
            return None
        time.sleep(pause_s(self._view_took_s))
        began = time.monotonic()
        view = self.view()
        self._view_took_s = time.monotonic() - began
        return view

    def plan(self, recovery_id: str) -> Plan | None:
        """Return the frozen plan of a recovery, or None while there is none."""
        return self._journal.recoveries.plan(recovery_id)

    def timeline(self, recovery_id: str) -> tuple[Logged, ...]:
        """Return all that is known of a recovery, oldest first: evidence, decisions, states, and every call."""
        return self._journal.log.of(recovery_id)

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
        if captured is None or region not in self._shared.regions:
            return None
        return asyncio.run(self._shared.surveys.background(captured.spec))

    def look_around(self) -> None:
        """Learn what the fleet costs and risks, for the views that follow. Asks the cloud; takes seconds."""
        self._fleet_background = look_around(self._shared, self._watch.instances, self._fleet_background)
        self._record_prices(self._fleet_background.prices)

    def savings(self, account: str = "") -> Savings:
        """Return what spot saved against on-demand in the last `DAYS`, of one account or of all; asks no cloud."""
        now = self._clock.now()
        return savings_since(self._journal, now - timedelta(days=DAYS), now, account)

    def readiness(self) -> FleetReadiness:
        """Return how each spot instance would come back if its notice came now. Asks the cloud."""
        shared, now = self._shared, self._clock.now()
        return readiness_of_watched(self._settings, self._journal, shared.regions, self._watch.instances, now)

    def past(self) -> tuple[Past, ...]:
        """Return the newest reclaims with their outcomes, newest first."""
        return self._journal.history.newest(PAST_SHOWN)

    def find_events(
        self,
        words: Sequence[str],
        limit: int,
        *,
        above: int = 0,
        below: int | None = None,
        named: Mapping[str, Sequence[str]] = NOBODY,
    ) -> tuple[Logged, ...]:
        """Return facts of the feed that hold every word, by their numbers (`Log.find`)."""
        return self._journal.log.find(search(words, named), limit, above=above, below=below)

    def plan_for(self, region: str, instance_id: str, *, to_spot: bool = False) -> Plan:
        """Return the plan that a recovery of this instance would have; may ask the cloud.

        With `to_spot` it takes an on-demand replacement back to spot.
        """
        self._refuse_if_read_only()
        self._refuse_if_replaced(region, instance_id)
        return self._previews.show(region, instance_id, to_spot=to_spot)

    def deletion(self, region: str, instance_id: str) -> Deletion:
        """Return what deletes an on-demand instance after its way back; raises `Refused`. Asks the cloud."""
        self._refuse_if_read_only()
        return to_delete(self._shared, region, instance_id)

    def delete_on_demand(self, region: str, instance_id: str, who: str) -> None:
        """Delete an on-demand instance after its way back, once every condition has been checked again."""
        self._refuse_if_read_only()
        with self._in_words():
            delete_on_demand(self._shared, region, instance_id, who)

    def carry_out(self, recovery_id: str, command: Command, who: str) -> None:
        """Commit what a person says about a recovery; the engine hears of it from the log."""
        self._commit(lambda transaction: self._decide(transaction, recovery_id, command, who))

    def successors(self) -> int:
        """Return how many other consoles of this journal would continue this one's recoveries."""
        return self._engine.successors()

    def leftovers(self) -> tuple[Leftover, ...]:
        """Return what recoveries left behind that costs money; asks the cloud."""
        return self._janitor.leftovers()

    @property
    def storage_price(self) -> Mapping[str, float]:
        """What a GiB of a disk's category, or of a `snapshot`, costs a month as the configuration says."""
        return self._settings.storage_price

    def clean_up(self, resource_ids: Sequence[str], who: str) -> dict[str, str]:
        """Delete leftovers that may be deleted; return by id an empty text if it is gone, else why it remains."""
        self._refuse_if_read_only()
        return dict(self._janitor.clean_up(resource_ids, who))

    def recover(self, region: str, instance_id: str, digest: str, who: str, route: Route | None = None) -> str:
        """Recover an instance because an engineer says so, and return the recovery's id.

        By exactly the plan that had this digest when it was read, with `route`, if given, put first in it.
        """
        self._refuse_if_read_only()
        plan = self._previews.shown(region, instance_id)
        if plan.digest != digest:
            raise Refused(ANOTHER_PLAN)
        if route:
            by_route(plan, route)
        return self._commit(partial(self._begin, plan, who, route))

    def arm(self, who: str) -> None:
        """Let auto-mode confirm by itself within its limits."""
        self._refuse_if_read_only()
        with self._in_words():
            self._shared.auto_mode.arm(who, stopped)
        self._engine.wake_all()

    def disarm(self, who: str) -> None:
        """Leave every confirmation to people."""
        self._refuse_if_read_only()
        with self._in_words():
            self._shared.auto_mode.disarm(who, Stopped(Stop.PERSON, who))
        self._engine.wake_all()

    def note_output(self, unread: str) -> None:
        """Record that a stream of this console has no reader; an empty name means that it has one again.

        A read-only desk writes nothing.
        """
        if self._read_only:
            return
        journal, now = self._shared.journal, self._shared.clock.now()
        fact = OutputLost(journal.consoles.own, unread)
        journal.submit(lambda transaction: transaction.log(fact, now), Urgency.EYES)

    def look_now(self) -> None:
        """Ask every source now instead of at its next turn; it changes nothing, so a read-only desk may."""
        self._watch.look_now()

    def close(self) -> None:
        """Stop watching and driving: recoveries in progress continue at the next start, or on another console."""
        self._on_close()
        self._watch.stop()
        self._engine.stop()
        self._journal.close()

    def _begin(self, plan: Plan, who: str, route: Route | None, transaction: Transaction) -> str:
        """Open the recovery that an engineer asks for, or take the open one, with its plan and a yes, as one."""
        old, now, own = plan.spec.instance, self._clock.now(), self._journal.consoles.own
        recoveries = transaction.of_instances(old.region, [old.instance_id]).get(old.instance_id, [])
        refuse_if_replaced(recoveries, old.instance_id)
        seen = Observation(old.region, old.instance_id, Evidence.ENGINEER, now)
        (recovery,) = take_in(transaction, Sighting([seen]), lambda *_: old.name, own, now)
        recovery_id = recovery.recovery_id
        image_s = self._journal.image_timings.timing(plan.spec.main_category).estimate_s(plan.spec.image_gib)
        set_plan_unless_known(plan, plan.spec, image_s, now, transaction, recovery)
        if not recovery.driver:
            transaction.record(recovery_id, DriverChanged(own, recovery.fence + 1), now)
        self._decide(transaction, recovery_id, Confirm(plan.digest, route), who)
        return recovery_id

    def _decide(self, transaction: Transaction, recovery_id: str, command: Command, who: str) -> None:
        own, regions, now = self._journal.consoles.own, self._shared.regions, self._clock.now()
        carry_out(transaction, recovery_id, command, who, own, regions, now)

    def _commit(self, change: Callable[[Transaction], T]) -> T:
        """Commit a person's command, or refuse it: nothing is written once it is out of date."""
        self._refuse_if_read_only()
        with self._in_words():
            return self._journal.run(change, Urgency.DECISION, PATIENCE_S)

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        """Refuse in words what the journal does not take."""
        try:
            yield
        except TimeoutError:
            cause = self._journal.writer.problem or f"no commit within {PATIENCE_S:.0f} s"
            raise Refused(f"The journal cannot be written: {cause}. Nothing was decided; try again.") from None
        except JournalProblem as problem:
            raise Refused(str(problem)) from None

    def _refuse_if_read_only(self) -> None:
        if self._read_only:
            raise Refused("This console is read-only. Start spottui without --read-only to act.")

    def _refuse_if_replaced(self, region: str, instance_id: str) -> None:
        refuse_if_replaced(self._journal.recoveries.of_instance(region, instance_id), instance_id)

    def _instances(self, recoveries: tuple[Recovery, ...]) -> tuple[Instance, ...]:
        under_reclaim = {recovery.instance_id for recovery in recoveries if not recovery.state.is_final}
        on_demand = (
            {instance_id for _, instance_id in self._fleet_background.on_demand} if self._fleet_background else ()
        )
        shown = under_reclaim.union(on_demand)
        return tuple(
            instance for instance in self._watch.instances if instance.is_spot or instance.instance_id in shown
        )

    def _gone(self, recoveries: tuple[Recovery, ...], instances: tuple[Instance, ...]) -> tuple[Instance, ...]:
        """What is not listed any more, as it was when its plan was made."""
        listed = {(instance.region, instance.instance_id) for instance in instances}
        unlisted = [
            recovery.recovery_id for recovery in recoveries if (recovery.region, recovery.instance_id) not in listed
        ]
        known = {key: self._last_seen[key] for key in unlisted if key in self._last_seen}
        plans = {key: self._journal.recoveries.plan(key) for key in unlisted if key not in known}
        self._last_seen = known | {key: plan.spec.instance for key, plan in plans.items() if plan}
        return tuple(self._last_seen.values())

    def _record_prices(self, prices: Mapping[Pair, Price]) -> None:
        """Write what the places of the fleet cost, for the savings; a read-only desk writes nothing."""
        at = time.monotonic()
        if self._read_only or not prices or at - self._prices_recorded_at < PRICES_EVERY_S:
            return
        self._prices_recorded_at, now = at, self._clock.now()
        offers = Offers(prices=prices)
        places = ((each.instance_type, each.zone) for each in self._watch.instances if each.is_spot)
        fact = PricesSeen(offers.recorded(places), offers.currency)
        self._journal.submit(lambda transaction: transaction.log(fact, now), Urgency.EYES)
