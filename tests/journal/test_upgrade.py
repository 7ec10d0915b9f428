"""A journal of an earlier version opens, is told of as it was, and its recoveries go on; a newer one is refused."""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from spottui.domain.facts import EarlierLine
from spottui.domain.recovery import RecoveryState
from spottui.domain.routes import Route
from spottui.journal import Journal, schema
from spottui.journal.store import JournalProblem
from spottui.sim.testing import SimServer
from tests.cli.running import own_state, run, run_json
from tests.driving import Headless, effects, wait_until

DUMP = Path(__file__).with_name("journal-of-schema-1.sql")
"""Written by `spottui --headless` of schema 1: one recovered by auto-mode, one that waited for a yes at the end."""
RECOVERED, WAITING = "i-bp1na5wfjmne49qrddmj", "i-bp1h6pwd8zq0df9avqxw"

DUMP_2 = Path(__file__).with_name("journal-of-schema-2.sql")
"""Written by a desk of schema 2 that was killed (kill -9) with six recoveries, in the state of each name below."""
WORLD = Path(__file__).with_name("world-of-schema-2.json")
"""The simulated cloud at that moment: the answer to the launch was lost, the image of IMAGING is half done."""
DONE, FAILED, LAUNCHING = "i-bp1w781pv62umn0uaz62", "i-bp1oz2spbdul1a16wgr2", "i-bp1tqsx2swqwnoszk7r4"
IMAGING, KEPT_DISK, NEEDS_YOU = "i-bp19ferekhepmolv153m", "i-bp1tsldg4ntj832eh4di", "i-bp1olutt96k5l7cl7xzh"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return _restored(DUMP, tmp_path / "old.db")


@pytest.fixture
def of_version_2(tmp_path: Path) -> Path:
    return _restored(DUMP_2, tmp_path / "old.db")


def _restored(dump: Path, path: Path) -> Path:
    with sqlite3.connect(path) as connection:
        connection.executescript(dump.read_text())
    connection.close()
    return path


