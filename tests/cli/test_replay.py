"""An incident once more: the states as they came, nothing that acts, and a journal that is only read."""

import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from spottui.actions import ACTIONS
from spottui.config import load
from spottui.console.app import SpottuiApp
from spottui.domain.facts import CallAnswered, MessageSeen, ProgressSeen, StateEntered
from spottui.domain.instance import InstanceStatus
from spottui.domain.interruption import Evidence, Observation
from spottui.domain.playback import Playback
from spottui.domain.recovery import RecoveryState
from spottui.domain.refusal import Refused
from spottui.domain.view import DeskView
from spottui.journal import Journal
from spottui.journal.incidents import incident
from spottui.replay import Replay, footage
from tests.cli.running import Night, run
from tests.console.driving import press, screen, shows, toasts, wait_until
from tests.reclaims import record, see


class Projector:
    """A replay whose clock the test turns."""

    def __init__(self, toml: Path, journal: Journal, instance_id: str) -> None:
        found = incident(journal, instance_id)
        assert found
        self.journal, self.recovery_id = journal, found.recovery.recovery_id
        self.now_s = 0.0
        self.film = footage(journal, found)
        self.playback = Playback(self.film.moments, tick=lambda: self.now_s)
        self.desk = Replay(load(toml), journal, self.film, self.playback)

    def views(self) -> Iterator[DeskView]:
        """Go through all of it, from moment to moment."""
        yield self.desk.view()
        while not self.playback.pace.over:
            self.playback.jump()
            yield self.desk.view()

    def open(self) -> Replay:
        self.playback.start()
        return self.desk


@pytest.fixture
def projector(night: Night) -> Iterator[Projector]:
    assert night.exit_code == 0, night.output
    journal = Journal(journal_of(night), read_only=True)
    yield Projector(night.toml, journal, night.instance_id)
    journal.close()


def journal_of(night: Night) -> Path:
    return Path(load(night.toml).journal)


@contextlib.asynccontextmanager
async def console(projector: Projector, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Any]:
    playback = projector.playback
    app = SpottuiApp(projector.open, clock=playback, who="me", title="spottui", playback=playback)
    async with app.run_test(size=size, notifications=True) as pilot:
        await wait_until(pilot, lambda: app.session.view is not None)
        yield pilot


def test_the_states_pass_as_the_log_has_them_and_the_end_is_the_journals(projector: Projector) -> None:
    seen: list[RecoveryState] = []
    for view in projector.views():
        for recovery in view.recoveries:
            if seen[-1:] != [recovery.state]:
                seen.append(recovery.state)
    log = projector.journal.log.of(projector.recovery_id)
    entered = [one.fact for one in log if isinstance(one.fact, StateEntered)]
    assert seen == [RecoveryState.SUSPECTED, *(one.state for one in entered if one.state is not one.was)]
    assert seen[-1] is RecoveryState.RECOVERED
    (final,) = view.recoveries
    assert final == projector.journal.recoveries.get(projector.recovery_id)
    assert view.interruptions == (final.interruption,)
    assert projector.desk.timeline(projector.recovery_id) == log


def test_nothing_is_known_before_it_happened(projector: Projector) -> None:
    for view in projector.views():
        assert all(event.at <= view.at for event in view.events)
        assert all(entry.at and entry.at <= view.at for entry in projector.desk.timeline(projector.recovery_id))
        assert all(event.at <= view.at for event in projector.desk.find_events((), 1000, below=1 << 60))
        (past,) = projector.desk.past() or (None,)
        for reclaim, recovery in zip(view.interruptions, view.recoveries, strict=True):
            assert reclaim.first_seen <= view.at
            assert recovery.ended is None or recovery.ended <= view.at
            assert bool(recovery.new_instance_id) <= bool(recovery.image_id)
            assert past
            assert (past.interruption, past.recovery) == (reclaim, recovery)
            assert bool(past.outcome.kept) <= bool(recovery.created)
            there = {one.instance_id for one in view.instances}
            final = projector.film.scenes[0].recovery
            assert final.new_instance_id not in there or recovery.new_instance_id


def test_progress_and_forecast_are_those_that_were_shown(night: Night, tmp_path: Path) -> None:
    began = datetime(2026, 11, 24, 12, tzinfo=UTC)
    moments = [began + timedelta(seconds=10 * number) for number in range(4)]
    with Journal(tmp_path / "j.db") as journal:
        recovery_id = see(journal, Observation("cn-hangzhou", "i-1", Evidence.LOCK, began), at=began).recovery_id
        record(journal, recovery_id, StateEntered(RecoveryState.IMAGING), began)
        record(journal, recovery_id, CallAnswered("CreateImage", resources=("m-1",)), began)
        for number, at in enumerate(moments[1:], 1):
            record(journal, recovery_id, ProgressSeen(20 * number, "m-1", at + timedelta(minutes=1)), at)
        record(journal, recovery_id, StateEntered(RecoveryState.FAILED), moments[-1] + timedelta(seconds=1))
        shown = {}
        for view in Projector(night.toml, journal, "i-1").views():
            for recovery in view.recoveries:
                shown[view.at] = recovery.progress, recovery.forecast_at
    assert [shown[at] for at in moments] == [
        (0, None),
        *((20 * number, at + timedelta(minutes=1)) for number, at in enumerate(moments[1:], 1)),
    ]


