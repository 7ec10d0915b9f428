"""What a replay shows of a moment is what the journal held then."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spottui.domain.commands import Confirm
from spottui.domain.facts import (
    Armed,
    CallAnswered,
    CallBegun,
    CancelAsked,
    Decided,
    Disarmed,
    Fact,
    NextStepChanged,
    ProgressLost,
    ProgressSeen,
    Released,
    Retried,
    RouteTaken,
    StateEntered,
)
from spottui.domain.forecast import Verdict
from spottui.domain.interruption import Evidence, Observation
from spottui.domain.playback import Playback
from spottui.domain.reasons import Doing, Failure, NextStep, Reason, Why
from spottui.domain.recovery import Decision, Recovery, RecoveryState
from spottui.domain.refusal import Refused
from spottui.domain.routes import Route
from spottui.domain.settings import Settings
from spottui.journal import Journal
from spottui.journal.incidents import incident
from spottui.replay import Replay, footage
from tests.journal.given import ANN, REGION, known, observe, plan_of, record, set_plan

ID = "i-1"
BEGAN = datetime(2026, 8, 23, 2, 13, 22, tzinfo=UTC)


class Story:
    """Lets things happen to one recovery, a second each, and keeps what the journal held after each of them."""

    def __init__(self, journal: Journal) -> None:
        self.journal, self.now = journal, BEGAN
        self.held: dict[datetime, Recovery] = {}
        self.armed: dict[datetime, bool] = {}
        (self.id,) = self.observe(Evidence.QUEUE)
        self.keep(armed=False)

    def happen(self, what: str) -> None:
        armed = self.armed[max(self.armed)]
        happening = HAPPENINGS[what]
        if isinstance(happening, Evidence):
            self.observe(happening)
        elif what == "plan":
            set_plan(self.journal, self.id, plan_of(), self.now)
        elif what in ("arm", "disarm"):
            fact = Armed(ANN) if what == "arm" else Disarmed(ANN)
            self.journal.run(lambda transaction: transaction.log(fact, self.now))
            armed = what == "arm"
        else:
            record(self.journal, self.id, *happening(self.now, known(self.journal, self.id)), now=self.now)
        self.keep(armed=armed)

    def keep(self, *, armed: bool) -> None:
        self.held[self.now] = known(self.journal, self.id)
        self.armed[self.now] = armed
        self.now += timedelta(seconds=1)

    def observe(self, source: Evidence) -> list[str]:
        return observe(self.journal, Observation(REGION, ID, source, self.now), now=self.now)


def _enters(state: RecoveryState, **fields: Any) -> Callable[[datetime, Recovery], list[Fact]]:
    return lambda _now, _known: [StateEntered(state, **fields)]


def _says(fact: Fact) -> Callable[[datetime, Recovery], list[Fact]]:
    return lambda _now, _known: [fact]


def _image(_now: datetime, known: Recovery) -> list[Fact]:
    token = f"token-{known.images}"
    made = CallAnswered("CreateImage", token, "request", (f"m-{known.images}",))
    return [StateEntered(RecoveryState.IMAGING), CallBegun("CreateImage", token), made]


HAPPENINGS: dict[str, Any] = {
    "lock": Evidence.LOCK,
    "message": Evidence.QUEUE,
    "plan": None,
    "arm": None,
    "disarm": None,
    "release": lambda now, _known: [Released(now)],
    "wait": _enters(RecoveryState.NEEDS_YOU, reason=Reason(Why.PLAN_READY)),
    "queue": _enters(RecoveryState.NEEDS_YOU, reason=Reason(Why.AT_ONCE, amounts=(3,)), queued=2),
    "sold out": _says(NextStepChanged(no_room=True)),
    "await release": _enters(RecoveryState.IMAGING, next_step=NextStep(Doing.AWAIT_RELEASE)),
    "unseen": lambda now, _known: [ProgressLost(now, Failure("DescribeImages", kind="unreachable"))],
    "veto window": lambda now, _known: [
        StateEntered(RecoveryState.VETO_WINDOW, veto_until=now + timedelta(seconds=20))
    ],
    "protect": _enters(RecoveryState.PROTECTING),
    "image": _image,
    "progress": lambda now, known: [ProgressSeen((known.progress + 7) % 100, "", now, Verdict.TIGHT)],
    "route": _says(RouteTaken(Route.KEPT_DISK)),
    "confirm": _says(Decided(Decision.CONFIRM, ANN)),
    "hold": _says(Decided(Decision.HOLD, ANN)),
    "cancel": _says(CancelAsked(ANN)),
    "fail": _enters(RecoveryState.FAILED, reason=Reason(Why.NO_ROOM, "m-1")),
    "retry": lambda _now, known: [Retried(known.run + 1, ANN if known.has_plan else "")],
}


def replayed(journal: Journal, story: Story) -> tuple[Replay, Playback]:
    """The desk of a replay of a story, which stops at each of its moments."""
    found = incident(journal, story.id)
    assert found
    film = footage(journal, found)
    playback = Playback([*film.moments, *story.held])
    return Replay(Settings("", (), ""), journal, film, playback), playback


@settings(max_examples=40, deadline=None)
@example(["fail", "lock"])
@given(st.lists(st.sampled_from(sorted(HAPPENINGS)), min_size=1, max_size=25))
def test_each_moment_is_as_the_journal_held_it_then(
    tmp_path_factory: pytest.TempPathFactory, happenings: list[str]
) -> None:
    with Journal(tmp_path_factory.mktemp("story") / "journal.db") as journal:
        story = Story(journal)
        for what in happenings:
            story.happen(what)
        desk, playback = replayed(journal, story)
        seen = 0
        while not playback.pace.over:
            playback.jump()
            now = playback.now()
            if now not in story.held:
                continue
            seen += 1
            view, held = desk.view(), story.held[now]
            # A sign after the end is of another reclaim: it is in the view too.
            assert held in view.recoveries
            assert held.interruption in view.interruptions
            assert view.auto.armed == story.armed[now]
            assert desk.timeline(story.id) == tuple(one for one in journal.log.of(story.id) if one.at <= now)
        assert seen == len(story.held)


def test_a_replay_that_goes_back_and_a_person_who_acts_in_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    with Journal(tmp_path_factory.mktemp("story") / "journal.db") as journal:
        story = Story(journal)
        for what in ("lock", "plan", "confirm", "image", "fail"):
            story.happen(what)
        found = incident(journal, story.id)
        assert found
        (scene,) = footage(journal, found).scenes
        for at in (*reversed(story.held), *story.held):
            assert scene.at(at) == story.held[at]
        assert scene.at(BEGAN - timedelta(seconds=1)) is None
        desk, _ = replayed(journal, story)
        with pytest.raises(Refused, match="This is a replay"):
            desk.carry_out(story.id, Confirm("digest"), ANN)
