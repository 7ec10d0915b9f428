"""Every value of the log has its sentence, and none of them steers a terminal."""

import unicodedata
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from spottui import words
from spottui.domain import facts as f
from spottui.domain.interruption import Evidence, Interruption
from spottui.domain.reasons import Doing, Failure, NextStep, Reason, Why
from spottui.domain.recovery import Decision, Recovery, RecoveryState
from spottui.domain.routes import Route
from spottui.domain.text import plain
from spottui.recovery.workflow import ROUTES
from spottui.words import EventKind
from spottui.words.failures import LONGEST
from tests.words.facts_of import BEGAN, DEADLINE, logged, of

RECLAIM = Interruption("cn-hangzhou", "i-1", 1, BEGAN, DEADLINE, (Evidence.QUEUE,))
RECOVERY = Recovery(RECLAIM, "web-3", reason=Reason(Why.PLAN_READY))
FACTS = get_args(f.Fact)
EXAMPLES = 50
OF_NO_RECOVERY = (
    f.MessageSeen, f.PoisonSeen, f.SourceFailed, f.SourceAnswers, f.Armed, f.NotArmed, f.Disarmed, f.BeyondCap,
    f.DisksProtected, f.ProtectionUndone, f.OutputLost,
)  # fmt: skip


def is_harmless(text):
    unsafe = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
    return len(text) <= LONGEST and not any(unicodedata.category(one) in unsafe for one in text)


@pytest.mark.parametrize("why", Why)
def test_every_reason_has_a_sentence_whatever_is_missing(why):
    said = words.reason(Reason(why))
    assert said or why is Why.EARLIER_VERSION
    assert said.endswith(words.lift(Reason(why)))


@pytest.mark.parametrize("doing", Doing)
def test_every_next_step_has_a_sentence_whatever_is_missing(doing):
    assert words.next_step(NextStep(doing)) or doing is Doing.EARLIER_VERSION


@pytest.mark.parametrize("stop", f.Stop)
def test_everything_that_keeps_auto_mode_from_being_armed_has_a_sentence(stop):
    assert words.stopped(f.Stopped(stop))


def test_of_nothing_nothing_is_said():
    assert words.reason(None) + words.next_step(None) + words.stopped(None) + words.failure(None) == ""


@given(of(Reason), of(NextStep), of(f.Stopped), of(Failure), st.sampled_from(("", "cn-hangzhou", "\x1b[2J")))
def test_no_field_steers_the_terminal_of_who_reads_a_sentence(reason, step, stopped, failure, region):
    said = [words.reason(reason, region), words.against(reason, region), words.next_step(step), words.stopped(stopped)]
    said += [words.failure(failure), words.failure_line(failure), words.said(failure), words.fault(failure)]
    assert all(is_harmless(text) for text in said)


@pytest.mark.parametrize("route", Route)
def test_every_route_has_its_function_and_says_from_what_it_launches(route):
    assert route in ROUTES
    assert words.next_step(NextStep(Doing.PLANNED, route=route))


@pytest.mark.parametrize("kind", FACTS, ids=lambda kind: kind.__name__)
def test_every_fact_has_a_line_a_step_and_a_letter_or_none_and_is_in_the_feed_unless_it_is_quiet(kind):
    kinds, signs = set(), set()

    @given(of(kind))
    @settings(max_examples=EXAMPLES)
    def holds(fact):
        line = logged(fact, "\x1b[2J")
        letter = words.letter(line, RECOVERY) or ("x", "")
        assert is_harmless(words.text(line))
        assert all(is_harmless(text) for text in (*letter, *words.step(line)))
        assert letter[0]
        assert isinstance(words.request_id(fact), str)
        kinds.add(words.event_kind(fact))
        signs.add(words.sign_of(fact))

    holds()
    assert kinds <= {None, *EventKind}
    if kind in f.QUIET:
        assert kinds == {None}
    else:
        assert kinds != {None}
        assert kind in OF_NO_RECOVERY or any(signs)