@pytest.fixture
def toml(old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    own_state(monkeypatch, tmp_path)
    with SimServer(instances=2, config=tmp_path / "c.toml") as cloud:
        assert cloud.endpoint.config
        text = cloud.endpoint.config.read_text().splitlines()
        kept = [f'journal = "{old}"' if line.startswith("journal =") else line for line in text]
        cloud.endpoint.config.write_text("\n".join(kept))
        yield cloud.endpoint.config


def test_what_it_holds_is_read_as_it_was_written(old: Path) -> None:
    journal = Journal(old)
    states = {one.instance_id: one.state for one in journal.recoveries.all()}
    plans = [journal.recoveries.plan(one.recovery_id) for one in journal.recoveries.all()]
    assert not list(journal.log.unlike_their_facts())
    journal.close()
    assert states == {RECOVERED: RecoveryState.RECOVERED, WAITING: RecoveryState.NEEDS_YOU}
    assert all(plan and plan.routes and plan.candidates for plan in plans)
    assert _version(old) == schema.SCHEMA_VERSION
    assert _version(old.with_name("old.db.version-1")) == 1
    again = Journal(old)
    assert len(again.recoveries.all()) == 2, "opened a second time it is not upgraded again"
    again.close()


def test_of_version_2_all_is_carried(of_version_2: Path) -> None:
    with Journal(of_version_2) as journal:
        known = {one.instance_id: one for one in journal.recoveries.all()}
        lines = [one.fact for one in journal.log.of(known[FAILED].recovery_id) if isinstance(one.fact, EarlierLine)]
        assert not list(journal.log.unlike_their_facts())
    assert {one: known[one].state.value for one in known} == {
        DONE: "recovered", FAILED: "failed", LAUNCHING: "launching", IMAGING: "imaging", KEPT_DISK: "imaging",
        NEEDS_YOU: "needs you",
    }  # fmt: skip
    assert all(one.driver == "" and one.has_plan for one in known.values())
    assert known[LAUNCHING].unsettled == (known[LAUNCHING].tries[-1].client_token,)
    assert [one.failure for one in known[LAUNCHING].tries] == [None]
    assert known[IMAGING].image_id in known[IMAGING].made("image")
    assert known[IMAGING].images == 1
    assert known[IMAGING].unsettled == ()
    assert known[KEPT_DISK].awaits_release
    assert not known[KEPT_DISK].disks_free
    assert known[KEPT_DISK].route is Route.KEPT_DISK
    assert [line.text for line in lines if line.failed] == [
        "CreateImage failed: Forbidden.RAM: The request processing has failed due to some unknown error."
    ]
    assert [line.event for line in lines] == [
        "RECLAIM", "CALL", "LOCK", "STATE", "CONFIRMED", "STATE", "CALL", "STATE", "RECLAIM",
    ]  # fmt: skip
    with sqlite3.connect(of_version_2) as connection:
        left = {name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")}
    connection.close()
    assert left == set(schema.metadata.tables)


KILLED = """
import os, signal, sys
from itertools import count
from pathlib import Path
import sqlalchemy as sa
from spottui.journal.carry_over import carry_over
moments = count()
def look(*_):
    if next(moments) == number:
        os.kill(os.getpid(), signal.SIGKILL)
for moment in ("before_cursor_execute", "after_cursor_execute", "commit"):
    sa.event.listen(sa.Engine, moment, look)
for path in map(Path, sys.argv[1:]):
    number = int(path.stem)
    if not os.fork():
        carry_over(path)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.wait()[1]))
"""


def test_killed_at_any_statement_it_is_the_old_one_or_the_new_one(of_version_2: Path) -> None:
    rows = len(Journal(_copy(of_version_2, "whole.db")).recoveries.all())
    paths = [_copy(of_version_2, f"{number}.db") for number in (0, 2, 5, 25, 60, 100, 140, 182, 184, 185)]
    done = subprocess.run([sys.executable, "-c", KILLED, *map(str, paths)], check=True, capture_output=True, text=True)
    ended = [int(code) for code in done.stdout.split()]
    assert len(ended) == len(paths)
    assert set(ended) <= {0, -signal.SIGKILL}
    assert ended[0], "nobody was killed"
    for path in paths:
        assert _version(path) in (2, schema.SCHEMA_VERSION)
        with Journal(path) as journal:
            assert len(journal.recoveries.all()) == rows
            assert not list(journal.log.unlike_their_facts())


HOLDS = """
import fcntl, os, sqlite3, sys
from pathlib import Path
claims = Path(sys.argv[1]).with_name("spottui-executors")
claims.mkdir()
held = (claims / f"bastion-{os.getpid()}-0a1b2c3d").open("w")
fcntl.flock(held, fcntl.LOCK_EX)
opened = open(sys.argv[2])
print(os.getpid(), flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("own", [True, False])
def test_a_console_of_the_earlier_version_keeps_it(of_version_2: Path, tmp_path: Path, own: bool) -> None:
    another = _copy(of_version_2, "another.db")
    command = [sys.executable, "-c", HOLDS, str(of_version_2), str(of_version_2 if own else another)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as console:
        assert console.stdin
        assert console.stdout
        pid = console.stdout.readline().strip()
        if own:
            with pytest.raises(JournalProblem, match=f"pid {pid}.*End that console"):
                Journal(of_version_2)
            assert _version(of_version_2) == 2
            assert not list(tmp_path.glob("*.version-2*"))
        console.stdin.close()
        if not own:
            Journal(of_version_2).close()
    with Journal(of_version_2) as journal:
        assert len(journal.recoveries.all()) == 6


def test_recoveries_under_way_go_on_with_what_they_had(
    of_version_2: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_state(monkeypatch, tmp_path)
    with SimServer(world=WORLD, config=tmp_path / "c.toml") as cloud:
        _name_journal(tmp_path / "c.toml", of_version_2)
        cloud.advance(310)
        with Headless(tmp_path / "c.toml").wait_ready() as console:
            wait_until(lambda: console.states().get(IMAGING) == "recovered")
            wait_until(lambda: console.states().get(LAUNCHING) == "recovered")
            wait_until(lambda: cloud.calls("CreateSnapshot"))
            assert console.stop() == 0
        assert [row for row in cloud.calls("CreateImage") if row["effect"] and _is_of(row, IMAGING, LAUNCHING)] == []
        launched = effects(cloud, "RunInstances")
        assert len(launched) == 1, "that of which the image was made; the other launch is repeated with its token"
    with Journal(of_version_2, read_only=True) as journal:
        known = {one.instance_id: one for one in journal.recoveries.all()}
        assert [len(known[one].made("image")) for one in (IMAGING, LAUNCHING)] == [1, 1]
        assert [len(known[one].made("instance")) for one in (IMAGING, LAUNCHING)] == [1, 1]
        assert not list(journal.log.unlike_their_facts())


def _is_of(row: dict[str, object], *instance_ids: str) -> bool:
    return any(one in str(row) for one in instance_ids)


def _copy(path: Path, name: str) -> Path:
    copied = path.with_name(name)
    copied.write_bytes(path.read_bytes())
    return copied


def _version(path: Path) -> int:
    with sqlite3.connect(path) as connection:
        ((version,),) = connection.execute("select value from spottui_meta where key = 'schema'").fetchall()
    connection.close()
    return int(version)


def _name_journal(config: Path, journal: Path) -> None:
    lines = config.read_text().splitlines()
    config.write_text("\n".join(f'journal = "{journal}"' if one.startswith("journal =") else one for one in lines))


def test_the_commands_say_that_a_console_carries_it_over_and_then_tell_of_it(toml: Path, old: Path) -> None:
    refused = run("report", RECOVERED, "--config", toml)
    assert refused.exit_code == 2
    assert "Start `spottui` once" in refused.stderr
    assert _version(old) == 1
    Journal(old).close()
    assert run_json("report", RECOVERED, "--config", toml)["state"] == "recovered"
    assert run_json("report", "--since", "10000d", "--config", toml)["recovered"] == 1
    assert {one["state"] for one in run_json("status", "--config", toml)["recoveries"]} == {"recovered", "needs you"}


def test_a_console_goes_on_with_it(toml: Path) -> None:
    with Headless(toml) as console:
        wait_until(lambda: console.states().keys() >= {RECOVERED, WAITING})
        assert console.states()[RECOVERED] == "recovered"
        assert console.stop() == 0


def test_a_newer_one_is_refused_in_words_and_left_as_it_is(toml: Path, old: Path) -> None:
    Journal(old).close()
    with sqlite3.connect(old) as connection:
        connection.execute("update spottui_meta set value = '99' where key = 'schema'")
    connection.close()
    before = old.read_bytes()
    for command in (["status"], ["report", RECOVERED], ["janitor"], ["recover", RECOVERED, "--yes", "--dry-run"]):
        done = run(*command, "--config", toml)
        assert done.exit_code == 2, done.output
        assert "newer spottui" in done.stderr
        assert "Upgrade spottui" in done.stderr
    assert old.read_bytes() == before
