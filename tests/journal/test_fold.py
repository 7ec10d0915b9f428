"""A recovery is the fold of its facts: whatever they are, in whatever order, and however often it is asked for."""

from datetime import datetime, timedelta
from enum import Enum
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spottui.domain import facts as f
from spottui.domain.fact_base import FactBase
from spottui.domain.facts import Fact, Logged
from spottui.domain.fold import apply, fold
from spottui.domain.interruption import Evidence
from spottui.domain.reasons import Doing, Failure, NextStep, Reason, Why
from spottui.domain.recovery import AutoAnswer, Decision, ImageOf, Recovery, RecoveryState, Try
from spottui.domain.routes import Route
from spottui.journal import Journal
from spottui.journal.encoding import as_logged, encode
from tests.journal.given import NOON, REGION, observe, sign

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
moments = st.integers(0, 10**9).map(lambda micros: NOON + timedelta(microseconds=micros))
numbers = {bool: st.booleans(), int: st.integers(0, 10**6), float: st.floats(0, 1e6)}
reasons = st.builds(Reason, st.sampled_from(Why), texts, texts, st.none() | moments)


def values(kind: Any) -> "st.SearchStrategy[Any]":
    """Any value of the type of a field."""
    known = {str: texts, datetime: moments, type(None): st.none(), Reason: reasons, **numbers}.get(kind)
    if known is not None:
        return known
    parts = [one for one in get_args(kind) if one is not ...]
    if get_origin(kind) is tuple:
        return st.lists(values(parts[0]), max_size=2).map(tuple) if len(parts) == 1 else st.tuples(*map(values, parts))
    if parts:
        return st.one_of(*map(values, parts))
    if issubclass(kind, Enum):
        return st.sampled_from(kind)
    return struct(kind) if issubclass(kind, msgspec.Struct) else dataclass(kind)


def struct(kind: Any) -> "st.SearchStrategy[Any]":
    return st.builds(kind, **{one.name: values(one.type) for one in msgspec.structs.fields(kind)})


def dataclass(kind: Any) -> "st.SearchStrategy[Any]":
    return st.builds(kind, **{name: values(hint) for name, hint in get_type_hints(kind).items()})


KINDS = [kind for kind in get_args(Fact) if kind not in (f.CarriedOver, f.EarlierLine)]
any_fact = st.sampled_from(KINDS).flatmap(struct)
ids = st.sampled_from(("x-1", "x-2"))
tokens = st.sampled_from(("t-1", "t-2", ""))
failures = st.builds(Failure, ids, effect_unknown=st.booleans())
tries = st.builds(Try, st.just(("ecs.c7.large", "h", False)), ids, ids, tokens)

telling_fact = st.one_of(
    st.builds(f.SignSeen, st.sampled_from(Evidence), moments, moments, moments),
    st.just(f.LockGone()),
    st.builds(f.Released, moments),
    st.builds(f.PlanMade, ids, st.just(NextStep(Doing.PLANNED)), st.sampled_from(Route), st.floats(0, 1e6)),
    st.builds(f.Decided, st.sampled_from(Decision), ids),
    st.builds(f.CancelAsked, ids),
    st.builds(f.Retried, st.integers(1, 9), st.sampled_from(("", "ann"))),
    st.builds(f.AutoAnswered, st.sampled_from(AutoAnswer), st.just(Reason(Why.PLAN_READY))),
    st.builds(f.DriverChanged, ids, st.integers(0, 9)),
    st.builds(f.StateEntered, st.sampled_from(RecoveryState)),
    st.builds(f.RouteLeft, st.sampled_from(Route), st.just(Reason(Why.NO_IMAGE))),
    st.builds(
        f.CallBegun,
        st.sampled_from(("CreateImage", "RunInstances", "RunCommand", "CreateSnapshot")),
        tokens,
        attempt=st.none() | tries,
        image_of=st.none() | st.sampled_from(ImageOf),
    ),
    st.builds(
        f.CallAnswered,
        st.sampled_from(("CreateImage", "RunInstances", "ModifyDiskAttribute", "CreateSnapshot", "DeleteImage")),
        tokens,
        resources=st.lists(ids, max_size=2).map(tuple),
        target=ids,
    ),
    st.builds(f.CallFailed, ids, failures, tokens),
    st.builds(f.LaunchRefused, tokens, failures, st.sampled_from(("", "x-1"))),
    st.builds(f.ProgressSeen, st.integers(0, 100), st.sampled_from(("", "x-1"))),
    st.builds(f.ProgressLost, moments, failures),
    st.just(f.ProgressBack()),
    st.builds(f.ImageReady, ids),
    st.builds(f.ImageGivenUp, ids, st.booleans()),
    st.just(f.DisksFree()),
    st.just(f.StartedAgain()),
)
"""Facts that speak of the same few things, so that they meet."""


