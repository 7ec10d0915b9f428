"""Three hostile sources, any order: one recovery per reclaim, and nothing is lost.

The model knows what is true: which instance is reclaimed when, when its lock appears, and what was a drill. The intake
and the journal only see what the sources say of it: late, twice, out of order, or not at all.
"""

import shutil
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from spottui.cloud.messages import Reclaim, Released
from spottui.cloud.mns import Message
from spottui.domain import facts
from spottui.domain.interruption import Interruption
from spottui.domain.recovery import Decision, Recovery, RecoveryState
from tests.watch.given import REGION, HandClock, Taken, event_body, instance, message, release_body

NOTICE_S, OVERDUE_S = 300, 60
DELAY_S = 240
"""How late an event or a lock may be."""
APART_S = 900
"""A `Stop` instance is stopped, started and reclaimed again in no less than this."""

IDS = ("i-1", "i-2", "i-3")
instances = st.sampled_from(IDS)
delays = st.integers(0, DELAY_S)


@dataclass
class Truth:
    """One reclaim as it really is."""

    instance_id: str
    began: datetime
    locked_from: datetime
    gone_at: datetime
    stops: bool
    told: set[str] = field(default_factory=set)
    """By which sources we have heard of it."""


There = list[tuple[Interruption, Recovery]]


def of(instance_id: str, there: There) -> list[Interruption]:
    return [known for known, _ in there if known.instance_id == instance_id]


