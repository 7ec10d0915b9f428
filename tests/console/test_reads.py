"""What the screens read from the journal, from a real one; and what is not imported for them."""

import subprocess
import sys
from datetime import timedelta
from inspect import signature

import pytest

from spottui.desk import Desk, pause_s
from spottui.domain import facts as f
from spottui.domain.clock import SystemClock
from spottui.domain.facts import NOBODY
from spottui.domain.interruption import Evidence, Observation
from spottui.domain.recovery import RecoveryState
from spottui.domain.refusal import Refused
from spottui.journal import Journal
from spottui.words import search
from tests.console.scripted import NOW, REGION, instance, plan_of
from tests.reclaims import record, see


@pytest.fixture
def journal(tmp_path):
    opened = Journal(tmp_path / "journal.db")
    yield opened
    opened.close()


def test_facts_are_found_by_words_between_numbers_from_either_end(journal):
    def write(transaction):
        for number in range(1, 21):
            transaction.log(f.PoisonSeen(f"100%_{number}"), NOW, REGION, f"i-{number % 2}")

    journal.run(write)

    def find(words, limit, named=NOBODY, **bounds):
        return [one.seq for one in journal.log.find(search(words, named), limit, **bounds)]

    assert find((), 3, below=11) == [10, 9, 8]
    assert find((), 3, above=10) == [11, 12, 13]
    assert find(("I-1", "100%"), 3, below=99) == [19, 17, 15]
    assert find(("%_1",), 99, below=99) == [19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 1]
    assert find(("_%",), 3, below=99) == []
    assert find(("web", "_1"), 3, {"web": ["i-1"]}, below=20) == [19, 17, 15]
    assert len(find((), 99)) == 20


def test_past_reclaims_come_newest_first_with_the_place_of_their_plan(journal):
    one = instance(1)
    for hours in (0, 5):
        at = NOW + timedelta(hours=hours)
        known = see(journal, Observation(REGION, one.instance_id, Evidence.QUEUE, at), at=at, name="web-1")
        record(journal, known.recovery_id, f.StateEntered(RecoveryState.SKIPPED), at)
    newest, first = journal.history.of(REGION, one.instance_id, 10)
    journal.run(lambda t: t.set_plan(first.recovery.recovery_id, plan_of(one)))
    newest, first = journal.history.newest(10)
    assert (first.zone, first.instance_type) == (one.zone, one.instance_type)
    assert (newest.zone, newest.instance_type) == ("", "")
    assert newest.interruption.epoch - first.interruption.epoch == 5 * 3600
    assert {newest.recovery.state, first.recovery.state} == {RecoveryState.SKIPPED}
    assert journal.history.of(REGION, "i-other", 10) == ()


@pytest.mark.parametrize(("view_took_s", "pause"), [(0.0, 0.05), (0.02, 0.2), (0.5, 1.0), (3600.0, 1.0)])
def test_a_view_in_which_the_process_was_stopped_delays_the_next_by_no_more_than_a_second(view_took_s, pause):
    assert pause_s(view_took_s) == pytest.approx(pause)


def test_the_sdks_models_are_imported_when_they_are_used():
    code = (
        "import spottui.cloud.ecs, sys\n"
        "from alibabacloud_ecs20140526 import models\n"
        "loaded = sum(name.startswith(models.__name__ + '.') for name in sys.modules)\n"
        "print(loaded < 50, models.RunInstancesRequestDataDisk.__name__, hasattr(models, 'NoSuchRequest'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "RunInstancesRequestDataDisk", "False"]


READS = {
    "view",
    "wait",
    "plan",
    "timeline",
    "record",
    "past",
    "savings",
    "background",
    "find_events",
    "leftovers",
    "successors",
    "readiness",
}
HARMLESS = {"look_now", "look_around", "note_output", "close"}
"""On a read-only desk they write nothing."""


def test_a_read_only_desk_refuses_every_command_before_it_touches_anything(journal):
    desk = object.__new__(Desk)
    desk._read_only, desk._clock, desk._journal = True, SystemClock(), journal
    commands = {name for name, what in vars(Desk).items() if callable(what) and not name.startswith("_")}
    assert {"carry_out", "recover", "arm"} <= commands
    for name in commands - READS - HARMLESS:
        needed = [p for p in signature(getattr(desk, name)).parameters.values() if p.default is p.empty]
        with pytest.raises(Refused, match="read-only"):
            getattr(desk, name)(*["x"] * len(needed))