def logged(facts: list[Fact]) -> list[Logged]:
    """Facts of one recovery, a second apart, after the sign that opens it."""
    first = f.SignSeen(Evidence.QUEUE, NOON, NOON + timedelta(minutes=5), NOON + timedelta(minutes=5), epoch=7)
    times = (NOON + timedelta(seconds=number) for number in range(len(facts) + 1))
    return [
        Logged(number, at, fact, REGION, "i-1", f"{REGION}.i-1.7")
        for number, (at, fact) in enumerate(zip(times, [first, *facts], strict=True), 1)
    ]


def must_hold(recovery: Recovery) -> None:
    """What is true of each recovery, whatever has happened."""
    assert (recovery.ended is not None) == recovery.state.is_final
    assert len(set(recovery.created)) == len(recovery.created)
    assert len(set(recovery.unsettled)) == len(recovery.unsettled)
    assert len({one.client_token for one in recovery.tries}) == len(recovery.tries)
    assert recovery.interruption.epoch == 7


@settings(max_examples=300, deadline=None)
@given(st.lists(telling_fact | any_fact, max_size=25))
def test_whatever_the_log_holds_it_folds_and_step_by_step_comes_to_the_same(facts: list[Fact]) -> None:
    log, recovery = logged(facts), None
    for one in log:
        recovery = apply(recovery, one)
        assert recovery.version == one.seq
        must_hold(recovery)
    assert recovery == fold(log)


def test_every_fact_can_be_stored() -> None:
    assert set(FactBase.__subclasses__()) == set(get_args(Fact)), "each is in the union, by which the log is read"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_each_fact_is_read_as_it_was_written(kind: type) -> None:
    @settings(max_examples=20, deadline=None)
    @given(struct(kind))
    def as_written(fact: Fact) -> None:
        assert as_logged((1, 0.0, encode(fact), "", "", "")).fact == fact

    as_written()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(telling_fact | any_fact, min_size=1, max_size=25), st.lists(st.integers(1, 5), max_size=9))
def test_what_the_journal_holds_is_the_fold_of_its_log_however_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, facts: list[Fact], sizes: list[int]
) -> None:
    """In changes of any size, seen from memory, from disk, and by another process that only heard of it."""
    path = tmp_path_factory.mktemp("fold") / "journal.db"
    with Journal(path) as journal, Journal(path) as other:
        (recovery_id,) = observe(journal, sign())
        rest = list(facts)
        for size in [*sizes, len(facts)]:
            some, rest = rest[:size], rest[size:]
            journal.run(lambda t, some=some: [t.record(recovery_id, one, NOON) for one in some])
        held = journal.recoveries.get(recovery_id)
        assert held == fold(journal.log.of(recovery_id))
        assert list(journal.log.unlike_their_facts()) == []
        assert other.run(lambda transaction: transaction.recovery(recovery_id)) == held
    with Journal(path, read_only=True) as again:
        assert again.recoveries.get(recovery_id) == held


def test_what_is_settled_stays_settled_and_what_was_made_stays_ours_over_a_retry() -> None:
    begun = f.CallBegun("RunInstances", "t-1", attempt=Try(("c7", "h", False), "vsw", "m-1", "t-1"))
    made = [begun, f.CallAnswered("RunInstances", "t-1", "R", ("i-new",)), f.StateEntered(RecoveryState.FAILED)]
    again = fold(logged([*made, f.Retried(1, "ann")]))
    assert again
    assert (again.new_instance_id, again.made("instance"), again.unsettled) == ("i-new", ("i-new",), ())
    assert (again.run, again.decision, again.state) == (1, Decision.CONFIRM, RecoveryState.PROTECTING)
    assert [(one.run, one.state) for one in again.past_runs] == [(0, RecoveryState.FAILED)]


def test_a_log_that_begins_with_something_else_than_a_sign_is_none() -> None:
    with pytest.raises(ValueError, match="begins with a sign"):
        fold(logged([f.DisksFree()])[1:])