class HostileSources(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="spottui-intake-"))
        self.clock = HandClock()
        self.taken = Taken(self.directory, self.clock)
        self.truths: list[Truth] = []
        self.wire: list[tuple[datetime, Message, Truth | None]] = []
        self.given: dict[str, int] = defaultdict(int)
        self.disturbed: set[str] = set()
        self.released: dict[str, datetime] = {}
        self.deadlines: dict[str, datetime] = {}
        self.queue_is_down = False
        self.looked: datetime | None = None

    def teardown(self) -> None:
        try:
            self.assert_the_log_tells_it_again()
        finally:
            self.taken.journal.close()
            shutil.rmtree(self.directory)

    # What really happens

    @rule(seconds=st.sampled_from((1, 5, 20, 60, 120, 300, 400)))
    def time_passes(self, seconds: int) -> None:
        self.clock.turn(seconds)

    @rule(
        instance_id=instances,
        stops=st.booleans(),
        lock_late_s=delays,
        event_late_s=delays,
        overdue_s=st.integers(0, OVERDUE_S - 1),
        copies=st.sampled_from((0, 1, 1, 2, 2, 3)),
        dated=st.booleans(),
    )
    def reclaim(
        self,
        instance_id: str,
        stops: bool,
        lock_late_s: int,
        event_late_s: int,
        overdue_s: int,
        copies: int,
        dated: bool,
    ) -> None:
        if not self.may_be_reclaimed(instance_id):
            return
        now = self.clock.now()
        truth = Truth(
            instance_id,
            now,
            now + timedelta(seconds=lock_late_s),
            now + timedelta(seconds=NOTICE_S + overdue_s),
            stops,
        )
        self.truths.append(truth)
        # An event without a time of its own is dated by its arrival in the queue.
        enqueued = now if dated else now + timedelta(seconds=event_late_s)
        arrives = now + timedelta(seconds=event_late_s)
        body = event_body(instance_id, now if dated else None)
        self.wire += [(arrives, message(body, enqueued), truth) for _ in range(copies)]

    @rule(instance_id=instances, late_s=delays, copies=st.integers(1, 2))
    def drill(self, instance_id: str, late_s: int, copies: int) -> None:
        arrives = self.clock.now() + timedelta(seconds=late_s)
        self.wire += [(arrives, message(event_body(instance_id, None), arrives), None) for _ in range(copies)]
        self.disturbed.add(instance_id)

    @rule(down=st.booleans())
    def queue_goes_down_or_up(self, down: bool) -> None:
        self.queue_is_down = down

    # What the sources say

    @precondition(lambda self: not self.queue_is_down)
    @rule(data=st.data())
    def queue_delivers(self, data: st.DataObject) -> None:
        """Some of what has arrived, in any order; half of it comes again, for its receipt was lost."""
        due = [one for one in self.wire if one[0] <= self.clock.now()]
        if not due:
            return
        batch = data.draw(st.lists(st.sampled_from(due), min_size=1, max_size=6, unique_by=id))
        for one in batch:
            if data.draw(st.booleans(), label="acknowledged"):
                self.wire.remove(one)
            self.heard(one[2], one[1].body, "queue")
        self.taken.intake.messages(REGION, [one[1] for one in batch])

    @rule()
    def lock_poll_looks(self) -> None:
        locked = [truth for truth in self.truths if self.is_locked(truth)]
        for truth in locked:
            truth.told.add("lock")
            self.given[truth.instance_id] += 1
            is_fresh = self.looked is not None and self.looked < truth.locked_from
            self.taken.intake.locks([instance(truth.instance_id)], self.looked if is_fresh else None)
        self.looked = self.clock.now()

    @rule()
    def lock_poll_comes_back_empty(self) -> None:
        self.taken.intake.locks([])
        self.taken.intake.seen_unlocked(REGION, [])

    @rule()
    def fleet_is_swept(self) -> None:
        locked = {truth.instance_id for truth in self.truths if self.is_locked(truth)}
        seen = [instance(one, recycling=one in locked) for one in IDS if not self.is_gone(one)]
        self.taken.intake.seen_unlocked(REGION, seen)

    @rule()
    def history_is_asked(self) -> None:
        hour_ago = self.clock.now() - timedelta(hours=1)
        past = [truth for truth in self.truths if truth.began >= hour_ago]
        for truth in past:
            truth.told.add("history")
            self.given[truth.instance_id] += 1
        gone = [truth for truth in past if self.is_gone(truth.instance_id) and not truth.stops]
        for truth in gone:
            self.released.setdefault(truth.instance_id, truth.gone_at)
        events = [Reclaim(truth.instance_id, REGION, truth.began, "delete") for truth in past]
        self.taken.intake.history(REGION, [*events, *(Released(one.instance_id, REGION, one.gone_at) for one in gone)])

    @precondition(lambda self: not self.queue_is_down)
    @rule(instance_id=instances)
    def queue_tells_a_release(self, instance_id: str) -> None:
        if self.is_gone(instance_id):
            at = self.truths_of(instance_id)[-1].gone_at
            self.taken.intake.messages(REGION, [message(release_body(instance_id, at), self.clock.now())])
            self.released.setdefault(instance_id, at)

    @rule(instance_id=instances)
    def engineer_asks(self, instance_id: str) -> None:
        self.taken.engineer(instance_id)
        self.given[instance_id] += 1
        self.disturbed.add(instance_id)

    @rule()
    def console_restarts(self) -> None:
        self.assert_the_log_tells_it_again()
        self.taken.restart()

    # What becomes of the recoveries meanwhile

    @rule(ends=st.sampled_from((RecoveryState.IMAGING, RecoveryState.RECOVERED, RecoveryState.FAILED)))
    def workflows_go_on(self, ends: RecoveryState) -> None:
        for known, recovery in self.recoveries():
            confirmed = known.locked or recovery.decision is Decision.CONFIRM
            if confirmed and not recovery.state.is_final:
                if ends is RecoveryState.RECOVERED:
                    self.record(known, self.replacement(known))
                self.set_state(known, ends)
            elif not recovery.state.is_final and known.over_at < self.clock.now():
                self.set_state(known, RecoveryState.SKIPPED)

    @rule(instance_id=instances, word=st.sampled_from((Decision.CONFIRM, Decision.VETO)))
    def a_person_decides(self, instance_id: str, word: Decision) -> None:
        for known, recovery in self.recoveries():
            if known.instance_id == instance_id and recovery.state is RecoveryState.SUSPECTED:
                self.record(known, facts.Decided(word, "ann"))
                if word is Decision.VETO:
                    self.set_state(known, RecoveryState.VETOED)

    # What must always hold

    @invariant()
    def all_of_it_holds(self) -> None:
        there = self.recoveries()
        self.every_lock_is_confirmed_and_each_reclaim_once(there)
        self.undisturbed_a_reclaim_is_one_interruption(there)
        self.a_drill_is_never_confirmed(there)
        self.a_deadline_never_moves_later(there)
        self.a_fresh_lock_leaves_five_minutes(there)
        self.no_sign_of_another_reclaim_dates_it(there)
        self.every_sign_is_counted_once(there)
        self.a_release_is_known_whenever_it_was_told(there)

    def every_lock_is_confirmed_and_each_reclaim_once(self, there: There) -> None:
        for one in IDS:
            locks = [truth for truth in self.truths_of(one) if "lock" in truth.told]
            confirmed = [known for known in of(one, there) if known.locked]
            assert len(confirmed) == len(locks)

    def undisturbed_a_reclaim_is_one_interruption(self, there: There) -> None:
        for one in set(IDS) - self.disturbed:
            heard_of = [truth for truth in self.truths_of(one) if truth.told]
            assert len(of(one, there)) == len(heard_of)

    def a_drill_is_never_confirmed(self, there: There) -> None:
        for known, _ in there:
            if not [truth for truth in self.truths_of(known.instance_id) if "lock" in truth.told]:
                assert not known.locked

    def a_deadline_never_moves_later(self, there: There) -> None:
        for known, _ in there:
            key = f"{known.id} {known.locked}"
            assert known.deadline <= self.deadlines.get(key, known.deadline), "but with its lock, which dates it anew"
            self.deadlines[key] = known.deadline

    def a_fresh_lock_leaves_five_minutes(self, there: There) -> None:
        for known, _ in there:
            assert known.not_before is None or known.deadline >= known.not_before + timedelta(seconds=NOTICE_S)

    def no_sign_of_another_reclaim_dates_it(self, there: There) -> None:
        for known, _ in there:
            assert known.deadline.timestamp() >= known.epoch + NOTICE_S - (NOTICE_S + OVERDUE_S)

    def every_sign_is_counted_once(self, there: There) -> None:
        for one in IDS:
            assert sum(len(known.evidence) + known.duplicates for known in of(one, there)) == self.given[one]

    def a_release_is_known_whenever_it_was_told(self, there: There) -> None:
        for known, _ in there:
            assert known.released_at == self.released.get(known.instance_id)

    # A fact is never changed: what the log tells wrongly, it still does at the end.
    def assert_the_log_tells_it_again(self) -> None:
        assert list(self.taken.journal.log.unlike_their_facts()) == []
        for known, _ in self.recoveries():
            told = [one.fact for one in self.taken.journal.log.of(known.id)]
            signs = [fact for fact in told if isinstance(fact, facts.SignSeen)]
            assert tuple(one.source for one in signs if not one.again) == known.evidence
            assert len(signs) == len(known.evidence) + known.duplicates
            assert signs[-1].deadline == known.deadline
            assert len([one for one in told if isinstance(one, facts.Released)]) == (known.released_at is not None)

    # The model's own questions

    def replacement(self, known: Interruption) -> facts.Fact:
        """What brings an instance back: a stopped one is started again, a released one has another in its place."""
        truths = self.truths_of(known.instance_id)
        if truths and truths[-1].stops:
            return facts.StartedAgain()
        return facts.CallAnswered("RunInstances", resources=("i-new",))

    def heard(self, truth: Truth | None, body: str, source: str) -> None:
        if truth:
            truth.told.add(source)
            self.given[truth.instance_id] += 1
        else:
            self.given[next(one for one in IDS if body == event_body(one, None))] += 1

    def truths_of(self, instance_id: str) -> list[Truth]:
        return [truth for truth in self.truths if truth.instance_id == instance_id]

    def is_locked(self, truth: Truth) -> bool:
        return truth.locked_from <= self.clock.now() < truth.gone_at

    def is_gone(self, instance_id: str) -> bool:
        return any(not one.stops and one.gone_at <= self.clock.now() for one in self.truths_of(instance_id))

    def may_be_reclaimed(self, instance_id: str) -> bool:
        """Not while it is, nor when it is gone, nor before its recovery has ended and its last lock was seen gone."""
        before = self.truths_of(instance_id)
        if not before:
            return True
        held = [
            one
            for one in self.taken.recoveries(instance_id)
            if not one.state.is_final or (one.interruption.locked and one.interruption.unlocked_at is None)
        ]
        long_ago = before[-1].began + timedelta(seconds=APART_S) <= self.clock.now()
        return before[-1].stops and long_ago and not held

    def recoveries(self) -> There:
        return [(one.interruption, one) for one in self.taken.journal.recoveries.all()]

    def set_state(self, known: Interruption, state: RecoveryState) -> None:
        self.record(known, facts.StateEntered(state))

    def record(self, known: Interruption, fact: facts.Fact) -> None:
        now = self.clock.now()
        self.taken.journal.run(lambda transaction: transaction.record(known.id, fact, now))


TestHostileSources = HostileSources.TestCase
TestHostileSources.settings = settings(max_examples=25, stateful_step_count=40, deadline=None)