def test_what_the_journal_does_not_keep_over_time_is_not_known(projector: Projector) -> None:
    statuses = {one.status for view in projector.views() for one in view.instances}
    assert statuses == {InstanceStatus.UNKNOWN}


def test_a_replayed_desk_refuses_every_command(projector: Projector) -> None:
    desk = projector.desk
    for command in ("plan_for", "carry_out", "recover", "arm", "disarm"):
        with pytest.raises(Refused, match="replay"):
            getattr(desk, command)("one", who="me")


async def test_the_console_shows_it_step_by_step_at_the_pace_of_the_keys(projector: Projector) -> None:
    async with console(projector) as pilot:
        await shows(pilot, "REPLAY ×1 ")
        keys = screen(pilot.app).splitlines()[-1]
        assert not [action.title for action in ACTIONS if action.danger and f" {action.title} " in keys]
        await press(pilot, "plus", "plus", "minus")
        await shows(pilot, "REPLAY ×2 ")
        await press(pilot, "space")
        await shows(pilot, "REPLAY ×2 held")
        projector.now_s += 1000
        await press(pilot, "n")
        await wait_until(pilot, lambda: len(pilot.app.session.view.recoveries) == 1)
        await shows(pilot, "suspected")
        began = len(projector.desk.timeline(projector.recovery_id))
        for key, title in (("r", "Recover"), ("a", "Auto")):
            await press(pilot, key)
            assert toasts(pilot.app) == [f"{title} is unavailable: this is a replay."]
        await press(pilot, "space")
        projector.now_s += 1000
        await shows(pilot, "REPLAY ×2 over")
        await shows(pilot, "1 recovered")
        assert began < len(projector.desk.timeline(projector.recovery_id))
        await press(pilot, "3", "enter", "end")
        await shows(pilot, "verifying → recovered")
        assert pilot.app.session.view.recoveries == (projector.journal.recoveries.get(projector.recovery_id),)


async def test_a_timeline_grows_while_it_is_open(projector: Projector) -> None:
    async with console(projector, (120, 50)) as pilot:
        await press(pilot, "space", "n")
        await wait_until(pilot, lambda: len(pilot.app.session.view.recoveries) == 1)
        await press(pilot, "3", "enter")
        await shows(pilot, "+0.0s ! ")
        assert "CreateImage" not in screen(pilot.app)
        projector.playback.hold_or_go_on()
        projector.now_s += 1000
        await shows(pilot, "CreateImage")
        await shows(pilot, "verifying → recovered")


def test_the_journal_is_only_read(night: Night, tmp_path: Path) -> None:
    beside = journal_of(night).parent
    before = contents(beside)
    done = run("replay", night.instance_id, "--speed", 100_000, "--config", night.toml)
    assert done.exit_code == 0
    assert "verifying → recovered" in done.stdout
    assert contents(beside) == before


def test_one_that_a_console_writes_to_is_only_read_too(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    seen = MessageSeen("not yet in the file itself"), MessageSeen("and it is written to")
    with Journal(path) as journal:
        journal.run(lambda transaction: transaction.log(seen[0], datetime.now(UTC)))
        before = contents(tmp_path)
        with Journal(path, read_only=True) as reader:
            assert [one.fact for one in reader.log.after(0, 10)] == [seen[0]]
            assert contents(tmp_path) == before
            journal.run(lambda transaction: transaction.log(seen[1], datetime.now(UTC)))
            assert [one.fact for one in reader.log.after(0, 10)] == [*seen], "neither waits for the other"


def test_no_journal_and_no_such_incident_are_said(night: Night, tmp_path: Path) -> None:
    unknown = run("replay", "no-such-instance", "--config", night.toml)
    assert (unknown.exit_code, "no incident of" in unknown.stderr) == (1, True)
    toml = tmp_path / "c.toml"
    region = '[[region]]\nid = "cn-hangzhou"\nqueue = "q"\nmns_endpoint = "http://127.0.0.1:9"\n'
    toml.write_text(f'journal = "{tmp_path}/nowhere.db"\n{region}')
    none = run("replay", "web-1", "--config", toml)
    assert (none.exit_code, "nowhere.db" in none.stderr) == (1, True), none.output
    assert not (tmp_path / "nowhere.db").exists()


def test_no_sdk_and_no_engine_is_imported_for_it() -> None:
    code = (
        "import spottui.cli.replay, spottui.replay, spottui.journal, spottui.console.app, sys;"
        "print(*(m for m in sys.modules if m.startswith(('mns', 'darabonba', 'spottui.recovery', 'alibabacloud'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def contents(directory: Path) -> dict[str, bytes]:
    """All files but the memory that SQLite's readers and writers share: who reads leaves a mark there."""
    files = (path for path in sorted(directory.iterdir()) if path.is_file() and not path.name.endswith("-shm"))
    return {path.name: path.read_bytes() for path in files}