@pytest.mark.parametrize(
    ("fact", "title", "text"),
    [
        (
            f.SignSeen(Evidence.QUEUE, BEGAN, DEADLINE, DEADLINE, epoch=1),
            "web-3: reclaim notice",
            "i-1 in cn-hangzhou, deadline 02:05:00 UTC, no lock seen yet: it may be a drill",
        ),
        (
            f.SignSeen(Evidence.LOCK, BEGAN, DEADLINE, DEADLINE, epoch=1),
            "web-3: reclaim notice",
            "i-1 in cn-hangzhou, deadline 02:05:00 UTC, lock seen",
        ),
        (
            f.SignSeen(Evidence.ENGINEER, BEGAN, DEADLINE, DEADLINE, epoch=1),
            "web-3: an engineer requested its recovery",
            "i-1 in cn-hangzhou",
        ),
        (
            f.StateEntered(RecoveryState.NEEDS_YOU, Reason(Why.PLAN_READY)),
            "web-3 is being reclaimed and needs you",
            "i-1 in cn-hangzhou, deadline 02:05:00 UTC. plan ready: press y",
        ),
        (f.Decided(Decision.VETO, "mia"), "web-3: vetoed by mia", "plan ready: press y"),
        (
            f.StateEntered(RecoveryState.VETOED, Reason(Why.VETOED, detail="mia")),
            "web-3: vetoed",
            "i-1 in cn-hangzhou: vetoed by mia",
        ),
    ],
)
def test_people_are_told_of_the_first_sign_of_what_needs_them_of_decisions_and_of_the_end(fact, title, text):
    assert words.letter(logged(fact), RECOVERY) == (title, text)
    of_prod = structs.replace(RECOVERY, interruption=structs.replace(RECOVERY.interruption, region="cn-hangzhou@prod"))
    told = text.replace("in cn-hangzhou", "in cn-hangzhou (account prod)")
    assert words.letter(logged(fact), of_prod) == (title, told)


@pytest.mark.parametrize(
    "fact",
    [
        f.SignSeen(Evidence.LOCK, BEGAN, DEADLINE, DEADLINE),
        f.StateEntered(RecoveryState.IMAGING),
        f.CallBegun("CreateImage"),
    ],
)
def test_of_nothing_else_people_are_told(fact):
    assert words.letter(logged(fact), RECOVERY) is None


def test_of_what_only_an_engineer_asked_for_no_reclaim_and_no_deadline_is_told():
    manual = structs.replace(RECOVERY, interruption=structs.replace(RECLAIM, evidence=(Evidence.ENGINEER,)))
    waits = f.StateEntered(RecoveryState.NEEDS_YOU, Reason(Why.PLAN_READY))
    assert words.letter(logged(waits), manual) == ("web-3 needs you", "i-1 in cn-hangzhou. plan ready: press y")


@pytest.mark.parametrize("kind", ["credentials", "quota", "permission", "not found", "no answer"])
def test_what_a_person_can_do_stands_behind_the_line(kind):
    known = Failure("X", "Code", kind)
    assert words.advice(known)
    assert words.fault(known) == f"X: Code. {words.advice(known)}"


def test_what_waiting_mends_has_no_advice():
    assert words.fault(Failure("X", "Throttling", "throttled")) == "X: Throttling"


@given(of(f.EarlierLine))
def test_a_line_of_an_earlier_journal_is_shown_as_it_was_written(fact):
    assert words.text(logged(fact)) == plain(fact.text, LONGEST)
    assert words.event_kind(fact) in EventKind


def test_a_search_finds_what_a_line_shows_and_the_names_of_whom_it_is_about():
    line = logged(f.Armed("Mia"))
    assert words.search(["auto", "mia", "cn-hangzhou"], {})(line)
    assert words.search(["web"], {"web": ["i-1"]})(line)
    assert not words.search(["web"], {"web": ["i-2"]})(line)
    assert not words.search(["mia", "disarmed"], {})(line)
    assert not words.search([], {})(logged(f.RouteTaken(Route.IMAGE)))
