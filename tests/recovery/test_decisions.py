"""What is confirmed is what runs: a yes is to a plan and its first route, compared where it is written."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from spottui.domain.commands import Cancel, Command, Confirm, Hold, Retry, Veto
from spottui.domain.facts import CallAnswered, CancelAsked, Decided, Fact, RouteTaken
from spottui.domain.interruption import Evidence
from spottui.domain.launch_spec import Secret
from spottui.domain.plan import Plan, without_user_data
from spottui.domain.recovery import Decision, RecoveryState
from spottui.domain.refusal import Refused
from spottui.domain.routes import Route
from spottui.journal import Journal
from spottui.recovery import decisions
from spottui.words import warnings
from tests.journal.given import ANN, NOON, REGION, enter, observe, plan_of, set_plan, sign

FIRST = replace(plan_of(), routes=(Route.IMAGE, Route.KEPT_DISK), surveyed=False)
SURVEYED = replace(FIRST, surveyed=True, first_digest=FIRST.digest, candidates=FIRST.candidates * 2)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "j.db") as journal:
        yield journal


def waiting(journal: Journal, plan: Plan = SURVEYED) -> str:
    (recovery_id,) = observe(journal, sign(source=Evidence.LOCK))
    set_plan(journal, recovery_id, plan)
    return recovery_id


def say(journal: Journal, recovery_id: str, command: Command) -> None:
    said = partial(decisions.carry_out, recovery_id=recovery_id, command=command, who=ANN, console="c")
    journal.run(partial(said, regions=[REGION], now=NOON))


def confirm(journal: Journal, recovery_id: str, digest: str, route: Route | None = None) -> None:
    say(journal, recovery_id, Confirm(digest, route))


def retry(journal: Journal, recovery_id: str, digest: str) -> None:
    say(journal, recovery_id, Retry(digest))


@pytest.mark.parametrize(
    ("command", "fact"),
    [
        (Confirm(SURVEYED.digest), Decided(Decision.CONFIRM, ANN, SURVEYED.digest)),
        (Veto(), Decided(Decision.VETO, ANN)),
        (Hold(), Decided(Decision.HOLD, ANN)),
        (Cancel(), CancelAsked(ANN)),
    ],
)
def test_what_a_person_says_is_the_next_fact_of_the_recovery(journal: Journal, command: Command, fact: Fact) -> None:
    recovery_id = waiting(journal)
    say(journal, recovery_id, command)
    assert journal.log.of(recovery_id)[-1].fact == fact


def test_a_yes_to_the_plan_before_its_places_were_known_is_one_to_the_plan(journal: Journal) -> None:
    recovery_id = waiting(journal)
    confirm(journal, recovery_id, FIRST.digest)
    assert journal.recoveries.known(recovery_id)


def test_a_yes_to_what_was_read_before_the_route_was_changed_is_refused(journal: Journal) -> None:
    recovery_id = waiting(journal)
    confirm(journal, recovery_id, FIRST.digest, Route.KEPT_DISK)
    enter(journal, recovery_id, RecoveryState.FAILED)
    for digest in (FIRST.digest, SURVEYED.digest, ""):
        with pytest.raises(Refused, match="has changed since it was shown"):
            retry(journal, recovery_id, digest)
    plan = journal.recoveries.plan(recovery_id)
    assert plan
    assert plan.route is Route.KEPT_DISK
    retry(journal, recovery_id, plan.digest)


@pytest.mark.parametrize(
    ("chosen", "first"),
    [(None, Route.KEPT_DISK), (Route.IMAGE, Route.IMAGE)],
    ids=["the route that failed", "the chosen route"],
)
def test_the_plan_of_a_retry_begins_with_the_route_that_the_retry_takes(
    journal: Journal, chosen: Route | None, first: Route
) -> None:
    recovery_id = waiting(journal)
    confirm(journal, recovery_id, SURVEYED.digest)
    made = CallAnswered("ModifyDiskAttribute", "", "REQ-1", ("d-1",))
    journal.run(lambda transaction: transaction.record(recovery_id, made, NOON))
    journal.run(lambda transaction: transaction.record(recovery_id, RouteTaken(Route.KEPT_DISK), NOON))
    enter(journal, recovery_id, RecoveryState.FAILED)
    say(journal, recovery_id, Retry(SURVEYED.digest, chosen))
    plan = journal.recoveries.plan(recovery_id)
    assert plan
    assert (plan.route, plan.route_chosen) == (first, chosen is not None)


def test_a_plan_without_its_user_data_is_known_by_its_digest_and_says_what_it_lacks(journal: Journal) -> None:
    plan = replace(SURVEYED, spec=replace(SURVEYED.spec, user_data=Secret("aHVudGVyMg==")))
    bare = without_user_data(plan)
    assert (bare.digest, bare.spec.user_data) == (plan.digest, None)
    assert any("user data" in line for line in warnings(bare))
    recovery_id = waiting(journal, bare)
    confirm(journal, recovery_id, plan.digest, Route.KEPT_DISK)
    changed = journal.recoveries.plan(recovery_id)
    assert changed
    assert changed.digest != plan.digest
